// Stands for gtm.js, which a test cannot ask for: reads CONTAINER, an export of format 2, and does as Tag Manager does
// with what is in it: page views, custom events, constants, variables of the data layer, and tags of custom HTML.
(() => {
  const { tag: tags, trigger: triggers, variable: variables } = CONTAINER.containerVersion;
  const parameter = (of, key) => of.parameter.find((one) => one.key === key).value;
  const model = {};
  window.tagManagerValue = (name) => {
    if (name === "_event") return model.event;
    const found = variables.find((one) => one.name === name);
    return found.type === "c" ? parameter(found, "value") : model[parameter(found, "name")];
  };

  const done = new Set();
  const fire = (tag) => {
    if (tag.tagFiringOption === "ONCE_PER_LOAD" && done.has(tag.tagId)) return;
    done.add(tag.tagId);
    const html = parameter(tag, "html").replace(/\{\{([^}]+)\}\}/g, (_, name) => `tagManagerValue("${name}")`);
    for (const given of new DOMParser().parseFromString(html, "text/html").querySelectorAll("script")) {
      const script = document.createElement("script");
      script.textContent = given.textContent;
      document.body.append(script);
    }
  };

  const holds = ({ parameter: [left, right] }) => window.tagManagerValue(left.value.slice(2, -2)) === right.value;
  const fits = ({ type, customEventFilter }) =>
    type === "PAGEVIEW" ? model.event === "gtm.js" : type === "CUSTOM_EVENT" && customEventFilter.every(holds);

  const take = (entry) => {
    if (!entry.event) return;
    Object.assign(model, entry);
    const met = new Set(triggers.filter(fits).map((one) => one.triggerId));
    for (const tag of tags) if (tag.firingTriggerId.some((id) => met.has(id))) fire(tag);
  };

  const push = dataLayer.push;
  dataLayer.push = function (...entries) {
    const answer = push.apply(this, entries);
    entries.forEach(take);
    return answer;
  };
  [...dataLayer].forEach(take);
})();
