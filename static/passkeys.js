// Passkeys: asks the browser to make one or to sign with one, and says what went wrong in words of the page's data- attributes.
"use strict";
(() => {
  const can = window.isSecureContext && Boolean(window.PublicKeyCredential);
  const bytes = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");
  const described = (rows = []) => rows.map((row) => ({ ...row, id: bytes(row.id) }));

  // Errors of the browser, by name: which of the words says them.
  const WORDS = { NotAllowedError: "cancelled", InvalidStateError: "known", SecurityError: "elsewhere" };
  Object.assign(WORDS, {
    NotSupportedError: "unfit",
    ConstraintError: "unfit",
    TypeError: "broken",
    SyntaxError: "refused",
  });

  const words = () => document.querySelector("[data-passkey-words]").dataset;

  class Refused extends Error {}

  const post = async (address, body) => {
    const token = document.querySelector("input[name=csrfmiddlewaretoken]").value;
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
    const response = await fetch(address, { method: "POST", headers, body: JSON.stringify(body) });
    const answer = JSON.parse(await response.text());
    if (!response.ok) throw new Refused(answer.message);
    return answer;
  };

  const made = async (options) => {
    const publicKey = {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: described(options.excludeCredentials),
    };
    const { rawId, response } = await navigator.credentials.create({ publicKey });
    return {
      id: text(rawId),
      clientDataJSON: text(response.clientDataJSON),
      attestationObject: text(response.attestationObject),
    };
  };

  const signed = async (options) => {
    const allowCredentials = described(options.allowCredentials);
    const publicKey = { ...options, challenge: bytes(options.challenge), allowCredentials };
    const { rawId, response } = await navigator.credentials.get({ publicKey });
    return {
      id: text(rawId),
      clientDataJSON: text(response.clientDataJSON),
      authenticatorData: text(response.authenticatorData),
      signature: text(response.signature),
      userHandle: response.userHandle ? text(response.userHandle) : "",
    };
  };

  // Do what a button is for: it waits meanwhile, and what fails is said in its part.
  const attempt = async (part, button, act) => {
    const said = part.querySelector("[data-said-here]");
    said.textContent = words().waiting;
    said.classList.remove("bad-news");
    button.disabled = true;
    try {
      await act();
    } catch (error) {
      said.classList.add("bad-news");
      said.textContent = error instanceof Refused ? error.message : words()[WORDS[error.name] ?? "refused"];
      button.disabled = false;
      button.focus();
    }
  };

  const startSignIn = (part) => {
    part.hidden = false;
    const button = part.querySelector("button");
    button.addEventListener("click", () =>
      attempt(part, button, async () => {
        const answer = await signed(await post(part.dataset.options, {}));
        const { next } = await post(part.dataset.target, { ...answer, next: part.dataset.next });
        window.location.assign(next);
      }),
    );
  };

  const startAdding = (part, form) => {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      attempt(part, form.querySelector("button"), async () => {
        const password = form.elements.password?.value ?? "";
        const answer = await made(await post(form.dataset.options, { password }));
        const { next } = await post(form.dataset.target, { ...answer, name: form.elements.name.value });
        window.location.assign(next);
      });
    });
  };

  const startConfirming = (part, form) =>
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      attempt(part, form.querySelector("button"), async () => {
        form.elements.answer.value = JSON.stringify(await signed(await post(form.dataset.confirmByPasskey, {})));
        form.submit();
      });
    });

  document.querySelectorAll("[data-passkeys]").forEach((part) => {
    const form = part.querySelector("[data-passkey-add]");
    const impossible = part.querySelector("[data-passkeys-impossible]");
    if (form && can) startAdding(part, form);
    else if (impossible) impossible.hidden = false;
    part.querySelectorAll("[data-confirm-by-passkey]").forEach((each) => startConfirming(part, each));
  });
  if (can) document.querySelectorAll("[data-passkey-sign-in]").forEach(startSignIn);
})();
