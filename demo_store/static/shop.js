// Comforts of the shop's pages; each page works without them.
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (tag, attributes = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), attributes);
    element.append(...children.filter(Boolean));
    return element;
  };
  const money = (amount) => "€" + amount.toLocaleString("en", { minimumFractionDigits: amount % 1 ? 2 : 0, maximumFractionDigits: 2 });

  // ------------------------------------------------------------------------------------------------------- filters

  const wide = matchMedia("(min-width: 1000px)");
  const fit = () => {
    const box = one("[data-open-wide]");
    if (box) box.open = wide.matches;
  };
  fit();
  wide.addEventListener("change", fit);

  // The list is replaced in place; the address says what it shows, as if the page had been loaded.
  const shelf = () => one("[data-shelf]");
  const show = async (url, keep) => {
    const opened = all("[data-keep][open]").map((box) => box.dataset.keep);
    const answer = await fetch(url).catch(() => null);
    const fresh = answer?.ok && one("[data-shelf]", new DOMParser().parseFromString(await answer.text(), "text/html"));
    if (!fresh) return void (location.href = url);
    shelf().replaceWith(fresh);
    for (const box of all("[data-keep]")) box.open = opened.includes(box.dataset.keep);
    fit();
    if (keep) [...one("[data-filters]").elements].find((field) => field.name === keep.name && field.value === keep.value)?.focus();
  };
  const address = (form) => {
    const words = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    return `${form.getAttribute("action")}${words.size ? `?${words}` : ""}`;
  };
  const go = (url, keep) => {
    history.pushState({ shelf: true }, "", url);
    return show(url, keep);
  };
  if (shelf()) {
    // On a phone several are chosen, then shown; beside the list each shows at once.
    document.addEventListener("change", ({ target }) => {
      const form = target.closest("[data-filters]");
      if (form && (wide.matches || target.id === "sort")) go(address(form), target);
    });
    document.addEventListener("submit", (event) => {
      if (!event.target.matches("[data-filters]")) return;
      event.preventDefault();
      go(address(event.target)).then(() => one("[data-open-wide] > summary")?.focus());
    });
    document.addEventListener("click", (event) => {
      const link = event.target.closest("[data-shelf] .chosen a");
      if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      go(link.href).then(() => (one(".chosen a") ?? one("[data-filters] input[type=checkbox]"))?.focus());
    });
    addEventListener("popstate", () => show(location.href));
  }
  for (const field of all("[data-submit]")) field.addEventListener("change", () => field.form.requestSubmit());
  one("[data-focus]")?.focus();

  // --------------------------------------------------------------------------------------------------------- theme

  one("[data-theme-form]")?.addEventListener("submit", (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(event.target));
    body.set("theme", event.submitter.value);
    document.documentElement.dataset.theme = event.submitter.value;
    one('meta[name="color-scheme"]').content = event.submitter.value;
    fetch(event.target.action, { method: "POST", body, redirect: "manual" });
    all("button", event.target).find((button) => button.offsetParent)?.focus();
  });

  // ------------------------------------------------------------------------------------------------------- product

  const buy = one("[data-buy]");
  if (buy) {
    const variants = JSON.parse(one("#variants").textContent);
    const chosen = (name) => one(`input[name="${name}"]:checked`, buy)?.value ?? "";
    const stock = (left, title) => [
      make("span", { className: left > 3 ? "dot" : left ? "dot few" : "dot none" }),
      left > 3 ? "In stock." : left ? `Only ${left} left.` : `${title} is sold out.`,
    ];
    const show = () => {
      const colour = chosen("colour"), size = chosen("size");
      const found = variants.find((variant) => variant.color === colour && variant.size === size);
      if (!found) return;
      buy.elements.variant.value = found.id;
      buy.dataset.mtpPrice = found.price;
      buy.dataset.mtpVariant = found.id;
      const image = one("input[name=colour]:checked", buy).dataset.image;
      const large = one("[data-large]");
      if (!large.src.endsWith(image)) Object.assign(large, { src: image, alt: `${one("h1").textContent} in ${colour.toLowerCase()}` });
      for (const link of all(".thumbs a")) link.toggleAttribute("aria-current", link.dataset.colour === colour);
      const price = one("[data-price]");
      const ins = one("ins", price);
      if (ins) [ins.textContent, one("del", price).textContent] = [money(found.price), money(found.list)];
      else price.textContent = money(found.price);
      one("[data-stock]").replaceChildren(...stock(found.left, [found.color, found.size].filter(Boolean).join(" / ")));
      const add = one("[data-add]");
      add.disabled = !found.left;
      add.textContent = found.left ? "Put in the basket" : "Sold out";
      for (const option of all("input[name=size]", buy)) {
        const there = variants.find((variant) => variant.color === colour && variant.size === option.value);
        option.nextElementSibling.classList.toggle("gone", !there?.left);
      }
    };
    buy.addEventListener("change", show);
    show();
    for (const link of all(".thumbs a")) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        const input = all("input[name=colour]", buy).find((option) => option.value === link.dataset.colour);
        input.checked = true;
        show();
      });
    }
  }

  // --------------------------------------------------------------------------------------------------- suggestions

  const input = one("[data-suggest]");
  if (input) {
    let list, timer, asked = 0, at = -1;
    const close = () => {
      list?.remove();
      list = undefined;
      at = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    };
    const option = (url, id, ...children) => {
      const link = make("a", { href: url, id, tabIndex: -1 }, ...children);
      link.setAttribute("role", "option");
      return link;
    };
    const open = ({ phrases, products }) => {
      close();
      if (!phrases.length && !products.length) return;
      list = make("div", { className: "suggestions", id: "suggestions" });
      list.setAttribute("role", "listbox");
      list.setAttribute("aria-label", "Suggestions");
      phrases.forEach((phrase, index) => list.append(option(phrase.url, `phrase-${index}`, make("span", {}, phrase.text))));
      products.forEach((product, index) => list.append(option(
        product.url, `product-${index}`, make("img", { src: product.image, alt: "", width: 40, height: 50 }),
        make("span", {}, product.title, make("small", {}, `${product.brand}, ${money(product.price)}`)),
      )));
      input.parentElement.append(list);
      input.setAttribute("aria-expanded", "true");
    };
    const ask = async () => {
      const turn = ++asked, text = input.value.trim();
      if (text.length < 2) return close();
      const answer = await fetch(`${input.dataset.suggest}?q=${encodeURIComponent(text)}`).catch(() => null);
      if (turn === asked && answer?.ok && document.activeElement === input) open(await answer.json());
    };
    const move = (by) => {
      const options = all("[role=option]", list);
      at = (at + by + options.length + 1) % (options.length + 1);
      options.forEach((link, index) => link.setAttribute("aria-selected", String(index === at)));
      if (options[at]) {
        input.setAttribute("aria-activedescendant", options[at].id);
        options[at].scrollIntoView({ block: "nearest" });
      } else input.removeAttribute("aria-activedescendant");
    };
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", "suggestions");
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(ask, 120);
    });
    input.addEventListener("keydown", (event) => {
      if (!list) return;
      if (event.key === "Escape") {
        // A second Escape empties the field, as browsers have it.
        event.preventDefault();
        close();
        return;
      }
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        move(event.key === "ArrowDown" ? 1 : -1);
      }
      const link = all("[role=option]", list)[at];
      if (event.key === "Enter" && link) {
        event.preventDefault();
        link.click();
      }
    });
    addEventListener("pointerdown", (event) => input.parentElement.contains(event.target) || close());
    input.addEventListener("blur", () => setTimeout(() => list?.contains(document.activeElement) || close(), 150));
  }

  // --------------------------------------------------------------------------------------------------------- menus

  for (const menu of all("[data-menu]")) {
    const shut = (event) => menu.open && !menu.contains(event.target) && (menu.open = false);
    document.addEventListener("pointerdown", shut);
    document.addEventListener("focusin", shut);
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      one("summary", menu).focus();
    });
  }

  // ----------------------------------------------------------------------------------------------------- inspector

  const opener = one("[data-inspector]");
  if (opener && window.HTMLDialogElement) {
    let sheet, timer, asked = 0;
    const narrow = matchMedia("(max-width: 899px)");
    const kept = {
      get: () => { try { return sessionStorage.inspector === "open"; } catch { return false; } },
      set: (open) => { try { sessionStorage.inspector = open ? "open" : ""; } catch { /* private mode: it closes with the page */ } },
    };
    // Part by part: replacing what somebody is using would take the focus away.
    const patch = (body, fresh, first) => {
      const parts = all("[data-part]", fresh).map((part) => {
        const old = one(`[data-part="${part.dataset.part}"]`, body);
        const same = old && (old.contains(document.activeElement) || old.outerHTML === part.outerHTML);
        if (!same && !first) part.classList.add("fresh");
        // What has only flashed is still the same the next time.
        part.addEventListener("animationend", () => part.removeAttribute("class"), { once: true });
        return same ? old : part;
      });
      const holder = one(".inspector", body) ?? body.appendChild(make("div", { className: "inspector" }));
      if (parts.some((part, at) => holder.children[at] !== part) || holder.children.length !== parts.length) {
        const top = sheet.scrollTop;
        holder.replaceChildren(...parts);
        sheet.scrollTop = top;
      }
    };
    const load = async () => {
      const turn = ++asked;
      const url = new URL(opener.href);
      url.searchParams.set("part", "1");
      url.searchParams.set("slates", all("[data-mtp-slate]").map((block) => block.dataset.mtpSlate).join(","));
      const answer = await fetch(url).catch(() => null);
      if (!sheet?.open || !answer?.ok) return;
      const html = await answer.text();
      if (turn !== asked) return;
      const body = one(".sheet-body", sheet);
      patch(body, new DOMParser().parseFromString(html, "text/html"), !one(".inspector", body));
    };
    const start = (focus) => {
      if (!sheet) {
        sheet = make("dialog", { className: "sheet" });
        sheet.setAttribute("aria-label", "Inspector");
        const shut = make("button", { className: "plain", type: "button", textContent: "×" });
        shut.setAttribute("aria-label", "Close the inspector");
        shut.addEventListener("click", () => sheet.close());
        sheet.append(make("div", { className: "sheet-head" }, make("h2", { textContent: "Inspector" }), shut), make("div", { className: "sheet-body" }));
        sheet.addEventListener("close", () => {
          clearInterval(timer);
          kept.set(false);
          document.documentElement.classList.remove("beside");
          opener.focus();
        });
        sheet.addEventListener("keydown", (event) => event.key === "Escape" && sheet.close());
        document.body.append(sheet);
      }
      // On a phone it covers the page; else the page moves over and stays in use.
      if (narrow.matches) sheet.showModal();
      else sheet.show();
      if (!focus) document.activeElement?.blur();
      document.documentElement.classList.add("beside");
      kept.set(true);
      load();
      timer = setInterval(() => document.hidden || load(), 2500);
    };
    // What the tracker has just sent is known to the shop a moment later.
    new PerformanceObserver((list) => {
      if (sheet?.open && list.getEntries().some((entry) => entry.name.includes("/v1/batch"))) setTimeout(load, 60);
    }).observe({ type: "resource" });
    document.addEventListener("mtp:consent", () => sheet?.open && load());
    opener.addEventListener("click", (event) => {
      event.preventDefault();
      if (sheet?.open) sheet.close();
      else start(true);
    });
    if (kept.get() && !narrow.matches) start(false);
  }
})();
