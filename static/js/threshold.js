// The threshold studio: every figure again from the window's histograms, as the server would.
// Without this the same form asks the server for the same page.
(() => {
  const { between, count, decimal, matrixAt, money, percent, ratio, showMatrix, sum, wilson } = window.figures;
  const data = JSON.parse(document.getElementById("slider-data").textContent);
  const studio = document.getElementById("studio");
  const form = document.getElementById("studio-form");
  const slider = document.getElementById("cut");
  const prevalence = document.getElementById("prevalence");
  const bins = data.fraud.length;
  const frauds = sum(data.fraud), total = frauds + sum(data.genuine);
  const MOST_POINTS = 120;
  let aim = "person";

  const short = (value) => Number(value.toFixed(4));
  const whole = (value) => Number(window.figures.fixed(value, 0));
  const number = (input) => (input.value.trim() === "" || !input.validity.valid ? null : Number(input.value));

  // How many real payments a fraud and a genuine payment of the window each stand for.
  function weights() {
    const share = number(prevalence);
    if (share === null || !frauds || frauds === total) return { fraud: 1, genuine: 1, asIf: false };
    const asked = Math.min(share / 100, 0.999), measured = frauds / total;
    return { fraud: asked / measured, genuine: (1 - asked) / (1 - measured), asIf: true };
  }
  const asIf = (precision, { fraud, genuine }) =>
    precision === null ? null : (precision * fraud) / (precision * fraud + (1 - precision) * genuine);
  const both = (ends, map) => (ends ? ends.map(map) : null);

  // From the highest bin down, values[cut] is what lies at or above it; values[bins] is nothing.
  function fromAbove(ofBin) {
    const values = new Array(bins + 1).fill(0);
    for (let cut = bins - 1; cut >= 0; cut--) values[cut] = values[cut + 1] + ofBin(cut);
    return values;
  }
  function curves(w) {
    const hits = fromAbove((bin) => data.fraud[bin] * w.fraud);
    const alerts = fromAbove((bin) => data.genuine[bin] * w.genuine + data.fraud[bin] * w.fraud);
    const worth = fromAbove((bin) => data.recoverable * data.fraudAmount[bin] * w.fraud
      - data.reviewCost * (data.genuine[bin] * w.genuine + data.fraud[bin] * w.fraud));
    return { hits, alerts, worth };
  }

  // The cut that does what is aimed at; ``bins`` where none does.
  function cutFor(name, { hits, alerts, worth }) {
    const first = (reached) => { for (let cut = 0; cut < bins; cut++) if (reached(cut)) return cut; return bins; };
    const last = (reached) => { for (let cut = bins - 1; cut >= 0; cut--) if (reached(cut)) return cut; return bins; };
    const target = number(document.getElementById(`aim-${name}`) ?? { value: "" });
    if (name === "precision") return first((cut) => alerts[cut] > 0 && hits[cut] >= (target / 100) * alerts[cut]);
    if (name === "recall") return last((cut) => hits[cut] > 0 && hits[cut] >= (target / 100) * hits[0]);
    if (name === "reviews") return first((cut) => alerts[cut] <= target * data.days);
    const best = name === "value" ? worth : alerts.map((n, cut) => (2 * hits[cut]) / (n + hits[0]));
    if (name === "f1" && !hits[0]) return bins;
    let found = name === "value" ? bins : bins - 1;
    for (let cut = found - 1; cut >= 0; cut--) if (best[cut] > best[found]) found = cut;
    return found;
  }

  function show(name, value, ends) {
    const figure = studio.querySelector(`[data-figure=${name}]`);
    figure.querySelector(".figure-value").textContent = value;
    const place = figure.querySelector(".figure-interval");
    if (!place) return;
    place.hidden = !ends;
    place.querySelector("span").textContent = between(ends);
  }

  function f1Ends({ tp, fp, fn }, precision, recall, w) {
    const f1 = (p, r) => (p + r ? (2 * p * r) / (p + r) : 0);
    if (w.asIf && precision && recall) return [f1(precision[0], recall[0]), f1(precision[1], recall[1])];
    return both(wilson(tp, tp + fp + fn), (end) => (2 * end) / (1 + end));
  }

  function showFigures(cut, found, w, { alerts, worth }) {
    const { tp, fp, fn } = found;
    const precision = both(wilson(tp, tp + fp), (end) => asIf(end, w)), recall = wilson(tp, tp + fn);
    const f1 = ratio(2 * w.fraud * tp, 2 * w.fraud * tp + w.genuine * fp + w.fraud * fn);
    const perDay = (w.fraud * tp + w.genuine * fp) / data.days;
    show("precision", percent(asIf(ratio(tp, tp + fp), w)), precision);
    show("recall", percent(ratio(tp, tp + fn)), recall);
    show("f1", percent(f1), f1Ends(found, precision, recall, w));
    show("ratio", decimal(tp ? (w.genuine * fp) / (w.fraud * tp) : null));
    show("alerts", decimal(perDay));
    show("hours", decimal((perDay * data.minutesAReview) / 60));
    show("caught", money(whole(w.fraud * sum(data.fraudAmount.slice(cut))), data.money));
    show("missed", money(whole(w.fraud * sum(data.fraudAmount.slice(0, cut))), data.money));
    show("value", money(whole(worth[cut] / data.days), data.money));
  }

  function showCells(cut, found) {
    const at = (values) => [sum(values.slice(cut)), sum(values.slice(0, cut))];
    const amounts = {};
    if (data.genuineAmount) {
      const [[tp, fn], [fp, tn]] = [at(data.fraudAmount), at(data.genuineAmount)];
      for (const [name, amount] of Object.entries({ tp, fn, fp, tn })) amounts[name] = money(amount, data.money);
    }
    showMatrix(document.getElementById("matrix"), found, { amounts, links: linksAt(cut, "#matrix .matrix-count a") });
  }

  // The same addresses with the cut that is looked at.
  function linksAt(cut, links) {
    return Object.fromEntries([...document.querySelectorAll(links)].map((link) => {
      const address = new URL(link.href);
      address.searchParams.set("cut", cut);
      return [address.searchParams.get("cell"), address.pathname + address.search];
    }));
  }

  function showWeeks(cut) {
    data.weeks.forEach((counts, place) => {
      const { tp, fp } = matrixAt(counts, cut);
      const row = document.querySelector(`[data-week="${place}"]`);
      row.querySelector("[data-of=alerts]").textContent = count(tp + fp);
      row.querySelector("[data-of=caught]").textContent = count(tp);
      row.querySelector("[data-of=precision]").textContent = percent(ratio(tp, tp + fp));
    });
  }

  function showSplits(cut) {
    data.splits.forEach((counts, place) => {
      const found = matrixAt(counts, cut), { tp, fp, fn } = found;
      const row = document.querySelector(`[data-split="${place}"]`);
      const links = linksAt(cut, `[data-split="${place}"] a`);
      for (const [name, value] of Object.entries(found)) {
        const cell = row.querySelector(`[data-of=${name}]`), link = cell.querySelector("a");
        (link ?? cell).textContent = count(value);
        if (link) link.href = links[name];
      }
      for (const [name, whole] of [["precision", tp + fp], ["recall", tp + fn]]) {
        const cell = row.querySelector(`[data-of=${name}]`);
        cell.querySelector("span").textContent = percent(ratio(tp, whole));
        cell.querySelector("small").textContent = between(wilson(tp, whole));
      }
    });
  }

  // Bins that hold a score, from the highest down, thinned as the server thins them.
  const occupied = [...data.fraud.keys()].filter((bin) => data.fraud[bin] + data.genuine[bin]).reverse();
  const step = Math.max(1, Math.ceil(occupied.length / MOST_POINTS));
  const drawn = occupied.filter((_bin, place) => place % step === 0 || place === occupied.length - 1);

  function showCharts(found, w, { alerts, worth }) {
    const unit = 10 ** data.money.digits;
    const curve = JSON.parse(document.getElementById("curve-data").textContent);
    if (curve.series[0].points.length) {
      const at = drawn.map((cut) => matrixAt([data.genuine, data.fraud], cut));
      curve.series[0].points = at.map(({ tp, fp }) => [short(tp / frauds), short(asIf(tp / (tp + fp), w))]);
      curve.series[0].band = at.map(({ tp, fp }) => wilson(tp, tp + fp).map((end) => short(asIf(end, w))));
      curve.marks[0].x = ratio(found.tp, frauds) ?? 0;
      window.charts?.update("curve", curve);
    }
    const value = JSON.parse(document.getElementById("value-data").textContent);
    value.series[0].points = drawn.map((cut) => [short(alerts[cut] / data.days), short(worth[cut] / data.days / unit)]);
    value.marks[0].x = short((w.fraud * found.tp + w.genuine * found.fp) / data.days);
    window.charts?.update("value", value);
  }

  function recompute() {
    const cut = Number(slider.value), w = weights(), lines = curves(w);
    const found = matrixAt([data.genuine, data.fraud], cut);
    const logit = data.low + (cut * (data.high - data.low)) / bins;
    const threshold = cut >= bins ? 1 : 1 / (1 + Math.exp(-logit)), said = percent(threshold, 2);
    document.getElementById("threshold").textContent = said;
    slider.setAttribute("aria-valuetext", said);
    showFigures(cut, found, w, lines);
    showCells(cut, found);
    showWeeks(cut);
    showSplits(cut);
    showCharts(found, w, lines);
    document.getElementById("as-if").hidden = !w.asIf;
    const value = document.getElementById("new-threshold");
    if (value) {
      value.value = threshold;
      document.getElementById("new-aim").value = aim;
      document.getElementById("new-threshold-shown").textContent = said;
    }
    remember(cut);
  }

  // The address says what is looked at, so that it can be sent to a colleague.
  function remember(cut) {
    const address = new URL(location.href);
    address.searchParams.delete("aim");
    address.searchParams.set("version", form.elements.version.value);
    address.searchParams.set("cut", cut);
    if (number(prevalence) === null) address.searchParams.delete("prevalence");
    else address.searchParams.set("prevalence", prevalence.value);
    history.replaceState(null, "", address);
  }

  function choose(cut, name) {
    aim = name;
    slider.value = cut;
    document.getElementById("aim-missed").hidden = cut < bins;
    recompute();
  }

  slider.addEventListener("input", () => {
    aim = "person";
    document.getElementById("aim-missed").hidden = true;
    recompute();
  });
  prevalence.addEventListener("input", recompute);
  form.addEventListener("submit", (event) => {
    const name = event.submitter?.value;
    if (event.submitter?.name !== "aim" && number(prevalence) === null && prevalence.value) return;
    event.preventDefault();
    if (event.submitter?.name === "aim") choose(cutFor(name, curves(weights())), name);
    else recompute();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.id?.startsWith("aim-") || event.target.tagName !== "INPUT") return;
    event.preventDefault();
    form.querySelector(`button[value=${event.target.name}]`).click();
  });
  document.getElementById("aim-in-force").addEventListener("click", (event) => {
    event.preventDefault();
    choose(data.inForce, "person");
  });
})();
