/* Runs before the page is drawn, so that it never flashes in the wrong colours. */
(function () {
  var kept = null;
  try { kept = JSON.parse(window.localStorage.getItem("theme")); } catch (_) { kept = null; }
  var dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  var theme = kept === "dark" || kept === "light" ? kept : dark ? "dark" : "light";
  document.documentElement.setAttribute("data-scheme", theme);
})();

/* In a frame of another site browsers may forbid storage, and the framework would stop there: forget instead. */
["localStorage", "sessionStorage"].forEach(function (name) {
  try { window[name].length; return; } catch (_) { /* forbidden */ }
  var kept = {};
  var memory = {
    getItem: function (key) { return Object.prototype.hasOwnProperty.call(kept, key) ? kept[key] : null; },
    setItem: function (key, value) { kept[key] = String(value); },
    removeItem: function (key) { delete kept[key]; },
    clear: function () { kept = {}; },
    key: function (place) { return Object.keys(kept)[place] || null; }
  };
  Object.defineProperty(memory, "length", { get: function () { return Object.keys(kept).length; } });
  Object.defineProperty(window, name, { value: memory, configurable: true });
});
