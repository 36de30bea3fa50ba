/* Where heads look: the tokens of one head, of which one at a time is the query, and small pictures of all
   heads on one canvas. Both are drawn from the data of their elements; nothing is computed here. */
(function () {
  "use strict";
  var make = window.headscope.make, go = window.headscope.go;
  var POWER = 0.6, LISTED = 4, PREVIEW = 216; // the scale is that of the token strip

  var last = {}; // the token that is held, for when the same is drawn anew

  function share(value) { return value.toFixed(3); }
  function byId(id) { return document.getElementById(id); }

  /* ---- one head, every token ---- */
  function read(data) {
    var from = data.tokens.map(function () { return []; }), onto = data.tokens.map(function () { return []; });
    data.query.forEach(function (query, at) {
      from[query].push([data.key[at], data.value[at]]);
      onto[data.key[at]].push([query, data.value[at]]);
    });
    onto.forEach(function (list) { list.sort(function (one, other) { return other[1] - one[1]; }); });
    return { tokens: data.tokens, rest: data.rest, from: from, onto: onto, held: data.tokens.length - 1 };
  }

  function named(pattern, at) { return at + " “" + pattern.tokens[at][0] + "”"; }

  function told(pattern, query) {
    function entry(pair) { return named(pattern, pair[0]) + " " + share(pair[1]); }
    function seen(pair) { return pair[0] !== query; }
    var listed = pattern.from[query], sink = listed.find(function (pair) { return pair[0] === 0 && query > 0; });
    var others = listed.filter(function (pair) { return pair !== sink; }).slice(0, LISTED).map(entry);
    var back = pattern.onto[query].filter(seen).slice(0, LISTED).map(entry), rest = pattern.rest[query];
    return [
      named(pattern, query) + " attends to " + (others.join(", ") || "no token that is listed") + ".",
      sink ? "The first token takes " + share(sink[1]) + "." : "",
      rest === null ? "" : "Not listed: " + share(rest) + ".",
      back.length ? "Attended to by " + back.join(", ") + "." : "",
    ].filter(Boolean).join(" ");
  }

  function show(box, query) {
    var pattern = box.pattern;
    if (pattern.shown === query) { return; }
    pattern.shown = query;
    pattern.buttons.forEach(function (button) {
      button.className = "token";
      button.style.removeProperty("--w");
    });
    pattern.onto[query].forEach(function (pair) {
      if (pair[0] !== query) { pattern.buttons[pair[0]].classList.add("looks-back"); }
    });
    pattern.from[query].forEach(function (pair) {
      if (pair[0] === 0 && query > 0) { return; }
      var button = pattern.buttons[pair[0]];
      button.classList.add("heat", "positive");
      button.style.setProperty("--w", (100 * Math.pow(Math.min(1, pair[1]), POWER)).toFixed(0) + "%");
    });
    pattern.buttons[query].classList.add("is-query");
    box.querySelector(".readout").textContent = told(pattern, query);
  }

  function hold(box, query) {
    box.pattern.held = query;
    last = { data: box.told, held: query };
    box.pattern.buttons.forEach(function (button, at) {
      button.setAttribute("aria-pressed", String(at === query));
      button.tabIndex = at === query ? 0 : -1;
    });
    show(box, query);
  }

  function drawStrip(box, pattern) {
    var strip = make("div", box, { class: "strip", role: "group", "aria-label": "Tokens; arrow keys move, Enter holds" });
    var line = make("div", strip, { class: "strip-line" });
    pattern.buttons = pattern.tokens.map(function (entry, at) {
      var button = make("button", line, {
        type: "button", class: "token", "data-token": at, title: entry[1], "aria-label": named(pattern, at),
      }, entry[0]);
      if (entry[2]) { line = make("div", strip, { class: "strip-line" }); }
      return button;
    });
    if (!line.firstChild) { line.remove(); }
    function place(event) {
      var button = event.target.closest("[data-token]");
      return button ? Number(button.getAttribute("data-token")) : null;
    }
    strip.addEventListener("pointerover", function (event) { if (place(event) !== null) { show(box, place(event)); } });
    strip.addEventListener("pointerleave", function () { show(box, pattern.held); });
    strip.addEventListener("focusin", function (event) { show(box, place(event)); });
    strip.addEventListener("click", function (event) { if (place(event) !== null) { hold(box, place(event)); } });
    strip.addEventListener("keydown", function (event) { move(event, box, place(event)); });
  }

  function move(event, box, at) {
    var last = box.pattern.buttons.length - 1, row = box.pattern.buttons[at].parentNode;
    function inRow(other) { return other ? Number(other.lastChild.getAttribute("data-token")) : at; }
    var next = {
      ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last,
      ArrowUp: inRow(row.previousSibling), ArrowDown: inRow(row.nextSibling),
    }[event.key];
    if (next === undefined || event.ctrlKey || event.metaKey || event.altKey) { return; }
    event.preventDefault();
    box.pattern.buttons[Math.max(0, Math.min(last, next))].focus();
  }

  function drawList(details, pattern) {
    var old = details.querySelector(".scroll");
    if (old || !details.open) { return; }
    var scroll = make("div", details, { class: "scroll pattern-list" });
    var table = make("table", scroll, { class: "table", "aria-label": "The strongest keys of every token" });
    var head = make("tr", make("thead", table, {}), {}), body = make("tbody", table, {});
    ["token", "attends to", "not listed"].forEach(function (text, at) {
      make("th", head, { scope: "col", class: at === 2 ? "number" : "" }, text);
    });
    pattern.from.forEach(function (listed, query) {
      var row = make("tr", body, {});
      make("th", row, { scope: "row" }, named(pattern, query));
      make("td", row, {}, listed.map(function (pair) { return named(pattern, pair[0]) + " " + share(pair[1]); }).join(", "));
      make("td", row, { class: "number" }, pattern.rest[query] === null ? "–" : share(pattern.rest[query]));
    });
  }

  function drawPattern(box) {
    var data = box.getAttribute("data-pattern");
    if (box.told === data) { return; }
    box.told = data;
    box.replaceChildren();
    var pattern = box.pattern = read(JSON.parse(data));
    drawStrip(box, pattern);
    make("p", box, { class: "readout", role: "status", "aria-live": "polite" });
    var details = make("details", box, { class: "more" });
    make("summary", details, {}, "All tokens as a table");
    details.addEventListener("toggle", function () { drawList(details, pattern); });
    hold(box, last.data === data ? last.held : pattern.held);
  }

  /* ---- all heads, small ---- */
  function bytes(text) {
    return Uint8Array.from(window.atob(text), function (letter) { return letter.charCodeAt(0); });
  }

  /* One head as a canvas of its own pixels; the first token, where it is shown, is in the first column. */
  function picture(data, at, withFirst) {
    var size = data.size, canvas = document.createElement("canvas");
    canvas.width = canvas.height = size;
    var context = canvas.getContext("2d"), image = context.createImageData(size, size);
    var ink = window.headscope.channels(window.headscope.colour("positive"));
    for (var pixel = 0; pixel < size * size; pixel += 1) {
      var value = data.pixels[at * size * size + pixel];
      if (withFirst && pixel % size === 0) { value = Math.max(value, data.first[at * size + pixel / size]); }
      image.data.set([ink[0], ink[1], ink[2], value], 4 * pixel);
    }
    context.putImageData(image, 0, 0);
    return canvas;
  }

  function paintOne(context, data, at, withFirst, place) {
    context.fillStyle = window.headscope.colour("zero");
    context.fillRect(place[0], place[1], place[2], place[2]);
    context.imageSmoothingEnabled = place[2] < data.size * 2;
    context.drawImage(picture(data, at, withFirst), place[0], place[1], place[2], place[2]);
  }

  function drawThumbnails(box) {
    var text = box.getAttribute("data-thumbnails");
    if (box.told === text) { return; }
    box.told = text;
    box.replaceChildren();
    var data = JSON.parse(text), looked = null, kept = new URLSearchParams(window.location.search).get("node");
    data.pixels = bytes(data.pixels);
    data.first = bytes(data.first_key);
    var label = make("label", box, { class: "tick-line" });
    var whole = make("input", label, { type: "checkbox", "data-first": "" });
    make("span", label, {}, "with the first token, on which most heads rest");
    var scroll = make("div", box, { class: "thumbnails-map" }), side = make("div", box, { class: "thumbnail-large" });
    var large = make("canvas", side, { width: PREVIEW, height: PREVIEW, "aria-hidden": "true" });
    var said = make("p", side, { class: "readout", role: "status", "aria-live": "polite" });

    function at(name) { var found = /^L(\d+)H(\d+)$/.exec(name); return Number(found[1]) * data.head + Number(found[2]); }

    function enlarge(name) {
      looked = name;
      grid.mark(name);
      var context = large.getContext("2d");
      context.clearRect(0, 0, PREVIEW, PREVIEW);
      said.textContent = "";
      if (!name) { return; }
      paintOne(context, data, at(name), whole.checked, [0, 0, PREVIEW]);
      var sink = data.sink[Math.floor(at(name) / data.head)][at(name) % data.head];
      said.textContent = name + (sink === null ? "" : ": the first token takes " + share(sink) + " on average.");
    }

    var grid = window.headscope.cells(scroll, {
      columns: data.layer,
      rows: Array.from({ length: data.head }, function (_, head) { return "H" + head; }),
      label: "Attention of all heads. Arrow keys move, Enter selects the head.",
      name: function (head, layer) { return "L" + layer + "H" + head; },
      paint: function (context, head, layer, x, y, size) {
        paintOne(context, data, layer * data.head + head, whole.checked, [x, y, size - 2]);
      },
      look: function (name, keep) {
        if (keep) { kept = name; }
        enlarge(name || kept);
      },
      choose: function (name) { go({ node: name }); },
    });
    whole.addEventListener("change", function () { grid.paint(); enlarge(looked); });
    kept = grid.has(kept) ? kept : null;
    enlarge(kept);
  }

  function draw() {
    document.querySelectorAll("[data-pattern]").forEach(drawPattern);
    document.querySelectorAll("[data-thumbnails]").forEach(drawThumbnails);
  }

  new MutationObserver(draw).observe(document.documentElement, {
    childList: true, subtree: true, attributeFilter: ["data-pattern", "data-thumbnails"],
  });
})();
