// Three planes of a small volume, drawn in the browser: scrolling needs no word with the kernel.
// Volumes are bytes (series, z, y, x) in LPS: x to the patient's left, y backwards, z upwards.

const PLANES = [
  { name: "Axial", axis: 0, across: 2, down: 1, flip: false, sides: ["R", "L", "A", "P"] },
  { name: "Coronal", axis: 1, across: 2, down: 0, flip: true, sides: ["R", "L", "S", "I"] },
  { name: "Sagittal", axis: 2, across: 1, down: 0, flip: true, sides: ["A", "P", "S", "I"] },
];
const FOR = [255, 150, 20], AGAINST = [76, 141, 255], OUTLINE = "#56E0FF", SIDE = 330;

const bytes = (view, signed) => {
  if (!view) return new Uint8Array();
  const buffer = view.buffer ?? view, start = view.byteOffset ?? 0;
  return new (signed ? Int8Array : Uint8Array)(buffer, start, view.byteLength);
};

function make(tag, parent, attributes = {}, text = "") {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  parent.append(element);
  return element;
}

function render({ model, el }) {
  el.classList.add("her2-viewer");
  // JupyterLab's own keys would take the arrows
  el.setAttribute("data-lm-suppress-shortcuts", "true");
  const bar = make("div", el, { class: "her2-viewer-bar" });
  const field = (label) => {
    const holder = make("label", bar);
    make("span", holder, {}, label);
    return holder;
  };
  const range = (holder, label, low, high, step) =>
    make("input", holder, { type: "range", min: low, max: high, step, "aria-label": label });
  const series = make("select", field("Shown"), { "aria-label": "Phase shown" });
  const heat = make("select", field("Overlay"), { "aria-label": "Overlay" });
  const opacity = range(field("Opacity"), "Opacity of the overlay", 0, 1, 0.05);
  const bright = range(field("Brightness"), "Brightness", 0.4, 3, 0.05);
  const outlined = make("input", field("Lesion outlined"), { type: "checkbox" });
  const planes = make("div", el, { class: "her2-viewer-planes" });
  bright.value = 1;

  const cells = PLANES.map((plane) => {
    const cell = make("div", planes, { class: "her2-viewer-plane" });
    const head = make("div", cell, { class: "her2-viewer-head" });
    const canvas = make("canvas", cell, { tabindex: "0", role: "img" });
    const slider = range(cell, `${plane.name} slice`, 0, 1, 1);
    slider.addEventListener("input", () => go(plane.axis, Number(slider.value)));
    canvas.addEventListener("click", (event) => click(plane, canvas, event));
    // a wheel scrolls the page until the picture was clicked
    canvas.addEventListener("wheel", (event) => {
      if (document.activeElement !== canvas) return;
      event.preventDefault();
      go(plane.axis, model.get("place")[plane.axis] + (event.deltaY < 0 ? 1 : -1));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const step = { ArrowUp: 1, ArrowDown: -1, PageUp: 5, PageDown: -5 }[event.key];
      if (!step) return;
      event.preventDefault();
      go(plane.axis, model.get("place")[plane.axis] + step);
    });
    return { plane, head, canvas, slider };
  });

  const size = () => model.get("shape");

  function go(axis, to) {
    const place = [...model.get("place")];
    place[axis] = Math.max(0, Math.min(size()[axis] - 1, to));
    model.set("place", place);
    model.save_changes();
  }

  function click(plane, canvas, event) {
    canvas.focus();
    const box = canvas.getBoundingClientRect(), shape = size(), place = [...model.get("place")];
    const along = Math.floor(((event.clientX - box.left) / box.width) * shape[plane.across]);
    const down = Math.floor(((event.clientY - box.top) / box.height) * shape[plane.down]);
    place[plane.across] = Math.max(0, Math.min(shape[plane.across] - 1, along));
    const row = plane.flip ? shape[plane.down] - 1 - down : down;
    place[plane.down] = Math.max(0, Math.min(shape[plane.down] - 1, row));
    model.set("place", place);
    model.save_changes();
  }

  function options(select, names, chosen) {
    select.replaceChildren(...names.map((name, i) => new Option(name, i)));
    select.value = chosen;
  }

  let data = {};
  function load() {
    data = { volumes: bytes(model.get("volumes")), mask: bytes(model.get("mask")), maps: bytes(model.get("maps"), true) };
    options(series, model.get("names"), model.get("shown"));
    options(heat, ["none", ...model.get("map_names")], model.get("map_shown") + 1);
    heat.disabled = opacity.disabled = !model.get("map_names").length;
    heat.title = heat.disabled ? "No map was stored for this patient" : "";
    draw();
  }

  function draw() {
    const [nz, ny, nx] = size(), voxels = nz * ny * nx;
    if (!voxels || data.volumes.length < voxels) return;
    const place = model.get("place"), strides = [ny * nx, nx, 1];
    series.value = model.get("shown");
    heat.value = model.get("map_shown") + 1;
    opacity.value = model.get("opacity");
    outlined.checked = model.get("outlined");
    const image = data.volumes.subarray(model.get("shown") * voxels);
    const map = model.get("map_shown") < 0 ? null : data.maps.subarray(model.get("map_shown") * voxels);
    const gain = Number(bright.value), strength = Number(opacity.value), dense = window.devicePixelRatio || 1;
    for (const { plane, head, canvas, slider } of cells) {
      const shape = size(), width = shape[plane.across], height = shape[plane.down], at = place[plane.axis];
      const start = at * strides[plane.axis];
      const index = (column, row) =>
        start + column * strides[plane.across] + (plane.flip ? height - 1 - row : row) * strides[plane.down];
      const small = new OffscreenCanvas(width, height), pen = small.getContext("2d");
      const pixels = pen.createImageData(width, height);
      for (let row = 0, i = 0; row < height; row++) {
        for (let column = 0; column < width; column++, i += 4) {
          const from = index(column, row), grey = Math.min(255, image[from] * gain);
          const evidence = map ? map[from] / 127 : 0, share = Math.min(0.85, 2 * Math.abs(evidence) * strength);
          const colour = evidence > 0 ? FOR : AGAINST;
          for (let c = 0; c < 3; c++) pixels.data[i + c] = grey * (1 - share) + colour[c] * share;
          pixels.data[i + 3] = 255;
        }
      }
      pen.putImageData(pixels, 0, 0);
      const zoom = SIDE / Math.max(width, height);
      canvas.style.width = `${width * zoom}px`;
      canvas.style.height = `${height * zoom}px`;
      canvas.width = width * zoom * dense;
      canvas.height = height * zoom * dense;
      const big = canvas.getContext("2d");
      big.scale(zoom * dense, zoom * dense);
      big.imageSmoothingQuality = "high";
      big.drawImage(small, 0, 0);
      if (outlined.checked) outline(big, width, height, (c, r) => data.mask[index(c, r)], 1.3 / zoom);
      const row = plane.flip ? height - 1 - place[plane.down] : place[plane.down];
      cross(big, place[plane.across] + 0.5, row + 0.5, width, height, model.get("radius"), 1 / zoom);
      letters(big, plane.sides, width, height, 11 / zoom);
      const text = `${plane.name} ${at + 1} of ${shape[plane.axis]}`;
      head.textContent = text;
      canvas.setAttribute("aria-label", `${text}. Click chooses a region, arrow up and down scroll.`);
      slider.max = shape[plane.axis] - 1;
      slider.value = at;
    }
  }

  series.addEventListener("change", () => { model.set("shown", Number(series.value)); model.save_changes(); });
  heat.addEventListener("change", () => { model.set("map_shown", Number(heat.value) - 1); model.save_changes(); });
  opacity.addEventListener("input", () => { model.set("opacity", Number(opacity.value)); model.save_changes(); });
  outlined.addEventListener("change", () => { model.set("outlined", outlined.checked); model.save_changes(); });
  bright.addEventListener("input", draw);
  model.on("change:loaded", load);
  for (const name of ["place", "shown", "map_shown", "opacity", "outlined", "radius"]) model.on(`change:${name}`, draw);
  load();
}

