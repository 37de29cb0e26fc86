// The thresholds: one for all classes, or one for each. Whoever shows counts registers with onMove.

const state = { thresholds: null, all: 0, chosenClass: -1, chosenKind: "" };
const listeners = [];
const onMove = (listener) => listeners.push(listener);
let detections = null,
  counts = null,
  details = null,
  classNames = [];

function moved(settled) {
  counts.count(state.thresholds);
  for (const listener of listeners) listener(settled);
}

// `settled`: the slider was let go; lists may be sorted anew.
function setAll(threshold, settled = true) {
  state.all = threshold;
  state.thresholds.fill(threshold);
  moved(settled);
}

function setOne(k, threshold, settled = true) {
  state.thresholds[k] = threshold;
  moved(settled);
}

const sameForAll = () => state.thresholds.every((threshold) => threshold === state.all);

function showThresholds(made) {
  const best = details.overall.best;
  const slider = el("input", { type: "range", min: 0, max: 1, step: 0.005,
  id: "threshold", "aria-label": "score threshold" });
  const number = el("input", { type: "number", min: 0, max: 1, step: "any",
  id: "threshold-number", "aria-label": "score threshold as a number" });
  const values = {};
  const value = (name, kind) => {
    values[name] = el("b", { id: "count-" + name });
    return el("span", { class: "value " + (kind || "") }, values[name], " ", name);
  };
  const note = el("span", { class: "soft", id: "threshold-note" });
  const button = (text, title, action) => el("button", { type: "button", title, onclick: action },
    text);
  slider.addEventListener("input", () => setAll(Number(slider.value), false));
  slider.addEventListener("change", () => setAll(Number(slider.value), true));
  number.addEventListener("change", () => { if (number.value !== "") setAll(Number(number.value),
      true); });
  const bar = el("div", { class: "card threshold",
    role: "group", "aria-label": "score threshold and what it gives" },
    el("div", { class: "row" }, el("label", { for: "threshold" }, "Score threshold"), slider,
      number,
      best ? button("best F1", `${best.threshold}: the best F1 of all classes together`, () =>
        setAll(best.threshold)) : null,
      best ? button("best of each class", "each class at its own best F1", () => {
        details.classes.forEach((of, k) => { state.thresholds[k] = of.best ? of.best.threshold :
            best.threshold; });
        moved(true);
      }) : null),
    el("div", { class: "row values" }, value("TP", "tp"), value("FP", "fp"), value("FN", "fn"),
      value("precision"), value("recall"), value("F1"), note));
  made.append(bar);
  onMove(() => {
    const same = sameForAll(),
      total = counts.total;
    if (document.activeElement !== slider || Number(slider.value) !== state.all) slider.value =
      state.all;
    if (document.activeElement !== number) number.value = same ? Number(state.all.toPrecision(
      6)) : "";
    slider.setAttribute("aria-valuetext",
      `${state.all.toFixed(3)}: precision ${percent(precisionOf(total))}, ` +
      `recall ${percent(recallOf(total))}`
      );
    values.TP.textContent = whole(total.tp);
    values.FP.textContent = whole(total.fp);
    values.FN.textContent = whole(total.fn);
    values.precision.textContent = percent(precisionOf(total));
    values.recall.textContent = percent(recallOf(total));
    values.F1.textContent = metric(f1Of(total));
    note.textContent = same ? "" : "thresholds by class";
  });
}
