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
    if (!event.target.classList || !event.target.classList.contains("map-scroll")) { return; }
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

    /* The title names what is looked at; a figure that was hidden gets its size. */
    settled: function (path) {
      var found = /^\/m\/([^/]+)\/([^/]+)/.exec(path || "");
      document.title = found ? found[2] + " · headscope" : "headscope";
      window.setTimeout(function () { window.dispatchEvent(new Event("resize")); }, 0);
      return path;
    },
  };
})();
