// Images with their boxes, worst first.

const PAGE = 12;

function boxOn(ctx, corners, i, width, height) {
  const grid = data.detections.grid,
    [x, y, w, h] = corners;
  return [x[i] / grid * width, y[i] / grid * height, w[i] / grid * width, h[i] / grid * height];
}

const pictures = new Map();

function pictureOf(image, ready) {
  const source = data.detections.pictures[image];
  if (!source) return null;
  let picture = pictures.get(image);
  if (!picture) {
    picture = new Image();
    picture.src = source;
    pictures.set(image, picture);
  }
  if (!picture.complete) picture.addEventListener("load", ready, { once: true });
  return picture.complete && picture.naturalWidth ? picture : null;
}

// Draws an image with what counts at the thresholds; `labels`: with class and score.
function drawImage(canvas, image, labels) {
  const [, imageWidth, imageHeight] = data.detections.images[image];
  const scale = window.devicePixelRatio || 1,
    width = canvas.clientWidth || 300,
    height = Math.max(1, width * imageHeight / imageWidth);
  const wide = Math.round(width * scale),
    high = Math.round(height * scale);
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  const ctx = canvas.getContext("2d");
  ctx.setTransform(scale, 0, 0, scale, 0, 0);
  ctx.fillStyle = colour("--track");
  ctx.fillRect(0, 0, width, height);
  const picture = pictureOf(image, () => drawImage(canvas, image, labels));
  if (picture) ctx.drawImage(picture, 0, 0, width, height);
  const d = detections,
    only = state.chosenClass;
  const styles = { tp: colour("--tp"), fp: colour("--fp"), fn: colour("--fn"), truth: colour(
      "--truth"), crowd: colour("--soft") };
  const frame = (corners, i, style, dash, text) => {
    const [x, y, w, h] = boxOn(ctx, corners, i, width, height);
    ctx.setLineDash(dash);
    ctx.strokeStyle = style;
    ctx.lineWidth = labels ? 2 : 1.5;
    ctx.strokeRect(x, y, w, h);
    if (!labels || !text) return;
    ctx.font = "12px " + Chart.defaults.font.family;
    const wide = Math.min(ctx.measureText(text).width + 6, 220),
      up = y > 15 ? y - 15 : y;
    ctx.fillStyle = style;
    ctx.fillRect(x - 1, up, wide, 15);
    ctx.fillStyle = colour("--card");
    ctx.fillText(text, x + 2, up + 11.5, 214);
  };
  for (let b = d.boxBegin[image]; b < d.boxBegin[image + 1]; b++) {
    if (only >= 0 && d.boxClass[b] !== only) continue;
    if (!d.boxCounts[b]) { frame(d.boxCorners, b, styles.crowd, [2, 3], "crowd"); continue; }
    const by = d.boxFound[b];
    const found = by > 0 && d.score[by - 1] >= state.thresholds[d.class[by - 1]];
    if (found) frame(d.boxCorners, b, styles.truth, [4, 3], "");
    else frame(d.boxCorners, b, styles.fn, [4, 3], "missed: " + classNames[d.boxClass[b]]);
  }
  for (let k = d.begin[image + 1] - 1; k >= d.begin[image]; k--) { // the best on top
    const i = d.byImage[k];
    if (d.score[i] < state.thresholds[d.class[i]] || (only >= 0 && d.class[i] !== only) || d
      .outcome[i] > FALSE) continue;
    frame(d.corners, i, d.outcome[i] === TRUE ? styles.tp : styles.fp, [],
      `${classNames[d.class[i]]} ${d.score[i].toFixed(2)}`);
  }
}

// Whether an image has what the filters ask for, at the thresholds.
function passes(image) {
  const d = detections,
    only = state.chosenClass,
    kind = state.chosenKind;
  if (only < 0 && !kind) return true;
  const fits = (of) => only < 0 || of === only;
  if (!kind || kind === "missed") {
    for (let b = d.boxBegin[image]; b < d.boxBegin[image + 1]; b++) {
      if (!fits(d.boxClass[b])) continue;
      const by = d.boxFound[b];
      if (!kind || (d.boxCounts[b] && !(by > 0 && d.score[by - 1] >= state.thresholds[d.class[by -
          1]]))) return true;
    }
    if (kind) return false;
  }
  const wanted = KINDS.indexOf(kind);
  for (let k = d.begin[image]; k < d.begin[image + 1]; k++) {
    const i = d.byImage[k];
    if (d.score[i] < state.thresholds[d.class[i]] || !fits(d.class[i]) || d.outcome[i] > FALSE)
      continue;
    if (!kind || (d.outcome[i] === FALSE && (kind === "false" || d.kind[i] === wanted)))
  return true;
  }
  return false;
}

const countsText = (image) =>
  `${counts.imageTp[image]} TP · ${counts.imageFp[image]} FP · ` +
  `${counts.imagePositives[image] - counts.imageTp[image]} FN`;

