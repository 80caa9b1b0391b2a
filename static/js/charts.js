// Draws every [data-chart]: its data lie in the json_script of that id (see components/chart.html).
// Colours come from the style sheet, so both appearances fit; lines differ by dash and symbol too.
(() => {
  const DASHES = ["solid", "dashed", "dotted", [8, 3, 2, 3]];
  const SYMBOLS = ["circle", "rect", "triangle", "diamond"];
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

  const written = (value, axis) => {
    if (value === null || value === undefined) return "–";
    if (axis.format === "percent") return `${(value * 100).toFixed(1)}%`;
    if (axis.format === "count") return Number(value).toLocaleString();
    return typeof value === "number" ? String(+value.toPrecision(4)) : value;
  };

  const axis = (given, extra) => ({
    name: given.name, nameLocation: "middle", nameGap: 32, min: given.min, max: given.max,
    type: given.scale === "log" ? "log" : "value", logBase: 10,
    nameTextStyle: { color: style("--ink-soft") },
    axisLabel: { color: style("--ink-soft"), formatter: (value) => written(value, given) },
    splitLine: { lineStyle: { color: style("--tblr-border-color") } },
    axisPointer: { label: { formatter: ({ value }) => written(value, given) } },
    ...extra,
  });

  function series(data) {
    const ink = style("--tblr-body-color");
    const marks = (data.marks ?? []).map((mark) => ({ xAxis: mark.x, name: mark.name, label: { formatter: mark.name, color: ink, position: "insideEndTop" } }));
    return data.series.flatMap((one, index) => [...band(one, index), ({
      name: one.name, color: style(`--chart-${(index % 4) + 1}`),
      type: data.kind === "bars" && !one.line ? "bar" : "line",
      data: one.points ?? one.values,
      symbol: SYMBOLS[index % 4], symbolSize: 5,
      showSymbol: (one.points ?? []).length <= 60,
      lineStyle: { type: DASHES[index % 4], width: 2 },
      areaStyle: one.area ? { opacity: 0.12 } : undefined,
      markLine: index === 0 && marks.length ? { symbol: "none", silent: true, lineStyle: { color: ink }, data: marks } : undefined,
    })]);
  }

  // An interval as a band: an unseen line at its lower end, and the height above it filled.
  function band(one, index) {
    if (!one.band) return [];
    const unseen = { type: "line", stack: `band-${index}`, silent: true, showSymbol: false, lineStyle: { opacity: 0 }, tooltip: { show: false } };
    const colour = style(`--chart-${(index % 4) + 1}`);
    return [
      { ...unseen, data: one.points.map(([x], place) => [x, one.band[place][0]]) },
      { ...unseen, data: one.points.map(([x], place) => [x, one.band[place][1] - one.band[place][0]]), areaStyle: { color: colour, opacity: 0.18 } },
    ];
  }

  const option = (data) => ({
    animation: !still,
    color: [1, 2, 3, 4].map((n) => style(`--chart-${n}`)),
    textStyle: { fontFamily: style("--tblr-font-sans-serif") },
    grid: { left: 64, right: 24, top: data.series.length > 1 ? 40 : 16, bottom: 52 },
    legend: { show: data.series.length > 1, top: 0, data: data.series.map((one) => one.name), textStyle: { color: style("--tblr-body-color") } },
    tooltip: {
      renderMode: "richText", // an HTML tooltip would need inline styles, which the policy forbids
      trigger: "axis", confine: true,
      backgroundColor: style("--tblr-bg-surface"), borderColor: style("--tblr-border-color"),
      textStyle: { color: style("--tblr-body-color") },
      valueFormatter: (value) => written(Array.isArray(value) ? value[1] : value, data.y),
    },
    xAxis: data.kind === "bars"
      ? axis(data.x, { type: "category", data: data.x.labels })
      : axis(data.x, {}),
    yAxis: axis(data.y, { nameGap: 48 }),
    series: series(data),
  });

  function draw(element) {
    const data = JSON.parse(document.getElementById(element.dataset.chart).textContent);
    const chart = echarts.getInstanceByDom(element) ?? echarts.init(element, null, { renderer: "svg" });
    chart.setOption(option(data), { notMerge: true });
    return chart;
  }

  const all = () => [...document.querySelectorAll("[data-chart]")];
  const redraw = () => all().forEach(draw);
  addEventListener("resize", () => all().forEach((element) => echarts.getInstanceByDom(element)?.resize()));
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  document.addEventListener("htmx:after:swap", redraw);
  redraw();

  // A page's own module may change a chart's data: charts.update(id, data).
  window.charts = {
    update(id, data) {
      const element = document.getElementById(id);
      document.getElementById(element.dataset.chart).textContent = JSON.stringify(data);
      draw(element);
    },
  };
})();
