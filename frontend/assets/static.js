/* A page that stands by itself: its plots, its tables of squares, light and dark. It asks nobody for anything.
   Used only in exported files; see frontend/static.py. */
(function () {
  "use strict";
  var CONFIG = { displayModeBar: false, showSendToCloud: false, plotlyServerURL: "", displaylogo: false, responsive: true };
  var root = document.documentElement, told = document.getElementById("recoloured");
  var recoloured = told ? JSON.parse(told.textContent) : {}; // every light colour in its dark form
  var COLOUR = /#[0-9a-f]{6}\b|\d{1,3},\d{1,3},\d{1,3}/gi;

  /* What the page's other scripts need of it. A node that is chosen has its panel in this file, or none. */
  window.headscope = {
    make: function (tag, parent, attributes, text) {
      var element = document.createElement(tag);
      Object.keys(attributes).forEach(function (name) { element.setAttribute(name, attributes[name]); });
      if (text) { element.textContent = text; }
      return parent.appendChild(element);
    },
    go: function (change) { if (change.node && document.getElementById("map")) { window.location.hash = change.node; } },
  };

  function each(what, does) { Array.prototype.forEach.call(document.querySelectorAll(what), does); }

  /* ---- plots: drawn when they are seen, given back when they are not ---- */
  function figure(box) {
    var text = box.headscopeFigure;
    if (!text) { text = box.headscopeFigure = box.querySelector("script").textContent; }
    var dark = root.getAttribute("data-scheme") === "dark";
    return JSON.parse(dark ? text.replace(COLOUR, function (found) { return recoloured[found.toLowerCase()] || found; }) : text);
  }

  function draw(box) {
    var seen = box.offsetParent !== null, scheme = root.getAttribute("data-scheme");
    if (!window.Plotly || (seen && box.headscopeDrawn === scheme) || (!seen && !box.headscopeDrawn)) { return; }
    box.headscopeDrawn = seen ? scheme : null;
    if (!seen) { window.Plotly.purge(box); return; }
    var next = figure(box);
    window.Plotly.react(box, next.data, next.layout, CONFIG);
  }

  function drawAll() {
    each(".plot", draw);
    window.requestAnimationFrame(function () { // what scrolls can be reached by keyboard
      each(".scroll, .squares-scroll, .cells", function (box) {
        if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) { box.tabIndex = 0; }
      });
    });
  }

  /* ---- squares: a click or an arrow key reads one out ---- */
  var MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  function look(square) {
    var figure = square.closest(".squares-figure"), line = figure && figure.querySelector(".readout");
    if (!line) { return; }
    Array.prototype.forEach.call(figure.querySelectorAll("td.square[aria-selected]"), function (other) {
      other.removeAttribute("aria-selected");
    });
    square.setAttribute("aria-selected", "true");
    line.textContent = square.getAttribute("aria-label");
  }

  document.addEventListener("keydown", function (event) {
    var move = MOVES[event.key], square = event.target.closest && event.target.closest("td.square");
    if (!move || !square) { return; }
    event.preventDefault();
    var rows = square.parentNode.parentNode.children;
    var row = rows[Math.min(rows.length - 1, Math.max(0, square.parentNode.sectionRowIndex + move[0]))];
    var next = row.children[Math.min(row.children.length - 1, Math.max(1, square.cellIndex + move[1]))];
    next.setAttribute("tabindex", "0");
    next.focus();
  });
  document.addEventListener("focusin", function (event) {
    if (event.target.matches("td.square")) { look(event.target); }
  });
  document.addEventListener("click", function (event) {
    var square = event.target.closest("td.square");
    if (square) { square.focus(); }
  });

  /* ---- light and dark ---- */
  function name(button) { button.textContent = root.getAttribute("data-scheme") === "dark" ? "Light" : "Dark"; }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-switch]");
    if (!button) { return; }
    root.setAttribute("data-scheme", root.getAttribute("data-scheme") === "dark" ? "light" : "dark");
    try { window.localStorage.setItem("theme", JSON.stringify(root.getAttribute("data-scheme"))); } catch (_) { /* a file may not */ }
    each("[data-switch]", name);
    drawAll();
  });

  each("[data-switch]", name);
  document.addEventListener("toggle", drawAll, true);
  window.addEventListener("headscope-shown", drawAll);
  window.addEventListener("load", function () { // the scripts that draw wait for a change of their data
    ["data-pattern", "data-thumbnails"].forEach(function (name) {
      each("[" + name + "]", function (box) { box.setAttribute(name, box.getAttribute(name)); });
    });
  });
  drawAll();
})();
