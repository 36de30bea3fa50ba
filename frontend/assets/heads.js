/* The table of all heads and the sliders: drawn from the data of their elements, since they are many.
   What is ticked, typed and moved goes into the address; the server writes it. */
(function () {
  "use strict";
  var go = window.headscope.go, make = window.headscope.make;
  var ticked = new Set(), settles = 0; // ticks are ahead of the address for a moment

  function later(does, wait) {
    var timer = null;
    return function (value) {
      window.clearTimeout(timer);
      timer = window.setTimeout(function () { does(value); }, wait);
    };
  }

  /* ---- what is ticked ---- */
  function readTicks() {
    if (Date.now() < settles) { return; }
    var listed = new URLSearchParams(window.location.search).get("heads");
    ticked = new Set(listed ? listed.split(",") : []);
  }

  function showTicks(box) {
    box.querySelectorAll("input[type=checkbox]").forEach(function (tick) {
      tick.checked = ticked.has(tick.value);
      tick.closest("tr").classList.toggle("selected", tick.checked);
    });
    var n = ticked.size, together = box.querySelector(".together"), none = box.querySelector(".untick");
    together.disabled = n === 0;
    together.textContent = n > 1 ? "Analyse " + n + " heads together" : "Analyse together";
    none.hidden = n === 0;
  }

  function tick(box, label, on) {
    if (label === null) { ticked.clear(); } else if (on) { ticked.add(label); } else { ticked.delete(label); }
    settles = Date.now() + 2000;
    showTicks(box);
    sendTicks();
  }

  var sendTicks = later(function () { go({ heads: Array.from(ticked).join(",") }); }, 200);

  function analyse() {
    var heads = Array.from(ticked);
    go({ page: "head", node: heads[0], heads: heads.join(","), measure: "low_rank" });
    bring("section-low_rank-card", 40);
  }

  function bring(id, tries) {
    var card = document.getElementById(id);
    if (card && card.offsetParent) { card.scrollIntoView({ block: "start" }); }
    else if (tries > 0) { window.setTimeout(function () { bring(id, tries - 1); }, 50); }
  }

  /* ---- the table ---- */
  function drawTools(box) {
    var tools = make("div", box, { class: "heads-tools" });
    var find = make("input", tools, {
      type: "search", class: "field", placeholder: "Filter: L23, suppressor …", "aria-label": "Filter by head or category",
    });
    var send = later(function (text) { go({ find: text.trim() }); }, 250);
    find.addEventListener("input", function () { send(find.value); });
    make("span", tools, { class: "note said", role: "status", "aria-live": "polite" });
    make("button", tools, { type: "button", class: "quiet untick" }, "Untick all")
      .addEventListener("click", function () { tick(box, null); });
    make("button", tools, {
      type: "button", class: "button together", title: "Replace queries and keys of the ticked heads by a few dimensions",
    }, "Analyse together").addEventListener("click", analyse);
    return find;
  }

  function drawHead(table, columns) {
    var row = make("tr", make("thead", table, {}), {});
    make("span", make("th", row, { class: "tick" }), { class: "sr-only" }, "analyse");
    columns.forEach(function (column) {
      var cell = make("th", row, { class: column.class, scope: "col", "aria-sort": column.sort, title: column.title });
      make("button", cell, {
        type: "button", class: "sort", "aria-label": column.label, "data-key": column.text,
        "data-go": JSON.stringify(column.go),
      }, column.text);
    });
  }

  function drawRow(box, body, told) {
    var row = make("tr", body, {});
    var check = make("input", make("td", row, { class: "tick" }), {
      type: "checkbox", value: told.head, "aria-label": "Analyse " + told.head, "data-key": "tick " + told.head,
    });
    check.addEventListener("change", function () { tick(box, told.head, check.checked); });
    make("a", make("th", row, { scope: "row" }), {
      class: "node-button", href: told.href, "data-key": told.head,
      "data-go": JSON.stringify({ page: "head", node: told.head, heads: "" }),
    }, told.head);
    var kind = make("td", row, { class: "kind" }, told.category[0]);
    if (told.category[1]) { make("span", kind, { class: "note" }, " " + told.category[1]); }
    told.numbers.forEach(function (cell) {
      var number = make("td", row, { class: "number " + cell[2], title: cell[1] }, cell[0]);
      if (cell[3]) { number.style.setProperty("--w", cell[3]); }
    });
  }

  function drawTable(box) {
    var told = box.getAttribute("data-heads");
    if (!told || box.told === told) { return; }
    box.told = told;
    var data = JSON.parse(told), held = box.contains(document.activeElement) && document.activeElement;
    var key = held && held.getAttribute("data-key");
    var find = box.querySelector("input[type=search]") || drawTools(box);
    if (find !== held) { find.value = data.find; }
    box.querySelector(".said").textContent = data.said;
    box.querySelectorAll(".heads-list").forEach(function (old) { old.remove(); });
    var list = make("div", box, { class: "heads-list" });
    var table = make("table", make("div", list, { class: "scroll" }), { class: "table nodes heads", "aria-label": data.label });
    drawHead(table, data.columns);
    var body = make("tbody", table, {});
    data.rows.forEach(function (row) { drawRow(box, body, row); });
    if (!data.rows.length) { make("p", list, { class: "note empty" }, data.empty); }
    if (data.more) {
      make("button", list, { type: "button", class: "quiet", "data-key": "more", "data-go": JSON.stringify(data.more.go) }, data.more.text);
    }
    var again = key && list.querySelector('[data-key="' + key + '"]');
    if (again) { again.focus({ preventScroll: true }); }
    readTicks();
    showTicks(box);
    window.dispatchEvent(new CustomEvent("headscope-nodes"));
  }

  /* ---- sliders: `texts` name the places of one that has only some ---- */
  function drawRange(box) {
    var told = box.getAttribute("data-range");
    if (!told || box.told === told) { return; }
    box.told = told;
    var data = JSON.parse(told), range = box.querySelector("input");
    if (!range) {
      var label = make("label", box, {}), line = make("span", label, { class: "range-line" });
      make("span", line, {}, data.label);
      make("output", line, {});
      range = make("input", label, { type: "range" });
      if (data.note) { make("span", box, { class: "note" }, data.note); }
      var soon = later(send, 150);
      range.addEventListener("input", function () { box.settles = Date.now() + 2000; say(box); });
      range.addEventListener("change", function () { soon(box); });
    }
    box.data = data;
    range.setAttribute("aria-label", data.label);
    range.min = data.low; range.max = data.high; range.step = data.step;
    if (!(Date.now() < box.settles)) { range.value = data.value; } // an answer to a move that is over by now
    say(box);
  }

  function say(box) {
    var range = box.querySelector("input"), texts = box.data.texts;
    var text = texts ? texts[Number(range.value)] : Number(range.value).toFixed(2);
    box.querySelector("output").textContent = text;
    range.setAttribute("aria-valuetext", text);
  }

  function send(box) {
    var value = box.querySelector("input").value, change = {};
    change[box.data.send] = box.data.values ? String(box.data.values[Number(value)]) : box.data.of + ":" + value;
    go(change);
  }

  function draw() {
    document.querySelectorAll("[data-heads]").forEach(drawTable);
    document.querySelectorAll("[data-range]").forEach(drawRange);
  }

  new MutationObserver(draw).observe(document.documentElement, {
    childList: true, subtree: true, attributeFilter: ["data-heads", "data-range"],
  });
  function showAll() {
    document.querySelectorAll("[data-heads]").forEach(function (box) { if (box.told) { showTicks(box); } });
  }

  window.addEventListener("popstate", function () {
    settles = 0;
    readTicks();
    showAll();
  });
  window.addEventListener("headscope-ticked", function (event) { // drawn around in the scatter; see compare.js
    ticked = new Set(event.detail);
    settles = Date.now() + 2000;
    showAll();
  });
})();
