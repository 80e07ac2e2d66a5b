// ipywidgets prints a label beside a slider, but gives its handle no name that a screen reader could say; a list
// without a label has its tooltip only.
function render({ el }) {
  let watching = null;
  const start = () => {
    const part = el.closest(".her2");
    if (!part) return void setTimeout(start, 100); // not on the page yet
    const name = () => {
      for (const slider of part.querySelectorAll(".widget-slider")) {
        const label = slider.querySelector(".widget-label")?.textContent ?? "";
        const handles = slider.querySelectorAll(".noUi-handle");
        handles.forEach((handle, i) => {
          const end = handles.length > 1 ? ["lowest", "highest"][i] + ", " : "";
          handle.ariaLabel = end + label;
        });
      }
      for (const list of part.querySelectorAll(".widget-select select[title]")) list.ariaLabel = list.title;
    };
    watching = new MutationObserver(name);
    watching.observe(part, { childList: true, subtree: true });
    name();
  };
  start();
  return () => watching?.disconnect();
}

export default { render };
