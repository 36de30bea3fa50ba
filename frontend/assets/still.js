/* Finished content comes as HTML in `data-html` of its element and is put into it before anything is painted.
   When it changes, only what differs is touched, as React would: what has the keyboard keeps it, what is open or
   scrolled stays so, and what other scripts have drawn or marked is left alone. */
(function () {
  "use strict";
  var TEXT = 3;

  function parsed(html) {
    var template = document.createElement("template");
    template.innerHTML = html;
    return template.content;
  }

  /* A node of the page for a parsed one, which knows it as `live` from then on. */
  function made(node) {
    node.live = document.importNode(node, false);
    node.childNodes.forEach(function (child) { node.live.appendChild(made(child)); });
    return node.live;
  }

  function words(node) {
    var nodes = node.childNodes;
    return nodes.length === 1 && nodes[0].nodeType === TEXT ? nodes[0].data : null;
  }

  function set(live, name, value) {
    if (value === null) { live.removeAttribute(name); } else { live.setAttribute(name, value); }
    if (name === "selected") { live.selected = value !== null; } // what was chosen by hand is not told by attributes
  }

  function patchAttributes(before, after) {
    Array.from(after.attributes).forEach(function (one) {
      if (before.getAttribute(one.name) !== one.value) { set(after.live, one.name, one.value); }
    });
    Array.from(before.attributes).forEach(function (one) {
      if (!after.hasAttribute(one.name)) { set(after.live, one.name, null); }
    });
  }

  /* `before` and `after` are parsed and of one name; what differs between them is done on the page. */
  function patch(before, after) {
    after.live = before.live;
    if (after.nodeType === TEXT) {
      if (before.data !== after.data) { after.live.data = after.data; }
      return;
    }
    patchAttributes(before, after);
    patchInside(before, after, after.live);
  }

  function patchInside(before, after, live) {
    var was = words(before), is = words(after);
    if (is !== null && was !== null) { // a script may have put other words there meanwhile
      if (is !== was) { live.textContent = is; }
      after.firstChild.live = live.firstChild;
      return;
    }
    var old = Array.from(before.childNodes), now = Array.from(after.childNodes);
    now.forEach(function (node, at) {
      var there = old[at], shown = there && there.live && there.live.parentNode === live;
      if (!shown) { live.appendChild(made(node)); }
      else if (there.nodeName === node.nodeName) { patch(there, node); }
      else { live.replaceChild(made(node), there.live); }
    });
    old.slice(now.length).forEach(function (node) { if (node.live) { node.live.remove(); } });
  }

  function write(box) {
    var html = box.getAttribute("data-html") || "", kept = box.still || { html: "", nodes: parsed("") };
    if (kept.html === html) { return; }
    var nodes = parsed(html);
    patchInside(kept.nodes, nodes, box);
    box.still = { html: html, nodes: nodes };
  }

  new MutationObserver(function (changes) {
    changes.forEach(function (change) {
      if (change.type === "attributes") { write(change.target); }
      change.addedNodes.forEach(function (node) {
        if (node.nodeType === TEXT || !node.hasAttribute) { return; }
        if (node.hasAttribute("data-html")) { write(node); }
        node.querySelectorAll("[data-html]").forEach(write);
      });
    });
  }).observe(document, { childList: true, subtree: true, attributeFilter: ["data-html"] });
})();
