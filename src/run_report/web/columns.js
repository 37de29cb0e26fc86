// The detections, as src/run_report/detections_page.cpp wrote them.

async function readColumns(list, text) {
  const binary = atob(text);
  const packed = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) packed[i] = binary.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const columns = {};
  let at = 0;
  for (const [name, width, count] of list) {
    const values = width === 1 ? new Uint8Array(count) : width === 2 ? new Uint16Array(count) :
      new Uint32Array(count);
    for (let k = 0; k < width; k++) {
      const shift = 2 ** (8 * k);
      for (let i = 0; i < count; i++) values[i] += bytes[at + i] * shift;
      at += count;
    }
    columns[name] = values;
  }
  return columns;
}

// Scores are exact: floats as differences of their bits, or the bits of doubles.
function scoresOf(columns) {
  const low = columns.score,
    scores = new Float64Array(low.length);
  const view = new DataView(new ArrayBuffer(8));
  let bits = 0;
  for (let i = 0; i < low.length; i++) {
    if (columns.score_high) {
      view.setUint32(0, columns.score_high[i]);
      view.setUint32(4, low[i]);
      scores[i] = view.getFloat64(0);
    } else {
      bits = i === 0 ? low[0] : bits - low[i];
      view.setUint32(0, bits);
      scores[i] = view.getFloat32(0);
    }
  }
  return scores;
}

const sums = (counts) => {
  const all = new Uint32Array(counts.length + 1);
  for (let i = 0; i < counts.length; i++) all[i + 1] = all[i] + counts[i];
  return all;
};

function splitBits(values, shift, mask) {
  const out = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = (values[i] >> shift) & mask;
  return out;
}

// Detections by descending score; boxes by image.
async function readDetections(page, text) {
  const c = await readColumns(page.columns, text);
  const boxBegin = sums(c.boxes),
    boxImage = new Uint32Array(c.box_class.length);
  for (let i = 0; i < c.boxes.length; i++) boxImage.fill(i, boxBegin[i], boxBegin[i + 1]);
  const perImage = new Uint32Array(c.boxes.length);
  for (const image of c.image) perImage[image]++;
  const begin = sums(perImage),
    next = begin.slice(),
    byImage = new Uint32Array(c.image.length);
  for (let i = 0; i < c.image.length; i++) byImage[next[c.image[i]]++] = i;
  const candidateBegin = sums(c.candidates),
    candidates = new Uint32Array(c.candidate.length);
  for (let i = 0; i < c.image.length; i++) {
    for (let k = candidateBegin[i]; k < candidateBegin[i + 1]; k++) candidates[k] = boxBegin[c
      .image[i]] + c.candidate[k];
  }
  const corners = (prefix) => ["x", "y", "w", "h"].map((side) => c[`${prefix}_${side}`]);
  return {
    count: c.image.length,
    images: c.boxes.length,
    classes: page.details.classes.length,
    score: scoresOf(c),
    image: c.image,
    class: c.class,
    outcome: splitBits(c.outcome, 0, 3),
    kind: splitBits(c.outcome, 2, 7),
    inCrowd: splitBits(c.outcome, 5, 1),
    candidateBegin,
    candidates,
    corners: corners("detection"),
    begin,
    byImage, // detections of an image, by descending score
    boxBegin,
    boxImage,
    boxClass: c.box_class,
    boxCounts: c.box_counts,
    boxFound: c.box_found,
    boxCorners: corners("box"),
  };
}
