// Forms of settings: marks what differs from its default, puts defaults back, shows what a tick opens, says where a slider stands.
"use strict";
(() => {
  const isDefault = (input) => {
    const { default: standard } = input.dataset;
    if (input.value === standard) return true;
    return input.value !== "" && Number(input.value) === Number(standard);
  };
  const mark = (form) => {
    let changed = 0;
    form.querySelectorAll("[data-setting]").forEach((setting) => {
      const input = setting.querySelector("[data-default]");
      const differs = input && !isDefault(input);
      changed += differs ? 1 : 0;
      setting.querySelectorAll("[data-changed], [data-reset]").forEach((part) => {
        part.hidden = !differs;
      });
    });
    form.querySelectorAll("[data-reset-all]").forEach((button) => {
      button.hidden = !changed;
    });
    form.querySelectorAll("[data-shown-with]").forEach((part) => {
      part.hidden = !document.getElementById(part.dataset.shownWith).checked;
    });
  };
  const reset = (setting) => {
    const input = setting.querySelector("[data-default]");
    input.value = input.dataset.default;
  };
  document.addEventListener("click", (event) => {
    const form = event.target.closest("[data-settings]");
    if (!form) return;
    if (event.target.closest("[data-reset]")) reset(event.target.closest("[data-setting]"));
    else if (event.target.closest("[data-reset-all]")) form.querySelectorAll("[data-setting]").forEach(reset);
    else return;
    mark(form);
  });
  const follow = (input) =>
    document.querySelectorAll(`[data-output-of="${input.id}"]`).forEach((place) => {
      const digits = (input.step.split(".")[1] || "").length;
      const form = { minimumFractionDigits: digits, maximumFractionDigits: digits };
      place.textContent = Number(input.value).toLocaleString(document.documentElement.lang, form);
    });
  document.addEventListener("input", (event) => {
    const form = event.target.closest("[data-settings]");
    if (form) mark(form);
    if (event.target.type === "range") follow(event.target);
  });
  // Exploration is only asked for where the chosen version explores.
  const explore = (select) => {
    const explores = select.dataset.explores.split(" ").includes(select.value);
    ["exploration_weight", "age_cut_off"].forEach((name) => {
      const field = select.form.elements[name];
      if (field) field.closest(".mb-3").hidden = !explores;
    });
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-explores]")) explore(event.target);
  });
  document.querySelectorAll("[data-explores]").forEach(explore);
  document.querySelectorAll("[data-settings]").forEach(mark);
  const followAll = (within) => within.querySelectorAll("input[type=range]").forEach(follow);
  followAll(document);
  document.addEventListener("htmx:load", (event) => followAll(event.target)); // a panel that is sent again
})();
