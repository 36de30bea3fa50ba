/* Two runs side by side: maps whose marks move together; the scatter of heads: its intervals on hover, the
   lasso, a click. Drawn from the data of their elements; nothing is computed here. */
(function () {
  "use strict";
  var make = window.headscope.make, go = window.headscope.go;
  var PINS = 4; // heads that can be pinned

  /* ---- linked maps ---- */
  function paintCell(context, cell, x, y, size) {
    var colour = window.headscope.colour, edge = size - 2;
    if (cell[1] !== null) {
      context.fillStyle = window.headscope.diverging(cell[1]);
      context.fillRect(x, y, edge, edge);
      return;
    }
    context.strokeStyle = colour("line");
    context.lineWidth = 1;
    context.strokeRect(x + 0.5, y + 0.5, edge - 1, edge - 1);
    context.beginPath();
    if (cell[2] === "pending") { context.moveTo(x, y + edge); context.lineTo(x + edge, y); }
    if (cell[2] === "failed") {
      context.strokeStyle = colour("muted");
      [[-1, -1], [-1, 1]].forEach(function (way) {
        context.moveTo(x + edge / 2 + 3 * way[0], y + edge / 2 + 3 * way[1]);
        context.lineTo(x + edge / 2 - 3 * way[0], y + edge / 2 - 3 * way[1]);
      });
    }
    context.stroke();
  }

  function drawMaps(box) {
    var text = box.getAttribute("data-compare");
    if (box.told === text) { return; }
    box.told = text;
    box.replaceChildren();
    var data = JSON.parse(text), kept = box.kept || null, grids = [];
    var row = make("div", box, { class: "two-maps-row" });
    var line = make("div", box, { class: "linked" });
    var said = make("p", line, { class: "readout", role: "status", "aria-live": "polite" });
    var links = data.links.map(function (link) {
      return make("a", line, { class: "button", hidden: "" }, "");
    });

    function look(name, keep) {
      if (keep) { kept = box.kept = name; }
      var now = name || kept;
      grids.forEach(function (grid) { grid.mark(now); });
      said.textContent = now ? data.words[now] || now + " was measured in neither." : "Point at a cell: the same node is marked in every map.";
      data.links.forEach(function (link, at) {
        var head = now && /^(L\d+H\d+|MLP\d+)$/.test(now);
        links[at].hidden = !head;
        if (head) {
          links[at].href = link.href.replace("/L0H0", "/" + now);
          links[at].textContent = "Open " + now + " " + link.name;
        }
      });
    }

    data.maps.forEach(function (map) {
      var figure = make("figure", row, {});
      make("figcaption", figure, {}, map.title);
      var parent = make("div", figure, { class: "two-maps-map" });
      grids.push(window.headscope.cells(parent, {
        columns: map.columns, rows: map.rows, gap: map.gap, largest: 30,
        label: map.title + ". Arrow keys move through the nodes; the line below has the numbers.",
        name: function (at, column) { return map.cells[at][column][0]; },
        paint: function (context, at, column, x, y, size) { paintCell(context, map.cells[at][column], x, y, size); },
        look: look,
        choose: function () {},
      }));
    });
    look(null, false);
  }

  /* ---- the scatter of heads ---- */
  function bars(graph, point) {
    var bounds = point ? point.customdata : null, x = [null], y = [null];
    if (bounds) {
      x = [bounds[1], bounds[2], null, point.x, point.x];
      y = [point.y, point.y, null, bounds[3], bounds[4]];
    }
    window.Plotly.restyle(graph, { x: [x], y: [y] }, [graph.data.length - 1]);
  }

  function chosen(section, points) {
    var heads = points.map(function (point) { return point.customdata && point.customdata[0]; }).filter(Boolean);
    if (!heads.length) { return; }
    var ranked = JSON.parse(section.querySelector("[data-ranked]").getAttribute("data-ranked"));
    heads.sort(function (one, other) { return ranked.indexOf(one) - ranked.indexOf(other); });
    window.dispatchEvent(new CustomEvent("headscope-ticked", { detail: heads }));
    go({ heads: heads.join(","), pins: heads.slice(0, PINS).join(",") });
  }

  function listen() {
    document.querySelectorAll(".scatter .js-plotly-plot").forEach(function (graph) {
      if (graph.headscope || !graph.on) { return; }
      graph.headscope = true;
      var section = graph.closest("section");
      graph.on("plotly_hover", function (event) { bars(graph, event.points[0]); });
      graph.on("plotly_unhover", function () { bars(graph, null); });
      graph.on("plotly_selected", function (event) { if (event) { chosen(section, event.points); } });
      graph.on("plotly_click", function (event) {
        var point = event.points[0];
        if (point.customdata) { go({ page: "head", node: point.customdata[0], heads: "" }); }
      });
    });
  }

  function draw() {
    document.querySelectorAll("[data-compare]").forEach(drawMaps);
    listen();
  }

  new MutationObserver(draw).observe(document.documentElement, {
    childList: true, subtree: true, attributeFilter: ["data-compare"],
  });
})();
