/* What must feel instant: choosing a cell, moving by keyboard, the outline, light and dark, copying the link.
   Everything that changes the address goes through go(); the server writes the address. */
(function () {
  "use strict";
  var selected = null; // label of the selected node, ahead of the server by a moment
  var waiting = null; // a keyboard move that is not sent yet

  function byId(id) { return document.getElementById(id); }
  function plot() { var map = byId("map"); return map && map.querySelector(".js-plotly-plot"); }
  function say(text) { var status = byId("status"); if (status) { status.textContent = text; } }

  function go(change) {
    window.dash_clientside.set_props("go", { data: Object.assign({}, change, { at: String(Date.now()) }) });
  }

  /* ---- the map ---- */
  function cells() {
    var graph = plot();
    var trace = graph && graph.data && graph.data[0];
    return trace && trace.customdata ? trace : null;
  }

  function find(label) {
    var trace = cells();
    for (var row = 0; trace && row < trace.customdata.length; row += 1) {
      var column = (trace.customdata[row] || []).indexOf(label);
      if (column >= 0) { return { row: row, column: column }; }
    }
    return null;
  }

  function outline() {
    var graph = plot(), place = selected && find(selected), trace = cells();
    if (!trace || !graph.layout.shapes || !graph.layout.shapes.length) { return; }
    var shape = graph.layout.shapes[0];
    var next = Object.assign({}, shape, { visible: Boolean(place) });
    if (place) {
      next.x0 = place.column - 0.5; next.x1 = place.column + 0.5;
      next.y0 = trace.y[place.row]; next.y1 = trace.y[place.row + 1];
    }
    var same = ["visible", "x0", "x1", "y0", "y1"].every(function (key) { return shape[key] === next[key]; });
    if (!same) { window.Plotly.relayout(graph, { shapes: [next] }); }
    document.querySelectorAll("tr[data-row]").forEach(function (row) {
      row.classList.toggle("selected", row.getAttribute("data-row") === selected);
    });
  }

  function choose(label, later) {
    if (!label) { return; }
    if (label === selected && !later) { go({ page: "head", node: label }); return; }
    selected = label;
    outline();
    var place = find(label), trace = cells();
    if (place) { say(trace.text[place.row][place.column].replace(/<[^>]*>/g, " ")); }
    window.clearTimeout(waiting);
    waiting = window.setTimeout(function () { waiting = null; go({ node: label }); }, later || 0);
  }

  function move(down, right) {
    var trace = cells(), place = selected && find(selected);
    if (!trace) { return; }
    if (!place) { choose(trace.customdata[0][0], 1); return; }
    var rows = trace.customdata.length, columns = trace.x.length;
    var row = place.row + down, column = Math.min(columns - 1, Math.max(0, place.column + right));
    while (row >= 0 && row < rows && trace.customdata[row][column] === null) { row += down || 1; }
    if (row < 0 || row >= rows) { row = place.row; }
    choose(trace.customdata[row][column], 160);
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
    graph.on("plotly_click", function (event) {
      var point = event.points[0], trace = cells(), at = point.pointNumber;
      choose(Array.isArray(at) ? trace && trace.customdata[at[0]][at[1]] : point.customdata);
    });
    graph.on("plotly_afterplot", outline);
    outline();
  }

  /* A map wider than the page scrolls below its row labels. */
  document.addEventListener("scroll", function (event) {
    if (!event.target.classList) { return; }
    if (event.target.classList.contains("squares-scroll")) {
      var id = card(event.target).id;
      left[id] = Object.assign(left[id] || {}, { scrolled: event.target.scrollLeft });
    }
    if (!event.target.classList.contains("map-scroll")) { return; }
    event.target.querySelectorAll(".yaxislayer-above, .yaxislayer-below").forEach(function (labels) {
      labels.style.transform = "translateX(" + event.target.scrollLeft + "px)";
    });
  }, true);

  /* ---- keys and buttons ---- */
  var MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  document.addEventListener("keydown", function (event) {
    var typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
    if (event.ctrlKey || event.metaKey || event.altKey) { return; }
    if (event.key === "/" && !typing) {
      event.preventDefault();
      byId("find-head").focus();
    } else if (event.target.id === "find-head" && event.key === "Enter") {
      window.dash_clientside.set_props("find-typed", { data: { text: event.target.value, at: String(Date.now()) } });
    } else if (event.target.id === "map-grid" && MOVES[event.key]) {
      event.preventDefault();
      move(MOVES[event.key][0], MOVES[event.key][1]);
    } else if (MOVES[event.key] && event.target.matches("td.square")) {
      event.preventDefault();
      step(event.target, MOVES[event.key][0], MOVES[event.key][1]);
    } else if (event.target.id === "map-grid" && event.key === "Enter" && selected) {
      event.preventDefault();
      window.clearTimeout(waiting);
      go({ page: "head", node: selected });
    }
  });

  document.addEventListener("click", function (event) {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) { return; }
    var control = event.target.closest("[data-go], [data-node]");
    if (!control || control.disabled) { return; }
    event.preventDefault();
    if (control.hasAttribute("data-node")) { choose(control.getAttribute("data-node")); return; }
    if (control.classList.contains("segment")) {
      control.parentNode.querySelectorAll(".segment").forEach(function (other) {
        other.setAttribute("aria-pressed", String(other === control));
      });
    }
    go(JSON.parse(control.getAttribute("data-go")));
  });

  document.addEventListener("change", function (event) {
    var name = event.target.getAttribute && event.target.getAttribute("data-choice");
    if (!name) { return; }
    var change = {};
    change[name] = event.target.value;
    go(change);
  });

  /* ---- a table of squares, made from the data of its element ---- */
  function make(tag, parent, attributes, text) {
    var element = document.createElement(tag);
    Object.keys(attributes).forEach(function (name) { element.setAttribute(name, attributes[name]); });
    if (text) { element.textContent = text; }
    return parent.appendChild(element);
  }

  function drawSquares(section) {
    each(section, "[data-squares]", function (box) {
      var told = box.getAttribute("data-squares");
      if (box.headscope === told) { return; }
      box.headscope = told;
      var data = JSON.parse(told), table = document.createElement("table");
      table.className = "squares";
      table.setAttribute("role", "grid");
      table.setAttribute("aria-label", data.label);
      var head = make("tr", make("thead", table, {}), {}), body = make("tbody", table, {});
      make("th", head, { class: "corner" });
      data.columns.forEach(function (column) {
        make("span", make("th", head, { class: column[0], title: column[2], scope: "col" }), {}, column[1]);
      });
      data.rows.forEach(function (row, at) {
        var line = make("tr", body, row.own ? { class: "own" } : {});
        make("th", line, { scope: "row" }, row.name);
        row.cells.forEach(function (cell, place) {
          var square = make("td", line, {
            class: cell[0], role: "gridcell", "aria-label": cell[2], "data-cell": cell[3], tabindex: at + place ? -1 : 0,
          });
          if (cell[1]) { square.style.setProperty("--w", cell[1]); }
        });
      });
      box.replaceChildren(table);
    });
  }

  /* ---- sections: what is drawn anew while it is measured stays as the reader left it ---- */
  var looked = {}; // by section: the square looked at, and whether the keyboard is on it
  var left = {}; // by section: lines opened, figures scrolled

  function card(element) { return element.closest("section.section"); }
  function each(section, what, does) { section.querySelectorAll(what).forEach(does); }

  function look(square, focused) {
    var section = card(square);
    each(section, "td.square[aria-selected]", function (other) { other.removeAttribute("aria-selected"); });
    square.setAttribute("aria-selected", "true");
    var line = section.querySelector(".readout"), words = square.getAttribute("aria-label");
    if (line.textContent !== words) { line.textContent = words; }
    looked[section.id] = { cell: square.getAttribute("data-cell"), focused: focused };
  }

  function lookAgain(section) {
    var before = looked[section.id];
    var square = before && section.querySelector('td.square[data-cell="' + before.cell + '"]');
    if (!square) { return; }
    if (before.focused && document.activeElement === document.body) { square.focus({ preventScroll: true }); }
    look(square, before.focused);
  }

  document.addEventListener("focusin", function (event) {
    Object.keys(looked).forEach(function (id) { looked[id].focused = false; });
    if (event.target.matches("td.square")) { look(event.target, true); }
  });

  document.addEventListener("toggle", function (event) {
    var section = event.target.tagName === "DETAILS" && card(event.target);
    if (section) {
      left[section.id] = left[section.id] || {};
      each(section, "details", function (line, at) { left[section.id]["open" + at] = line.open; });
    }
  }, true);

  function putBack(section) {
    var kept = left[section.id] || {};
    each(section, "details", function (line, at) { if (kept["open" + at]) { line.open = true; } });
    each(section, ".squares-scroll", function (box) { box.scrollLeft = kept.scrolled || 0; });
  }

  /* Other scripts of the page draw their own parts of a section; see points.js. */
  function announce(section) { window.dispatchEvent(new CustomEvent("headscope-redrawn", { detail: section })); }

  function step(square, down, right) {
    var row = square.parentNode, rows = row.parentNode.children;
    var next = rows[Math.min(rows.length - 1, Math.max(0, Array.prototype.indexOf.call(rows, row) + down))];
    var column = Math.min(next.children.length - 1, Math.max(1, square.cellIndex + right));
    next.children[column].focus();
  }

  function fallback(text) {
    var area = document.createElement("textarea");
    area.value = text;
    document.body.appendChild(area);
    area.select();
    var done = document.execCommand("copy");
    area.remove();
    return done;
  }

  window.dash_clientside = window.dash_clientside || {};
  window.headscope = { go: go, make: make };
  window.dash_clientside.headscope = {
    /* The scheme: what is kept in this browser, at first what the system prefers; a click changes it. */
    theme: function (clicks) {
      var root = document.documentElement, now = root.getAttribute("data-scheme") || "light";
      var next = clicks ? (now === "dark" ? "light" : "dark") : now;
      root.setAttribute("data-scheme", next);
      return [next, next, next === "dark" ? "Light" : "Dark"];
    },

    copy: async function () {
      var address = window.location.href, done = false;
      try { await navigator.clipboard.writeText(address); done = true; } catch (_) { done = fallback(address); }
      say(done ? "Link copied" : "The browser did not allow copying; the address bar holds the link.");
      window.setTimeout(function () {
        window.dash_clientside.set_props("copy-link", { children: "Copy link" });
      }, 2000);
      return done ? "Link copied" : "Not copied";
    },

    /* After the map or what is wanted has changed: listen to clicks, put the outline where it belongs. */
    drawn: function (figure, want) {
      if (want && waiting === null) { selected = want.node || null; }
      window.setTimeout(function () { attach(400); outline(); }, 0);
      return String(Date.now());
    },

    /* A section that is drawn anew is put back before it is painted: its table, square, opened lines, scroll. */
    redrawn: function (_body, id) {
      var section = byId(id);
      if (section && !section.headscope) {
        var restore = function () { drawSquares(section); putBack(section); lookAgain(section); announce(section); };
        section.headscope = new MutationObserver(restore);
        section.headscope.observe(section, { childList: true, subtree: true, attributeFilter: ["data-squares", "data-points", "data-slider"] });
        restore();
      }
      return String(Date.now());
    },

    /* The title names what is looked at; a figure that was hidden gets its size. */
    settled: function (path) {
      var found = /^\/m\/([^/]+)\/([^/]+)/.exec(path || "");
      var named = { "/heads": "Heads", "/training": "Training" }[path] || (found && found[2]);
      document.title = named ? named + " · headscope" : "headscope";
      window.setTimeout(function () { window.dispatchEvent(new Event("resize")); }, 0);
      return path;
    },
  };
})();
