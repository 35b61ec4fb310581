// Small comforts: everything works without them.
(() => {
  "use strict";
  const typing = (target) => target.closest("input, textarea, select, [contenteditable]");
  const find = document.querySelector("[data-find]");

  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && find && !typing(event.target) && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      find.focus();
      find.select();
    }
    if (event.key === "Escape" && location.hash === "#menu") location.hash = "main";
  });

  // A click anywhere on a row opens it, as its link does.
  document.addEventListener("click", (event) => {
    const row = event.target.closest("[data-row]");
    if (!row || event.target.closest("a, button, input, label, form") || String(getSelection())) return;
    const link = row.querySelector("th a");
    if (link) link.click();
  });

  // A form is sent once.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

  // What went wrong is read first.
  document.querySelector("[data-focus]")?.focus();

  // Whoever leaves with something unsaved is asked.
  let changed = false;
  document.querySelectorAll("form[data-unsaved]").forEach((form) => form.addEventListener("input", () => (changed = true)));
  document.addEventListener("submit", () => (changed = false));
  addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
})();
