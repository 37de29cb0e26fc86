// What the steps and validations of the runs say, as charts.

const runs = data.runs;
const several = runs.length > 1;
const TERMS = {
  vfl: "classification (vfl)",
  bbox: "box L1 (bbox)",
  giou: "box overlap (giou)",
  fgl: "distribution (fgl)",
  ddf: "distillation (ddf)",
  mal: "classification (mal)"
};
const METRICS = {
  ap: "AP",
  ap50: "AP50",
  ap75: "AP75",
  ap_small: "AP small",
  ap_medium: "AP medium",
  ap_large: "AP large",
  ar1: "AR 1",
  ar10: "AR 10",
  ar100: "AR 100",
  ar_small: "AR small",
  ar_medium: "AR medium",
  ar_large: "AR large",
  val_loss: "loss"
};

function pointsOf(run, name) {
  const curve = run.curves.values[name];
  if (!curve) return [];
  return run.curves.steps.map((step, i) => ({
    x: step,
    y: curve.mean[i],
    low: curve.min ? curve.min[i] : undefined,
    high: curve.max ? curve.max[i] : undefined
  }));
}

function sumOf(run, names) {
  return run.curves.steps.map((step, i) => {
    const values = names.map((name) => run.curves.values[name].mean[i]);
    return { x: step, y: values.some((v) => v === null) ? null : values.reduce((a, b) => a + b,
        0) };
  });
}

const lossTerms = (run) => Object.keys(run.curves.values).filter((name) => name.startsWith(
"loss_"));
const kindOf = (term) => term.split("_")[1];

// Where a run started again, changed stage or was best.
function marksOf(run, byEpoch) {
  const at = (record) => (byEpoch ? record.epoch + (byEpoch.after ? 1 : 0) : record.step);
  const marks = [];
  run.starts.forEach((start, i) => {
    if (i > 0) marks.push({ x: at(start), colour: "--c1", dash: [2, 3], text: "restart" });
  });
  for (const event of run.events) {
    if (event.event === "stage2") marks.push({ x: at(event), colour: "--c4", dash: [6, 4],
      text: "stage 2" });
    if (event.event === "failed") marks.push({ x: at(event), colour: "--c3", dash: [2, 2],
      text: "failed" });
  }
  const best = bestOf(run);
  if (best) marks.push({ x: at(best), colour: "--c2", dash: [6, 4], text: "best" });
  return marks;
}

// The validation of the checkpoint that `best` means.
function bestOf(run) {
  let step = null;
  for (const event of run.events) {
    const links = (event.values.links || "").split(/, | and /);
    if (event.event === "saved" && links.includes("best")) step = event.step;
  }
  if (step === null && run.best) step = run.best.metrics ? run.best.metrics.step : run.best.step;
  const chosen = run.validations.filter((v) => v.selected);
  return chosen.find((v) => v.step === step) || null;
}

// One line for each run, or for each of `names` of the one run.
function stepLines(names, labels) {
  if (!several) {
    return names.map((name, i) => ({ label: labels[i], points: pointsOf(runs[0], name),
        colour: i }))
      .filter((line) => line.points.length);
  }
  return runs.map((run, i) => ({ label: run.name, points: pointsOf(run, names[0]), colour: i }))
    .filter((line) => line.points.length);
}

function stepChart(grid, title, hint, names, labels, options = {}) {
  const present = runs.some((run) => names.some((name) => run.curves.values[name]));
  if (!present) return null;
  const bad = runs.flatMap((run) => names.map((name) =>
    run.curves.values[name] ? run.curves.values[name].not_finite || 0 : 0)).reduce((a, b) => a +
    b, 0);
  const box = card(title, [hint, bad ? `${counted(bad, "value")} not finite: gaps.` : ""].filter(
    Boolean).join(" "));
  grid.append(box);
  const chart = lineChart(box, {
    x: "step",
    label: title + " over the steps",
    wholeX: true,
    xMin: 0,
    ...options,
    legend: several || names.length > 1,
    lines: () => stepLines(names, labels),
    marks: several ? undefined : () => marksOf(runs[0])
  });
  if (options.logButton !== false) logButton(box, chart);
  return box;
}

// Loss terms: the sums by kind, or all terms of one kind.
function termChart(grid) {
  const terms = lossTerms(runs[0]);
  if (!terms.length) return;
  const kinds = [...new Set(terms.map(kindOf))];
  const choice = el("select", { "aria-label": "loss terms" },
    several ? null : el("option", { value: "" }, "by kind, summed over layers"),
    kinds.map((kind) => el("option", { value: kind }, TERMS[kind] || kind)));
  const box = card("Loss by term", several ? "sum over decoder layers, denoising included" :
    "weighted terms; the sums are over decoder layers, denoising included");
  box.head.append(choice);
  grid.append(box);
  const ofKind = (run, kind) => lossTerms(run).filter((term) => kindOf(term) === kind);
  const lines = () => {
    const kind = choice.value;
    if (several) {
      return runs.map((run, i) => ({ label: run.name, colour: i, points: sumOf(run, ofKind(run,
          kind)) }));
    }
    if (!kind) {
      return kinds.map((one, i) => ({
        label: TERMS[one] || one,
        colour: i,
        points: sumOf(runs[0], ofKind(runs[0], one))
      }));
    }
    return ofKind(runs[0], kind).map((term, i) => ({
      label: term.slice(5),
      colour: i,
      dash: term.includes("_dn_") ? [4, 3] : [],
      points: pointsOf(runs[0], term)
        .map((point) => ({ x: point.x, y: point.y }))
    }));
  };
  const chart = lineChart(box, {
    x: "step",
    label: "loss by term over the steps",
    wholeX: true,
    xMin: 0,
    lines,
    marks: several ? undefined : () => marksOf(runs[0])
  });
  choice.addEventListener("change", () => chart.redraw());
  logButton(box, chart);
}

