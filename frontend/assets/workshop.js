/* A file of prompts, chosen or dropped: the browser sends it to the API, first to be shown, then to be kept.
   What the API says goes to the page through a store. */
(function () {
  "use strict";
  var TYPES = { csv: "text/csv", jsonl: "application/x-ndjson", ndjson: "application/x-ndjson", json: "application/x-ndjson" };
  var file = null, model = null;

  function byId(id) { return document.getElementById(id); }
  function tell(answer) {
    window.dash_clientside.set_props("upload-answer", { data: Object.assign({ name: file.name, at: Date.now() }, answer) });
  }
  function fail(message) { tell({ ok: false, body: { error: { message: message } } }); }

  async function send(path) {
    var type = TYPES[file.name.split(".").pop().toLowerCase()];
    if (!type) { fail("Choose a file whose name ends in .csv, .jsonl or .ndjson."); return null; }
    try {
      var response = await fetch(path, { method: "POST", headers: { "content-type": type }, body: file });
      var body = await response.json();
      if (response.ok) { return body; }
      tell({ ok: false, body: body });
    } catch (_) {
      fail("The file did not reach the server. Try again.");
    }
    return null;
  }

  async function look(chosen) {
    if (!chosen) { return; }
    file = chosen;
    var found = await send("/api/prompt-sets/preview" + (model ? "?model=" + encodeURIComponent(model) : ""));
    if (found) { tell({ ok: true, body: found }); }
  }

  async function use(button) {
    button.disabled = true;
    var kept = file && await send("/api/prompt-sets");
    if (kept) { window.headscope.go(Object.assign(JSON.parse(button.getAttribute("data-change")), { set: kept.id })); }
    button.disabled = false;
  }

  function zone(event) { return event.target.closest && event.target.closest('[data-upload="drop"]'); }

  ["dragover", "dragleave", "drop"].forEach(function (name) {
    document.addEventListener(name, function (event) {
      var card = zone(event);
      if (!card) { return; }
      event.preventDefault();
      card.classList.toggle("over", name === "dragover");
      if (name === "drop") { look(event.dataTransfer.files[0]); }
    });
  });

  document.addEventListener("click", function (event) {
    var button = event.target.closest('[data-upload="use"]');
    if (button && !button.disabled) { use(button); }
  });

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.workshop = {
    /* The browser's own file field, which every keyboard and screen reader knows. */
    ready: function (want) {
      var place = byId("upload-file");
      model = want && want.model;
      if (place && !place.firstChild) {
        var field = window.headscope.make("input", place, {
          type: "file", accept: ".csv,.jsonl,.ndjson,.json", "aria-label": "A file of prompts",
        });
        field.addEventListener("change", function () { look(field.files[0]); });
      }
      return String(Date.now());
    },
  };
})();
