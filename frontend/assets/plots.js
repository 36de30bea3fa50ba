/* plotly in two sizes. Most figures are drawn by the small one, which is there early; a scene in three dimensions
   fetches the whole of it first, three times as large. dcc.Graph finds either as window.Plotly. */
(function () {
  "use strict";
  var small = document.currentScript.getAttribute("data-plotly"), whole = null; // addresses
  var plotly = null, asked = null;
  var NEEDS_WHOLE = /3d$|gl$/;

  function traces(told) { return Array.isArray(told) ? told : (told && told.data) || []; }

  /* What the small one can draw comes first: the whole one keeps the page busy for a second. */
  function atRest() {
    return new Promise(function (does) {
      if (window.requestIdleCallback) { window.requestIdleCallback(does, { timeout: 1000 }); }
      else { window.setTimeout(does, 200); }
    });
  }

  function fetchWhole() {
    asked = asked || atRest().then(load);
    return asked;
  }

  function load() {
    return new Promise(function (does, fails) {
      var script = document.createElement("script");
      script.src = whole;
      script.onload = function () { does(plotly); };
      script.onerror = function () { asked = null; fails(new Error("plotly did not come")); };
      document.head.appendChild(script);
    });
  }

  /* The small one lets go of a graph first: a resize that it still has planned would draw the points flat. */
  function handOver(drawer, graph) {
    window.clearTimeout(graph._redrawTimer);
    drawer.purge(graph);
    delete graph.headscope; // its listeners are gone too; see points.js
  }

  function watch(drawer) {
    ["react", "newPlot"].forEach(function (name) {
      var plain = drawer[name];
      drawer[name] = function (graph, told) {
        var all = arguments;
        if (!traces(told).some(function (trace) { return NEEDS_WHOLE.test(trace.type || ""); })) {
          return plain.apply(drawer, all);
        }
        return fetchWhole().then(function (found) {
          if (graph._fullLayout) { handOver(drawer, graph); }
          return found[name].apply(found, all);
        });
      };
    });
    return drawer;
  }

  Object.defineProperty(window, "Plotly", {
    configurable: true,
    get: function () { return plotly || undefined; },
    set: function (found) { plotly = plotly ? found : watch(found); },
  });
  Object.defineProperty(window, "_dashPlotlyJSURL", { // Dash names the whole one here
    get: function () { return small; },
    set: function (address) { whole = address; },
  });
})();
