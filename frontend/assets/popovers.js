/* What opens below a chip: by a press, until Escape, a press elsewhere, or something in it that leads on. */
(function () {
  "use strict";
  var opened = null; // the chip

  function panel() { return document.getElementById(opened.getAttribute("aria-controls")); }

  function show(on) {
    opened.setAttribute("aria-expanded", String(on));
    panel().hidden = !on;
  }

  function open(chip) {
    opened = chip;
    show(true);
    (panel().querySelector("a[href], button, input, select, summary") || panel()).focus();
  }

  function close(back) {
    if (!opened) { return; }
    var chip = opened;
    show(false);
    opened = null;
    if (back) { chip.focus(); }
  }

  function within(target) { return opened && (opened.contains(target) || panel().contains(target)); }

  document.addEventListener("click", function (event) {
    var chip = event.target.closest(".chip[aria-controls]"), before = opened;
    if (chip || !within(event.target) || event.target.closest("[data-go]")) { close(chip || within(event.target)); }
    if (chip && chip !== before) { open(chip); }
  });
  document.addEventListener("submit", function (event) { if (within(event.target)) { close(true); } });
  document.addEventListener("focusin", function (event) { if (!within(event.target)) { close(false); } });
  document.addEventListener("keydown", function (event) { if (event.key === "Escape") { close(true); } });
})();
