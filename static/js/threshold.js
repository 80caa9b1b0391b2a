// The threshold slider: every figure again from the window's histograms, as the server would.
(() => {
  const studio = document.getElementById("studio");
  const slider = document.getElementById("cut");
  const data = JSON.parse(document.getElementById("slider-data").textContent);
  const language = document.documentElement.lang;
  const Z = 1.959963984540054;
  const DASH = "–";

  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const ratio = (part, whole) => (whole ? part / whole : null);

  // Half to even, as the server rounds.
  function fixed(value, digits) {
    const scaled = value * 10 ** digits;
    const below = Math.floor(scaled);
    const tie = scaled - below === 0.5;
    return tie ? ((below + (below % 2)) / 10 ** digits).toFixed(digits) : value.toFixed(digits);
  }
  const percent = (share, digits = 1) => (share === null ? DASH : `${fixed(share * 100, digits)}%`);
  const count = (value) => value.toLocaleString(language);

  function money(minor) {
    const { before, after, digits } = data.money;
    const unit = 10 ** digits;
    const rest = digits ? `.${String(minor % unit).padStart(digits, "0")}` : "";
    return `${before}${count(Math.floor(minor / unit))}${rest}${after}`;
  }

  function wilson(hits, trials) {
    if (!trials) return null;
    const share = hits / trials;
    const denominator = 1 + Z ** 2 / trials;
    const centre = (share + Z ** 2 / (2 * trials)) / denominator;
    const half = (Z / denominator) * Math.sqrt((share * (1 - share)) / trials + Z ** 2 / (4 * trials ** 2));
    return [Math.max(0, centre - half), Math.min(1, centre + half)];
  }

  function figuresAt(cut) {
    const tp = sum(data.fraud.slice(cut));
    const fp = sum(data.genuine.slice(cut));
    const fn = sum(data.fraud.slice(0, cut));
    const tn = sum(data.genuine.slice(0, cut));
    const logit = data.low + (cut * (data.high - data.low)) / data.fraud.length;
    return {
      tp, fp, fn, tn,
      threshold: cut >= data.fraud.length ? 1 : 1 / (1 + Math.exp(-logit)),
      precision: ratio(tp, tp + fp),
      recall: ratio(tp, tp + fn),
      f1: ratio(2 * tp, 2 * tp + fp + fn),
      alerts: (tp + fp) / data.days,
      caught: sum(data.fraudAmount.slice(cut)),
      missed: sum(data.fraudAmount.slice(0, cut)),
    };
  }

  function show(name, value, between) {
    const figure = studio.querySelector(`[data-figure=${name}]`);
    const place = figure.querySelector(".figure-value");
    place.textContent = value;
    const interval = figure.querySelector(".figure-interval");
    if (!interval) return;
    interval.hidden = !between;
    if (between) {
      const words = interval.textContent.trim().replace(/[\d.]+–[\d.]+%$/, "");
      interval.textContent = `${words}${fixed(between[0] * 100, 1)}–${fixed(between[1] * 100, 1)}%`;
    }
  }

  function showMatrix(found) {
    const cells = studio.querySelectorAll("#matrix td.right, #matrix td.wrong");
    const fraud = found.tp + found.fn;
    const genuine = found.fp + found.tn;
    [[found.tp, fraud], [found.fn, fraud], [found.fp, genuine], [found.tn, genuine]].forEach(([value, whole], place) => {
      const tint = value && whole ? Math.max(1, Math.min(10, Math.round((10 * value) / whole))) : 0;
      cells[place].className = cells[place].className.replace(/tint-\d+/, `tint-${tint}`);
      cells[place].querySelector(".matrix-count").textContent = count(value);
    });
    const totals = studio.querySelectorAll("#matrix tr:last-child td.number");
    totals[0].textContent = count(found.tp + found.fp);
    totals[1].textContent = count(found.fn + found.tn);
  }

  function showCurve(found) {
    const chart = JSON.parse(document.getElementById("curve-data").textContent);
    if (!chart.marks) return;
    chart.marks[0].x = found.recall ?? 0;
    window.charts?.update("curve", chart);
  }

  function recompute() {
    const found = figuresAt(Number(slider.value));
    const threshold = percent(found.threshold, 2);
    document.getElementById("threshold").textContent = threshold;
    slider.setAttribute("aria-valuetext", threshold);
    show("precision", percent(found.precision), wilson(found.tp, found.tp + found.fp));
    show("recall", percent(found.recall), wilson(found.tp, found.tp + found.fn));
    show("f1", percent(found.f1));
    show("alerts", fixed(found.alerts, 1));
    show("hours", fixed((found.alerts * data.minutesAReview) / 60, 1));
    show("caught", money(found.caught));
    show("missed", money(found.missed));
    showMatrix(found);
    showCurve(found);
    const value = document.getElementById("new-threshold");
    if (value) {
      value.value = found.threshold;
      document.getElementById("new-threshold-shown").textContent = threshold;
    }
  }

  slider.addEventListener("input", recompute);
})();
