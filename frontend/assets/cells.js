/* A canvas of square cells, a column per layer and a row per head, as on the map: pointing, moving by the
   arrow keys, a mark on one cell. What a cell shows is painted by whoever asks for it. */
(function () {
  "use strict";
  var LARGEST = 48, SMALLEST = 12, LEFT = 44, BELOW = 34, GAP = 0.45; // pixels; the gap in cells
  var MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  var drawn = []; // every canvas of the page, to be painted anew in other colours

  var known = {}; // colours by scheme and name

  function colour(name) {
    var root = document.documentElement, key = root.getAttribute("data-scheme") + name;
    known[key] = known[key] || getComputedStyle(root).getPropertyValue("--" + name).trim();
    return known[key];
  }

  /* rgb(…) or #rrggbb as three numbers. */
  function channels(text) {
    if (text[0] === "#") { return [1, 3, 5].map(function (at) { return parseInt(text.slice(at, at + 2), 16); }); }
    return text.match(/[\d.]+/g).slice(0, 3).map(Number);
  }

  /* Between zero and one end of the diverging scale, for a strength from -1 to 1. */
  function diverging(strength) {
    var from = channels(colour("zero")), to = channels(colour(strength < 0 ? "negative" : "positive"));
    var part = Math.abs(strength);
    return "rgb(" + from.map(function (value, at) { return Math.round(value + (to[at] - value) * part); }).join(",") + ")";
  }

  /* told: columns, rows (names), name(row, column), label, largest; paint(context, row, column, x, y, size),
     look(name or null, kept), choose(name). */
  function cells(parent, told) {
    var make = window.headscope.make;
    var box = make("div", parent, { class: "cells", tabindex: "0", role: "group", "aria-label": told.label });
    var canvas = make("canvas", box, { "aria-hidden": "true" }), context = canvas.getContext("2d");
    var grid = { size: 0, marked: null };

    function top(row) { return (row + (told.gap && row >= told.gap ? GAP : 0)) * grid.size; }

    function place(name) {
      for (var row = 0; row < told.rows.length; row += 1) {
        for (var column = 0; column < told.columns; column += 1) {
          if (told.name(row, column) === name) { return [row, column]; }
        }
      }
      return null;
    }

    function words() {
      context.fillStyle = colour("muted");
      context.font = "12px " + getComputedStyle(document.body).fontFamily;
      context.textAlign = "right";
      context.textBaseline = "middle";
      var few = Math.max(1, Math.ceil(14 / grid.size));
      told.rows.forEach(function (name, row) {
        if (row % few === 0 || row === told.gap) { context.fillText(name, LEFT - 6, top(row) + grid.size / 2); }
      });
      context.textAlign = "center";
      var apart = [1, 2, 5, 10, 20, 50].find(function (step) { return step * grid.size >= 26; }) || 100;
      var bottom = top(told.rows.length) + 12;
      for (var column = 0; column < told.columns; column += apart) {
        context.fillText(String(column), LEFT + (column + 0.5) * grid.size, bottom);
      }
      context.textAlign = "left";
      context.fillText("layer", LEFT + 2, bottom + 15);
    }

    function mark() {
      var found = grid.marked && place(grid.marked);
      if (!found) { return; }
      context.strokeStyle = colour("ink");
      context.lineWidth = 2;
      context.strokeRect(LEFT + found[1] * grid.size, top(found[0]) + 1, grid.size - 1, grid.size - 2);
    }

    function paint() {
      var sharp = window.devicePixelRatio || 1;
      var width = LEFT + told.columns * grid.size + 2, height = top(told.rows.length) + BELOW;
      canvas.width = Math.round(width * sharp);
      canvas.height = Math.round(height * sharp);
      canvas.style.width = width + "px";
      canvas.style.height = height + "px";
      context.setTransform(sharp, 0, 0, sharp, 0, 0);
      words();
      told.rows.forEach(function (_, row) {
        for (var column = 0; column < told.columns; column += 1) {
          if (told.name(row, column)) { told.paint(context, row, column, LEFT + column * grid.size, top(row), grid.size); }
        }
      });
      mark();
    }

    function fit() {
      var room = (parent.clientWidth - LEFT - 4) / told.columns;
      var size = Math.max(SMALLEST, Math.min(told.largest || LARGEST, Math.floor(room)));
      if (parent.clientWidth && size !== grid.size) { grid.size = size; paint(); }
    }

    function pointed(event) {
      var bounds = canvas.getBoundingClientRect(), row = -1;
      var column = Math.floor((event.clientX - bounds.left - LEFT) / grid.size), y = event.clientY - bounds.top;
      told.rows.forEach(function (_, at) { if (y >= top(at) && y < top(at) + grid.size) { row = at; } });
      return row < 0 || column < 0 || column >= told.columns ? null : told.name(row, column);
    }

    function step(move) {
      var from = (grid.marked && place(grid.marked)) || [-move[0], -move[1]];
      var row = Math.min(told.rows.length - 1, Math.max(0, from[0] + move[0]));
      var column = Math.min(told.columns - 1, Math.max(0, from[1] + move[1]));
      told.look(told.name(row, column), true);
    }

    canvas.addEventListener("pointermove", function (event) { told.look(pointed(event), false); });
    canvas.addEventListener("pointerleave", function () { told.look(null, false); });
    canvas.addEventListener("click", function (event) {
      var name = pointed(event);
      if (name) { told.look(name, true); told.choose(name); }
    });
    box.addEventListener("keydown", function (event) {
      if (event.ctrlKey || event.metaKey || event.altKey) { return; }
      if (MOVES[event.key]) { event.preventDefault(); step(MOVES[event.key]); }
      if (event.key === "Enter" && grid.marked) { event.preventDefault(); told.choose(grid.marked); }
    });

    var own = {
      box: box,
      paint: paint,
      has: function (name) { return place(name) !== null; },
      mark: function (name) {
        if (name === grid.marked) { return; }
        grid.marked = name;
        box.setAttribute("data-marked", name || "");
        paint();
      },
    };
    drawn = drawn.filter(function (other) { return other.box.isConnected; }).concat([own]);
    new ResizeObserver(fit).observe(parent);
    fit();
    return own;
  }

  new MutationObserver(function () { drawn.forEach(function (one) { one.paint(); }); })
    .observe(document.documentElement, { attributeFilter: ["data-scheme"] });

  Object.assign(window.headscope, { cells: cells, colour: colour, channels: channels, diverging: diverging });
})();
