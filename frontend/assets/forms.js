/* Fields of forms: drawn from the data of their elements, since Dash has none of HTML's own that are this light.
   A form says where its values go: data-typed names the store that follows the typing, data-submit the one that
   gets them when the form is sent; "go" is the address. */
(function () {
  "use strict";
  var headscope = window.headscope, PAUSE = 350; // after the last key, before the server is asked
  var asked = null; // the form whose answer is awaited, to be emptied then

  function draw(box) {
    var told = box.getAttribute("data-fields");
    if (box.told === told) { return; }
    box.told = told;
    box.replaceChildren();
    JSON.parse(told).forEach(function (one) {
      var line = headscope.make("label", box, { class: "field-line " + one.class });
      if (one.label) { headscope.make("span", line, {}, one.label); }
      var field = headscope.make(one.tag, line, Object.assign({ "aria-label": one.label }, one.attributes));
      one.options.forEach(function (option) { headscope.make("option", field, { value: option[0] }, option[1]); });
      if (one.value !== null) { field.value = one.value; }
    });
  }

  function drawAll() { document.querySelectorAll("[data-fields]").forEach(draw); }
  new MutationObserver(drawAll).observe(document.documentElement, {
    childList: true, subtree: true, attributeFilter: ["data-fields"],
  });

  function values(form) {
    var found = {};
    Array.from(form.elements).forEach(function (field) {
      if (!field.name || (field.type === "radio" && !field.checked)) { return; }
      var value = field.type === "checkbox" ? String(field.checked) : field.value;
      found[field.name] = value || field.getAttribute("data-usual") || "";
    });
    return found;
  }

  function tell(form, store) {
    window.clearTimeout(form.waiting);
    form.waiting = null;
    var data = Object.assign(values(form), { at: String(Date.now()) });
    window.dash_clientside.set_props(store, { data: data });
    return data.at;
  }

  function typedIn(event) { return event.target.form && event.target.form.getAttribute("data-typed"); }

  document.addEventListener("input", function (event) {
    var form = event.target.form, store = typedIn(event);
    if (!store) { return; }
    window.clearTimeout(form.waiting);
    form.waiting = window.setTimeout(function () { tell(form, store); }, PAUSE);
  });
  document.addEventListener("change", function (event) { // what is pressed next finds what was typed
    if (typedIn(event) && event.target.form.waiting) { tell(event.target.form, typedIn(event)); }
  });

  document.addEventListener("submit", function (event) {
    var form = event.target, store = form.getAttribute("data-submit");
    event.preventDefault();
    if (store === "go") { headscope.go(values(form)); }
    else if (store) { asked = { form: form, at: tell(form, store) }; }
  });
  window.addEventListener("headscope-answered", function (event) {
    if (asked && asked.at === event.detail) { asked.form.reset(); }
  });
})();
