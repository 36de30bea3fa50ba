/* What lies over the cells of the map: outlines of the selected node and of receivers, notes, pins. */
(function () {
  "use strict";

  function find(trace, label) {
    for (var row = 0; trace && label && row < trace.customdata.length; row += 1) {
      var column = (trace.customdata[row] || []).indexOf(label);
      if (column >= 0) { return { row: row, column: column }; }
    }
    return null;
  }

  /* On a map of queries, keys or values a mark of a head lies on that part of it. */
  function marked(trace, label) {
    var place = find(trace, label);
    if (place || !/^L\d+H\d+$/.test(label || "")) { return place; }
    return find(trace, label + ".q") || find(trace, label + ".k") || find(trace, label + ".v");
  }

  function box(trace, base, label, dash) {
    var place = marked(trace, label);
    if (!place) { return null; }
    return Object.assign({}, base, {
      visible: true, name: "marked", line: Object.assign({}, base.line, { dash: dash }),
      x0: place.column - 0.5, x1: place.column + 0.5, y0: trace.y[place.row], y1: trace.y[place.row + 1],
    });
  }

  /* A note is a corner turned over. */
  function corner(trace, base, label) {
    var place = marked(trace, label);
    if (!place) { return null; }
    var x = place.column + 0.5, y = trace.y[place.row];
    return {
      type: "path", name: "note", layer: "above", line: { width: 0 }, fillcolor: base.line.color,
      path: "M" + (x - 0.34) + "," + y + "L" + x + "," + y + "L" + x + "," + (y + 0.34) + "Z",
    };
  }

  /* A pin is a bar at the foot of the cell. */
  function bar(trace, base, label) {
    var place = marked(trace, label);
    if (!place) { return null; }
    var y = trace.y[place.row + 1] - 0.1;
    return {
      type: "line", name: "pin", layer: "above", x0: place.column - 0.36, x1: place.column + 0.36, y0: y, y1: y,
      line: { color: base.line.color, width: 3 },
    };
  }

  window.headscope.cellOf = find;

  /* All shapes; the first is that of the selection, from which the others take their colour. */
  window.headscope.outlines = function (trace, first, told) {
    var base = Object.assign({}, first, { visible: false, name: "selected" });
    var shapes = [Object.assign(box(trace, base, told.selected, "solid") || base, { name: "selected" })];
    told.receivers.forEach(function (label) { shapes.push(box(trace, base, label, "4px,2px")); });
    shapes.push(box(trace, base, told.cursor, "1px,2px"));
    told.noted.forEach(function (label) { shapes.push(corner(trace, base, label)); });
    told.pins.forEach(function (label) { shapes.push(bar(trace, base, label)); });
    return shapes.filter(Boolean);
  };
})();
