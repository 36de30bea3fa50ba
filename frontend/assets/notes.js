/* Notes on a node: a small text area drawn from the data of its box. What is typed goes into the address. */
(function () {
  "use strict";
  var headscope = window.headscope, make = headscope.make;

  function length(text) { return Array.from(text).length; }

  function problem(box, text) {
    var data = box.data, own = length(text.trim());
    if (own > data.most) { return own + " characters: " + (own - data.most) + " too many; not kept."; }
    if (own + data.others > data.most_in_all) {
      return "All notes together may have " + data.most_in_all + " characters; this one is " + (own + data.others - data.most_in_all) + " too long. Not kept.";
    }
    return "";
  }

  function said(box, text) { box.querySelector(".said").textContent = text; }

  function typed(box) {
    var text = box.querySelector("textarea").value, wrong = problem(box, text);
    said(box, wrong || length(text.trim()) + " of " + box.data.most + " characters; kept in the link when you leave the field.");
    return !wrong;
  }

  function save(box) {
    var text = box.querySelector("textarea").value.trim();
    if (text === box.data.text || !typed(box)) { return; }
    headscope.go({ note: box.data.node + ":" + text });
  }

  function build(box) {
    var lines = make("details", box, {}), id = box.id + "-text";
    make("summary", lines, {});
    var area = make("textarea", lines, { id: id, rows: 3, spellcheck: "false" });
    make("span", lines, { class: "note said", role: "status", "aria-live": "polite" });
    area.addEventListener("input", function () { typed(box); });
    area.addEventListener("blur", function () { save(box); });
    area.addEventListener("keydown", function (event) {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { save(box); }
    });
  }

  function draw(box) {
    var told = box.getAttribute("data-note");
    if (!told || box.told === told) { return; }
    var data = JSON.parse(told), moved = !box.data || box.data.node !== data.node;
    box.told = told;
    if (!box.querySelector("textarea")) { build(box); }
    var area = box.querySelector("textarea");
    box.data = data;
    box.querySelector("summary").textContent = data.text ? "Your note on " + data.node : "Add a note to " + data.node;
    area.setAttribute("aria-label", "Note on " + data.node + "; it travels with the link");
    if (moved || area !== document.activeElement) { area.value = data.text; }
    if (moved) { box.querySelector("details").open = Boolean(data.text); }
    said(box, data.text ? "It travels with the link." : "It goes into the address and travels with the link.");
  }

  new MutationObserver(function () {
    document.querySelectorAll("[data-note]").forEach(draw);
  }).observe(document.documentElement, { childList: true, subtree: true, attributeFilter: ["data-note"] });
})();
