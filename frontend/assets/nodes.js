/* The list of the map's nodes, drawn from the data of its box: hundreds of rows at once, in no time. */
(function () {
  "use strict";
  var make = window.headscope.make, everything = false;

  function drawHead(table, columns) {
    var row = make("tr", make("thead", table, {}), {});
    columns.forEach(function (column) {
      var cell = make("th", row, { scope: "col", "aria-sort": column.sort, class: column.class || "" });
      make("button", cell, {
        type: "button", class: "sort", "aria-label": column.label, "data-key": column.text,
        "data-go": JSON.stringify(column.go),
      }, column.text);
    });
  }

  function drawRow(body, told) {
    var row = make("tr", body, { "data-row": told[0] });
    make("button", make("td", row, {}), {
      type: "button", class: "node-button", "data-node": told[0], "data-key": told[0],
    }, told[0]);
    make("td", row, { class: "number", title: told[2] }, told[1]);
  }

  function drawList(box) {
    var told = box.getAttribute("data-nodes");
    if (box.told === told + everything) { return; }
    box.told = told + everything;
    var data = JSON.parse(told), held = box.contains(document.activeElement) && document.activeElement;
    var key = held && held.getAttribute("data-key"), button = document.getElementById("all-nodes");
    var table = make("table", document.createDocumentFragment(), { class: "table nodes" });
    drawHead(table, data.columns);
    var body = make("tbody", table, {});
    data.rows.slice(0, everything ? data.rows.length : data.shown).forEach(function (row) { drawRow(body, row); });
    box.replaceChildren(table);
    if (button) { button.hidden = data.rows.length <= data.shown; }
    if (button) { button.textContent = everything ? "Show the strongest" : "Show all " + data.rows.length + " nodes"; }
    var again = key && box.querySelector('[data-key="' + key + '"]');
    if (again) { again.focus({ preventScroll: true }); }
    window.dispatchEvent(new CustomEvent("headscope-nodes"));
  }

  function draw() { document.querySelectorAll("[data-nodes]").forEach(drawList); }

  document.addEventListener("click", function (event) {
    if (!event.target.closest("#all-nodes")) { return; }
    everything = !everything;
    draw();
  });

  new MutationObserver(draw).observe(document.documentElement, {
    childList: true, subtree: true, attributeFilter: ["data-nodes"],
  });
})();
