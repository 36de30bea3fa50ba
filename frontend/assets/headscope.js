/* What must feel instant: keys, buttons, tables of squares, light and dark, copying the link.
   Everything that changes the address goes through go(); the server writes the address. */
(function () {
  "use strict";
  function byId(id) { return document.getElementById(id); }
  function say(text) { var status = byId("status"); if (status) { status.textContent = text; } }

  var LOOKS = ["camera", "find", "rows"]; // how a thing is looked at is no step of its own to go back to

  var PATIENCE = 5000, queue = [], sent = 0; // a change builds on the address that the one before has led to

  function go(change) {
    queue.push(change);
    send();
  }

  function send() {
    if (!queue.length || Date.now() - sent < PATIENCE) { return; }
    var change = queue.shift();
    sent = Date.now();
    window.headscope.quiet = Object.keys(change).every(function (name) { return LOOKS.indexOf(name) >= 0; });
    window.dash_clientside.set_props("go", { data: Object.assign({}, change, { at: String(sent) }) });
    window.setTimeout(send, PATIENCE + 100);
  }

  document.addEventListener("scroll", function (event) {
    if (!event.target.classList || !event.target.classList.contains("squares-scroll")) { return; }
    var id = card(event.target).id;
    left[id] = Object.assign(left[id] || {}, { scrolled: event.target.scrollLeft });
  }, true);

  /* ---- keys and buttons ---- */
  var MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  var keys = [], pressed = {};

  /* One list of all keys. A single letter that does something can be switched off: see keysOff. */
  function shortcut(key, words, does) {
    keys.push([key, words]);
    if (does) { pressed[key.toLowerCase()] = does; }
  }

  function keysOff() {
    try { return window.localStorage.getItem("headscope-keys") === "off"; } catch (_) { return false; }
  }

  document.addEventListener("keydown", function (event) {
    var typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target.type !== "checkbox";
    if (event.ctrlKey || event.metaKey || event.altKey) { return; }
    var does = pressed[event.key.toLowerCase()];
    if (does && !typing && !keysOff()) {
      event.preventDefault();
      does();
    } else if (MOVES[event.key] && event.target.matches("td.square")) {
      event.preventDefault();
      step(event.target, MOVES[event.key][0], MOVES[event.key][1]);
    }
  });

  shortcut("/", "find a head", function () { byId("find-head").focus(); });
  shortcut("A", "on the page of a head: the next weighting of attention", function () {
    var all = Array.prototype.slice.call(document.querySelectorAll("#head-page:not([hidden]) #head-tokens .segment"));
    var now = all.findIndex(function (one) { return one.getAttribute("aria-pressed") === "true"; });
    if (all.length) { all[(now + 1) % all.length].click(); }
  });

  document.addEventListener("click", function (event) {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) { return; }
    var control = event.target.closest("[data-go]");
    if (!control || control.disabled) { return; }
    event.preventDefault();
    if (control.classList.contains("segment")) {
      control.parentNode.querySelectorAll(".segment").forEach(function (other) {
        other.setAttribute("aria-pressed", String(other === control));
      });
    }
    go(JSON.parse(control.getAttribute("data-go")));
  });

  /* A button of a section: measure again, cancel. */
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-press]");
    if (!button) { return; }
    var told = JSON.parse(button.getAttribute("data-press"));
    window.dash_clientside.set_props("section-pressed", { data: Object.assign(told, { at: String(Date.now()) }) });
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
      make("td", head, { class: "corner" });
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

  /* A section that is drawn anew is put back before it is painted: its table, square, opened lines, scroll. */
  function watch(section) {
    if (section.headscope) { return; }
    section.headscope = new MutationObserver(function () {
      drawSquares(section);
      putBack(section);
      lookAgain(section);
      announce(section);
    });
    section.headscope.observe(section, { childList: true, subtree: true, attributeFilter: ["data-squares", "data-points", "data-slider"] });
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

  async function copied(text) {
    try { await navigator.clipboard.writeText(text); return true; } catch (_) { return fallback(text); }
  }

  window.dash_clientside = window.dash_clientside || {};
  window.headscope = {
    go: go, make: make, say: say, copied: copied, shortcut: shortcut, keys: keys, keysOff: keysOff, quiet: false,
  };
  window.dash_clientside.headscope = {
    /* The server has answered a change: the next one may go. */
    answered: function (at) {
      sent = 0;
      window.setTimeout(send, 0);
      window.dispatchEvent(new CustomEvent("headscope-answered", { detail: at }));
      return at;
    },

    /* The scheme: what is kept in this browser, at first what the system prefers; a click changes it. */
    theme: function (clicks) {
      var root = document.documentElement, now = root.getAttribute("data-scheme") || "light";
      var next = clicks ? (now === "dark" ? "light" : "dark") : now;
      root.setAttribute("data-scheme", next);
      if (clicks) { window.localStorage.setItem("theme", JSON.stringify(next)); }
      return [next, next === "dark" ? "Light" : "Dark"];
    },

    copy: async function () {
      var done = await copied(window.location.href);
      say(done ? "Link copied" : "The browser did not allow copying; the address bar holds the link.");
      window.setTimeout(function () {
        window.dash_clientside.set_props("copy-link", { children: "Copy link" });
      }, 2000);
      return done ? "Link copied" : "Not copied";
    },

    /* What changes of sections: whether they are seen, words, and HTML that still.js puts in its place. */
    told: function (news) {
      Object.keys(news || {}).forEach(function (name) {
        Object.keys(news[name]).forEach(function (part) {
          var value = news[name][part];
          if (part === "hidden") { byId("section-" + name + "-card").hidden = value; return; }
          var element = byId("section-" + name + "-" + part);
          if (part !== "progress") { element.setAttribute("data-html", value); }
          else if (element.textContent !== value) { element.textContent = value; }
        });
      });
      return String(Date.now());
    },

    /* Sections are watched from before they are filled; the title names what is looked at; a figure that was hidden gets its size. */
    settled: function (path) {
      each(document, "section.section", watch);
      var found = /^\/m\/([^/]+)\/([^/]+)/.exec(path || "");
      var named = { "/heads": "Heads", "/training": "Training", "/compare": "Compare" }[path] || (found && found[2]);
      if (!/^\/f\//.test(path || "")) { document.title = named ? named + " · headscope" : "headscope"; } // a figure has the name that its page came with
      window.setTimeout(function () { window.dispatchEvent(new Event("resize")); }, 0);
      return path;
    },
  };
})();
