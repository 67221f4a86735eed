// The import's preview: the start button waits until nothing is missing. Without JavaScript the server says what is.
"use strict";
(() => {
  const settle = () => {
    const form = document.querySelector("[data-import]");
    if (!form) return;
    const missing = [...form.querySelectorAll("[data-gaps]")].some((part) => part.dataset.gaps !== "0");
    form.querySelector("[data-start]").disabled = missing;
    form.querySelector("[data-start-words]").hidden = !missing;
  };
  document.addEventListener("DOMContentLoaded", settle);
  document.addEventListener("htmx:afterSettle", settle);
})();
