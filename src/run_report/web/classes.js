// The table of classes, which sorts, with a threshold for each.

function showClasses() {
  const FIRST = 100;
  const metrics = new Map(data.detections.metrics.classes.map((of) => [of.category_id, of]));
  const rows = details.classes.map((of, k) => {
    const m = metrics.get(of.category_id) || {};
    const slider = el("input", { type: "range", min: 0, max: 1,
    step: 0.005, "aria-label": `threshold of ${of.name}` });
    slider.addEventListener("input", () => setOne(k, Number(slider.value), false));
    slider.addEventListener("change", () => setOne(k, Number(slider.value), true));
    const cells = Object.fromEntries(["threshold", "tp", "fp", "fn", "precision", "recall",
      "f1"].map((name) => [name, el("td", {})]));
    const at = el("span", { class: "mono" });
    cells.threshold.append(slider, " ", at);
    const row = el("tr", { "data-class": k }, el("td", {}, of.name), el("td", {}, whole(of
        .boxes)), el("td", {}, metric(m.ap)), el("td", {}, metric(m.ap50)),
      el("td", {}, of.best ? short(of.best.threshold) : "–"), cells.threshold, cells.tp, cells
      .fp, cells.fn, cells.precision, cells.recall, cells.f1);
    return { k, row, slider, at, cells, name: of.name, boxes: of.boxes, ap: m.ap, ap50: m.ap50,
      best: of.best ? of.best.threshold : -1 };
  });
  const update = (one) => {
    const k = one.k,
      c = { tp: counts.tp[k], fp: counts.fp[k], fn: counts.fn(k) };
    Object.assign(one, c, { threshold: state.thresholds[k], precision: precisionOf(c),
      recall: recallOf(c), f1: f1Of(c) });
    if (!one.shown) return;
    if (document.activeElement !== one.slider) one.slider.value = one.threshold;
    one.at.textContent = one.threshold.toFixed(3);
    one.cells.tp.textContent = whole(one.tp);
    one.cells.fp.textContent = whole(one.fp);
    one.cells.fn.textContent = whole(one.fn);
    one.cells.precision.textContent = metric(one.precision);
    one.cells.recall.textContent = metric(one.recall);
    one.cells.f1.textContent = metric(one.f1);
  };
  const columns = [
    ["class", "name"], ["boxes", "boxes"], ["AP", "ap"], ["AP50", "ap50"],
    ["best threshold", "best"], ["threshold", "threshold"], ["TP", "tp"], ["FP", "fp"],
    ["FN", "fn"], ["precision", "precision"], ["recall", "recall"], ["F1", "f1"],
  ];
  let by = "ap",
    down = true,
    all = false;
  const heads = columns.map(([title, key]) => el("th", { scope: "col" }, el("button", {
    type: "button",
    onclick: () => {
      down = by === key ? !down : key !== "name";
      by = key;
      sort();
    }
  }, title)));
  const body = el("tbody", { id: "class-rows" });
  const more = el("button", { type: "button", onclick: () => { all = true;
      more.hidden = true;
      sort(); } }, `show all ${whole(rows.length)} classes`);
  more.hidden = rows.length <= FIRST;
  const sort = () => {
    const value = (one) => (typeof one[by] === "number" && Number.isNaN(one[by]) ? -1 : one[by]);
    rows.sort((a, b) => (by === "name" ? a.name.localeCompare(b.name) : value(a) - value(b)) * (
      down ? -1 : 1) || a.k - b.k);
    heads.forEach((head, i) => { columns[i][1] === by ? head.setAttribute("aria-sort", down ?
        "descending" : "ascending") : head.removeAttribute("aria-sort"); });
    rows.forEach((one, i) => { one.shown = all || i < FIRST; });
    rows.forEach(update);
    body.replaceChildren(...rows.filter((one) => one.shown).map((one) => one.row));
  };
  onMove(() => rows.forEach(update));
  sort();
  return card("Classes",
    "AP is the evaluator's; counts, precision and recall are those at the thresholds, IoU 0.5",
    scroller("classes", el("table", { class: "list" }, el("thead", {}, el("tr", {}, heads)),
      body)), more);
}
