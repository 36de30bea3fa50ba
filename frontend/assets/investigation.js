/* The page of an exported investigation: its map's views, the arrow keys on it, and panels by the address's #.
   Used only in the exported file; see frontend/investigation_page.py. */
(function () {
  "use strict";
  var told = document.getElementById("cells"), views = told ? JSON.parse(told.textContent) : {};
  var cells = Array.prototype.slice.call(document.querySelectorAll("a.cell")), other = document.getElementById("other");

  function each(what, does) { Array.prototype.forEach.call(document.querySelectorAll(what), does); }
  function labelled(name) { return cells.find(function (cell) { return cell.getAttribute("data-label") === name; }); }

  /* ---- what the colour means ---- */
  function show(view) {
    cells.forEach(function (cell) {
      var data = views[view][cell.getAttribute("data-label")], words = data[2] + cell.getAttribute("data-more");
      cell.className = "cell " + data[1];
      cell.style.setProperty("--w", data[0]);
      cell.title = words;
      cell.setAttribute("aria-label", words);
    });
    each("[data-static]", function (button) {
      button.setAttribute("aria-pressed", String(button.getAttribute("data-static") === view));
    });
    each("[data-of]", function (words) { words.hidden = words.getAttribute("data-of") !== view; });
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-static]");
    if (button) { show(button.getAttribute("data-static")); }
  });

  /* ---- one stop for the tab key, arrows within ---- */
  function stop(cell) {
    cells.forEach(function (one) { one.tabIndex = one === cell ? 0 : -1; });
  }

  var MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  document.addEventListener("keydown", function (event) {
    var move = MOVES[event.key], cell = event.target.closest && event.target.closest("a.cell");
    if (!move || !cell || event.ctrlKey || event.metaKey || event.altKey) { return; }
    event.preventDefault();
    var place = cell.parentNode, rows = place.parentNode.parentNode.children;
    var row = rows[Math.min(rows.length - 1, Math.max(0, place.parentNode.sectionRowIndex + move[0]))];
    var next = row.children[Math.min(row.children.length - 1, Math.max(1, place.cellIndex + move[1]))].firstElementChild;
    stop(next);
    next.focus();
  });

  /* ---- the panel that the address names ---- */
  function fill(name) {
    other.querySelector("h2").textContent = name;
    var boxes = other.querySelectorAll(".big-number");
    other.getAttribute("data-views").split(" ").forEach(function (view, at) {
      var data = (views[view] || {})[name];
      boxes[at].querySelector(".value").textContent = data ? data[3] : "–";
      boxes[at].querySelector(".below").textContent = data ? data[4] : "";
    });
  }

  function arrive() {
    var name = decodeURIComponent(window.location.hash.slice(1)), cell = labelled(name);
    var own = document.getElementById(name), panel = own && own.classList.contains("node") ? own : null;
    if (other) {
      other.hidden = !cell || Boolean(panel);
      if (!other.hidden) { fill(name); panel = other; }
    }
    cells.forEach(function (one) { one.toggleAttribute("aria-current", false); });
    if (cell) { cell.setAttribute("aria-current", "true"); stop(cell); }
    if (panel) { panel.scrollIntoView({ block: "nearest" }); }
    window.dispatchEvent(new CustomEvent("headscope-shown"));
  }

  if (cells.length) { stop(cells[0]); }
  window.addEventListener("hashchange", arrive);
  window.addEventListener("load", arrive);
})();
