// The confusion matrix at the thresholds. The colour of a cell is its part of its row.

function rowSums(matrix, side) {
  const all = new Float64Array(side);
  for (let r = 0; r < side; r++) {
    for (let i = r * side; i < (r + 1) * side; i++) all[r] += matrix[i];
  }
  return all;
}

function drawCells(ctx, matrix, side, { size, left, top, texts }) {
  const sums = rowSums(matrix, side);
  const [text, light, right, wrong, empty] =
    ["--text", "--card", "--tp", "--fp", "--track"].map(colour);
  ctx.textAlign = "center";
  for (let i = 0; i < matrix.length; i++) {
    const r = Math.floor(i / side);
    const c = i % side;
    const x = left + c * size;
    const y = top + r * size;
    ctx.fillStyle = empty;
    ctx.fillRect(x, y, size - 1, size - 1);
    const count = matrix[i];
    if (count === 0) continue;
    ctx.globalAlpha = 0.12 + 0.88 * (count / sums[r]);
    ctx.fillStyle = r === c ? right : wrong;
    ctx.fillRect(x, y, size - 1, size - 1);
    ctx.globalAlpha = 1;
    if (!texts) continue;
    ctx.fillStyle = count / sums[r] > 0.5 ? light : text;
    const shown = size < 44 && count > 9999 ? Math.round(count / 1000) + "k" : String(count);
    ctx.fillText(shown, x + size / 2, y + size / 2 + 4, size - 4);
  }
}

// "#1d7a45" as its parts, 0 to 255.
const partsOf = (name) => [1, 3, 5].map((at) => parseInt(colour(name).slice(at, at + 2), 16));

// Of many classes: a pixel for each cell, enlarged. Rectangles would take too long.
function pixelPainter(side) {
  const small = el("canvas", { width: side, height: side });
  const pen = small.getContext("2d");
  const pixels = pen.createImageData(side, side);
  const words = new Uint32Array(pixels.data.buffer);  // little endian: red is the lowest byte
  const word = ([red, green, blue]) => (255 << 24 | blue << 16 | green << 8 | red) >>> 0;
  return (ctx, matrix, size) => {
    const [right, wrong, empty] = ["--tp", "--fp", "--track"].map(partsOf);
    const sums = rowSums(matrix, side);
    words.fill(word(empty));
    for (let r = 0; r < side; r++) {
      for (let c = 0; c < side; c++) {
        const count = matrix[r * side + c];
        if (count === 0) continue;
        const part = 0.25 + 0.75 * (count / sums[r]);
        const full = c === r ? right : wrong;
        const mixed = full.map((value, k) => Math.round(part * value + (1 - part) * empty[k]));
        words[r * side + c] = word(mixed);
      }
    }
    pen.putImageData(pixels, 0, 0);
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(small, 0, 0, side * size, side * size);
  };
}

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
  const size = Math.min(64, Math.max(1, Math.floor(600 / side)));
  const texts = size >= 26;
  const left = texts ? 120 : 0;
  const top = texts ? 24 : 0;
  const width = left + side * size;
  const height = top + side * size;
  const paintPixels = size < 7 ? pixelPainter(side) : null;

  const draw = () => {
    const scale = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
      canvas.style.width = width + "px";
    }
    const ctx = canvas.getContext("2d");
    ctx.setTransform(scale, 0, 0, scale, 0, 0);
    ctx.clearRect(0, 0, width, height);
    ctx.font = "12px " + Chart.defaults.font.family;
    if (size >= 7) drawCells(ctx, counts.matrix, side, { size, left, top, texts });
    else paintPixels(ctx, counts.matrix, size);
    if (texts) {
      ctx.fillStyle = colour("--soft");
      for (let k = 0; k < side; k++) {
        const middle = k * size + size / 2;
        ctx.textAlign = "right";
        ctx.fillText(names[k], left - 6, top + middle + 4, left - 10);
        ctx.textAlign = "center";
        ctx.fillText(k < side - 1 ? names[k] : "missed", left + middle, top - 8, size - 2);
      }
    }
    if (chosen) {
      ctx.strokeStyle = colour("--text");
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
  onRestyle(draw);
  return el("div", { class: "grid two" },
    card("Confusion matrix",
      "rows: boxes by class; columns: what they were detected as. Matched by score without " +
      "regard to class, IoU 0.5",
      el("div", { class: "scroll" }, canvas), name),
    card("Most frequent confusions", "at the threshold", most));
}
