// Numbers as the server writes them, and the matrix that both threshold pages show.
window.figures = (() => {
  const language = document.documentElement.lang;
  const Z = 1.959963984540054;
  const MISSING = "–";

  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const ratio = (part, whole) => (whole ? part / whole : null);

  // Half to even, as the server rounds.
  function fixed(value, digits) {
    const scaled = value * 10 ** digits;
    const below = Math.floor(scaled);
    const tie = scaled - below === 0.5;
    return tie ? ((below + (below % 2)) / 10 ** digits).toFixed(digits) : value.toFixed(digits);
  }
  const count = (value) => value.toLocaleString(language);
  const percent = (share, digits = 1) => (share === null ? MISSING : `${fixed(share * 100, digits)}%`);
  const between = (ends) => (ends ? `${fixed(ends[0] * 100, 1)}–${fixed(ends[1] * 100, 1)}%` : "");

  function decimal(value, digits = 1) {
    if (value === null) return MISSING;
    const [whole, rest] = fixed(value, digits).split(".");
    return rest ? `${Number(whole).toLocaleString("en")}.${rest}` : Number(whole).toLocaleString("en");
  }

  function money(minor, { before, after, digits }) {
    const unit = 10 ** digits, size = Math.abs(minor);
    const rest = digits ? `.${String(size % unit).padStart(digits, "0")}` : "";
    return `${minor < 0 ? "−" : ""}${before}${count(Math.floor(size / unit))}${rest}${after}`;
  }

  // The 95 % score interval of a proportion (Wilson 1927).
  function wilson(hits, trials) {
    if (!trials) return null;
    const share = hits / trials, denominator = 1 + Z ** 2 / trials;
    const centre = (share + Z ** 2 / (2 * trials)) / denominator;
    const half = (Z / denominator) * Math.sqrt((share * (1 - share)) / trials + Z ** 2 / (4 * trials ** 2));
    return [Math.max(0, centre - half), Math.min(1, centre + half)];
  }

  // Counts [genuine, fraud] by bin, seen with scores from ``cut`` on alerting.
  function matrixAt([genuine, fraud], cut) {
    const tp = sum(fraud.slice(cut)), fp = sum(genuine.slice(cut));
    return { tp, fp, fn: sum(fraud) - tp, tn: sum(genuine) - fp };
  }

  // Every cell again: count, shade, shares with intervals; ``amounts`` as text and ``links`` by cell.
  function showMatrix(root, { tp, fp, fn, tn }, { amounts = {}, links = {} } = {}) {
    const rows = { tp: tp + fn, fn: tp + fn, fp: fp + tn, tn: fp + tn };
    const columns = { tp: tp + fp, fp: tp + fp, fn: fn + tn, tn: fn + tn };
    for (const [name, value] of Object.entries({ tp, fp, fn, tn })) {
      const cell = root.querySelector(`[data-cell=${name}]`);
      const shade = value && rows[name] ? Math.max(1, Math.min(10, Math.round((10 * value) / rows[name]))) : 0;
      cell.className = cell.className.replace(/tint-\d+/, `tint-${shade}`);
      const link = cell.querySelector(".matrix-count a");
      (link ?? cell.querySelector(".matrix-count")).textContent = count(value);
      if (link && links[name]) link.href = links[name];
      const amount = cell.querySelector(".matrix-amount");
      if (amount && amounts[name]) amount.textContent = amounts[name];
      for (const [side, whole] of [["row", rows[name]], ["column", columns[name]]]) {
        cell.querySelector(`[data-share=${side}]`).textContent = percent(ratio(value, whole));
        cell.querySelector(`[data-interval=${side}]`).textContent = between(wilson(value, whole));
      }
    }
    const totals = root.querySelectorAll("tr:last-child td.number");
    [tp + fp, fn + tn].forEach((value, place) => { totals[place].textContent = count(value); });
  }

  return { sum, ratio, fixed, count, percent, between, decimal, money, wilson, matrixAt, showMatrix };
})();
