// What counts at the thresholds. Whether a detection is true or false was decided by the evaluator
// and does not depend on thresholds (src/analysis/matches.h); here it is only counted.

const TRUE = 0,
  FALSE = 1;
const KINDS = ["classification", "localisation", "both", "duplicate", "background"];
const NO_KIND = 7;

class Counts {
  constructor(d) {
    this.d = d;
    this.tp = new Int32Array(d.classes);
    this.fp = new Int32Array(d.classes);
    this.positives = new Int32Array(d.classes);
    for (let b = 0; b < d.boxClass.length; b++)
      if (d.boxCounts[b]) this.positives[d.boxClass[b]]++;
    this.imageTp = new Int32Array(d.images);
    this.imageFp = new Int32Array(d.images);
    this.imagePositives = new Int32Array(d.images);
    for (let b = 0; b < d.boxClass.length; b++)
      if (d.boxCounts[b]) this.imagePositives[d.boxImage[b]]++;
    this.kinds = new Int32Array(8);
    this.side = d.classes + 1;
    this.matrix = new Int32Array(this.side * this.side);
    this.taken = new Uint8Array(d.boxClass.length);
  }

  // thresholds: [classes]. Detections with score >= that of their class count.
  count(thresholds) {
    const { d, tp, fp, imageTp, imageFp, kinds, matrix, taken, side } = this;
    for (const each of [tp, fp, imageTp, imageFp, kinds, matrix, taken]) each.fill(0);
    let least = Infinity;
    for (const threshold of thresholds) least = Math.min(least, threshold);
    const background = side - 1;
    for (let i = 0; i < d.count && d.score[i] >= least; i++) {
      const of = d.class[i];
      if (!(d.score[i] >= thresholds[of])) continue;
      if (d.outcome[i] === TRUE) {
        tp[of]++;
        imageTp[d.image[i]]++;
      } else if (d.outcome[i] === FALSE) {
        fp[of]++;
        imageFp[d.image[i]]++;
        kinds[d.kind[i]]++;
      }
      // The confusion matrix matches without regard to class (src/analysis/confusion.h).
      let row = -1;
      for (let k = d.candidateBegin[i]; k < d.candidateBegin[i + 1]; k++) {
        const box = d.candidates[k];
        if (taken[box]) continue;
        taken[box] = 1;
        row = d.boxClass[box];
        break;
      }
      if (row < 0 && !d.inCrowd[i]) row = background;
      if (row >= 0) matrix[row * side + of]++;
    }
    for (let b = 0; b < taken.length; b++) {
      if (d.boxCounts[b] && !taken[b]) matrix[d.boxClass[b] * side + background]++;
    }
    this.total = { tp: 0, fp: 0, fn: 0 };
    for (let k = 0; k < d.classes; k++) {
      this.total.tp += tp[k];
      this.total.fp += fp[k];
      this.total.fn += this.positives[k] - tp[k];
    }
  }

  fn(k) { return this.positives[k] - this.tp[k]; }
  imageErrors(i) { return this.imageFp[i] + this.imagePositives[i] - this.imageTp[i]; }
}

const ratio = (part, rest) => (part + rest > 0 ? part / (part + rest) : NaN);
const precisionOf = (c) => ratio(c.tp, c.fp);
const recallOf = (c) => ratio(c.tp, c.fn);
const f1Of = (c) => (2 * c.tp + c.fp + c.fn > 0 ? 2 * c.tp / (2 * c.tp + c.fp + c.fn) : NaN);

// Precision, recall and F1 of one class (or all: -1) at about 800 thresholds. Each is the score of
// a detection, so that the curve has no other points than the exact one.
function curveOf(d, counts, of) {
  const MOST = 400;
  const positives = of < 0 ? counts.positives.reduce((a, b) => a + b, 0) : counts.positives[of];
  const points = [];
  let tp = 0;
  let fp = 0;
  let score = Infinity;
  let last = { threshold: Infinity, tp: 0 };
  for (let i = 0; i < d.count; i++) {
    if ((of >= 0 && d.class[i] !== of) || d.outcome[i] > FALSE) continue;
    // All detections of one score come in together. Both axes of all charts get enough points.
    const far = (tp - last.tp) * MOST >= positives || last.threshold - score >= 1 / MOST;
    if (d.score[i] < score && tp + fp > 0 && far) {
      last = { threshold: score, tp, fp, fn: positives - tp };
      points.push(last);
    }
    if (d.outcome[i] === TRUE) tp++;
    else fp++;
    score = d.score[i];
  }
  if (tp + fp > 0) points.push({ threshold: score, tp, fp, fn: positives - tp });
  return points;
}
