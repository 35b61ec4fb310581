// Buttons of carousels; mtp.js loads this where there are some. Without it a carousel is a list that scrolls.
(() => {
  "use strict";
  const steps = (frame) => [...frame.querySelectorAll("[data-mtp-step]")];

  const carousel = (list, back, on) => {
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
  const scan = () => {
    for (const frame of steps(document).map((button) => button.parentElement)) {
      const list = frame.querySelector(".mtp-cards");
      const [back, on] = steps(frame);
      // A template may have less than a carousel, or get the rest of it later.
      if (!list || !on || known.has(frame)) continue;
      known.add(frame);
      carousel(list, back, on);
    }
  };

  let waiting = 0;
  const soon = () => (waiting ||= requestAnimationFrame(() => {
    waiting = 0;
    scan();
  }));

  scan();
  new MutationObserver(soon).observe(document.documentElement, { childList: true, subtree: true });
})();
