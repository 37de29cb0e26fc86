"""Outcomes, curves, best thresholds, intervals, calibration and confusions against their
definitions in plain Python. pycocotools' COCOeval says which detection is true.
"""
import contextlib
import copy
import io
import sys
import tempfile
from pathlib import Path

import numpy as np
from pycocotools import mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from random_cases import all_cases, ours

RESAMPLES = 60
TRUE, FALSE, IGNORED, NOT_COUNTED = range(4)
BOX, BACKGROUND, IN_CROWD = range(3)


def outcomes_of(truth, results):
    """[outcome, annotation id or None] of each detection, from COCOeval at IoU 0.5."""
    with contextlib.redirect_stdout(io.StringIO()):
        gt, dt = COCO(), COCO()
        gt.dataset = copy.deepcopy(truth)
        dt.dataset = {"images": truth["images"], "categories": truth["categories"], "annotations": [
            {**r, "id": i + 1, "iscrowd": 0, "area": r["bbox"][2] * r["bbox"][3]}
            for i, r in enumerate(results)]}
        gt.createIndex()
        dt.createIndex()
        run = COCOeval(gt, dt, "bbox")
        run.params.iouThrs, run.params.maxDets = np.array([0.5]), [100]
        run.params.areaRng, run.params.areaRngLbl = [[0, 1e10]], ["all"]
        run.evaluate()
    out = [[NOT_COUNTED, None] for _ in results]
    for e in run.evalImgs:
        if e is None:
            continue
        for d, m, ignored in zip(e["dtIds"], e["dtMatches"][0], e["dtIgnore"][0]):
            outcome = IGNORED if ignored else TRUE if m else FALSE
            out[d - 1] = [outcome, int(m) if m else None]
    return out


class Curve:
    """Counts over the distinct scores, descending."""

    def __init__(self, scores, true, positives):
        self.order = np.argsort(-np.asarray(scores), kind="stable")
        by_score = np.asarray(scores)[self.order]
        self.last = np.flatnonzero(np.append(by_score[1:] != by_score[:-1], True)[: len(by_score)])
        self.scores = by_score[self.last]
        self.true = np.asarray(true, int)[self.order]
        self.tp = np.cumsum(self.true)[self.last]
        self.fp = self.last + 1 - self.tp
        self.positives = positives

    def best(self):
        """The quotient of small whole numbers is correctly rounded: equal if they are equal."""
        if not self.tp.any():
            return None
        return int(np.argmax(2 * self.tp / (self.tp + self.fp + self.positives)))

    def threshold(self, place):
        """The shortest decimal that stands for the score: by trying all numbers of digits."""
        score = float(self.scores[place])
        if place + 1 == len(self.scores):
            return score
        below = float(self.scores[place + 1])
        for digits in range(18):
            near = int(np.floor(score * 10.0**digits))
            for whole in (near + 1, near, near - 1):
                value = float(f"{whole}e-{digits}")
                if below < value <= score:
                    return value
        return score


def philox(counter, key):
    """Philox 4x32-10 (Salmon et al. 2011) of arrays of counters."""
    c, k = [np.asarray(x, np.uint64) for x in counter], list(key)
    low = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        p, q = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(q >> np.uint64(32)) ^ c[1] ^ np.uint64(k[0]), q & low,
             (p >> np.uint64(32)) ^ c[3] ^ np.uint64(k[1]), p & low]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def splitmix(x):
    mask64 = 2**64 - 1
    x = (x + 0x9E3779B97F4A7C15) & mask64
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask64
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask64
    return x ^ (x >> 31)


