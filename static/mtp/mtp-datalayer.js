// What a page says in GA4's data layer, and the permission that Google's consent mode tells there; mtp.js loads this
// where its tag asks for one of the two.
(() => {
  "use strict";
  const settings = document.currentScript.dataset;
  const base = new URL(".", document.currentScript.src);
  const own = base.origin === location.origin;

  // ------------------------------------------------------------------------------------------------- events

  // Orders are missing on purpose: the server tells them, it knows whether they were paid.
  const NAMES = {
    view_item: "Product Viewed", view_item_list: "Product List Viewed", select_item: "Product Clicked",
    add_to_cart: "Product Added", remove_from_cart: "Product Removed", add_to_wishlist: "Product Added to Wishlist",
    view_cart: "Cart Viewed", begin_checkout: "Checkout Started",
    search: "Products Searched", view_search_results: "Products Searched",
  };
  const PRODUCT = {
    item_id: "product_id", item_name: "name", item_brand: "brand", item_variant: "variant",
    price: "price", quantity: "quantity", index: "position",
  };
  const WHOLE = {
    search_term: "query", results: "results", item_list_id: "list_id", item_list_name: "category",
    currency: "currency", value: "value",
  };

  // What attributes of the page tell already is not told twice.
  const MARKED = {
    "Product Viewed": "[data-mtp-product]", "Products Searched": "[data-mtp-search]",
    "Product Added": "[data-mtp-add]", "Product Removed": "[data-mtp-remove]",
    "Product List Viewed": "[data-mtp-list]", "Product Clicked": "[data-mtp-list]",
  };

  // What still holds when a visitor agrees later on the same page; what they did before is not told.
  const HOLDS = ["Product Viewed", "Product List Viewed", "Products Searched"];
  const missed = new Map();

  const renamed = (given, names) => {
    const named = {};
    for (const name in names) if (given[name] !== undefined && given[name] !== "") named[names[name]] = given[name];
    return named;
  };

  const told = (name, given) => {
    const ours = Object.hasOwn(NAMES, name) && NAMES[name];
    if (!ours || (MARKED[ours] && document.querySelector(MARKED[ours]))) return;
    const { items } = given;
    const first = Array.isArray(items) && items[0] || {};
    const properties = renamed({ ...renamed(first, { item_list_id: "item_list_id" }), ...given }, WHOLE);
    if (Array.isArray(items)) properties.products = items.map((item) => renamed(item, PRODUCT));
    if (!mtp.track(ours, properties) && HOLDS.includes(ours)) missed.set(ours, properties);
  };

  // ------------------------------------------------------------------------------------------------ consent

  const NEEDED = ["analytics_storage", "personalization_storage"];
  const defaults = {}, updates = {};
  let choice, refused, line = Promise.resolve();

  const ask = async (more) => {
    const answer = await fetch(new URL("v1/privacy/consent", base), { credentials: "same-origin", ...more });
    return answer.ok ? answer.json() : {};
  };

  // The server keeps what visitors of the shop's own pages choose; it is told when it knows otherwise. Consent managers
  // say again on every page what they have stored, so a grant goes over a refusal only where this page saw both.
  const keep = async (granted, chosen, turn) => {
    if (turn !== choice) return;
    let held = await ask();
    if (turn !== choice) return;
    if (chosen && held.choice !== granted && (!granted || refused || held.choice === null)) {
      const headers = { "Content-Type": "application/json" };
      held = await ask({ method: "POST", headers, body: JSON.stringify({ choice: granted }) });
    }
    refused ||= chosen && !granted;
    if (turn === choice) mtp.consent(held.consent_level || "non-personal");
  };

  // One after the other: what was chosen last is what the server hears last.
  const choose = (granted, ...more) => {
    if (!granted || !own) mtp.consent(granted ? "full" : "non-personal");
    if (own) line = line.then(() => keep(granted, ...more)).catch(() => mtp.consent("non-personal"));
  };

  const permitted = (command, states) => {
    for (const name of NEEDED) {
      const granted = states[name] === "granted";
      if (states[name] === undefined) continue;
      if (command === "update") updates[name] = granted;
      // What holds in some region may hold here: a default refuses wherever it is, and grants only everywhere.
      else if (!granted) defaults[name] = false;
      else if (!states.region) defaults[name] ??= true;
    }
  };

  const decide = () => {
    // Both must be granted; either denied is a refusal.
    const chosen = NEEDED.every((name) => name in updates) || NEEDED.some((name) => updates[name] === false);
    const granted = NEEDED.every((name) => updates[name] ?? defaults[name]);
    const now = `${granted} ${chosen}`;
    if (now === choice) return;
    choice = now;
    if (granted || chosen) choose(granted, chosen, now);
  };

  // ---------------------------------------------------------------------------------------------- the layer

  // An entry is an object with an event, or the arguments of a call of gtag.
  const take = (entry) => {
    if (!entry || typeof entry !== "object") return;
    const [command, name, given] = "length" in entry ? entry : [];
    if (command === "consent" && settings.consent === "google") permitted(name, given || {});
    if (settings.datalayer === undefined) return;
    if (command === "event") told(name, given || {});
    else if (entry.event) told(entry.event, { ...entry, ...entry.ecommerce });
  };

  // Somebody else's entry, however odd, is no reason to fail the page.
  const read = (entries) => {
    for (const entry of entries) {
      try {
        take(entry);
      } catch (error) {
        console.warn("mtp: an entry of the data layer was passed over", error);
      }
    }
    if (settings.consent === "google") decide();
  };

  document.addEventListener("mtp:consent", ({ detail }) => {
    if (detail !== "full") return;
    for (const [name, properties] of missed) mtp.track(name, properties);
    missed.clear();
  });

  const layer = (window[settings.datalayer || "dataLayer"] ||= []);
  const push = layer.push;
  layer.push = function (...entries) {
    const answer = push.apply(this, entries);
    read(entries);
    return answer;
  };
  read([...layer]);
})();
