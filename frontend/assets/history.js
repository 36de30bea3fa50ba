/* Where the reader has been: every step is one the browser can go back, and a strip shows the last thirty.
   Going back reads stored results: nothing is measured again. The strip lives in this tab only. */
(function () {
  "use strict";
  var MOST = 30, KEY = "headscope-history";
  var CARRIED = ["pins", "notes", "verdicts"]; // what a reader added; it is no place, and it comes along
  var now = null, comparing = false, ticked = [];

  function byId(id) { return document.getElementById(id); }

  function places() {
    try { return JSON.parse(window.sessionStorage.getItem(KEY)) || []; } catch (_) { return []; }
  }

  function keep(list) {
    try { window.sessionStorage.setItem(KEY, JSON.stringify(list.slice(-MOST))); } catch (_) { return; }
  }

  /* ---- steps: the page's router always pushes; how a thing is looked at only replaces ---- */
  var push = window.history.pushState.bind(window.history);
  function depth() { return (window.history.state && window.history.state.at) || 0; }

  window.history.pushState = function (_state, title, address) {
    if (window.headscope.quiet) { window.history.replaceState({ at: depth() }, title, address); }
    else { push({ at: depth() + 1 }, title, address); }
    showUndo();
  };

  function showUndo() { if (byId("undo")) { byId("undo").disabled = depth() === 0; } }

  function undo() {
    if (depth() > 0) { window.history.back(); }
    else { window.headscope.say("There is nothing to undo."); }
  }

  /* An address with the pins, notes and verdicts of the present one. */
  function carried(address) {
    var to = new URL(address, window.location.href), here = new URLSearchParams(window.location.search);
    CARRIED.forEach(function (name) {
      if (here.get(name) && !to.searchParams.has(name)) { to.searchParams.set(name, here.get(name)); }
    });
    return to.pathname + to.search.replace(/%3A/g, ":").replace(/%2C/g, ",") + to.hash;
  }

  function visit(address) {
    window.headscope.quiet = false;
    window.history.pushState({}, "", carried(address));
    window.dispatchEvent(new PopStateEvent("popstate"));
  }

  window.addEventListener("popstate", function () {
    window.headscope.quiet = false;
    showUndo();
  });

  /* From the address that the server wrote, each time: an element lives on while pins come and go. */
  function carry(element, name, start) {
    var now = element.getAttribute(name);
    if (now !== element.carried) { element.written = now; }
    element.carried = start + carried(element.written.slice(start.length));
    element.setAttribute(name, element.carried);
  }

  /* A link opened in a new tab takes along what a click would. */
  ["mousedown", "focusin", "mouseover"].forEach(function (kind) {
    document.addEventListener(kind, function (event) {
      var link = event.target.closest && event.target.closest("a[data-go], a[data-carry], .share-menu a:not([download])");
      var copied = event.target.closest && event.target.closest('[data-copy^="{origin}/"]');
      if (link) { carry(link, "href", ""); }
      if (copied) { carry(copied, "data-copy", "{origin}"); }
    });
  });

  /* ---- the strip ---- */
  function chip(list, place) {
    var make = window.headscope.make, line = make("li", list, {});
    if (comparing) {
      var tick = make("input", line, { type: "checkbox", "aria-label": "Compare " + place.title });
      tick.checked = ticked.indexOf(place.address) >= 0;
      tick.addEventListener("change", function () { setTick(place.address, tick.checked); });
    }
    var link = make("a", line, { class: "place", href: place.address, title: place.title + ", " + place.time, "data-carry": "" }, place.title);
    if (place.address === now) { link.setAttribute("aria-current", "page"); }
    link.addEventListener("click", function (event) {
      if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) { return; }
      event.preventDefault();
      if (new URL(carried(place.address), window.location.href).href !== window.location.href) { visit(place.address); }
    });
  }

  function draw() {
    var list = byId("history-places");
    if (!list) { return; }
    var held = list.contains(document.activeElement) && document.activeElement.getAttribute("href");
    list.replaceChildren();
    places().forEach(function (place) { chip(list, place); });
    var here = list.querySelector("[aria-current]");
    if (here) { list.scrollLeft = here.parentNode.offsetLeft - list.clientWidth + here.parentNode.offsetWidth + 24; }
    list.querySelectorAll("a").forEach(function (link) {
      if (held && link.getAttribute("href") === held) { link.focus({ preventScroll: true }); }
    });
    showUndo();
    byId("what-differs").disabled = places().length < 2 && !comparing;
  }

  /* ---- what differs between two places ---- */
  function setTick(address, on) {
    ticked = ticked.filter(function (one) { return one !== address; });
    if (on) { ticked = ticked.concat([address]).slice(-2); }
    draw();
    window.dash_clientside.set_props("history-two", { data: ticked });
  }

  function compare(on) {
    comparing = on;
    ticked = [];
    byId("what-differs").setAttribute("aria-pressed", String(on));
    window.dash_clientside.set_props("history-two", { data: on ? [] : null });
    draw();
  }

  document.addEventListener("click", function (event) {
    if (event.target.closest("#undo")) { undo(); }
    if (event.target.closest("#what-differs")) { compare(!comparing); }
  });
  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape" && comparing) { compare(false); byId("what-differs").focus(); }
  });

  window.headscope.shortcut("U", "undo the last step", undo);
  window.headscope.carried = carried;
  window.headscope.visit = visit;

  /* The page has come to a place: note it once, where it was first seen. */
  window.dash_clientside.headscope.visited = function (here) {
    if (!here) { return window.dash_clientside.no_update; }
    var list = places(), at = list.findIndex(function (place) { return place.address === here.address; });
    var before = list.findIndex(function (place) { return place.address === now; });
    var time = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    var entry = { address: here.address, title: here.title, time: at >= 0 ? list[at].time : time };
    if (at >= 0) { list[at] = entry; }
    else if (window.headscope.quiet && before >= 0) { list[before] = entry; }
    else { list.push(entry); }
    keep(list);
    now = here.address;
    draw();
    return now;
  };
})();
