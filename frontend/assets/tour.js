/* The first visit: five small cards beside what they speak of. Nothing below them moves, and Escape ends it.
   It starts by itself once in a browser, on the start page without a selection; later from the dialog of keys. */
(function () {
  "use strict";
  var headscope = window.headscope, make = headscope.make;
  var KEPT = "headscope-tour";
  var card = null, at = 0, before = null;

  var STEPS = [
    ["#map-grid", "The map", "Every cell is a head or an MLP, and layers run from left to right. The colour says how " +
      "the logit of the correct letter changes when that node is patched; the sentence above says how."],
    ["#strongest-nodes", "Choose a node", "Click a cell of the map, or press a name in this list, which is the map for " +
      "the keyboard. The node is then patched on the question at the left, on the model itself.", choose],
    ["#evidence", "The evidence", "What the patch did on this question, and below each number its mean over all pairs " +
      "with a 95 % interval. A cell that says why it is empty was not computed."],
    ["#evidence-title a", "The page of a head", "A second click opens the node: where it looks, what it writes, by which " +
      "paths it is read, and what it computes."],
    ["#copy-link", "The link", "Everything that you choose is in the address. Whoever opens this link sees the same " +
      "figures. Keys and this tour are behind “?”."],
  ];

  function kept() { try { return window.localStorage.getItem(KEPT); } catch (_) { return "done"; } }
  function keep() { try { window.localStorage.setItem(KEPT, "done"); } catch (_) { return; } }
  function target() {
    var found = document.querySelector(STEPS[at][0]);
    return found && found.offsetParent ? found : document.getElementById(at < 2 ? "map-grid" : "evidence");
  }

  /* The third card speaks of evidence: whoever chose nothing gets the strongest node. */
  function choose() {
    var chosen = document.querySelector("#strongest-nodes tr.selected");
    var first = document.querySelector("#strongest-nodes [data-node]");
    if (!chosen && first) { first.click(); }
  }

  function place() {
    if (!card) { return; }
    document.querySelectorAll(".tour-target").forEach(function (one) { one.classList.remove("tour-target"); });
    var to = target();
    if (!to || !document.body.contains(to) || !to.offsetParent && to.id !== "copy-link") { end(); return; }
    to.classList.add("tour-target");
    var box = to.getBoundingClientRect(), own = card.getBoundingClientRect(), gap = 12;
    var width = document.documentElement.clientWidth, height = window.innerHeight;
    var below = box.bottom + gap + own.height < height, above = box.top - gap - own.height > 0;
    var top = below ? box.bottom + gap : above ? box.top - gap - own.height : Math.max(gap, Math.min(box.top + gap, height - own.height - gap));
    var left = Math.max(gap, Math.min(box.left, width - own.width - gap));
    if (!below && !above) { left = Math.max(gap, Math.min(box.right - own.width - gap, width - own.width - gap)); }
    card.style.top = Math.round(top + window.scrollY) + "px";
    card.style.left = Math.round(left + window.scrollX) + "px";
  }

  function draw(focused) {
    var step = STEPS[at];
    card.setAttribute("aria-label", "Tour, card " + (at + 1) + " of " + STEPS.length + ": " + step[1]);
    card.querySelector("h2").textContent = step[1];
    card.querySelector(".tour-count").textContent = at + 1 + " of " + STEPS.length;
    card.querySelector("p").textContent = step[2];
    card.querySelector(".tour-back").hidden = at === 0;
    card.querySelector(".tour-next").textContent = at === STEPS.length - 1 ? "Done" : "Next";
    var to = target();
    if (to && focused) { to.scrollIntoView({ block: "nearest" }); }
    place();
    if (focused) { card.focus({ preventScroll: true }); }
  }

  function step(by) {
    if (by > 0 && STEPS[at][3]) { STEPS[at][3](); }
    at += by;
    if (at >= STEPS.length) { end(); return; }
    draw(true);
  }

  function build() {
    card = make("section", document.body, { class: "tour", role: "dialog", tabindex: "-1", "aria-live": "polite" });
    var head = make("div", card, { class: "card-head" });
    make("h2", head, {});
    make("span", head, { class: "note tour-count" });
    make("p", card, {});
    var row = make("div", card, { class: "tour-buttons" });
    button(row, "button primary tour-next", "Next", function () { step(1); });
    button(row, "button tour-back", "Back", function () { step(-1); });
    button(row, "quiet", "Skip the tour", end);
    card.addEventListener("keydown", function (event) {
      if (event.key === "Escape") { end(); }
      event.stopPropagation(); // letters are no shortcuts here
    });
  }

  function button(row, looks, text, does) {
    make("button", row, { type: "button", class: looks }, text).addEventListener("click", does);
  }

  function end() {
    keep();
    if (!card) { return; }
    card.remove();
    card = null;
    document.querySelectorAll(".tour-target").forEach(function (one) { one.classList.remove("tour-target"); });
    if (before && document.body.contains(before)) { before.focus({ preventScroll: true }); }
  }

  function start(focused) {
    if (card) { return; }
    before = focused ? document.activeElement : null;
    at = 0;
    build();
    draw(focused);
  }

  /* By hand: from anywhere, on the map of the present model and prompts. */
  headscope.tour = function () {
    if (!document.querySelector("#map-page:not([hidden])")) { headscope.go({ page: "map" }); }
    wait(function () { start(true); }, 100);
  };

  function wait(does, tries) {
    if (document.querySelector("#map-page:not([hidden]) #strongest-nodes [data-node]")) { does(); }
    else if (tries > 0) { window.setTimeout(function () { wait(does, tries - 1); }, 200); }
  }

  function first() { return window.location.pathname === "/" && !window.location.search && !kept() && window.top === window; }

  window.addEventListener("resize", place);
  document.addEventListener("scroll", place, true);
  window.addEventListener("popstate", function () { window.setTimeout(place, 300); });
  if (first()) { wait(function () { if (first()) { start(false); } }, 600); }
})();
