// The threshold slider of the consortium's performance page: the matrix from the published sums.
// Everything is computed from the two histograms on the page; nothing is asked of the server.
(() => {
  const { between, count, matrixAt, percent, ratio, showMatrix, wilson } = window.figures;
  const data = JSON.parse(document.getElementById("histograms").textContent);
  const slider = document.getElementById("cut");
  const bins = data.fraud.length;
  const out = (name) => document.querySelector(`[data-out="${name}"]`);

  function show() {
    const cut = Number(slider.value);
    const found = matrixAt([data.genuine, data.fraud], cut), { tp, fp, fn } = found;
    const logit = data.low + (cut * (data.high - data.low)) / bins;
    const threshold = percent(1 / (1 + Math.exp(-logit)), 2);
    out("threshold").textContent = threshold;
    slider.setAttribute("aria-valuetext", threshold);
    showMatrix(document.querySelector(".matrix"), found);
    out("precision").textContent = percent(ratio(tp, tp + fp));
    out("precision-interval").textContent = between(wilson(tp, tp + fp));
    out("recall").textContent = percent(ratio(tp, tp + fn));
    out("recall-interval").textContent = between(wilson(tp, tp + fn));
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
