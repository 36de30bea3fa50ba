/* A figure by itself: alone in the frame of another page, and buttons that copy what belongs to it. */
(function () {
  "use strict";
  var query = new URLSearchParams(window.location.search);
  var root = document.documentElement, headscope = window.headscope;
  if (/^\/f\//.test(window.location.pathname)) {
    if (query.get("embed") === "1") { root.classList.add("embedded"); }
    arrive();
    if (/^(light|dark)$/.test(query.get("theme") || "")) { root.setAttribute("data-scheme", query.get("theme")); }
  }

  /* Until the figure is there, the page says so, and shows no other page. */
  function arrive() {
    root.classList.add("arriving");
    var seen = new MutationObserver(function () {
      var page = document.getElementById("figure-page"), title = document.getElementById("figure-title");
      if (!page || page.hidden || !title.textContent) { return; }
      root.classList.remove("arriving");
      seen.disconnect();
    });
    seen.observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["hidden"] });
  }

  document.addEventListener("click", async function (event) {
    var button = event.target.closest && event.target.closest("[data-copy]");
    if (!button) { return; }
    var name = button.headscopeName || (button.headscopeName = button.textContent);
    var done = await headscope.copied(button.getAttribute("data-copy").split("{origin}").join(window.location.origin));
    button.textContent = done ? "Copied" : "Not copied";
    headscope.say(done ? name.replace("Copy", "Copied") : "The browser did not allow copying.");
    window.setTimeout(function () { button.textContent = name; }, 2000);
  });

  /* What leaves an embedded figure opens beside the page that shows it. */
  document.addEventListener("click", function (event) {
    var link = root.classList.contains("embedded") && event.target.closest && event.target.closest("a[href]");
    if (!link || link.hasAttribute("download")) { return; }
    link.target = "_blank";
    link.rel = "noopener";
    event.stopPropagation();
  }, true);

  /* Reached by a link of the page, a figure names the window as one that was opened does. */
  window.addEventListener("headscope-redrawn", function (event) {
    var name = document.getElementById("figure-title"), from = document.getElementById("figure-from");
    if (event.detail.id === "figure-card" && name && name.textContent) {
      document.title = name.textContent + " · " + from.textContent;
    }
  });

  /* The menu of an audit strip closes like any menu. */
  function close(menu) { if (menu) { menu.open = false; } }
  document.addEventListener("click", function (event) {
    document.querySelectorAll("details.share[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) { close(menu); }
    });
  });
  document.addEventListener("keydown", function (event) {
    var menu = event.key === "Escape" && event.target.closest && event.target.closest("details.share[open]");
    if (!menu) { return; }
    close(menu);
    menu.querySelector("summary").focus();
  });
})();
