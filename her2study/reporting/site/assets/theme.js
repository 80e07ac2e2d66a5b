// Before anything is drawn: light or dark as the reader chose, and whether there are scripts at all.
(function () {
  "use strict";
  var html = document.documentElement, chosen = null;
  html.className = "has-script";
  try { chosen = localStorage.getItem("report-theme"); } catch (blocked) { /* files may have no storage */ }
  if (chosen === "light" || chosen === "dark") html.setAttribute("data-theme", chosen);
})();
