// The confusion matrix at the thresholds.

function showConfusion() {
  const side = counts.side,
    names = [...classNames, "background"];
  const canvas = el("canvas", {
    tabindex: 0,
    role: "img",
    class: "matrix",
    id: "confusion-matrix",
    "aria-label": "confusion matrix; the arrow keys move the cell that is named below it"
  });
  const name = el("p", { class: "soft", "aria-live": "polite" },
    "Point at a cell, or use the arrow keys.");
  const most = el("div");
  let chosen = null;
  const size = Math.min(64, Math.max(7, Math.floor(560 / side))),
    texts = size >= 26,
    left = texts ? 120 : 0,
    top = texts ? 24 : 0;

  const draw = () => {
    const scale = window.devicePixelRatio || 1,
      width = left + side * size,
      height = top + side * size;
    if (canvas.width !== Math.round(width * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
      canvas.style.width = width + "px";
    }
    const ctx = canvas.getContext("2d");
    ctx.setTransform(scale, 0, 0, scale, 0, 0);
    ctx.clearRect(0, 0, width, height);
    ctx.font = "12px " + Chart.defaults.font.family;
    const text = colour("--text"),
      right = colour("--tp"),
      wrong = colour("--fp"),
      empty = colour("--track");
    for (let r = 0; r < side; r++) {
      let sum = 0;
      for (let c = 0; c < side; c++) sum += counts.matrix[r * side + c];
      for (let c = 0; c < side; c++) {
        const count = counts.matrix[r * side + c],
          x = left + c * size,
          y = top + r * size;
        ctx.fillStyle = empty;
        ctx.fillRect(x, y, size - 1, size - 1);
        if (count > 0) {
          ctx.globalAlpha = 0.12 + 0.88 * (count / sum);
          ctx.fillStyle = r === c ? right : wrong;
          ctx.fillRect(x, y, size - 1, size - 1);
          ctx.globalAlpha = 1;
        }
        if (texts && count > 0) {
          ctx.fillStyle = count / sum > 0.5 ? colour("--card") : text;
          ctx.textAlign = "center";
          ctx.fillText(size < 44 && count > 9999 ? Math.round(count / 1000) + "k" : String(count),
            x + size / 2, y + size / 2 + 4, size - 4);
        }
      }
    }
    if (texts) {
      ctx.fillStyle = colour("--soft");
      for (let k = 0; k < side; k++) {
        ctx.textAlign = "right";
        ctx.fillText(names[k], left - 6, top + k * size + size / 2 + 4, left - 10);
        ctx.textAlign = "center";
        ctx.fillText(k < side - 1 ? names[k] : "missed", left + k * size + size / 2, top - 8,
          size - 2);
      }
    }
    if (chosen) {
      ctx.strokeStyle = text;
      ctx.lineWidth = 2;
      ctx.strokeRect(left + chosen[1] * size, top + chosen[0] * size, size - 1, size - 1);
    }
  };
  const describe = (r, c) => {
    const count = counts.matrix[r * side + c];
    if (r === side - 1) return c === side - 1 ? "" :
      `${counted(count, "detection")} of ${names[c]} where no free box is`;
    if (c === side - 1) return `${counted(count, "box", "boxes")} of ${names[r]} missed`;
    return `${counted(count, "box", "boxes")} of ${names[r]} detected as ${names[c]}`;
  };
  const choose = (r, c) => {
    chosen = [Math.max(0, Math.min(side - 1, r)), Math.max(0, Math.min(side - 1, c))];
    name.textContent = describe(...chosen);
    draw();
  };
  canvas.addEventListener("mousemove", (event) => {
    const scale = (left + side * size) / canvas.clientWidth;
    const c = Math.floor((event.offsetX * scale - left) / size),
      r = Math.floor((event.offsetY * scale - top) / size);
    if (r >= 0 && c >= 0 && r < side && c < side) choose(r, c);
  });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }
      [event.key];
    if (!step) return;
    event.preventDefault();
    const [r, c] = chosen || [0, 0];
    chosen ? choose(r + step[0], c + step[1]) : choose(0, 0);
  });
  const listMost = () => {
    const cells = [];
    for (let r = 0; r < side - 1; r++)
      for (let c = 0; c < side - 1; c++) {
        const count = counts.matrix[r * side + c];
        if (r !== c && count > 0) cells.push({ r, c, count });
      }
    cells.sort((a, b) => b.count - a.count);
    most.replaceChildren(cells.length ? scroller("most frequent confusions", table(["box",
          "detected as", "boxes"],
        cells.slice(0, 12).map((cell) => [names[cell.r], names[cell.c], whole(cell.count)]))) :
      el("p", { class: "soft" }, "No class is taken for another."));
  };
  onMove((settled) => {
    draw();
    if (settled) listMost();
    if (chosen) name.textContent = describe(...chosen);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  return el("div", { class: "grid two" },
    card("Confusion matrix",
      "rows: boxes by class; columns: what they were detected as. Matched by score without " +
      "regard to class, IoU 0.5",
      el("div", { class: "scroll" }, canvas), name),
    card("Most frequent confusions", "at the threshold", most));
}
