/* What the keys do: a dialog that lists them, opened with ?. Single letters can be switched off in it. */
(function () {
  "use strict";
  var headscope = window.headscope, make = headscope.make;

  function dialog() { return document.getElementById("keys-dialog") || build(); }

  function build() {
    var box = make("dialog", document.body, { id: "keys-dialog", class: "keys-dialog", "aria-labelledby": "keys-title" });
    var head = make("div", box, { class: "card-head" });
    make("h2", head, { id: "keys-title" }, "Keys");
    make("button", head, { type: "button", class: "quiet" }, "Close").addEventListener("click", function () { box.close(); });
    var table = make("table", box, { class: "table keys-table" }), body = make("tbody", table, {});
    headscope.keys.forEach(function (entry) { drawKey(body, entry); });
    drawKey(body, ["Tab", "the next control; Shift + Tab the one before"]);
    drawKey(body, ["Esc", "close what is open"]);
    drawSwitch(box);
    var foot = make("div", box, { class: "keys-foot" });
    make("button", foot, { type: "button", class: "button" }, "Tour of the page").addEventListener("click", function () {
      box.close();
      headscope.tour();
    });
    box.addEventListener("keydown", function (event) { event.stopPropagation(); }); // no shortcut works behind it
    box.addEventListener("click", function (event) { if (event.target === box) { box.close(); } });
    return box;
  }

  function drawKey(body, entry) {
    var line = make("tr", body, {}), name = make("th", line, { scope: "row" });
    entry[0].split(" ").forEach(function (part) {
      if (part === "+" && entry[0] !== "+") { name.append(" + "); } else { make("kbd", name, {}, part); }
    });
    make("td", line, {}, entry[1]);
  }

  function drawSwitch(box) {
    var label = make("label", box, { class: "keys-switch" }), tick = make("input", label, { type: "checkbox" });
    label.append(" Single-letter keys are on");
    make("p", box, { class: "note" }, "Switch them off if you dictate, or if a letter does what you did not mean. It is kept in this browser.");
    tick.checked = !headscope.keysOff();
    tick.addEventListener("change", function () {
      try { window.localStorage.setItem("headscope-keys", tick.checked ? "on" : "off"); } catch (_) { return; }
    });
  }

  function open() { if (!dialog().open) { dialog().showModal(); } }

  headscope.shortcut("?", "this list", open);
  document.addEventListener("click", function (event) {
    if (event.target.closest && event.target.closest("#keys-button")) { open(); }
  });
})();
