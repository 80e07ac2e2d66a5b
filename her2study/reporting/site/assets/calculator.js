/* The calculator of a frozen logistic model: what her2study.models.frozen.predict_frozen computes, in the browser.
   The numbers stand in the page (script.calc-data); this file has none of its own. */
(() => {
  "use strict";

  /* The model ------------------------------------------------------------------------------------------------ */

  /* A term's column of the design matrix, as her2study.models.encoding.encode makes it. */
  function encode(term, value, floor) {
    if (term.kind === "level") return value === term.level ? 1 : 0;
    if (term.kind === "score") return term.levels.indexOf(value);
    if (term.kind === "log") return Math.log(value);
    if (term.kind === "logit") {
      const p = Math.min(Math.max(value, floor), 1 - floor);
      return Math.log(p) - Math.log1p(-p);
    }
    return value;
  }

  const expit = (s) => (s >= 0 ? 1 / (1 + Math.exp(-s)) : Math.exp(s) / (1 + Math.exp(s)));

  /* Probability, interval and each variable's log odds; a value that is null is imputed. */
  function predict(model, values) {
    const known = {};
    for (const field of model.fields) {
      const value = values[field.name];
      known[field.name] = value === null || value === undefined ? field.typical : value;
    }
    const row = [1, ...model.terms.map((term) => encode(term, known[term.variable], model.floor))];
    const added = {};
    for (const field of model.fields) added[field.name] = 0;
    let sum = model.intercept;
    model.terms.forEach((term, i) => {
      added[term.variable] += term.coefficient * row[i + 1];
      sum += term.coefficient * row[i + 1];
    });
    let variance = 0;
    for (let i = 0; i < row.length; i++)
      for (let j = 0; j < row.length; j++) variance += row[i] * model.covariance[i][j] * row[j];
    const reach = model.z * Math.sqrt(Math.max(variance, 0));
    return { probability: expit(sum), low: expit(sum - reach), high: expit(sum + reach), added };
  }

  /* Points of a variable on the nomogram. */
  const pointsOf = (model, name, logOdds) => (logOdds - model.points.lowest[name]) / model.points.logOddsPerPoint;

  /* Words ---------------------------------------------------------------------------------------------------- */

  const minus = (text) => text.replace("-", "−");

  /* As percent() of calculator.py: one decimal, near 0 and 1 two digits of what is left. */
  function percent(p) {
    const rest = Math.min(p, 1 - p);
    if (rest >= 0.0095) return `${(100 * p).toFixed(1)}%`;
    if (rest < 5e-7) return p < 0.5 ? "< 0.0001%" : "> 99.9999%";
    return `${(100 * p).toFixed(Math.min(4, -Math.floor(Math.log10(rest * 100)) + 1))}%`;
  }

  function signed(x) {
    const text = x.toFixed(2);
    return Number(text) === 0 ? "0.00" : minus(x > 0 ? `+${text}` : text);
  }

  function times(x) {
    return x >= 0.01 && x < 1000 ? x.toFixed(2) : minus(x.toExponential(1));
  }

  /* A threshold can be a training patient's very probability: the last digit of an exponential decides nothing. */
  const ROUNDING = 1e-12;

  /* The page ------------------------------------------------------------------------------------------------- */

  function start(root) {
    const data = root.querySelector("script.calc-data");
    if (!data || root.dataset.ready) return;
    const model = JSON.parse(data.textContent);
    const fields = model.fields.map((field) => bind(root, field));
    const update = () => show(root, model, fields);
    for (const field of fields) field.listen(update);
    const reset = root.querySelector(".calc-reset");
    if (reset)
      reset.addEventListener("click", () => {
        for (const field of fields) field.reset();
        update();
      });
    for (const part of root.querySelectorAll(".calc-live")) part.hidden = false;
    update();
    root.dataset.ready = "yes";
  }

  /* One variable's inputs. read() gives the value (null: not known), what is wrong with it and what is unusual. */
  function bind(root, field) {
    const box = [...root.querySelectorAll(".calc-field")].find((one) => one.dataset.variable === field.name);
    return field.levels.length ? bindChoice(box, field) : bindNumber(box, field);
  }

  function bindChoice(box, field) {
    const select = box.querySelector("select");
    return {
      ...field,
      box,
      listen: (update) => select.addEventListener("input", update),
      reset: () => (select.value = field.start),
      read() {
        const value = select.value === "" ? null : select.value;
        const unseen = value !== null && field.unseen.includes(value);
        const unusual = unseen
          ? `No training patient was “${value}”: the model takes it for “${field.levels[0]}”.`
          : "";
        return { value, wrong: "", unusual, said: value === null ? "not known" : value };
      },
    };
  }

  function bindNumber(box, field) {
    const [slider, number, unknown] = ["range", "number", "checkbox"].map((t) => box.querySelector(`[type=${t}]`));
    let last = field.start;
    const unit = field.unit ? ` ${field.unit}` : "";
    return {
      ...field,
      box,
      listen(update) {
        slider.addEventListener("input", () => {
          number.value = slider.value;
          unknown.checked = false;
          update();
        });
        number.addEventListener("input", () => {
          unknown.checked = number.value === "" && !number.validity.badInput;
          if (number.value !== "") slider.value = number.value;
          update();
        });
        unknown.addEventListener("input", () => {
          if (unknown.checked && number.value !== "") last = number.value;
          number.value = unknown.checked ? "" : last;
          slider.value = unknown.checked ? field.typical : last;
          update();
        });
      },
      reset() {
        slider.value = number.value = field.start;
        unknown.checked = false;
      },
      read() {
        const value = unknown.checked ? null : number.valueAsNumber;
        const wrong = value === null ? "" : wrongOf(field, value);
        let unusual = "";
        if (value !== null && !wrong && field.range && (value < field.range[0] || value > field.range[1]))
          unusual = `Outside what the training patients had (${field.printedRange}${unit}): an extrapolation.`;
        number.setAttribute("aria-invalid", String(Boolean(wrong)));
        box.classList.toggle("unknown", value === null);
        const said = value === null ? "not known" : `${minus(String(value))}${unit}`;
        slider.setAttribute("aria-valuetext", said);
        return { value, wrong, unusual, said };
      },
    };
  }

  function wrongOf(field, value) {
    if (!Number.isFinite(value)) return "This is not a number.";
    if (field.kind === "log" && value <= 0) return "Must be above 0: the model takes its logarithm.";
    if (field.kind === "logit" && (value < 0 || value > 1)) return "A probability lies between 0 and 1.";
    return "";
  }

  function show(root, model, fields) {
    const read = {};
    for (const field of fields) {
      const { box } = field;
      const now = (read[field.name] = field.read());
      const warning = box.querySelector(".calc-warning");
      warning.textContent = now.wrong || now.unusual;
      warning.hidden = !warning.textContent;
    }
    const values = Object.fromEntries(Object.entries(read).map(([name, now]) => [name, now.value]));
    const possible = Object.values(read).every((now) => !now.wrong);
    const result = possible ? predict(model, values) : null;
    const unusual = fields.filter((field) => read[field.name].unusual).map((field) => field.label);
    showResult(root, model, result, unusual);
    showVerdicts(root, model, result);
    showContributions(root, model, fields, read, result);
    if (model.points) showNomogram(root, model, result);
    speak(root, model, result, unusual);
  }

  function showResult(root, model, result, unusual) {
    const out = (name) => root.querySelector(`.calc-result [data-out=${name}]`);
    const set = (key, number) => (result ? (root.dataset[key] = String(number)) : delete root.dataset[key]);
    set("probability", result && result.probability); // every digit, for whoever wants to compute with it
    set("low", result && result.low);
    set("high", result && result.high);
    out("probability").textContent = result ? percent(result.probability) : "–";
    out("interval").textContent = result
      ? `${model.confidence} confidence interval ${percent(result.low)} to ${percent(result.high)}`
      : "Mend the marked value first.";
    for (const part of ["band", "dot"]) out(part).hidden = !result;
    if (result) {
      out("band").style.left = `${100 * result.low}%`;
      out("band").style.width = `${100 * (result.high - result.low)}%`;
      out("dot").style.left = `${100 * result.probability}%`;
    }
    const warning = out("extrapolated");
    warning.hidden = !unusual.length || !result;
    warning.textContent = `Outside the training patients' range: ${unusual.join(", ")}. Do not rely on this number.`;
  }

  function showVerdicts(root, model, result) {
    for (const row of model.thresholds) {
      const item = root.querySelector(`.calc-verdicts [data-rule="${row.rule}"]`);
      item.querySelector("[data-out=verdict]").textContent = result ? verdict(model, row, result) : "–";
      item.querySelector("[data-out=doubt]").hidden = !result || row.value <= result.low || row.value > result.high;
      item.dataset.verdict = result ? String(positive(row, result)) : "";
    }
  }

  const positive = (row, result) => result.probability >= row.value - ROUNDING;
  const verdict = (model, row, result) =>
    positive(row, result) ? `● called ${model.outcome}` : `○ not called ${model.outcome}`;

  function showContributions(root, model, fields, read, result) {
    let sum = 0;
    let points = 0;
    const fill = (row, logOdds, itsPoints) => {
      row.querySelector("[data-out=log-odds]").textContent = result ? signed(logOdds) : "–";
      row.querySelector("[data-out=odds]").textContent = result ? times(Math.exp(logOdds)) : "–";
      row.querySelector("[data-out=points]").textContent = result && model.points ? minus(itsPoints.toFixed(1)) : "–";
    };
    const rows = [...root.querySelectorAll("[data-contribution]")];
    for (const field of fields) {
      const row = rows.find((one) => one.dataset.contribution === field.name);
      const added = result ? result.added[field.name] : 0;
      const more = added - model.typical.contributions[field.name];
      const own = result && model.points ? pointsOf(model, field.name, added) : 0;
      sum += more;
      points += own;
      row.querySelector("[data-out=value]").textContent = read[field.name].wrong ? "" : read[field.name].said;
      fill(row, more, own);
      for (const bar of row.querySelectorAll(".calc-bar span")) {
        bar.className = more >= 0 ? "up" : "down";
        bar.style.width = `${result ? Math.min(50, (50 * Math.abs(more)) / model.widest) : 0}%`;
      }
    }
    const together = rows.find((one) => one.dataset.contribution === "");
    if (together) fill(together, sum, points);
  }

  function showNomogram(root, model, result) {
    let total = 0;
    const places = {};
    for (const field of result ? model.fields : []) {
      places[field.name] = pointsOf(model, field.name, result.added[field.name]);
      total += places[field.name];
    }
    if (result) Object.assign(places, { total_points: total, total });
    for (const axis of root.querySelectorAll(".calc-nomogram .axis")) {
      const marker = axis.querySelector(".marker");
      if (!marker) continue;
      const { left, right, points, start, end } = axis.dataset;
      const name = axis.dataset.axis;
      marker.toggleAttribute("hidden", !result);
      if (!result) continue;
      const wanted = Number(left) + ((Number(right) - Number(left)) * places[name]) / Number(points);
      const x = Math.min(Math.max(wanted, Number(start)), Number(end));
      marker.classList.toggle("beyond", Math.abs(wanted - x) > 0.05);
      marker.style.transform = `translate(${x}px, 0)`;
      marker.querySelector("text").textContent =
        name === "total" ? percent(result.probability) : minus(places[name].toFixed(1));
    }
  }

  /* For screen readers, once the sliders rest. */
  function speak(root, model, result, unusual) {
    clearTimeout(root.speaking);
    root.speaking = setTimeout(() => {
      const parts = result
        ? [
            `Probability of ${model.outcome} ${percent(result.probability)}`,
            `${model.confidence} confidence interval ${percent(result.low)} to ${percent(result.high)}`,
            ...model.thresholds.map((row) => `${row.words}: ${verdict(model, row, result).slice(2)}`),
            ...(unusual.length ? [`Outside the training range: ${unusual.join(", ")}`] : []),
          ]
        : ["No probability: a value is not possible"];
      root.querySelector("[data-out=spoken]").textContent = `${parts.join(". ")}.`;
    }, 500);
  }

  const startAll = () => document.querySelectorAll(".calculator").forEach(start);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", startAll);
  else startAll();
})();
