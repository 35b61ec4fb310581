// Tracker, consent gate and block loader; what a page writes for it is in docs/tracker.md, its types in mtp.d.ts.
(() => {
  "use strict";
  if (window.mtp) return;
  const script = document.currentScript;
  const base = new URL(".", script.src);
  const own = base.origin === location.origin;
  const credentials = own ? "same-origin" : "omit";
  const key = script.dataset.key;
  const QUIET = 1000, SOON = 50, MANY = 10, MOST = 100, TRIES = 4;
  let level = script.dataset.consent;
  let queue = [], timer = 0, due = 0, tries = 0, anonymousId;

  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const now = () => new Date().toISOString();
  const unique = () =>
    crypto.randomUUID ? crypto.randomUUID() : String(crypto.getRandomValues(new Uint32Array(4))).replaceAll(",", "-");

  // ---------------------------------------------------------------------------------------- consent and sending

  const allowed = () => level === "full";

  // Pages of other origins have no cookie of ours; on the shop's own the server alone knows who this is.
  const visitor = () => {
    if (own) return {};
    try {
      anonymousId ||= localStorage.mtp_visitor ||= unique();
    } catch {
      // Storage is switched off: an id for as long as this page lives.
      anonymousId = unique();
    }
    return { anonymousId };
  };

  const send = (batch, leaving) => {
    const body = JSON.stringify({ batch, sentAt: now(), ...(key && { writeKey: key }) });
    const type = own ? "application/json" : "text/plain";
    const url = new URL("v1/batch", base);
    if (leaving && !("keepalive" in Request.prototype)) {
      navigator.sendBeacon(url, new Blob([body], { type }));
      return Promise.resolve({ status: 200 });
    }
    // A browser takes 64 kB in all from pages that go away; more than that can only be sent while the page stays.
    const keepalive = body.length < 60000;
    return fetch(url, { method: "POST", body, keepalive, credentials, headers: { "Content-Type": type } });
  };

  const flush = (leaving) => {
    clearTimeout(timer);
    timer = 0;
    if (!queue.length || !allowed()) return;
    const batch = queue.splice(0, 50);
    if (queue.length) later(SOON);
    send(batch, leaving).then(
      ({ status }) => (status >= 500 || status === 429 ? again(batch) : (tries = 0)),
      () => again(batch),
    );
  };

  // The server knows a messageId it has seen, so a batch whose answer was lost may go twice.
  const again = (batch) => {
    if (!allowed()) return;
    if (++tries > TRIES) return void (tries = 0);
    queue = [...batch, ...queue].slice(-MOST);
    later(QUIET * 2 ** tries);
  };

  const later = (wait) => {
    const at = Date.now() + wait;
    if (timer && due <= at) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(flush, wait);
  };

  const record = (type, name, properties, wait) => {
    if (!allowed()) return false;
    const { pathname, search, origin } = location;
    const page = { path: pathname, search, url: origin + pathname, title: document.title, referrer: document.referrer };
    queue.push({
      type, messageId: unique(), timestamp: now(), context: { page }, ...visitor(),
      ...(type === "track" ? { event: name } : { name }),
      properties: type === "page" ? { ...page, ...properties } : properties,
    });
    queue = queue.slice(-MOST);
    if (queue.length >= MANY && !tries) flush();
    else later(tries ? QUIET * 2 ** tries : wait);
    return true;
  };

  const track = (name, properties = {}) => record("track", name, properties, QUIET);
  // What the next page should already know goes almost at once.
  const trackSoon = (name, properties) => record("track", name, properties, SOON);

  // ------------------------------------------------------------------------------------------ what is captured

  const number = (text) => (text && isFinite(text) ? +text : undefined);

  const product = (element, id) => {
    const { mtpPrice, mtpCurrency, mtpVariant } = element.dataset;
    return { product_id: id, variant: mtpVariant || undefined, price: number(mtpPrice), currency: mtpCurrency };
  };

  const inView = () => document.querySelector("[data-mtp-product]");

  // Where in a slate an element stands, nothing outside of one.
  const origin = (element) => {
    const item = element.closest("[data-mtp-item]");
    const slate = item && item.closest("[data-mtp-slate]");
    return slate && {
      product_id: item.dataset.mtpItem, position: +item.dataset.mtpPosition,
      list_id: slate.dataset.mtpPlacement, recommendation_id: slate.dataset.mtpSlate,
    };
  };

  const page = (name, properties = {}) => {
    const done = record("page", name, properties, QUIET);
    const view = inView();
    if (view?.dataset.mtpProduct) trackSoon("Product Viewed", product(view, view.dataset.mtpProduct));
    const search = document.querySelector("[data-mtp-search]");
    if (search) {
      const { mtpSearch, mtpResults } = search.dataset;
      trackSoon("Products Searched", { query: mtpSearch, results: number(mtpResults) });
    }
    return done;
  };

  const seen = new Set();
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, intersectionRect, boundingClientRect } of entries) {
      // Half of the slate, or half of the window where the slate is taller than it.
      const half = Math.min(boundingClientRect.height, innerHeight) / 2;
      const { mtpSlate, mtpPlacement } = target.dataset;
      if (!intersectionRect.height || intersectionRect.height < half || seen.has(mtpSlate)) continue;
      const products = all("[data-mtp-item]", target).map((item) => (
        { product_id: item.dataset.mtpItem, position: +item.dataset.mtpPosition }
      ));
      if (!track("Product List Viewed", { list_id: mtpPlacement, recommendation_id: mtpSlate, products })) continue;
      seen.add(mtpSlate);
      watcher.unobserve(target);
    }
  }, { threshold: [...Array(21).keys()].map((step) => step / 20) });

  const CART = "[data-mtp-add],[data-mtp-remove]";

  const changed = (element) => {
    const { mtpAdd, mtpRemove, mtpQuantity } = element.dataset;
    const adding = mtpAdd !== undefined;
    const id = (adding ? mtpAdd : mtpRemove) || inView()?.dataset.mtpProduct;
    const field = element.elements?.quantity || element.form?.elements.quantity;
    const quantity = number(mtpQuantity || field?.value) ?? 1;
    if (!id) return;
    const facts = { ...origin(element), ...product(element, id), quantity };
    trackSoon(adding ? "Product Added" : "Product Removed", facts);
  };

  const clicked = (event) => {
    if (event.type === "auxclick" && event.button !== 1) return;
    const { target } = event;
    const link = target.closest?.("a[href]");
    const place = link && origin(link);
    if (place) trackSoon("Product Clicked", place);
    const control = event.type === "click" && target.closest?.(CART);
    if (control && !control.closest(`form:is(${CART})`)) changed(control);
  };

  // -------------------------------------------------------------------------------------------- consent banner

  const choose = (form, button) => {
    const body = new URLSearchParams(new FormData(form));
    if (button) body.set(button.name, button.value);
    const headers = { Accept: "application/json" };
    form.inert = true;
    fetch(form.action, { method: "POST", body, headers, credentials, redirect: "manual" })
      .then(async (answer) => {
        // The answer says what the choice amounts to; an older server only leads back to the page.
        if (answer.type === "opaqueredirect") return body.get("choice") === "granted" ? "full" : "non-personal";
        if (!answer.ok) throw answer;
        return (await answer.json()).consent_level;
      })
      .then((answer) => {
        (form.closest(".mtp-consent") || form).remove();
        settle(answer);
      })
      .catch(() => {
        form.inert = false;
        form.removeAttribute("data-mtp-consent");
        form.requestSubmit(button);
      });
  };

  const settle = (answer) => {
    const before = level;
    level = answer;
    if (!allowed()) {
      queue = [];
      watcher.disconnect();
    }
    document.dispatchEvent(new CustomEvent("mtp:consent", { detail: level }));
    if (before === level) return;
    start();
    refresh();
  };

  const submitted = (event) => {
    const form = event.target;
    if (form.matches("[data-mtp-consent]")) {
      event.preventDefault();
      choose(form, event.submitter);
    } else if (form.matches(CART)) changed(form);
  };

  // ---------------------------------------------------------------------------------------------------- blocks

  const turns = new WeakMap();
  const ASKED = {
    mtpProducts: "product_ids", mtpExclude: "exclude_ids", mtpLimit: "limit",
    mtpCategory: "category", mtpQuery: "query", mtpPage: "page_type",
  };

  const load = async (place) => {
    const turn = {};
    turns.set(place, turn);
    const url = new URL(`v1/blocks/${encodeURIComponent(place.dataset.mtpBlock)}`, base);
    for (const name in ASKED) if (place.dataset[name]) url.searchParams.set(ASKED[name], place.dataset[name]);
    if (key) url.searchParams.set("writeKey", key);
    const id = inView()?.dataset.mtpProduct;
    if (id && !place.dataset.mtpProducts) url.searchParams.set("product_ids", id);
    const html = await fetch(url, { credentials }).then((answer) => (answer.ok ? answer.text() : "")).catch(() => "");
    if (turns.get(place) !== turn) return;
    place.innerHTML = html;
    place.hidden = !html.trim();
    scan();
  };

  const refresh = () => Promise.all(all("[data-mtp-block]").map(load)).then(() => {});

  const carousel = (frame) => {
    const list = frame.querySelector(".mtp-cards");
    const [back, on] = all("[data-mtp-step]", frame);
    const update = () => {
      // Written from right to left, a list scrolls below zero.
      const at = Math.abs(list.scrollLeft), end = list.scrollWidth - list.clientWidth;
      const focused = document.activeElement;
      back.hidden = at < 2;
      on.hidden = at > end - 2;
      if (focused === back && back.hidden) on.focus();
      if (focused === on && on.hidden) back.focus();
    };
    for (const button of [back, on]) {
      button.onclick = () => {
        const forward = getComputedStyle(list).direction === "rtl" ? -1 : 1;
        list.scrollBy({ left: forward * button.dataset.mtpStep * list.clientWidth });
      };
    }
    list.addEventListener("scroll", update, { passive: true });
    new ResizeObserver(update).observe(list);
  };

  const known = new WeakSet();
  const fresh = (element) => !known.has(element) && known.add(element);

  const scan = () => {
    all("[data-mtp-block]").filter(fresh).forEach(load);
    all('[data-mtp-step="1"]').map((button) => button.parentElement).filter(fresh).forEach(carousel);
    if (!allowed()) return;
    for (const slate of all("[data-mtp-slate]")) if (!seen.has(slate.dataset.mtpSlate)) watcher.observe(slate);
  };

  const start = () => {
    if (allowed()) page();
    scan();
  };

  let waiting = 0;
  const soon = () => (waiting ||= requestAnimationFrame(() => {
    waiting = 0;
    scan();
  }));

  const begin = () => {
    start();
    new MutationObserver(soon).observe(document.documentElement, { childList: true, subtree: true });
  };

  window.mtp = { track, page, refresh };
  document.addEventListener("click", clicked, true);
  document.addEventListener("auxclick", clicked, true);
  document.addEventListener("submit", submitted, true);
  document.addEventListener("visibilitychange", () => document.hidden && flush(true));
  addEventListener("pagehide", () => flush(true));
  const once = { once: true };
  if (document.prerendering) document.addEventListener("prerenderingchange", begin, once);
  else if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin, once);
  else begin();
})();
