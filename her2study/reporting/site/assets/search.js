// Finds words in the report's own index; an entry is found if it holds every word, best where titles do.
(function () {
  "use strict";
  var index = window.reportIndex || [], field = document.getElementById("query"), list = document.getElementById("results");
  var told = document.getElementById("found"), everything = document.getElementById("everything");
  var SHOWN = 60, AROUND = 70;

  index.forEach(function (entry) {
    entry.low = { title: plain(entry.title), text: plain(entry.text) };
  });

  // Same length as the text, so that a place found in one is the place in the other.
  function plain(text) { return text.toLowerCase().replace(/[–—−‐‑]/g, "-").replace(/_/g, " "); }

  // Where a word begins in a text, not inside another: "rim" is found in "rim enhancement", not in "discriminate".
  function place(text, word, from) {
    var at = text.indexOf(word, from || 0);
    while (at > 0 && /[a-z0-9]/.test(text.charAt(at - 1)) && /^[a-z0-9]/.test(word)) at = text.indexOf(word, at + 1);
    return at;
  }

  function score(entry, words) {
    var sum = 0, phrase = words.join(" ");
    for (var i = 0; i < words.length; i += 1) {
      var title = place(entry.low.title, words[i]), text = place(entry.low.text, words[i]);
      if (title < 0 && text < 0) return 0;
      sum += title === 0 ? 12 : title > 0 ? 8 : 1;
    }
    if (place(entry.low.title, phrase) >= 0) sum += 10;
    else if (place(entry.low.text, phrase) >= 0) sum += 4;
    return sum + (entry.kind === "number" ? 0 : 1);
  }

  function marked(text, words) {
    var low = plain(text), out = document.createDocumentFragment(), from = 0;
    while (from < text.length) {
      var next = -1, size = 0;
      words.forEach(function (word) {
        var at = place(low, word, from);
        if (at >= 0 && (next < 0 || at < next || (at === next && word.length > size))) { next = at; size = word.length; }
      });
      if (next < 0) break;
      out.appendChild(document.createTextNode(text.slice(from, next)));
      var mark = document.createElement("mark");
      mark.textContent = text.slice(next, next + size);
      out.appendChild(mark);
      from = next + size;
    }
    out.appendChild(document.createTextNode(text.slice(from)));
    return out;
  }

  // The text around the words as they were asked for, else around the first of them.
  function excerpt(entry, words) {
    var whole = place(entry.low.text, words.join(" "));
    var each = words.map(function (word) { return place(entry.low.text, word); }).filter(function (at) { return at >= 0; });
    var centre = whole >= 0 ? whole : each.length ? Math.min.apply(null, each) : 0;
    var start = centre > AROUND ? entry.text.indexOf(" ", centre - AROUND) + 1 : 0;
    var end = entry.text.indexOf(" ", start + 3 * AROUND);
    return (start > 0 ? "… " : "") + entry.text.slice(start, end < 0 ? undefined : end) + (end < 0 ? "" : " …");
  }

  function find() {
    var words = plain(field.value).split(/\s+/).filter(Boolean);
    list.textContent = "";
    everything.hidden = words.length > 0;
    if (!words.length) { told.textContent = ""; return; }
    var found = index.map(function (entry, order) { return { entry: entry, score: score(entry, words), order: order }; })
      .filter(function (item) { return item.score > 0; })
      .sort(function (a, b) { return b.score - a.score || a.order - b.order; });
    told.textContent = found.length === 0 ? "Nothing found; fewer or shorter words find more." :
      found.length + (found.length === 1 ? " place" : " places") + (found.length > SHOWN ? ", the best " + SHOWN + " below" : "");
    found.slice(0, SHOWN).forEach(function (item) {
      var row = document.createElement("li"), link = document.createElement("a"), kind = document.createElement("span");
      var text = document.createElement("p");
      link.href = item.entry.url;
      link.appendChild(marked(item.entry.title, words));
      kind.className = "kind";
      kind.textContent = item.entry.kind;
      text.appendChild(marked(excerpt(item.entry, words), words));
      row.appendChild(link);
      row.appendChild(kind);
      row.appendChild(text);
      list.appendChild(row);
    });
  }

  var asked = /[?&]q=([^&]*)/.exec(window.location.search);
  if (asked) {
    try { field.value = decodeURIComponent(asked[1].replace(/\+/g, " ")); } catch (malformed) { field.value = asked[1]; }
  }
  field.addEventListener("input", find);
  field.form.addEventListener("submit", function (event) { event.preventDefault(); find(); });
  find();
  field.focus();
})();
