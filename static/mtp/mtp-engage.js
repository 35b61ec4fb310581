// How long and how far a page is looked at, and how its list is filtered; mtp.js loads this once the visitor agreed.
(() => {
  "use strict";
  const SECOND = 1000, MOST = 1800;

  // ------------------------------------------------------------------------------------------ time and depth

  // Milliseconds in which the page could be seen: those that are over, and since when it can be.
  let spent, since, told, deepest;

  const measure = () => {
    const { scrollHeight } = document.documentElement;
    deepest = Math.max(deepest, Math.min(100, Math.round((100 * (scrollY + innerHeight)) / scrollHeight)));
  };

  const stop = () => {
    if (since) spent += performance.now() - since;
    since = 0;
  };

  const go = () => {
    if (!document.hidden) since ||= performance.now();
  };

  // A page may be hidden and shown many times: each time tells what is new, and the sum is what counts.
  const leave = ({ detail }) => {
    stop();
    const seconds = Math.min(Math.round(spent / SECOND), MOST - told);
    const properties = { product_id: detail || undefined, seconds, scroll: deepest };
    if (spent >= SECOND && seconds && mtp.track("Page Engaged", properties)) {
      told += seconds;
      spent = 0;
    }
    go();
  };

  const begin = () => {
    spent = since = told = deepest = 0;
    go();
    // Content that comes after its address makes a page longer.
    setTimeout(measure, SECOND);
  };

  // ----------------------------------------------------------------------------------------- filters and order

  const list = () => document.querySelector("[data-mtp-filters]");

  // What is chosen now: in a form by its fields, else by the query of an address.
  const chosen = (element, address) => {
    const values = element.matches("form") ? new FormData(element) : new URL(address).searchParams;
    const of = (names = "") => names.split(/[\s,]+/).filter(Boolean).flatMap((type) => (
      values.getAll(type).filter((value) => value && typeof value === "string").map((value) => ({ type, value }))
    ));
    return { filters: of(element.dataset.mtpFilters), sorts: of(element.dataset.mtpSorts) };
  };

  const NONE = JSON.stringify({ filters: [], sorts: [] });
  let address = location.href, before = NONE, known, timer = 0;

  const page = (url) => url.split(/[?#]/)[0];

  const compare = () => {
    clearTimeout(timer);
    timer = 0;
    const element = list();
    if (!element) return;
    const now = chosen(element, address);
    const text = JSON.stringify(now);
    // How a form begins is not the visitor's doing.
    if (element.matches("form") && element !== known) before = text;
    known = element;
    if (text === before) return;
    before = text;
    const { mtpList, mtpCategory } = element.dataset;
    mtp.track("Product List Filtered", { list_id: mtpList, category: mtpCategory, ...now });
  };

  // A list that comes filtered was filtered on the way here, unless it was loaded again or gone back to.
  const arrive = () => {
    const [{ type } = {}] = performance.getEntriesByType("navigation");
    const from = type === "reload" || type === "back_forward" ? address : document.referrer;
    if (list() && page(from) === page(address)) before = JSON.stringify(chosen(list(), from));
    compare();
  };

  const touched = ({ type, target }) => {
    if (!target.closest?.("form[data-mtp-filters]")) return;
    clearTimeout(timer);
    timer = setTimeout(compare, type === "submit" ? 0 : SECOND);
  };

  const moved = ({ detail }) => {
    if (detail) begin();
    if (page(location.href) !== page(address)) before = NONE;
    address = location.href;
    clearTimeout(timer);
    timer = setTimeout(compare, SECOND / 2);
  };

  begin();
  arrive();
  document.addEventListener("scroll", measure, { passive: true });
  document.addEventListener("visibilitychange", go);
  document.addEventListener("change", touched);
  document.addEventListener("submit", touched, true);
  document.addEventListener("mtp:moved", moved);
  // Time without permission is told by no later one.
  document.addEventListener("mtp:consent", begin);
  document.addEventListener("mtp:leave", (event) => {
    if (timer) compare();
    leave(event);
  });
})();