function outline(pen, width, height, inside, thick) {
  pen.strokeStyle = OUTLINE;
  pen.lineWidth = thick;
  pen.beginPath();
  for (let row = 0; row <= height; row++) {
    for (let column = 0; column <= width; column++) {
      const here = row < height && column < width && inside(column, row);
      const left = row < height && column > 0 && inside(column - 1, row);
      const above = row > 0 && column < width && inside(column, row - 1);
      if (row < height && Boolean(here) !== Boolean(left)) { pen.moveTo(column, row); pen.lineTo(column, row + 1); }
      if (column < width && Boolean(here) !== Boolean(above)) { pen.moveTo(column, row); pen.lineTo(column + 1, row); }
    }
  }
  pen.stroke();
}

function cross(pen, x, y, width, height, radius, thick) {
  pen.strokeStyle = "rgba(255, 230, 80, 0.8)";
  pen.lineWidth = thick;
  pen.beginPath();
  for (const [x1, y1, x2, y2] of [[0, y, x - radius, y], [x + radius, y, width, y], [x, 0, x, y - radius], [x, y + radius, x, height]]) {
    pen.moveTo(x1, y1);
    pen.lineTo(x2, y2);
  }
  pen.moveTo(x + radius, y);
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.stroke();
}

function letters(pen, [left, right, top, bottom], width, height, size) {
  pen.fillStyle = "rgba(255, 255, 255, 0.75)";
  pen.font = `${size}px system-ui, sans-serif`;
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  pen.fillText(left, size / 3, height / 2);
  pen.textAlign = "right";
  pen.fillText(right, width - size / 3, height / 2);
  pen.textAlign = "center";
  pen.fillText(top, width / 2, size * 0.7);
  pen.fillText(bottom, width / 2, height - size * 0.6);
}

export default { render };
