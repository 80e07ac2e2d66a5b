// What a page can do beyond being read: sort and filter tables, look closely at figures, unfold code, light or dark.
(function () {
  "use strict";
  var html = document.documentElement;

  function all(selector, inside) { return Array.prototype.slice.call((inside || document).querySelectorAll(selector)); }

  // Light and dark ------------------------------------------------------------------------------
  all("button.theme").forEach(function (button) {
    button.addEventListener("click", function () {
      var system = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
      var next = (html.getAttribute("data-theme") || system) === "dark" ? "light" : "dark";
      html.setAttribute("data-theme", next);
      try { localStorage.setItem("report-theme", next); } catch (blocked) { /* for this page only */ }
    });
  });

  // Tables --------------------------------------------------------------------------------------
  // A cell sorts by data-sort if it has one, else by the number it starts with, else by its words; empty ones come last.
  function key(row, column) {
    var cell = row.cells[column];
    var text = cell ? (cell.hasAttribute("data-sort") ? cell.getAttribute("data-sort") : cell.textContent).trim() : "";
    if (text === "" || text === "–" || text === "nan") return null;
    var plain = text.replace(/−/g, "-").replace(/,(?=\d{3})/g, "").replace(/^[<>]\s*/, "");
    return /^-?(\d|\.\d)/.test(plain) && isFinite(parseFloat(plain)) ? parseFloat(plain) : text.toLowerCase();
  }

  function compare(a, b) {
    if (typeof a === typeof b) return typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true });
    return typeof a === "number" ? -1 : 1;
  }

  // An indented row (a level of a variable) stays below the row that it belongs to.
  function families(body) {
    var found = [];
    Array.prototype.slice.call(body.rows).forEach(function (row) {
      var first = row.cells[0];
      if (found.length && /^\u2003/.test(first.getAttribute("data-sort") || first.textContent)) found[found.length - 1].rows.push(row);
      else found.push({ rows: [row] });
    });
    return found;
  }

  function sort(table, column, down) {
    all("tbody", table).forEach(function (body) {
      var found = families(body);
      found.forEach(function (family, place) { family.key = key(family.rows[0], column); family.place = place; });
      found.sort(function (a, b) {
        if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.place - b.place;
        return (down ? compare(b.key, a.key) : compare(a.key, b.key)) || a.place - b.place;
      });
      found.forEach(function (family) { family.rows.forEach(function (row) { body.appendChild(row); }); });
    });
  }

  // A group's name is repeated in no row, so a table with rows that span it keeps its order.
  function sortable(table) {
    return table.tHead && table.tHead.rows.length === 1 && !table.querySelector("tbody [colspan], tbody [rowspan]") &&
      all("tbody tr", table).length > 1;
  }

  all("table.printed").filter(sortable).forEach(function (table) {
    var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      if (!head.textContent.trim()) return;
      var button = document.createElement("button");
      button.type = "button";
      button.title = "Sort by this column";
      Array.prototype.slice.call(head.childNodes).forEach(function (node) {
        if (node.className !== "detail") button.appendChild(node);
      });
      head.insertBefore(button, head.firstChild);
      button.addEventListener("click", function () {
        var down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        sort(table, column, down);
      });
    });
  });

  all("#filter").forEach(function (field) {
    var rows = all("main table.printed tbody tr"), told = document.querySelector(".filter output");
    field.addEventListener("input", function () {
      var words = field.value.toLowerCase().split(/\s+/).filter(Boolean), shown = 0;
      rows.forEach(function (row) {
        var text = row.textContent.toLowerCase();
        row.hidden = !words.every(function (word) { return text.indexOf(word) >= 0; });
        shown += row.hidden ? 0 : 1;
      });
      told.textContent = words.length ? shown + " of " + rows.length + " rows" : "";
    });
  });

  // Code of notebooks -----------------------------------------------------------------------------
  all("button.fold-all").forEach(function (button) {
    button.addEventListener("click", function () {
      var open = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(open));
      button.textContent = open ? "Hide all code" : "Show all code";
      all("details.code").forEach(function (item) { item.open = open; });
    });
  });

  // Figures up close ------------------------------------------------------------------------------
  function viewer(link) {
    var picture = link.querySelector("img"), dialog = document.createElement("dialog");
    var stage = document.createElement("div"), large = document.createElement("img"), tools = document.createElement("div");
    var at = { x: 0, y: 0, zoom: 1 }, held = null;
    dialog.className = "viewer";
    dialog.setAttribute("aria-label", "Figure up close");
    large.src = picture.src;
    large.alt = picture.alt;
    large.draggable = false;
    stage.className = "stage";
    stage.tabIndex = 0;
    stage.setAttribute("role", "group");
    stage.setAttribute("aria-label", "Figure; plus and minus zoom, arrows move, 0 shows all of it");
    stage.appendChild(large);
    tools.className = "tools";
    if (document.querySelector(".banner")) {  // the figure's own mark may be out of sight
      var mark = document.createElement("strong");
      mark.textContent = "SIMULATED PATIENTS";
      tools.appendChild(mark);
    }

    function draw() { large.style.transform = "translate(" + at.x + "px," + at.y + "px) scale(" + at.zoom + ")"; }
    function whole() { at = { x: 0, y: 0, zoom: 1 }; draw(); }
    function zoom(by, x, y) {
      var next = Math.min(20, Math.max(1, at.zoom * by)), real = next / at.zoom;
      at = next === 1 ? { x: 0, y: 0, zoom: 1 } : { x: x - (x - at.x) * real, y: y - (y - at.y) * real, zoom: next };
      draw();
    }
    function middle(by) { zoom(by, stage.clientWidth / 2, stage.clientHeight / 2); }
    function move(x, y) { if (at.zoom > 1) { at.x += x; at.y += y; draw(); } }

    [["−", "Smaller", function () { middle(1 / 1.5); }], ["+", "Larger", function () { middle(1.5); }],
     ["All", "Show the whole figure", whole], ["Close", "Close", function () { dialog.close(); }]].forEach(function (one) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = one[0];
      button.setAttribute("aria-label", one[1]);
      button.addEventListener("click", one[2]);
      tools.appendChild(button);
    });
    stage.addEventListener("wheel", function (event) {
      event.preventDefault();
      zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, event.clientX, event.clientY);
    }, { passive: false });
    stage.addEventListener("pointerdown", function (event) {
      held = { x: event.clientX, y: event.clientY };
      stage.setPointerCapture(event.pointerId);
    });
    stage.addEventListener("pointermove", function (event) {
      if (!held) return;
      move(event.clientX - held.x, event.clientY - held.y);
      held = { x: event.clientX, y: event.clientY };
    });
    stage.addEventListener("pointerup", function () { held = null; });
    stage.addEventListener("dblclick", function (event) { zoom(2, event.clientX, event.clientY); });
    dialog.addEventListener("keydown", function (event) {
      var step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
      if (step) move(step[0], step[1]);
      else if (event.key === "+" || event.key === "=") middle(1.5);
      else if (event.key === "-") middle(1 / 1.5);
      else if (event.key === "0") whole();
      else return;
      event.preventDefault();
    });
    dialog.addEventListener("close", function () { dialog.remove(); link.focus(); });
    dialog.appendChild(tools);
    dialog.appendChild(stage);
    document.body.appendChild(dialog);
    dialog.showModal();
    stage.focus();
  }

  all("a.zoom").forEach(function (link) {
    if (typeof HTMLDialogElement !== "function") return;
    link.addEventListener("click", function (event) {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      viewer(link);
    });
  });
})();
