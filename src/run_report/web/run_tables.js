// Overview, configuration, data, environment and log of the runs.

function statusOf(run) {
  const ends = run.events.filter((event) => event.event === "ended" || event.event === "failed");
  const last = ends[ends.length - 1];
  const start = run.starts[run.starts.length - 1];
  if (!last || (start && start.time > last.time)) {
    return { text: "no end", detail: "the run goes on, or was killed", kind: "bad" };
  }
  if (last.event === "failed") return { text: "failed", detail: last.values.code || "",
    kind: "bad" };
  const reason = last.values.reason || "";
  const texts = {
    complete: "complete",
    patience: "stopped early",
    max_minutes: "to be continued",
    signal: "stopped by a signal",
    stop_file: "stopped by file"
  };
  return {
    text: texts[reason] || reason,
    detail: reason === "patience" ? "no better validation" : "",
    kind: reason === "complete" || reason === "patience" ? "good" : ""
  };
}

function secondsOf(run) {
  if (run.last && isNumber(run.last.minutes)) return 60 * run.last.minutes;
  return (Date.parse(run.last_time) - Date.parse(run.first_time)) / 1000;
}

function middle(values) {
  const sorted = values.filter(isNumber).sort((a, b) => a - b);
  return sorted.length ? sorted[Math.floor(sorted.length / 2)] : NaN;
}

function speedOf(run) {
  const curve = run.curves.values.images_per_s;
  return curve ? middle(curve.mean) : NaN;
}

function showOverview() {
  if (!runs.length) return;
  const made = part("overview", "Overview");
  if (several) {
    made.append(compareTable());
  } else {
    const run = runs[0],
      best = bestOf(run),
      status = statusOf(run);
    const epochs = run.last ? run.last.epoch : Math.max(0, ...run.validations.map((v) => v.epoch +
      1));
    made.append(el("div", { class: "facts" },
      fact(status.text, "state of the run", status.detail, status.kind),
      best ? fact(metric(best.metrics.ap, 4), "best AP",
        `${best.weights === "ema" ? "EMA" : "raw weights"}, after epoch ${best.epoch + 1}`) :
      null,
      best ? fact(metric(best.metrics.ap50, 4), "its AP50") : null,
      best ? fact(metric(best.metrics.val_loss, 4), "its validation loss") : null,
      fact(whole(run.last_step), "steps", counted(epochs, "epoch")),
      fact(duration(secondsOf(run)), "training time", counted(Math.max(run.starts.length, 1),
        "start")),
      fact(isNumber(speedOf(run)) ? speedOf(run).toFixed(1) : "–", "images per second",
        "median"),
      fact(whole(run.warnings.count), "warnings", run.skipped_steps ?
        `${counted(run.skipped_steps, "step")} skipped` : "",
        run.warnings.count ? "bad" : "")));
  }
  for (const run of runs) {
    for (const problem of run.problems) {
      made.append(el("p", { class: "notice" }, several ? `${run.name}: ${problem}` : problem));
    }
  }
}

function compareTable() {
  const rows = [];
  const row = (name, value) => rows.push([name, ...runs.map((run, i) => value(run, i))]);
  row("state", (run) => statusOf(run).text);
  row("steps", (run) => whole(run.last_step));
  row("training time", (run) => duration(secondsOf(run)));
  row("images per second", (run) => (isNumber(speedOf(run)) ? speedOf(run).toFixed(1) : "–"));
  row("best after epoch", (run) => { const best = bestOf(run); return best ? String(best.epoch +
      1) : "–"; });
  const first = bestOf(runs[0]);
  for (const [name, label] of Object.entries(METRICS)) {
    row(name === "val_loss" ? "validation loss" : label, (run, i) => {
      const best = bestOf(run);
      if (!best) return "–";
      const value = best.metrics[name];
      if (i === 0 || !first || !isNumber(value) || !isNumber(first.metrics[name]))
      return metric(value, 4);
      const difference = value - first.metrics[name];
      const sign = difference >= 0 ? "+" : "−";
      return `${metric(value, 4)} (${sign}${Math.abs(difference).toFixed(4)})`;
    });
  }
  const box = card("Metrics of the best checkpoints",
    "in brackets: the difference from the first run",
    scroller("metrics side by side", table(["", ...runs.map((run) => run.name)], rows)));
  return box;
}

