// Tracker, consent gate and block loader: see docs/tracker.md, types in mtp.d.ts.
(() => {
  "use strict";
  if (window.mtp) return;
  const script = document.currentScript;
  const { src, nonce } = script;
  const base = new URL(".", src);
  const own = base.origin === location.origin;
  const credentials = own ? "same-origin" : "omit";
  const { key, datalayer } = script.dataset;
  const QUIET = 1000, SOON = 50, MANY = 10, MOST = 100, TRIES = 4, UNSENT = "mtp_unsent";
  let level = script.dataset.consent;
  let queue = [], timer = 0, due = 0, tries = 0, reached = own, anonymousId, here, viewed, searched;

  const one = (selector) => document.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const now = () => new Date().toISOString();
  const unique = () =>
    crypto.randomUUID ? crypto.randomUUID() : String(crypto.getRandomValues(new Uint32Array(4))).replaceAll(",", "-");
  const tell = (name, detail) => document.dispatchEvent(new CustomEvent(`mtp:${name}`, { detail }));

  // What not every page needs: files of the same version.
  const parts = new Set();
  const need = (part) => {
    if (parts.has(part)) return;
    parts.add(part);
    const extra = document.createElement("script");
    Object.assign(extra.dataset, script.dataset);
    extra.nonce = nonce;
    extra.src = new URL(`widget-${part}.js${new URL(src).search}`, base);
    document.head.append(extra);
  };

  // ---------------------------------------------------------------------------------------- consent and sending

  const allowed = () => level === "full";

  const kept = (use) => {
    try {
      return use();
    } catch {
      // Storage is switched off.
    }
  };

  const consent = (answer) => {
    const before = level;
    level = answer;
    if (!allowed()) {
      queue = [];
      watcher.disconnect();
    }
    tell("consent", level);
    if (before === level) return;
    start();
    refresh();
  };

  // Pages of other origins have no cookie of ours; on the shop's own the server alone knows who this is.
  const visitor = () => {
    if (own) return {};
    anonymousId ||= kept(() => (localStorage.mtp_visitor ||= unique())) || unique();
    return { anonymousId };
  };

  const send = (batch, leaving) => {
    const context = { timezone: Intl.DateTimeFormat().resolvedOptions().timeZone };
    const body = JSON.stringify({ batch, context, sentAt: now(), ...(key && { writeKey: key }) });
    const type = own ? "application/json" : "text/plain";
    const url = new URL("v1/batch", base);
    if (leaving && !("keepalive" in Request.prototype)) {
      navigator.sendBeacon(url, new Blob([body], { type }));
      return Promise.resolve({ status: 200 });
    }
    // A browser takes 64 kB in all from pages that go away.
    const keepalive = body.length < 60000;
    return fetch(url, { method: "POST", body, keepalive, credentials, headers: { "Content-Type": type } });
  };

  const flush = (leaving) => {
    clearTimeout(timer);
    timer = 0;
    if (!queue.length || !allowed() || !navigator.onLine) return;
    const batch = queue.splice(0, 50);
    if (queue.length) later(SOON);
    send(batch, leaving).then(
      ({ status }) => {
        reached = true;
        if ((status >= 500 || status === 429) && tries < TRIES) again(batch);
        else tries = 0;
      },
      () => {
        // Refused at once, a page of another origin is not listed.
        if (reached || !navigator.onLine) again(batch);
        else level = "";
      },
    );
  };

  // A messageId counts once: a batch whose answer was lost may go twice.
  const again = (batch) => {
    if (!allowed()) return;
    queue = [...batch, ...queue].slice(-MOST);
    if (++tries <= TRIES) later(pause());
  };

  const pause = () => QUIET * 2 ** Math.min(tries, 5);

  // What was not sent may outlive its page, in this tab alone.
  const stow = (events) => kept(() => {
    if (events.length) sessionStorage[UNSENT] = JSON.stringify(events);
    else delete sessionStorage[UNSENT];
  });

  const recall = () => {
    queue = [...(kept(() => JSON.parse(sessionStorage[UNSENT])) || []), ...queue].slice(-MOST);
    stow([]);
    if (queue.length) later(SOON);
  };

  // The page is hidden or goes away, or becomes another without loading.
  const leave = () => {
    tell("leave", viewed);
    if (queue.length && (tries || !navigator.onLine)) stow(queue);
    flush(true);
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
    queue.push({
      type, messageId: unique(), timestamp: now(), context: { page: here }, ...visitor(),
      ...(type === "track" ? { event: name } : { name }),
      properties: type === "page" ? { ...here, ...properties } : properties,
    });
    queue = queue.slice(-MOST);
    if (queue.length >= MANY && !tries) flush();
    else later(tries ? pause() : wait);
    return true;
  };

  const track = (name, properties = {}) => record("track", name, properties, QUIET);
  // What the next page should know goes almost at once.
  const trackSoon = (name, properties) => record("track", name, properties, SOON);

  // ------------------------------------------------------------------------------------------ what is captured

  const number = (text) => (text && isFinite(text) ? +text : undefined);

  const product = (element, id) => {
    const { mtpPrice, mtpCurrency, mtpVariant } = element.dataset;
    return { product_id: id, variant: mtpVariant || undefined, price: number(mtpPrice), currency: mtpCurrency };
  };

  const inView = () => one("[data-mtp-product]");

  const LISTS = "[data-mtp-slate],[data-mtp-list]";

  // Where in a list an element stands, nothing outside of one.
  const origin = (element) => {
    const item = element.closest("[data-mtp-item]");
    const list = item && item.closest(LISTS);
    return list && { ...line(item), ...named(list) };
  };

  const line = ({ dataset }) => ({ product_id: dataset.mtpItem, position: number(dataset.mtpPosition) });

  const named = ({ dataset }) => (
    { list_id: dataset.mtpPlacement || dataset.mtpList, recommendation_id: dataset.mtpSlate }
  );

  // What the page says of itself is told when it is new: at first, and whenever it changes.
  const look = () => {
    const view = inView();
    const id = view?.dataset.mtpProduct || "";
    if (id !== viewed) {
      if (viewed) tell("leave", viewed);
      if (id) trackSoon("Product Viewed", product(view, id));
      viewed = id;
    }
    const { mtpSearch, mtpResults } = one("[data-mtp-search]")?.dataset || {};
    if (mtpSearch && mtpSearch !== searched) {
      trackSoon("Products Searched", { query: mtpSearch, results: number(mtpResults) });
    }
    searched = mtpSearch;
  };

  const where = () => {
    const { pathname, search, origin } = location;
    here = { path: pathname, search, url: origin + pathname, title: document.title, referrer: document.referrer };
  };

  const page = (name, properties) => {
    where();
    const done = record("page", name, properties, QUIET);
    viewed = searched = "";
    look();
    return done;
  };

  // A hash is a page only where a router writes it as one.
  const address = () => location.pathname + location.search + (/^#[!/]/.test(location.hash) ? location.hash : "");
  let at = address(), moving = 0, another;

  const moved = (replaced) => {
    const before = at;
    at = address();
    if (at === before) return;
    // Who replaces the query alone tidies the address of the same page.
    if (!replaced || at.split("?")[0] !== before.split("?")[0]) {
      leave();
      another = true;
    }
    // The page's content follows its address.
    moving ||= setTimeout(() => {
      where();
      if (another) record("page", undefined, {}, SOON);
      scan();
      tell("moved", another);
      moving = another = 0;
    }, SOON);
  };

  const seen = new Set();
  const which = ({ dataset }) => dataset.mtpSlate || dataset.mtpList + at;
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, intersectionRect, boundingClientRect } of entries) {
      // Half of the slate, or half of the window where the slate is taller than it.
      const half = Math.min(boundingClientRect.height, innerHeight) / 2;
      if (!intersectionRect.height || intersectionRect.height < half || seen.has(which(target))) continue;
      const products = all("[data-mtp-item]", target).map(line);
      if (!track("Product List Viewed", { ...named(target), products })) continue;
      seen.add(which(target));
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

  const submitted = ({ target }) => target.matches(CART) && changed(target);

  // ---------------------------------------------------------------------------------------------------- blocks

  const PLACES = "[data-mtp-block],mtp-block[placement]";
  const ASKED = {
    products: "product_ids", exclude: "exclude_ids", limit: "limit",
    category: "category", query: "query", page: "page_type",
  };
  const asked = Object.keys(ASKED);

  const question = (place) => {
    const name = place.dataset.mtpBlock || place.getAttribute("placement");
    const url = new URL(`v1/blocks/${encodeURIComponent(name)}`, base);
    const id = inView()?.dataset.mtpProduct;
    if (id) url.searchParams.set("product_ids", id);
    for (const name of asked) {
      const value = place.getAttribute(`data-mtp-${name}`) || place.getAttribute(name);
      if (value) url.searchParams.set(ASKED[name], value);
    }
    if (key) url.searchParams.set("writeKey", key);
    return url.href;
  };

  const turns = new WeakMap();

  const load = async (place) => {
    const turn = { url: question(place), spare: turns.get(place)?.spare ?? place.innerHTML };
    turns.set(place, turn);
    const html = await fetch(turn.url, { credentials }).then(
      (answer) => {
        reached = true;
        return answer.ok ? answer.text() : "";
      },
    ).catch(() => "");
    if (turns.get(place) !== turn) return;
    // Without a block the place shows what the page had put there.
    place.innerHTML = html.trim() ? html : turn.spare;
    place.hidden = !place.innerHTML.trim();
    place.dataset.mtpLoaded = "";
    scan();
  };

  const refresh = () => Promise.all(all(PLACES).map(load)).then(() => {});

  const scan = () => {
    if (allowed()) look();
    for (const place of all(PLACES)) if (turns.get(place)?.url !== question(place)) load(place);
    if (one("[data-mtp-step]")) need("carousel");
    if (one("[data-mtp-consent]")) need("consent");
    if (!allowed()) return;
    need("engage");
    for (const list of all(LISTS)) if (!seen.has(which(list))) watcher.observe(list);
  };

  const start = () => {
    if (allowed()) {
      recall();
      page();
    } else if (level !== "google") {
      stow([]);
      if (!own) anonymousId = kept(() => void delete localStorage.mtp_visitor);
    }
    scan();
  };

  let waiting = 0;
  const soon = () => (waiting ||= requestAnimationFrame(() => {
    waiting = 0;
    scan();
  }));

  const begin = () => {
    start();
    const attributeFilter = ["product", "search", "block", ...asked].map((name) => `data-mtp-${name}`);
    new MutationObserver(soon).observe(document.documentElement, { childList: true, subtree: true, attributeFilter });
    customElements.define("mtp-block", class extends HTMLElement {
      static observedAttributes = ["placement", ...asked];
      attributeChangedCallback() {
        soon();
      }
    });
    if (datalayer !== undefined || level === "google") need("datalayer");
    if (window.navigation) {
      navigation.addEventListener("currententrychange", (event) => moved(event.navigationType === "replace"));
    } else {
      for (const name of ["pushState", "replaceState"]) {
        const plain = history[name];
        history[name] = function (...given) {
          plain.apply(this, given);
          moved(name === "replaceState");
        };
      }
      addEventListener("popstate", () => moved());
    }
  };

  const on = document.addEventListener.bind(document);
  window.mtp = { track, page, refresh, consent };
  on("click", clicked, true);
  on("auxclick", clicked, true);
  on("submit", submitted, true);
  on("visibilitychange", () => (document.hidden ? leave() : stow([])));
  addEventListener("pagehide", leave);
  addEventListener("pageshow", ({ persisted }) => persisted && page());
  addEventListener("online", () => {
    tries = 0;
    flush();
  });
  if (document.prerendering) on("prerenderingchange", begin, { once: true });
  else if (document.readyState === "loading") on("DOMContentLoaded", begin);
  else begin();
})();
