// Consent managers of others: what OneTrust or TrustArc hold is told to the server, purpose by purpose; mtp.js loads this
// where its tag names one. We are no consent manager: only what a visitor decided there is passed on.
(() => {
  "use strict";
  const settings = document.currentScript.dataset;
  const base = new URL(".", document.currentScript.src);

  // Which of a manager's groups each of our purposes takes; "data-groups" may say otherwise, as JSON.
  const GROUPS = {
    onetrust: { functional: "C0003", analytics: "C0002", personalisation: "C0003", advertising: "C0004" },
    trustarc: { functional: 2, analytics: 2, personalisation: 2, advertising: 3 },
  };

  // Each gives the groups that the visitor allows, or nothing while there was no decision.
  const READERS = {
    onetrust: () => {
      if (!window.OneTrust?.IsAlertBoxClosed?.()) return;
      return (window.OnetrustActiveGroups || window.OptanonActiveGroups || "").split(",").filter(Boolean);
    },
    trustarc: () => {
      const held = window.truste?.cma?.callApi("getGDPRConsentDecision", location.hostname);
      if (held?.source === "asserted") return held.consentDecision;
    },
  };

  const name = settings.manager;
  const read = READERS[name];
  if (!read) {
    console.warn(`mtp: there is no consent manager "${name}"; there are ${Object.keys(READERS).join(", ")}`);
    return;
  }
  const groups = { ...GROUPS[name], ...JSON.parse(settings.groups || "{}") };
  let told = "", line = Promise.resolve();

  const ask = async (more) => {
    const answer = await fetch(new URL("v1/privacy/consent", base), { credentials: "same-origin", ...more });
    if (!answer.ok) throw answer;
    return answer.json();
  };

  // Managers say on every page what they hold: the server is told only what it does not know.
  const keep = async (purposes) => {
    let held = await ask();
    const news = Object.keys(purposes).some((purpose) => held.purposes[purpose] !== purposes[purpose]);
    if (news || held.choice === null) {
      const headers = { "Content-Type": "application/json" };
      held = await ask({ method: "POST", headers, body: JSON.stringify({ purposes, source: name }) });
    }
    mtp.consent(held.consent_level);
  };

  const look = () => {
    const allowed = read();
    if (!allowed) return;
    const purposes = {};
    for (const purpose in groups) purposes[purpose] = allowed.includes(groups[purpose]);
    const now = JSON.stringify(purposes);
    if (now === told) return;
    told = now;
    line = line.then(() => keep(purposes)).catch(() => {
      told = "";
      mtp.consent("non-personal");
    });
  };

  addEventListener("OneTrustGroupsUpdated", look);
  addEventListener("message", ({ data, source }) => {
    if (source === window && String(data?.message || data).includes("submit_preferences")) look();
  });
  look();
})();
