/* The map: hovering previews, a click selects, another opens; a Shift-click adds a receiver; P pins.
   Outlines and marks lie over the cells, so the map itself is never drawn anew for them. */
(function () {
  "use strict";
  var go = window.headscope.go, say = window.headscope.say;
  var PINS = 4;
  var selected = null; // label of the selected node, ahead of the server by a moment
  var wanted = null; // the same as the server last said it
  var cursor = null; // label of the cell that is looked at, by mouse or by keyboard
  var marks = { page: "map", node: null, pins: [], receivers: [], notes: {} }; // what the address says
  var choosing = false; // the next click names a receiver
  var leaving = null;
  var refused = null; // the cell that was pressed and cannot be chosen, and why; kept while it is looked at

  function byId(id) { return document.getElementById(id); }
  function plot() { var map = byId("map"); return map && map.querySelector(".js-plotly-plot"); }

  /* ---- cells and their outlines ---- */
  function cells() {
    var graph = plot();
    var trace = graph && graph.data && graph.data[0];
    return trace && trace.customdata ? trace : null;
  }

  function find(label) { return window.headscope.cellOf(cells(), label); }

  function outline() {
    var graph = plot(), trace = cells();
    if (!trace || !graph.layout.shapes || !graph.layout.shapes.length) { return; }
    var looks = cursor && cursor !== selected && document.activeElement === byId("map-grid");
    var shapes = window.headscope.outlines(trace, graph.layout.shapes[0], {
      selected: selected, cursor: looks ? cursor : null, receivers: marks.receivers, pins: marks.pins, noted: Object.keys(marks.notes),
    });
    if (JSON.stringify(graph.layout.shapes) !== JSON.stringify(shapes)) { window.Plotly.relayout(graph, { shapes: shapes }); }
    markRows();
  }

  function markRows() {
    document.querySelectorAll("tr[data-row], table.heads tbody tr").forEach(function (row) {
      var link = row.querySelector("a.node-button");
      var label = row.getAttribute("data-row") || (link && link.textContent) || "";
      var note = marks.notes[label.split(".")[0]];
      if (row.hasAttribute("data-row")) { row.classList.toggle("selected", label === selected); }
      row.classList.toggle("noted", Boolean(note));
      if (note) { row.title = "Note: " + note; } else { row.removeAttribute("title"); }
    });
  }

  window.addEventListener("headscope-nodes", markRows); // its rows are drawn anew

  /* ---- the preview: what the map knows of a cell, without asking anybody ---- */
  function words(label) {
    var place = find(label), trace = cells();
    var graph = plot();
    if (place) { return trace.text[place.row][place.column]; }
    for (var n = 1; graph && n < graph.data.length; n += 1) {
      var at = (graph.data[n].customdata || []).indexOf(label);
      if (at >= 0) { return graph.data[n].text[at]; }
    }
    return "";
  }

  function fill(box, name, text) { box.querySelector('[data-part="' + name + '"]').textContent = text; }

  function preview(label) {
    var box = byId("evidence-preview"), graph = plot();
    var known = graph && graph.layout && graph.layout.meta;
    window.clearTimeout(leaving);
    if (!box || !known) { return; }
    cursor = label;
    if (label === selected && !choosing) { hide(); return; }
    var values = known.cells[label], owner = label.split(".")[0];
    fill(box, "node", label);
    fill(box, "how", values ? known.how : known.waiting);
    known.views.forEach(function (view, at) {
      fill(box, view, values ? values[at][0] : "–");
      fill(box, view + "-below", values ? values[at][1] : "");
    });
    fill(box, "note", marks.notes[owner] ? "Note: " + marks.notes[owner] : "");
    if (refused && refused.label !== label) { refused = null; }
    fill(box, "hint", refused ? refused.why : hint(label));
    box.hidden = false;
    byId("evidence").classList.add("previewing");
  }

  function hint(label) {
    if (choosing) { return "Click to add " + label + " as a receiver of " + selected + "; Escape to leave it."; }
    return "Click to select" + (selected ? "; Shift-click to follow the path from " + selected + "." : ".");
  }

  function hide() {
    if (byId("evidence-preview")) { byId("evidence-preview").hidden = true; }
    if (byId("evidence")) { byId("evidence").classList.remove("previewing"); }
  }

  function leave(wait) {
    window.clearTimeout(leaving);
    leaving = window.setTimeout(function () {
      cursor = refused = null;
      hide();
      outline();
    }, wait || 0);
  }

  /* ---- choosing ---- */
  function choose(label, adds) {
    if (!label) { return; }
    if (adds || choosing) { addReceiver(label); return; }
    if (label === selected) { go({ page: "head", node: label }); return; }
    selected = label;
    leave();
    say(words(label).replace(/<[^>]*>/g, " "));
    go({ node: label });
  }

  function parts(label) {
    var found = /^L(\d+)H(\d+)/.exec(label) || /^MLP(\d+)$/.exec(label);
    return found && { layer: Number(found[1]), mlp: found.length === 2, label: found[0] };
  }

  function addReceiver(label) {
    var from = selected && parts(selected), to = parts(label);
    var comes = from && to && (to.layer > from.layer || (to.layer === from.layer && to.mlp && !from.mlp));
    if (!from || selected !== from.label) { refuse(label, "Select a head or an MLP first: a path needs a sender."); return; }
    if (!to) { refuse(label, label + " cannot receive a path; choose a head or an MLP."); return; }
    if (!comes) { refuse(label, to.label + " does not come after " + selected + ": no path leads from one to the other."); return; }
    if (marks.receivers.length >= 8 && marks.receivers.indexOf(to.label) < 0) { refuse(label, "Eight receivers are chosen; remove one first."); return; }
    setChoosing(false);
    leave();
    say((marks.receivers.indexOf(to.label) < 0 ? "Receiver added: " : "Receiver removed: ") + to.label);
    go({ receiver: to.label });
  }

  function refuse(label, sentence) {
    refused = { label: label, why: sentence };
    var box = byId("evidence-preview");
    if (box && !box.hidden) { fill(box, "hint", sentence); }
    else if (byId("path-said")) { byId("path-said").textContent = sentence; }
    say(sentence);
  }

  function setChoosing(on) {
    choosing = on;
    var button = byId("path-to");
    if (button) { button.setAttribute("aria-pressed", String(on)); button.textContent = on ? "Choose a node …" : "Path to …"; }
    if (byId("path-said")) { byId("path-said").textContent = on ? "Click a later node on the map or in the table; Escape to leave it." : ""; }
    if (on && byId("map-grid")) { byId("map-grid").focus({ preventScroll: true }); }
  }

  function pin() {
    var label = marks.page === "map" ? cursor || selected : marks.page === "head" ? marks.node : null;
    var node = label && parts(label);
    if (!node) { say("Select a head or an MLP first."); return; }
    if (marks.pins.length >= PINS && marks.pins.indexOf(node.label) < 0) { full(); return; }
    go({ pin: node.label });
  }

  function full() {
    var sentence = "Four are pinned; unpin one first.";
    if (byId("pins-said")) { byId("pins-said").textContent = sentence; }
    say(sentence);
  }

  /* ---- keyboard: arrows look, Enter does what a click does ---- */
  var MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  function move(down, right) {
    var trace = cells(), place = find(cursor) || find(selected);
    if (!trace) { return; }
    var row = 0, column = 0, rows = trace.customdata.length, columns = trace.x.length;
    if (place) {
      row = place.row + down;
      column = Math.min(columns - 1, Math.max(0, place.column + right));
      while (row >= 0 && row < rows && trace.customdata[row][column] === null) { row += down || 1; }
      if (row < 0 || row >= rows) { row = place.row; }
    }
    var label = trace.customdata[row][column];
    preview(label);
    outline();
    say(words(label).replace(/<[^>]*>/g, " "));
  }

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey) { return; }
    if (event.key === "Escape" && (choosing || cursor)) { setChoosing(false); leave(); }
    var twin = event.target.closest && event.target.closest("[data-node]");
    if (twin && event.key === "Enter" && event.shiftKey) {
      event.preventDefault();
      choose(twin.getAttribute("data-node"), true);
    } else if (event.target.id === "map-grid" && MOVES[event.key]) {
      event.preventDefault();
      move(MOVES[event.key][0], MOVES[event.key][1]);
    } else if (event.target.id === "map-grid" && event.key === "Enter" && (cursor || selected)) {
      event.preventDefault();
      choose(cursor || selected, event.shiftKey);
    }
  });

  document.addEventListener("focusout", function (event) {
    if (event.target.id === "map-grid" || event.target.matches("[data-node]")) { leave(60); }
  });

  /* The table beside the map is its twin: pointing at a row and moving to it preview as well. */
  ["mouseover", "focusin"].forEach(function (kind) {
    document.addEventListener(kind, function (event) {
      var twin = event.target.closest && event.target.closest("[data-row] [data-node], tr[data-row]");
      if (twin) { preview(twin.getAttribute("data-node") || twin.getAttribute("data-row")); }
      else if (kind === "mouseover" && cursor && !event.target.closest("#map-grid") && document.activeElement !== byId("map-grid")) { leave(60); }
    });
  });

  document.addEventListener("click", function (event) {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey) { return; }
    if (event.target.closest("#path-to")) { setChoosing(!choosing); return; }
    var pins = event.target.closest("[data-pin]");
    if (pins && pins.hasAttribute("data-full")) { event.preventDefault(); full(); return; }
    var control = event.target.closest("[data-node]");
    if (!control || control.disabled) { return; }
    event.preventDefault();
    choose(control.getAttribute("data-node"), event.shiftKey);
  });

  /* plotly tells of the cell that it has noticed last, which a quick hand has left already. */
  function under(graph, event) {
    var trace = cells(), x = graph._fullLayout.xaxis, y = graph._fullLayout.yaxis, box = graph.getBoundingClientRect();
    var column = Math.round(x.p2d(event.clientX - box.left - x._offset)), at = y.p2d(event.clientY - box.top - y._offset);
    var row = trace ? trace.y.findIndex(function (edge, n) { return edge <= at && at < trace.y[n + 1]; }) : -1;
    return row >= 0 ? trace.customdata[row][column] : null;
  }

  /* plotly comes after the first figure, so it may take some tries to find it. */
  function attach(tries) {
    var graph = plot();
    if (graph && graph.headscope) { return; }
    if (!graph || !graph.on) {
      if (tries > 0) { window.setTimeout(function () { attach(tries - 1); }, 50); }
      return;
    }
    graph.headscope = true;
    function label(event) {
      var point = event.points[0], trace = cells(), at = point.pointNumber;
      return Array.isArray(at) ? trace && trace.customdata[at[0]][at[1]] : point.customdata;
    }
    graph.on("plotly_click", function (event) { choose(under(graph, event.event) || label(event), event.event.shiftKey); });
    graph.on("plotly_hover", function (event) { if (label(event)) { preview(label(event)); } });
    graph.on("plotly_unhover", function () { leave(60); });
    graph.on("plotly_afterplot", outline);
    outline();
  }

  /* A map wider than the page scrolls below its row labels. */
  document.addEventListener("scroll", function (event) {
    if (!event.target.classList || !event.target.classList.contains("map-scroll")) { return; }
    event.target.querySelectorAll(".yaxislayer-above, .yaxislayer-below").forEach(function (labels) {
      labels.style.transform = "translateX(" + event.target.scrollLeft + "px)";
    });
  }, true);

  window.addEventListener("headscope-nodes", markRows);

  window.headscope.shortcut("← ↑ → ↓", "on the map: look at the next cell");
  window.headscope.shortcut("Enter", "on the map: select, and again: open");
  window.headscope.shortcut("Shift + Enter", "on the map: add as a receiver of the selected node");
  window.headscope.shortcut("P", "pin or unpin the selected node", pin);

  /* After the map or what is wanted has changed: listen to clicks, put the outlines where they belong. */
  window.dash_clientside.headscope.drawn = function (_figure, want) {
    if (want && want.node !== wanted) { selected = wanted = want.node || null; } // drawn anew for another reason, it stays ahead
    window.setTimeout(function () { attach(400); outline(); }, 0);
    return String(Date.now());
  };

  /* What the reader has marked has changed; this waits for no figure. */
  window.dash_clientside.headscope.marked = function (now) {
    if (now) { marks = now; }
    if (byId("pins-said")) { byId("pins-said").textContent = ""; }
    window.setTimeout(outline, 0);
    return String(Date.now());
  };
})();
