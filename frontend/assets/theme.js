/* Runs before the page is drawn, so that it never flashes in the wrong colours. */
(function () {
  var kept = null;
  try { kept = JSON.parse(window.localStorage.getItem("theme")); } catch (_) { kept = null; }
  var dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  var theme = kept === "dark" || kept === "light" ? kept : dark ? "dark" : "light";
  document.documentElement.setAttribute("data-scheme", theme);
})();
