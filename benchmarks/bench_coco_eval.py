#!/usr/bin/env python3
"""COCO evaluation of 5,000 images, 80 classes and some 500,000 detections: ours beside pycocotools, faster-coco-eval and hotcoco.

Each evaluator runs in a process of its own, on the same two files; its imports are not counted. Prints seconds of loading (annotation file
and results file) and of evaluating (matching, curves, the 12 figures), best of --repeat, and how far its figures are from pycocotools'.

  python3 benchmarks/bench_coco_eval.py --bin build/release/bin [--skip pycocotools] [--repeat 3] [--detections 100]
"""
import argparse
import contextlib
import io
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

MODULES = {"pycocotools": ("pycocotools.coco", "pycocotools.cocoeval", "COCOeval"),
           "faster-coco-eval": ("faster_coco_eval.core", "faster_coco_eval.core", "COCOeval_faster"),
           "hotcoco": ("hotcoco", "hotcoco", "COCOeval")}


def make_data(folder, images, classes, per_image, seed=0):
    """About 7 boxes per image with classes and sizes as uneven as COCO's; detections: good and poor copies of them, the rest noise."""
    rng = np.random.default_rng(seed)
    popularity = 1.0 / np.arange(1, classes + 1) ** 0.7
    popularity /= popularity.sum()
    category_ids = np.sort(rng.permutation(np.arange(1, classes * 9 // 8 + 1))[:classes])
    truth = {"images": [], "categories": [{"id": int(c), "name": f"class {c}"} for c in category_ids], "annotations": []}
    results = []

    def boxes(n):
        wh = np.exp(rng.uniform(np.log(8), np.log(400), (n, 2)))
        xy = rng.uniform(0, 1, (n, 2)) * np.maximum([640, 480] - wh, 1)
        return np.round(np.concatenate([xy, wh], 1), 2)

    for image in np.sort(rng.permutation(images * 100)[:images]):
        truth["images"].append({"id": int(image), "width": 640, "height": 480, "file_name": f"{image:012d}.jpg"})
        n = min(int(rng.geometric(1 / 7.8)) - 1, 60)
        gt, labels = boxes(n), rng.choice(category_ids, n, p=popularity)
        for box, label in zip(gt.tolist(), labels):
            truth["annotations"].append({"id": len(truth["annotations"]) + 1, "image_id": int(image), "category_id": int(label), "bbox": box,
                                         "area": round(box[2] * box[3] * rng.uniform(0.4, 1.0), 4), "iscrowd": int(rng.random() < 0.01)})
        copies = min(3 * n, per_image)
        which = np.arange(copies) % max(n, 1)
        near = gt[which] + rng.normal(0, 1, (copies, 4)) * np.tile(gt[which][:, 2:], 2) * rng.choice([0.02, 0.08, 0.25], (copies, 1))
        near[:, 2:] = np.maximum(near[:, 2:], 1)
        near_labels = np.where(rng.random(copies) < 0.85, labels[which] if n else 0, rng.choice(category_ids, copies))
        noise = per_image - copies
        all_boxes = np.concatenate([near, boxes(noise)])
        all_labels = np.concatenate([near_labels, rng.choice(category_ids, noise, p=popularity)])
        scores = np.concatenate([rng.beta(2, 2, copies), rng.beta(1, 12, noise)])
        for k in np.argsort(-scores):
            results.append({"image_id": int(image), "category_id": int(all_labels[k]), "bbox": all_boxes[k].astype(np.float32).tolist(),
                            "score": float(np.float32(scores[k]))})
    (folder / "gt.json").write_text(json.dumps(truth))
    (folder / "dt.json").write_text(json.dumps(results))
    print(f"{images:,} images, {classes} classes, {len(truth['annotations']):,} boxes, {len(results):,} detections")


def run_module(name, gt_file, dt_file):
    """In the child process: prints one line of JSON as bench_coco_eval does."""
    import importlib

    data_module, eval_module, eval_class = MODULES[name]
    COCO = importlib.import_module(data_module).COCO
    COCOeval = getattr(importlib.import_module(eval_module), eval_class)
    with contextlib.redirect_stdout(io.StringIO()):
        start = time.perf_counter()
        gt = COCO(str(gt_file))
        dt = gt.loadRes(str(dt_file))
        load = time.perf_counter() - start
        start = time.perf_counter()
        run = COCOeval(gt, dt, "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
        evaluate = time.perf_counter() - start
    print(json.dumps({"load": load, "evaluate": evaluate, "stats": [float(s) for s in run.stats[:12]]}))


def measure(command, repeat):
    best = None
    for _ in range(repeat):
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
        if done.returncode != 0:
            return None, (done.stderr or done.stdout).strip().splitlines()[-1:]
        lines = [line for line in done.stdout.splitlines() if line.startswith('{"load"')]
        result = json.loads(lines[-1])
        if best is None or result["load"] + result["evaluate"] < best["load"] + best["evaluate"]:
            best = result
    return best, None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=Path("build/release/bin"), help="where bench_coco_eval is")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--classes", type=int, default=80)
    parser.add_argument("--detections", type=int, default=100, help="an image")
    parser.add_argument("--skip", nargs="*", default=[], choices=list(MODULES), help="pycocotools takes a minute and a half")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each but pycocotools, which runs once")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_data(folder, args.images, args.classes, args.detections)
        files = [folder / "gt.json", folder / "dt.json"]
        rows = [("ours", [args.bin / "bench_coco_eval", *files], args.repeat),
                ("ours, one thread", [args.bin / "bench_coco_eval", *files, 1], args.repeat)]
        rows += [(m, [sys.executable, __file__, "--child", m, *files], 1 if m == "pycocotools" else args.repeat)
                 for m in ("hotcoco", "faster-coco-eval", "pycocotools") if m not in args.skip]
        results = {label: measure(command, repeat) for label, command, repeat in rows}
    exact = results.get("pycocotools", (None, None))[0]
    print(f"{'':18}{'load s':>9}{'evaluate s':>12}{'total s':>9}   largest difference from pycocotools")
    for label, (result, error) in results.items():
        if result is None:
            print(f"{label:18} failed: {error}")
            continue
        off = max(abs(a - b) for a, b in zip(result["stats"], exact["stats"])) if exact else None
        print(f"{label:18}{result['load']:9.3f}{result['evaluate']:12.3f}{result['load'] + result['evaluate']:9.3f}   "
              f"{'not compared' if off is None else off}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        run_module(*sys.argv[2:])
    else:
        main()