function showGallery(made) {
  let order = [],
    first = 0;
  const byClass = selectOf("class", [[-1, "all classes"], ...classNames.entries()]);
  const byKind = selectOf("kind of error", [["", "with and without errors"],
    ["false", "any false detection"], ...[...KINDS, "missed"].map((kind) => [kind, kind])]);
  const sorting = selectOf("order", [["worst", "worst first"], ["best", "best first"],
    ["name", "by name"]]);
  byClass.id = "filter-class";
  byKind.id = "filter-kind";
  const place = el("span", { class: "soft", id: "gallery-place", "aria-live": "polite" });
  const grid = el("div", { class: "gallery", id: "gallery" });
  const turn = (by) => {
    const lastPage = Math.floor((order.length - 1) / PAGE) * PAGE;
    first = Math.max(0, Math.min(first + by, lastPage));
    fill();
  };
  const back = el("button", { type: "button", onclick: () => turn(-PAGE) }, "back"),
    on = el("button", { type: "button", onclick: () => turn(PAGE) }, "next");
  const cards = [];

  const fill = () => {
    const shown = order.slice(first, first + PAGE);
    while (cards.length < shown.length) {
      const canvas = el("canvas", { "aria-hidden": "true" }),
        name = el("b", {}),
        text = el("small", { class: "soft" });
      const one = { canvas, name, text, image: -1 };
      one.button = el("button", { type: "button", class: "shot", onclick: () => openViewer(one
          .image) }, canvas, name, text);
      cards.push(one);
    }
    cards.length = shown.length;
    grid.replaceChildren(...cards.map((one) => one.button));
    shown.forEach((image, k) => {
      cards[k].image = image;
      cards[k].name.textContent = data.detections.images[image][0];
    });
    draw();
    const last = Math.min(first + PAGE, order.length);
    place.textContent = order.length ?
      `${whole(first + 1)} to ${whole(last)} of ${counted(order.length, "image")}` :
      "No image fits.";
    back.disabled = first === 0;
    on.disabled = last >= order.length;
  };
  const draw = () => {
    for (const one of cards) {
      drawImage(one.canvas, one.image, false);
      one.text.textContent = countsText(one.image);
    }
  };
  const sort = () => {
    state.chosenClass = Number(byClass.value);
    state.chosenKind = byKind.value;
    order = [];
    for (let image = 0; image < detections.images; image++)
      if (passes(image)) order.push(image);
    const name = (image) => data.detections.images[image][0];
    if (sorting.value === "name") order.sort((a, b) => name(a).localeCompare(name(b)));
    else {
      const sign = sorting.value === "worst" ? -1 : 1;
      order.sort((a, b) => sign * (counts.imageErrors(a) - counts.imageErrors(b)) || a - b);
    }
    first = Math.min(first, Math.max(0, Math.floor((order.length - 1) / PAGE) * PAGE));
    fill();
  };
  for (const select of [byClass, byKind, sorting]) select.addEventListener("change", () => { first =
      0;
    sort(); });
  const key = (name, text) => el("span", { class: "legend" }, el("i", { class: "key " + name }),
    text);
  made.append(el("div", { class: "controls" }, byClass, byKind, sorting, back, on, place),
    el("p", { class: "soft" }, key("tp", "true"), key("fp", "false"), key("fn", "missed box"),
      key("truth", "found box")), grid);

  // One image, large.
  const dialog = el("dialog", { "aria-label": "image", id: "viewer" });
  const canvas = el("canvas", {});
  const title = el("b", {});
  const text = el("span", { class: "soft" });
  let current = -1;
  const step = (by) => {
    const at = order.indexOf(current) + by;
    if (at >= 0 && at < order.length) openViewer(order[at]);
  };
  const button = (label, action) => el("button", { type: "button", onclick: action }, label);
  const slider = el("input", {
    type: "range",
    min: 0,
    max: 1,
    step: 0.005,
    "aria-label": "score threshold",
    oninput: () => setAll(Number(slider.value), false),
    onchange: () => setAll(Number(slider.value), true),
  });
  dialog.append(el("div", { class: "controls" }, title, text, slider,
    button("previous", () => step(-1)), button("next", () => step(1)),
    button("close", () => dialog.close())), canvas);
  made.append(dialog);
  const drawViewer = () => {
    if (!dialog.open) return;
    if (document.activeElement !== slider) slider.value = state.all;
    const [name, width, height] = data.detections.images[current];
    title.textContent = name;
    text.textContent = `${width} × ${height} · ${countsText(current)}` + (data.detections
      .pictures[current] ? "" : " · no picture in this page");
    canvas.style.width = Math.min(innerWidth - 60, (innerHeight - 130) * width / height) + "px";
    drawImage(canvas, current, true);
  };

  function openViewer(image) {
    current = image;
    if (!dialog.open) dialog.showModal();
    drawViewer();
  }
  dialog.addEventListener("keydown", (event) => {
    if (event.target === slider) return;
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  onMove((settled) => {
    settled ? sort() : draw();
    drawViewer();
  });
  onRestyle(draw);
  addEventListener("resize", () => { draw();
    drawViewer(); });
}
