// Metrics and charts of the detections.

function metricFacts() {
  const m = data.detections.metrics,
    best = details.overall.best,
    ece = details.overall.calibration.ece;
  return el("div", { class: "facts" },
    fact(metric(m.ap, 4), "AP", "IoU 0.50:0.95"), fact(metric(m.ap50, 4), "AP50"), fact(metric(m
      .ap75, 4), "AP75"),
    fact(metric(m.ap_small, 4), "AP small"), fact(metric(m.ap_medium, 4), "AP medium"), fact(
      metric(m.ap_large, 4), "AP large"),
    fact(metric(m.ar100, 4), "AR 100"),
    best ? fact(metric(best.f1), "best F1", `at ${short(best.threshold)}` + (isNumber(best.low) ?
      `, 95 %: ${short(best.low)} to ${short(best.high)}` : "")) : null,
    isNumber(ece) ? fact(metric(ece), "calibration error", "ECE, 15 bins") : null,
    fact(whole(detections.images), "images", counted(data.detections.detections_given,
      "detection")));
}

const classChoice = () =>
  selectOf("class of the curves", [[-1, "all classes"], ...classNames.entries()]);

function thresholdMark(k) {
  return [{ x: k < 0 ? state.all : state.thresholds[k], colour: "--text", width: 1.2 }];
}

function curveCharts(made) {
  const choice = classChoice();
  made.append(el("div", { class: "controls" }, el("label", {}, "Curves of ", choice)));
  const grid = el("div", { class: "grid four" });
  made.append(grid);
  const of = () => Number(choice.value);
  let curve = curveOf(detections, counts, -1);
  const here = () => {
    const k = of();
    const c = k < 0 ? counts.total : { tp: counts.tp[k], fp: counts.fp[k], fn: counts.fn(k) };
    return { label: "threshold", bare: false, colour: "--text", points: [{ x: recallOf(c),
        y: precisionOf(c) }] };
  };
  const line = (label, x, y, colour) => ({ label, bare: true, colour, points: curve.map((c) =>
  ({ x: x(c), y: y(c) })).filter((p) => isNumber(p.x) && isNumber(p.y)) });
  const pr = card("Precision over recall", "IoU 0.5; the point is the threshold");
  const f1 = card("Over the threshold", "precision, recall and F1 at IoU 0.5");
  const scores = card("Scores", "true and false detections by score");
  const calibration = card("Calibration",
    "precision of detections over their mean score; on the diagonal, scores are probabilities");
  grid.append(pr, f1, scores, calibration);
  const prChart = lineChart(pr, {
    x: "recall",
    y: "precision",
    label: "precision over recall",
    xMin: 0,
    xMax: 1,
    yMin: 0,
    yMax: 1,
    legend: false,
    lines: () => [line("precision", recallOf, precisionOf, 0), here()]
  });
  const threshold = (c) => c.threshold;
  const f1Chart = lineChart(f1, {
    x: "threshold",
    label: "precision, recall and F1 over the threshold",
    xMin: 0,
    xMax: 1,
    yMin: 0,
    yMax: 1,
    lines: () => [line("F1", threshold, f1Of, 2), line("precision", threshold, precisionOf, 0),
      line("recall", threshold, recallOf, 1)],
    marks: () => thresholdMark(of())
  });
  const histogram = lineChart(scores, {
    x: "score",
    label: "detections by score",
    xMin: 0,
    xMax: 1,
    yMin: 0,
    lines: () => scoreHistogram(of()),
    marks: () => thresholdMark(of())
  });
  logButton(scores, histogram);
  const calibrationChart = lineChart(calibration, {
    x: "mean score",
    label: "calibration",
    xMin: 0,
    xMax: 1,
    yMin: 0,
    yMax: 1,
    lines: () => calibrationLines(of() < 0 ? details.overall : details.classes[of()])
  });
  choice.addEventListener("change", () => {
    curve = curveOf(detections, counts, of());
    for (const chart of [prChart, f1Chart, histogram, calibrationChart]) chart.redraw();
  });
  onMove(() => {
    const point = here().points[0],
      sets = prChart.data.datasets;
    sets[sets.length - 1].data = [point];
    sets[sets.length - 1].pointRadius = 5;
    prChart.update("none");
    f1Chart.draw();
    histogram.draw();
  });
}

function scoreHistogram(of) {
  const BINS = 50,
    right = new Int32Array(BINS),
    wrong = new Int32Array(BINS);
  for (let i = 0; i < detections.count; i++) {
    if ((of >= 0 && detections.class[i] !== of) || detections.outcome[i] > FALSE) continue;
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor(detections.score[i] * BINS)));
    (detections.outcome[i] === TRUE ? right : wrong)[bin]++;
  }
  const points = (bins) => [...bins].map((count, k) => ({ x: k / BINS, y: count })).concat([{ x: 1,
    y: bins[BINS - 1] }]);
  return [{ label: "true", points: points(right), colour: "--tp", step: "before", bare: true },
      { label: "false", points: points(wrong), colour: "--fp", step: "before", bare: true }]
    .map((one) => ({ ...one, step: "before" }));
}

function calibrationLines(of) {
  const bins = of.calibration.bins.filter((bin) => bin.detections > 0);
  return [{ label: "detections", points: bins.map((bin) => ({ x: bin.mean_score, y: bin
          .precision })), colour: 0 },
    { label: "ideal", points: [{ x: 0, y: 0 }, { x: 1, y: 1 }], colour: "--soft", dash: [4, 4],
      bare: true }];
}

// What each kind of error costs in AP, and how many there are at the threshold.
function errorCard() {
  const names = [...KINDS, "missed"];
  const about = {
    classification: "right place, wrong class",
    localisation: "right class, IoU 0.1 to 0.5",
    both: "wrong class and poor place",
    duplicate: "a second detection of the object",
    background: "nothing there",
    missed: "no detection of the object"
  };
  const most = Math.max(0.001, ...names.map((name) => details.errors[name].ap));
  const cells = new Map();
  const rows = names.map((name) => {
    const cell = el("span", {});
    cells.set(name, cell);
    return [el("span", { title: about[name] }, name), (100 * details.errors[name].ap).toFixed(
      2),
      meter(details.errors[name].ap, most), cell];
  });
  onMove(() => {
    KINDS.forEach((name, k) => { cells.get(name).textContent = whole(counts.kinds[k]); });
    cells.get("missed").textContent = whole(counts.total.fn);
  });
  return card("Kinds of error",
    "how many points of AP50 correcting each kind would add, as TIDE computes it; on the right, " +
    "false detections and missed boxes at the threshold",
    table(["kind", "AP", "", "at threshold"], rows));
}