function validationLines(names) {
  const points = (run, name, selected) => run.validations.filter((v) => v.selected === selected)
    .map((v) => ({ x: v.epoch + 1, y: v.metrics[name] >= 0 || name.startsWith("val") ? v.metrics[
        name] : null }))
    .filter((point) => isNumber(point.y));
  if (several) {
    return runs.map((run, i) => ({ label: run.name, colour: i, points: points(run, names[0],
        true) }));
  }
  return names.map((name, i) => ({
    label: METRICS[name] || name,
    colour: i,
    points: points(runs[0], name, true)
  })).filter((line) => line.points.length);
}

function weightsLines(name) {
  const run = runs[0];
  return ["ema", "raw"].map((weights, i) => ({
    label: weights === "ema" ? "EMA" : "raw weights",
    colour: i,
    points: run.validations.filter((v) => v.weights === weights && isNumber(v.metrics[
        name]) && v.metrics[name] >= 0)
      .map((v) => ({ x: v.epoch + 1, y: v.metrics[name] }))
  })).filter((line) => line.points.length);
}

function validationChart(grid, title, hint, lines, options = {}) {
  if (!lines().some((line) => line.points.length)) return;
  const box = card(title, hint);
  grid.append(box);
  lineChart(box, {
    x: "epochs done",
    label: title + " over the epochs",
    wholeX: true,
    lines,
    legend: several || lines().length > 1,
    marks: several ? undefined : () => marksOf(runs[0], { after: true }),
    ...options
  });
}

function showTraining() {
  if (!runs.some((run) => run.curves.steps.length)) return;
  const wide = Math.max(...runs.map((run) => run.curves.steps_per_point));
  const made = part("training", "Training", wide > 1 ?
    `Each point is the mean of ${whole(wide)} steps or fewer; the band goes from the least ` +
    "to the greatest value." :
    "Each point is a step.");
  const grid = el("div", { class: "grid two" });
  made.append(grid);
  stepChart(grid, "Loss", "total of the training loss", ["loss"], ["loss"]);
  termChart(grid);
  const more = el("div", { class: "grid" });
  made.append(more);
  stepChart(more, "Learning rate", "of the first optimizer group", ["lr"], ["learning rate"]);
  stepChart(more, "Gradient norm", "before clipping", ["grad_norm"], ["gradient norm"]);
  stepChart(more, "Images per second", "over all ranks", ["images_per_s"], ["images/s"], { yMin: 0,
    logButton: false });
  stepChart(more, "Data wait", "seconds per step; the longest of all ranks", ["data_wait_s"], [
    "data wait"], { yMin: 0 });
  const known = new Set(["loss", "lr", "grad_norm", "images_per_s", "data_wait_s"]);
  const names = [...new Set(runs.flatMap((run) => Object.keys(run.curves.values)))];
  for (const name of names.filter((one) => !known.has(one) && !one.startsWith("loss_"))) {
    const memory = /mem/i.test(name);
    stepChart(more, memory ? "Memory" : name, memory ? name : "", [name], [name], { yMin: memory ?
        0 : undefined });
  }
}

function showValidation() {
  if (!runs.some((run) => run.validations.length)) return;
  const made = part("validation", "Validation",
    "COCO metrics of the weights that were selected after each epoch, EMA or raw.");
  const grid = el("div", { class: "grid two" });
  made.append(grid);
  validationChart(grid, "Average precision", several ? "AP at IoU 0.50:0.95" :
    "AP is the mean over IoU 0.50:0.95",
    () => validationLines(["ap", "ap50", "ap75"]), { yMin: 0 });
  validationChart(grid, "Validation loss", "", () => validationLines(["val_loss"]));
  const more = el("div", { class: "grid" });
  made.append(more);
  validationChart(more, several ? "AP of small objects" : "AP by size of the objects",
    "small: area below 32², medium: below 96²",
    () => validationLines(["ap_small", "ap_medium", "ap_large"]), { yMin: 0 });
  validationChart(more, several ? "Recall with 100 detections" : "Average recall",
    "with at most 1, 10, 100 detections per image and class",
    () => validationLines(several ? ["ar100"] : ["ar1", "ar10", "ar100"]), { yMin: 0 });
  if (!several && weightsLines("ap").length > 1) {
    validationChart(more, "EMA and raw weights", "AP of both, where both were validated", () =>
      weightsLines("ap"), { yMin: 0 });
  }
  const terms = [...new Set(runs[0].validations.flatMap((v) => Object.keys(v.metrics)))]
    .filter((name) => name.startsWith("loss_") || name.startsWith("val_loss_"));
  if (terms.length) {
    validationChart(more, "Validation loss by term", "", () => validationLines(terms));
  }
  made.append(validationTable());
}

function validationTable() {
  const names = Object.keys(METRICS);
  const rows = [];
  for (const run of runs) {
    const best = bestOf(run);
    for (const v of run.validations.filter((one) => one.selected)) {
      rows.push({
        kind: v === best ? "best" : "",
        cells: [
        ...(several ? [run.name] : []), `${v.epoch + 1}`, whole(v.step), v.weights,
        ...names.map((name) => metric(v.metrics[name], name === "val_loss" ? 4 : 4))]
      });
    }
  }
  return el("details", { class: "card" }, el("summary", {}, "All validations as a table"),
    scroller("all validations", table([...(several ? ["run"] : []), "epochs", "step", "weights",
      ...names.map((name) => METRICS[name])], rows)));
}