function configCard() {
  const keys = [];
  for (const run of runs)
    for (const entry of run.config)
      if (!keys.includes(entry.key)) keys.push(entry.key);
  const entries = runs.map((run) => new Map(run.config.map((entry) => [entry.key, entry])));
  const rows = keys.map((key) => {
    const values = entries.map((of) => (of.has(key) ? of.get(key).value : "–"));
    const any = entries.map((of) => of.get(key)).find(Boolean);
    const differs = several ? new Set(values).size > 1 : any.changed;
    return {
      differs,
      row: el("tr", { class: differs ? "changed" : "", title: any.about },
        el("td", {}, el("code", {}, key)), values.map((value) => el("td", {}, el("code", {},
          value))),
        el("td", { class: "soft" }, el("code", {}, any.default || "–")))
    };
  });
  const body = el("tbody", {}, rows.map((one) => one.row));
  const only = el("input", { type: "checkbox", checked: true });
  const search = el("input", { type: "search", placeholder: "key", "aria-label": "filter by key" });
  const apply = () => rows.forEach((one, i) => {
    one.row.hidden = (only.checked && !one.differs) || !keys[i].includes(search.value.trim());
  });
  only.addEventListener("change", apply);
  search.addEventListener("input", apply);
  apply();
  return card("Configuration", "",
    el("div", { class: "controls" }, el("label", {}, only, several ? " only differences" :
      " only what differs from the default"), search),
    scroller("configuration", el("table", { class: "text" }, el("thead", {}, el("tr", {},
      ["key", ...(several ? runs.map((run) => run.name) : ["value"]), "default"].map((name) => el(
        "th", { scope: "col" }, name)))), body)));
}

function configValue(run, key) {
  const entry = run.config.find((one) => one.key === key);
  return entry ? entry.value : undefined;
}

function frozenCard() {
  const about = {
    "model.freeze": "frozen by name",
    "model.freeze_backbone": "whole backbone frozen",
    "model.freeze_norm": "batch norms of the backbone frozen",
    "model.freeze_stem": "stem frozen",
    "model.freeze_at": "frozen up to stage"
  };
  const rows = [];
  for (const run of runs) {
    for (const entry of run.config.filter((one) => one.key.startsWith("model.freeze"))) {
      rows.push([...(several ? [run.name] : []), about[entry.key] || entry.key, el("code", {}, entry
        .value)]);
    }
  }
  if (!rows.length) return null;
  return card("What was frozen", "as configured; auto follows the model size",
    table([...(several ? ["run"] : []), "", "value"], rows, "text"));
}

function packCard(run, set) {
  const pack = run.packs[set];
  if (!pack) return null;
  const title = (several ? run.name + ": " : "") + (set === "train" ? "Training data" :
    "Validation data");
  if (pack.problem) {
    return card(title, pack.path, el("p", { class: "notice" },
      `The pack cannot be read now: ${pack.problem}`));
  }
  const most = Math.max(1, ...pack.classes.map(([, boxes]) => boxes));
  const rows = pack.classes.map(([name, boxes]) => [name, whole(boxes), meter(boxes, most)]);
  return card(title, pack.path,
    el("p", {},
      `${counted(pack.images, "image")}, ${counted(pack.boxes, "box", "boxes")} to train on, ` +
      `${counted(pack.classes.length, "class", "classes")}, ` +
      `${whole(pack.images_without_boxes)} without boxes. ` +
      `Checksum ${pack.checksum}.`),
    scroller(title, table(["class", "boxes", ""], rows)));
}

function environmentCard() {
  const rows = [];
  for (const run of runs) {
    const add = (name, value) => { if (value) rows.push([...(several ? [run.name] : []), name, el(
        "span", { class: "mono" }, value)]); };
    const last = run.last || {},
      by = last.written_by || {};
    add("folder", run.folder);
    add("run", last.run_id || (run.starts[0] || {}).run);
    add("program", by.program && "dfine " + by.program);
    add("global batch", last.global_batch && whole(last.global_batch));
    add("device", configValue(run, "run.device"));
    add("precision", configValue(run, "run.precision"));
    run.starts.forEach((start, i) => add(`start ${i + 1}`,
      `${start.time}: step ${start.step}, ${counted(start.ranks, "rank")} on ` +
      start.hosts.join(", ") +
      (start.resumed_from ? `, from ${start.resumed_from}` : "") +
      (start.steps_lost ? `, ${counted(start.steps_lost, "step")} done again` : "")));
    add("last line", run.last_time);
  }
  return card("Environment", "", table([...(several ? ["run"] : []), "", ""], rows, "text"));
}

function showSettings() {
  if (!runs.length) return;
  const made = part("configuration", "Configuration and data");
  if (runs.some((run) => run.config.length)) made.append(configCard());
  const grid = el("div", { class: "grid two" });
  made.append(grid);
  for (const run of runs)
    for (const set of["train", "val"]) { const box = packCard(run, set); if (box) grid.append(
      box); }
  for (const box of [frozenCard(), environmentCard()])
    if (box) grid.append(box);
}

function showLog() {
  if (!runs.some((run) => run.log.length || run.warnings.count)) return;
  const made = part("log", "Warnings and log");
  for (const run of runs) {
    const name = several ? run.name + ": " : "";
    const left = run.warnings.count - run.warnings.first.length;
    made.append(card(name + "Warnings and errors", left > 0 ?
      `the first ${run.warnings.first.length} of ${whole(run.warnings.count)}` : "",
      run.warnings.count ? scroller(name + "warnings", el("pre", {}, run.warnings.first.join(
        "\n"))) :
      el("p", { class: "soft" }, "The log has none.")));
    if (run.log.length) {
      made.append(el("details", { class: "card" }, el("summary", {}, name +
          "the last lines of log.txt"),
        scroller(name + "log", el("pre", {}, run.log.join("\n")))));
    }
  }
}
