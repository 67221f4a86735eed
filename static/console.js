// What the pages gain from JavaScript: theme, copying, selects that submit, charts. Nothing works only with it.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  if (root.hasAttribute("data-follows-system") && dark.matches) root.dataset.bsTheme = "dark";

  const setTheme = (theme) => {
    root.dataset.bsTheme = theme;
    document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
  };

  // Numbers and times are written as where the person is, in the page's language.
  const locale = navigator.languages.find((tag) => tag.startsWith(root.lang)) ?? root.lang;

  // What a part of a chart says, beside the pointer or the finger.
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  const say = (event) => {
    const part = event.target.closest?.("[data-tip]");
    tip.hidden = !part?.dataset.tip;
    if (tip.hidden) return;
    if (!tip.isConnected) document.body.append(tip);
    tip.textContent = part.dataset.tip;
    const room = root.clientWidth - tip.offsetWidth - 8;
    tip.style.left = `${Math.max(8, Math.min(event.clientX + 14, room))}px`;
    tip.style.top = `${Math.max(8, event.clientY - tip.offsetHeight - 12)}px`;
  };
  document.addEventListener("pointermove", say);
  document.addEventListener("pointerdown", say);

  // Times are written in UTC; on hover they say the exact one where the person is.
  const zoned = (within = document) =>
    within.querySelectorAll("time[datetime]").forEach((time) => {
      time.title = new Date(time.dateTime).toLocaleString(locale, { dateStyle: "medium", timeStyle: "long" });
    });

  // On phones the rows of a table stand below each other: each cell then says the head of its column, the first one heads its row.
  const stack = (within = document) =>
    within.querySelectorAll("table.table:not(.stacks, .answers)").forEach((table) => {
      if (table.closest("[role=region], .numbers")) return;
      const heads = [...(table.tHead?.rows[0]?.cells ?? [])].map((head) =>
        [...head.childNodes]
          .filter((node) => node.nodeName !== "DETAILS")
          .map((node) => node.textContent)
          .join(" ")
          .trim(),
      );
      for (const row of [...table.tBodies].flatMap((body) => [...body.rows]))
        [...row.cells].forEach((cell, place) => {
          if (cell.colSpan > 1) return;
          if (!place && !cell.querySelector("input, select")) cell.classList.add("row-head");
          else if (heads[place]) cell.dataset.said ??= heads[place];
        });
      if (heads.length) table.classList.add("stacks");
    });

  // A select cuts what is longer than it; the whole of it then stands below.
  const measure = document.createElement("canvas").getContext("2d");
  const whole = (select) => {
    const label = select.selectedOptions[0]?.label ?? "";
    const style = getComputedStyle(select);
    measure.font = style.font;
    const room = select.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    let said = select.nextElementSibling;
    if (!said?.matches(".whole")) {
      if (measure.measureText(label).width <= room) return;
      said = document.createElement("small");
      said.className = "whole";
      said.setAttribute("aria-hidden", "true");
      select.after(said);
    }
    said.textContent = measure.measureText(label).width > room ? label : "";
  };
  const fit = (within = document) =>
    within.querySelectorAll("form > div > select.form-select, .whom select.form-select").forEach(whole);
  window.addEventListener("resize", () => fit());

  const copy = async (button) => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.classList.add("done");
    button.firstElementChild.className = "bi bi-check-lg";
    setTimeout(() => {
      button.classList.remove("done");
      button.firstElementChild.className = "bi bi-copy";
    }, 1500);
  };

  // An upload with its progress in bytes; the server answers with the address of the preview.
  const decimal = (n, digits) =>
    n.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const bytes = (n) => {
    for (const unit of ["B", "KiB", "MiB"]) {
      if (n < 1024) return `${decimal(n, unit === "B" ? 0 : 1)} ${unit}`;
      n /= 1024;
    }
    return `${decimal(n, 2)} GiB`;
  };
  // Arrow keys move a slider many times a second: the value it rests at is sent, and no answer to an older one takes its place.
  const RESTS_MS = 250;
  let moving;
  let due;
  const submit = (field) => {
    if (field.type !== "range") return field.form.requestSubmit();
    clearTimeout(due);
    moving = field.form;
    due = setTimeout(() => {
      moving = undefined;
      field.form.requestSubmit();
    }, RESTS_MS);
  };
  const upload = (form) => {
    const [state, foot] = [form.querySelector(".upload-state"), form.querySelector(".form-foot")];
    const [bar, words] = [state.querySelector(".progress-bar"), state.querySelector("p")];
    const request = new XMLHttpRequest();
    const ended = (message) => {
      words.textContent = message;
      foot.hidden = false;
      bar.parentElement.hidden = true;
    };
    request.open("POST", form.action);
    request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
    request.upload.onprogress = ({ loaded, total }) => {
      const percent = Math.floor((100 * loaded) / total);
      bar.style.width = `${percent}%`;
      bar.parentElement.setAttribute("aria-valuenow", percent);
      words.textContent =
        loaded < total
          ? state.dataset.sent.replace("{loaded}", bytes(loaded)).replace("{total}", bytes(total))
          : state.dataset.storing;
    };
    request.onload = () => {
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        /* an error page */
      }
      if (answer.next) window.location = answer.next;
      else ended(answer.error || state.dataset.refused.replace("{status}", request.status));
    };
    request.onerror = () => ended(state.dataset.broken);
    request.onabort = () => ended(state.dataset.cancelled);
    state.querySelector("[data-cancel]").onclick = () => request.abort();
    [state.hidden, foot.hidden, bar.parentElement.hidden] = [false, true, false];
    request.send(new FormData(form));
  };

  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-upload]")) {
      event.preventDefault();
      upload(event.target);
    }
  });
  ["dragover", "dragleave", "drop"].forEach((type) =>
    document.addEventListener(type, (event) => {
      const zone = event.target.closest?.("[data-drop]");
      if (!zone) return;
      event.preventDefault();
      zone.classList.toggle("over", type === "dragover");
      if (type === "drop" && event.dataTransfer.files.length) {
        zone.querySelector("input[type=file]").files = event.dataTransfer.files;
        zone.closest("form").requestSubmit();
      }
    }),
  );
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
    const part = event.target.closest("[data-insert]");
    if (part) {
      const place = document.getElementById(part.dataset.into);
      place.setRangeText(part.dataset.insert, place.selectionStart, place.selectionEnd, "end");
      place.focus();
      place.dispatchEvent(new Event("input", { bubbles: true }));
    }
    const menu = event.target.closest("[data-menu]");
    if (menu) menu.setAttribute("aria-expanded", String(menu.closest(".side").classList.toggle("open")));
    if (event.target.closest("[data-theme-toggle]")) setTheme(root.dataset.bsTheme === "dark" ? "light" : "dark");
  });
  // A drawer opens once it is filled, and closes with a click beside it; the focus goes back by itself.
  document.addEventListener("htmx:afterSwap", (event) => {
    const drawer = event.detail.target.closest("dialog");
    if (drawer && !drawer.open) drawer.showModal();
  });
  document.addEventListener("click", (event) => {
    if (event.target.matches("dialog.drawer")) event.target.close();
  });
  // A picture that cannot be loaded goes, so that the letter behind it shows.
  document.addEventListener(
    "error",
    (event) => {
      if (event.target.matches?.(".thumb img")) event.target.remove();
    },
    true,
  );
  document.addEventListener("change", (event) => {
    if (event.target.matches("select.form-select")) fit(event.target.parentElement.parentElement);
    if (event.target.matches("[data-submit]")) submit(event.target);
    if (event.target.matches("[name=all][form=many]"))
      document.querySelectorAll("[data-tick-all], input[name=chosen]").forEach((box) => {
        [box.checked, box.disabled] = [event.target.checked, event.target.checked];
      });
    if (event.target.matches("[data-tick-all]"))
      event.target
        .closest("table")
        .querySelectorAll("input[name=chosen]")
        .forEach((box) => {
          box.checked = event.target.checked;
        });
  });
  document.addEventListener("DOMContentLoaded", () => {
    zoned();
    stack();
    fit();
    document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
    // What a person has opened or closed stays so when a live part is sent again; logs that grow show their end.
    const opened = new Map();
    document.body.addEventListener("htmx:beforeSwap", (event) => {
      if (moving && event.detail.target.contains(moving)) event.detail.shouldSwap = false;
      event.detail.target.querySelectorAll("details[id]").forEach((part) => opened.set(part.id, part.open));
    });
    document.body.addEventListener("htmx:load", (event) => {
      event.detail.elt.querySelectorAll("details[id]").forEach((part) => {
        if (opened.has(part.id)) part.open = opened.get(part.id);
      });
      event.detail.elt.querySelectorAll("pre[data-tail]").forEach((log) => {
        log.scrollTop = log.scrollHeight;
      });
      zoned(event.detail.elt);
      stack(event.detail.elt);
      fit(event.detail.elt);
    });
  });
})();
