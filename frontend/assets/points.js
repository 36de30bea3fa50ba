/* Points of a head: turning the scene by keyboard, its camera in the link, the lasso and its list of prompts;
   and sliders. The camera is the one part of the address that the page writes itself, without a step in the
   browser's history: turning must not redraw what is turned. */
(function () {
  "use strict";
  var CAMERA_MS = 500, TURN = Math.PI / 18, CLOSER = 0.85;
  var chosen = null; // rows of the prompts behind the points that were drawn around

  function each(parent, what, does) { parent.querySelectorAll(what).forEach(does); }
  function graphs(section, what) { return Array.from(section.querySelectorAll(what + " .js-plotly-plot")); }

  /* ---- the camera ---- */
  function written(camera) {
    var parts = [camera.eye, camera.center].map(function (at) { return [at.x, at.y, at.z]; });
    return parts.flat().map(function (value) { return String(Math.round(value * 100) / 100 + 0); }).join(",");
  }

  var later = null;
  /* The camera as the scene has it once it rests; null: that of the figure. */
  function keep(graph) {
    window.clearTimeout(later);
    later = window.setTimeout(function () {
      if (graph && !graph._fullLayout) { return; } // put away meanwhile
      var query = new URLSearchParams(window.location.search);
      if (graph) { query.set("camera", written(camera(graph))); } else { query.delete("camera"); }
      var text = query.toString().replace(/%2C/g, ","), search = text ? "?" + text : "";
      if (search === window.location.search) { return; }
      window.history.replaceState(window.history.state, "", window.location.pathname + search + window.location.hash);
      window.dispatchEvent(new PopStateEvent("popstate")); // dcc.Location reads the address again
    }, CAMERA_MS);
  }

  function camera(graph) { return graph._fullLayout.scene._scene.getCamera(); }

  function show(graph, next, kept) {
    window.Plotly.relayout(graph, { "scene.camera": next }).then(function () { if (!kept) { keep(null); } });
  }

  function turn(graph, around, up, closer) {
    var now = camera(graph), eye = now.eye, flat = Math.hypot(eye.x, eye.y);
    var length = Math.hypot(flat, eye.z) * closer, angle = Math.atan2(eye.y, eye.x) + around * TURN;
    var height = Math.max(-1.5, Math.min(1.5, Math.atan2(eye.z, flat) + up * TURN));
    var next = {
      x: length * Math.cos(height) * Math.cos(angle), y: length * Math.cos(height) * Math.sin(angle), z: length * Math.sin(height),
    };
    show(graph, { eye: next, center: now.center, up: { x: 0, y: 0, z: 1 } }, true);
  }

  var KEYS = { ArrowLeft: [-1, 0, 1], ArrowRight: [1, 0, 1], ArrowUp: [0, 1, 1], ArrowDown: [0, -1, 1],
    "+": [0, 0, CLOSER], "=": [0, 0, CLOSER], "-": [0, 0, 1 / CLOSER] };
  document.addEventListener("keydown", function (event) {
    var box = event.target.classList && event.target.classList.contains("scene") ? event.target : null;
    var graph = box && box.querySelector(".js-plotly-plot");
    if (!graph || !KEYS[event.key] || event.ctrlKey || event.metaKey || event.altKey) { return; }
    event.preventDefault();
    turn.apply(null, [graph].concat(KEYS[event.key]));
  });

  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("[data-view]");
    var graph = button && graphs(button.closest("section.section"), ".scene")[0];
    if (!graph || !graph._fullLayout) { return; }
    var what = button.getAttribute("data-view");
    if (what === "back") { show(graph, JSON.parse(button.parentNode.getAttribute("data-camera"))); return; }
    turn(graph, 0, 0, what === "closer" ? CLOSER : 1 / CLOSER);
  });

  /* ---- points chosen, and the prompts behind them ---- */
  function drawTable(section) {
    each(section, "[data-points]", function (box) {
      var told = box.getAttribute("data-points"), details = box.closest("details");
      var state = String(details.open) + String(chosen);
      if (box.headscopeTold === told && box.headscopeState === state) { return; }
      if (box.headscopeTold !== told) { chosen = null; }
      box.headscopeTold = told;
      box.headscopeState = state;
      var said = details.querySelector(".chosen"), every = said.getAttribute("data-all");
      var words = chosen ? "Behind the chosen points: " + chosen.length + " of " + every + ". Draw elsewhere, or double-click the figure, for all." : "";
      if (said.textContent !== words) { said.textContent = words; }
      if (!details.open) { return; }
      var data = JSON.parse(told), table = document.createElement("table");
      table.className = "table points-table";
      var head = table.createTHead().insertRow(), body = table.createTBody();
      data.columns.forEach(function (name) { head.appendChild(document.createElement("th")).textContent = name; });
      data.rows.forEach(function (row, at) {
        if (chosen && chosen.indexOf(at) < 0) { return; }
        var line = body.insertRow();
        row.forEach(function (text, column) {
          var cell = line.insertCell();
          cell.textContent = text;
          if (column > 2) { cell.className = "number"; }
        });
      });
      box.replaceChildren(table);
    });
  }

  function choose(section, points) {
    var rows = points.map(function (point) { return point.customdata; });
    chosen = rows.length ? Array.from(new Set(rows)).sort(function (a, b) { return a - b; }) : null;
    var details = section.querySelector("[data-points]").closest("details");
    if (chosen) { details.open = true; }
    drawTable(section);
  }

  /* Once per graph. One that plotly has not drawn yet, as it is still being fetched, is looked at again. */
  function listen(section, tries) {
    var late = false;
    function heard(what, hear) {
      var boxes = Array.from(section.querySelectorAll(what + " .dash-graph"));
      late = late || boxes.some(function (box) { return !box.querySelector(".js-plotly-plot"); });
      graphs(section, what).forEach(function (graph) {
        if (!graph.on) { late = true; return; }
        if (graph.headscope) { return; }
        graph.headscope = true;
        hear(graph);
      });
    }
    heard(".flat", function (graph) {
      graph.on("plotly_selected", function (event) { choose(section, event ? event.points : []); });
      graph.on("plotly_deselect", function () { choose(section, []); });
      graph.on("plotly_click", function (event) { choose(section, event.points.slice(0, 1)); });
    });
    heard(".scene", function (graph) {
      graph.on("plotly_relayout", function (event) {
        if (event["scene.camera"]) { keep(graph); }
      });
      graph.on("plotly_click", function (event) { choose(section, event.points.slice(0, 1)); });
    });
    heard(".bars-plot", function (graph) {
      graph.on("plotly_click", function (event) {
        window.headscope.go({ bar: event.points[0].customdata });
      });
    });
    if (late && tries > 0) { window.setTimeout(function () { listen(section, tries - 1); }, 100); }
  }

  document.addEventListener("toggle", function (event) {
    var box = event.target.tagName === "DETAILS" && event.target.querySelector("[data-points]");
    if (box) { drawTable(box.closest("section.section")); }
  }, true);

  /* ---- sliders ---- */
  function drawSliders(section) {
    each(section, "[data-slider]", function (place) {
      var told = place.getAttribute("data-slider");
      if (place.headscope === told) { return; }
      place.headscope = told;
      var data = JSON.parse(told), input = document.createElement("input");
      input.type = "range";
      ["min", "max", "step", "value"].forEach(function (name) { input[name] = data[name]; });
      input.setAttribute("data-choice", data.name);
      input.setAttribute("aria-label", data.label);
      input.addEventListener("input", function () {
        place.closest(".slider").querySelector("b").textContent = input.value.replace("-", "−");
      });
      place.replaceChildren(input);
    });
  }

  window.addEventListener("headscope-redrawn", function (event) {
    drawSliders(event.detail);
    drawTable(event.detail);
    listen(event.detail, 200);
  });
})();