def weights_of(images, resample, seed=0, stream=8):
    """How often a resample has each image: the random numbers of src/core/random.h."""
    key = splitmix(splitmix(seed) ^ stream)
    blocks = np.arange((images + 1) // 2)
    zero = np.zeros_like(blocks)
    words = philox([blocks, zero, zero + resample, zero], [key & 0xFFFFFFFF, key >> 32])
    words = np.stack(words, 1).ravel()[: 2 * images].reshape(images, 2)
    # Lemire's method rejects one draw in 2^60 here.
    drawn = [((int(high) << 32 | int(low)) * images) >> 64 for high, low in words]
    return np.bincount(drawn, minlength=images)


def interval(curve, images, box_images, weights):
    places = []
    for w in weights:
        of_detections = w[images][curve.order]
        tp = np.cumsum(of_detections * curve.true)[curve.last]
        whole = np.cumsum(of_detections)[curve.last] + w[box_images].sum()
        if tp.any():
            places.append(int(np.argmax(2 * tp / np.maximum(whole, 1))))
    if not places:
        return None
    places.sort(reverse=True)
    n = len(places)
    low, high = int(np.ceil(n * 25 / 1000)), int(np.ceil(n * 975 / 1000))
    return curve.threshold(places[low - 1]), curve.threshold(places[high - 1]), n


def calibration(scores, true):
    if len(scores) == 0:
        return None, []
    scores, true = np.asarray(scores), np.asarray(true, float)
    place = np.clip(np.floor(scores * 15), 0, 14)
    bins, ece = [], 0.0
    for b in range(15):
        inside = place == b
        if not inside.any():
            bins.append((0, None, None))
            continue
        bins.append((int(inside.sum()), scores[inside].mean(), true[inside].mean()))
        ece += inside.mean() * abs(bins[-1][2] - bins[-1][1])
    return ece, bins


def claims_of(truth, results, outcomes):
    out = [[NOT_COUNTED, None] for _ in results]
    for image in truth["images"]:
        anns = [a for a in truth["annotations"] if a["image_id"] == image["id"]]
        mine = sorted((i for i, r in enumerate(results)
                       if r["image_id"] == image["id"] and outcomes[i][0] != NOT_COUNTED),
                      key=lambda i: -results[i]["score"])
        if not anns:
            for i in mine:
                out[i] = [BACKGROUND, None]
            continue
        taken = set()
        for i in mine:
            r = results[i]
            overlaps = mask.iou([r["bbox"]], [a["bbox"] for a in anns],
                                [a["iscrowd"] for a in anns])[0]
            # The highest IoU, then the same class, then the first.
            free = [(v, a["category_id"] == r["category_id"], -n)
                    for n, (a, v) in enumerate(zip(anns, overlaps))
                    if not a["iscrowd"] and a["id"] not in taken and v >= 0.5]
            if free:
                box = anns[-max(free)[2]]["id"]
                taken.add(box)
                out[i] = [BOX, box]
            elif any(v >= 0.5 for a, v in zip(anns, overlaps) if a["iscrowd"]):
                out[i] = [IN_CROWD, None]
            else:
                out[i] = [BACKGROUND, None]
    return out


def confusions(truth, results, claims, threshold):
    categories = sorted(c["id"] for c in truth["categories"])
    row_of = {a["id"]: categories.index(a["category_id"]) for a in truth["annotations"]}
    last = len(categories)
    out = np.zeros((last + 1, last + 1), int)
    found = set()
    for r, (claim, box) in zip(results, claims):
        if r["score"] < threshold:
            continue
        column = categories.index(r["category_id"])
        if claim == BOX:
            out[row_of[box], column] += 1
            found.add(box)
        elif claim == BACKGROUND:
            out[last, column] += 1
    for a in truth["annotations"]:
        if not a["iscrowd"] and a["id"] not in found:
            out[row_of[a["id"]], last] += 1
    return out


def check(name, what, mine, expected):
    if mine != expected:
        sys.exit(f"{name}: {what} is {mine}, expected {expected}")


def close(name, what, mine, expected):
    if (mine is None) != (expected is None) or (mine is not None and abs(mine - expected) > 1e-12):
        sys.exit(f"{name}: {what} is {mine}, expected {expected}")


def ratio(part, whole):
    return part / whole if whole else None


def check_scores(name, mine, exact, best_only, chosen, case, weights):
    """One class, or all pooled. `chosen`: which detections and boxes belong to it."""
    truth, results, outcomes, image_place = case
    kept = [i for i, o in enumerate(outcomes) if o[0] in (TRUE, FALSE) and chosen(results[i])]
    scores = np.array([results[i]["score"] for i in kept])
    true = np.array([outcomes[i][0] == TRUE for i in kept], bool)
    boxes = [a for a in truth["annotations"] if not a["iscrowd"] and chosen(a)]
    curve = Curve(scores, true, len(boxes))
    check(name, "exact curve", exact, {"positives": len(boxes), "scores": curve.scores.tolist(),
                                       "tp": curve.tp.tolist(), "fp": curve.fp.tolist()})
    check(name, "boxes", mine["boxes"], len(boxes))
    for k in range(101):
        tp = int((true & (scores >= k / 100)).sum())
        fp = int((scores >= k / 100).sum()) - tp
        got = {key: values[k] for key, values in mine["curve"].items()}
        check(name, f"curve at {k / 100}", got,
              {"tp": tp, "fp": fp, "precision": ratio(tp, tp + fp), "recall": ratio(tp, len(boxes)),
               "f1": ratio(2 * tp, tp + fp + len(boxes))})

    best = curve.best()
    if best is None:
        check(name, "best", mine["best"], None)
    else:
        tp, fp = int(curve.tp[best]), int(curve.fp[best])
        threshold = mine["best"]["threshold"]
        check(name, "kept by the best threshold", int((scores >= threshold).sum()), tp + fp)
        check(name, "best threshold", threshold, curve.threshold(best))
        check(name, "counts at the best threshold",
              [mine["best"][key] for key in ("tp", "fp", "fn", "precision", "recall", "f1")],
              [tp, fp, len(boxes) - tp, tp / (tp + fp), tp / len(boxes),
               2 * tp / (tp + fp + len(boxes))])
        images = np.array([image_place[results[i]["image_id"]] for i in kept], int)
        box_images = np.array([image_place[a["image_id"]] for a in boxes], int)
        expected = interval(curve, images, box_images, weights)
        got = mine["best"]
        check(name, "interval",
              (got["low"], got["high"], got["resamples"]) if "low" in got else None, expected)
    fields = (None, None) if best is None else (mine["best"]["threshold"], mine["best"]["f1"])
    got = (best_only["threshold"], best_only["f1"]) if best_only else (None, None)
    check(name, "best threshold alone", got, fields)

    ece, bins = calibration(scores, true)
    close(name, "ECE", mine["calibration"]["ece"], ece)
    for b, (got, expected) in enumerate(zip(mine["calibration"]["bins"], bins)):
        check(name, f"detections of bin {b}", got["detections"], expected[0])
        close(name, f"mean score of bin {b}", got["mean_score"], expected[1])
        close(name, f"precision of bin {b}", got["precision"], expected[2])


def check_case(name, truth, results, mine, weights):
    outcomes = outcomes_of(truth, results)
    check(name, "outcomes", mine["matches"], outcomes)
    found_by = {m[1]: i for i, m in enumerate(outcomes) if m[0] == TRUE}
    check(name, "found_by", mine["found_by"], [found_by.get(a["id"]) for a in truth["annotations"]])
    case = truth, results, outcomes, {im["id"]: n for n, im in enumerate(truth["images"])}
    details, best = mine["details"], mine["best"]
    check_scores(f"{name}, pooled", details["overall"], mine["pooled"], best["overall"],
                 lambda r: True, case, weights)
    for k, of_class in enumerate(details["classes"]):
        check_scores(f"{name}, class {of_class['category_id']}", of_class, mine["curves"][k],
                     best["classes"][k],
                     lambda r, c=of_class["category_id"]: r["category_id"] == c, case, weights)

    claims = claims_of(truth, results, outcomes)
    check(name, "claims", mine["claims"], claims)
    side = len(truth["categories"]) + 1
    for got in mine["confusions"]:
        expected = confusions(truth, results, claims, got["threshold"])
        check(name, f"confusions at {got['threshold']}", got["counts"], expected.ravel().tolist())
    threshold = details["confusion"]["threshold"]
    best = details["overall"]["best"]
    check(name, "threshold of the confusions", threshold, best["threshold"] if best else 0.5)
    check(name, "confusions", details["confusion"]["counts"],
          confusions(truth, results, claims, threshold).reshape(side, side).tolist())
    wide = [line for line in mine["text"].splitlines() if len(line) > 100]
    check(name, "lines of more than 100 columns", wide, [])
    return np.bincount([o[0] for o in outcomes], minlength=4), len(found_by)


def main():
    cases = all_cases(200)
    weights, totals = {}, np.zeros(4, int)
    with tempfile.TemporaryDirectory() as folder:
        results = ours(Path(folder), cases, 1, RESAMPLES)
        check("all", "the result of 3 threads", ours(Path(folder), cases, 3, RESAMPLES), results)
    for (name, truth, detections), mine in zip(cases, results):
        images = len(truth["images"])
        if images not in weights:
            weights[images] = [weights_of(images, r) for r in range(RESAMPLES)]
        counts, _ = check_case(name, truth, detections, mine, weights[images])
        totals += counts
    print(f"{len(cases)} cases equal; true, false, ignored, not counted: {totals}")
    assert totals.min() > 100, totals


if __name__ == "__main__":
    main()
