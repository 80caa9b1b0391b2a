// The threshold slider of the consortium's performance page: the matrix from the published sums.
// Everything is computed from the two histograms on the page; nothing is asked of the server.
(() => {
  const data = JSON.parse(document.getElementById("histograms").textContent);
  const slider = document.getElementById("cut");
  const bins = data.fraud.length;
  const Z = 1.959963984540054;
  const language = document.documentElement.lang;
  const sum = (counts) => counts.reduce((total, count) => total + count, 0);
  const count = (value) => value.toLocaleString(language);
  const percent = (share, digits = 1) => (share === null ? "–" : `${(share * 100).toFixed(digits)}%`);
  const ratio = (part, whole) => (whole ? part / whole : null);
  const out = (name) => document.querySelector(`[data-out="${name}"]`);
  const cells = [...document.querySelectorAll(".matrix-count")];

  function matrixAt(cut) {
    const tp = sum(data.fraud.slice(cut)), fp = sum(data.genuine.slice(cut));
    return { tp, fp, fn: sum(data.fraud) - tp, tn: sum(data.genuine) - fp };
  }

  // The 95 % score interval of a proportion (Wilson 1927).
  function wilson(part, whole) {
    if (!whole) return "";
    const share = part / whole, below = 1 + Z * Z / whole, centre = (share + Z * Z / (2 * whole)) / below;
    const half = (Z / below) * Math.sqrt(share * (1 - share) / whole + Z * Z / (4 * whole * whole));
    return `${(Math.max(0, centre - half) * 100).toFixed(1)}–${percent(Math.min(1, centre + half))}`;
  }

  // A shade as the server gives it: any part above nothing gets at least 1.
  function tint(cell, part, whole) {
    const shade = part && whole ? Math.max(1, Math.min(10, Math.round((10 * part) / whole))) : 0;
    const box = cell.closest("td");
    box.className = box.className.replace(/tint-\d+/, `tint-${shade}`);
  }

  function show() {
    const cut = Number(slider.value), { tp, fp, fn, tn } = matrixAt(cut);
    const logit = data.low + (cut * (data.high - data.low)) / bins;
    const threshold = percent(1 / (1 + Math.exp(-logit)), 2);
    out("threshold").textContent = threshold;
    slider.setAttribute("aria-valuetext", threshold);
    [tp, fn, fp, tn].forEach((value, index) => {
      cells[index].textContent = count(value);
      tint(cells[index], value, index < 2 ? tp + fn : fp + tn);
    });
    const sums = document.querySelectorAll(".matrix tr:last-child .number");
    [tp + fp, fn + tn].forEach((value, index) => { sums[index].textContent = count(value); });
    out("precision").textContent = percent(ratio(tp, tp + fp));
    out("precision-interval").textContent = wilson(tp, tp + fp);
    out("recall").textContent = percent(ratio(tp, tp + fn));
    out("recall-interval").textContent = wilson(tp, tp + fn);
    out("f1").textContent = percent(ratio(2 * tp, 2 * tp + fp + fn));
    out("alerts").textContent = count(tp + fp);
    const chart = JSON.parse(document.getElementById("pr-data").textContent);
    if (chart.marks.length) {
      chart.marks[0].x = ratio(tp, tp + fn) ?? 0;
      window.charts.update("pr", chart);
    }
  }

  document.querySelector("[data-without-scripts]").hidden = true;
  slider.addEventListener("input", show);
})();
