/* What is told to those who use no mouse or do not see: which boxes scroll, what a colour says. */
(function () {
  "use strict";
  /* A box wider than its place is scrolled with the arrow keys once the keyboard can stop there. */
  function reach(box) {
    var wide = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
    var own = box.querySelector("a[href], button, input, select, textarea, summary, [tabindex='0']");
    if (wide && !own && box.tabIndex < 0) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      if (!box.hasAttribute("aria-label")) { box.setAttribute("aria-label", "Scrolls with the arrow keys"); }
    } else if (!wide && box.getAttribute("tabindex") === "0" && box.getAttribute("role") === "group") {
      box.removeAttribute("tabindex");
    }
  }

  var waiting = null;
  function look() {
    if (waiting) { return; }
    waiting = window.setTimeout(function () {
      waiting = null;
      document.querySelectorAll(".scroll, .node-list, .map-scroll, .squares-scroll").forEach(reach);
    }, 300);
  }

  new MutationObserver(look).observe(document.documentElement, {
    childList: true, subtree: true, attributeFilter: ["hidden", "open"],
  });
  window.addEventListener("resize", look);

  /* ---- tokens: the colour of one is a number, which the arrow keys read ---- */
  var TO = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

  document.addEventListener("keydown", function (event) {
    var strip = event.target;
    if (!strip.matches || !strip.matches("[data-read]") || !(event.key in TO)) { return; }
    if (event.ctrlKey || event.metaKey || event.altKey) { return; }
    event.preventDefault();
    var tokens = Array.from(strip.querySelectorAll(".token")), now = tokens.indexOf(strip.querySelector(".looked"));
    var next = Math.max(0, Math.min(tokens.length - 1, now + TO[event.key]));
    if (now >= 0) { tokens[now].classList.remove("looked"); }
    tokens[next].classList.add("looked");
    strip.querySelector(".token-readout").textContent = "“" + tokens[next].textContent + "” " + tokens[next].title;
  });

  document.addEventListener("focusout", function (event) {
    if (!event.target.matches || !event.target.matches("[data-read]")) { return; }
    event.target.querySelectorAll(".looked").forEach(function (token) { token.classList.remove("looked"); });
    event.target.querySelector(".token-readout").textContent = "";
  });

  document.addEventListener("click", function (event) {
    if (!event.target.closest || !event.target.closest(".skip-link")) { return; }
    event.preventDefault(); // the address stays the link that it is
    document.getElementById("content").focus();
  });
})();
