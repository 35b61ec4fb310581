// The banner's form without a reload; mtp.js loads this where there is one. Without it the form is sent as a form.
(() => {
  "use strict";
  // Where preferences stand to stay, the boxes show what holds now, and it is said.
  const stay = (form, button, purposes) => {
    form.inert = false;
    for (const box of form.querySelectorAll("[name=purpose]")) box.checked = !!purposes?.[box.value];
    const said = form.querySelector("[role=status]");
    if (said) said.textContent = said.dataset.saved;
    button?.focus();
  };

  const choose = (form, button) => {
    const body = new URLSearchParams(new FormData(form));
    if (button) body.set(button.name, button.value);
    const headers = { Accept: "application/json" };
    form.inert = true;
    fetch(form.action, { method: "POST", body, headers, credentials: "same-origin", redirect: "manual" })
      .then(async (answer) => {
        // The answer says what the choice amounts to; an older server only leads back to the page.
        if (answer.type === "opaqueredirect") {
          return { consent_level: body.get("choice") === "granted" ? "full" : "non-personal" };
        }
        if (!answer.ok) throw answer;
        return answer.json();
      })
      .then(({ consent_level: level, purposes }) => {
        if (form.closest(".mtp-preferences")) stay(form, button, purposes);
        else (form.closest(".mtp-consent") || form).remove();
        mtp.consent(level);
      })
      .catch(() => {
        form.inert = false;
        form.removeAttribute("data-mtp-consent");
        form.requestSubmit(button);
      });
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-mtp-consent]")) return;
    event.preventDefault();
    choose(form, event.submitter);
  }, true);
})();
