#!/usr/bin/env python3
"""COCO evaluation of 5,000 images, 80 classes and 500,000 detections: ours beside the evaluators on
PyPI.

Each evaluator runs in a separate process, on the same two files, all of them in turn in each round.
Prints medians, in seconds, of

- the whole process from start to exit; ours is dfine-eval, which prints tables as the peers do;
- loading: annotation file and results file;
- evaluating: matching, curves, the 12 metrics;
- inside: the last two together.

The last column is the largest difference of the 12 metrics from pycocotools'. Then it prints how
many times as fast as each peer ours is. Versions of the peers: benchmarks/requirements.txt.

  python3 benchmarks/bench_coco_eval.py --bin build/release/bin
    [--skip pycocotools] [--rounds 5] [--detections 100]
"""
import argparse
import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

MODULES = {"pycocotools": ("pycocotools.coco", "pycocotools.cocoeval", "COCOeval"),
           "faster-coco-eval": ("faster_coco_eval.core",
                                "faster_coco_eval.core", "COCOeval_faster"),
           "hotcoco": ("hotcoco", "hotcoco", "COCOeval"),
           "ultrafast-pycocotools": ("ultrafast_pycocotools.coco",
                                     "ultrafast_pycocotools.cocoeval", "COCOeval")}
PEERS = ["ultrafast-pycocotools", "hotcoco", "vernier", "faster-coco-eval", "pycocotools"]


def make_data(folder, images, classes, per_image, seed=0):
    """About 7 boxes per image with classes and sizes as uneven as COCO's; detections: good and poor
    copies of them, the rest noise.
    """
    rng = np.random.default_rng(seed)
    popularity = 1.0 / np.arange(1, classes + 1) ** 0.7
    popularity /= popularity.sum()
    category_ids = np.sort(rng.permutation(np.arange(1, classes * 9 // 8 + 1))[:classes])
    truth = {"images": [], "categories": [{"id": int(c), "name": f"class {c}"}
                                          for c in category_ids], "annotations": []}
    results = []

    def boxes(n):
        wh = np.exp(rng.uniform(np.log(8), np.log(400), (n, 2)))
        xy = rng.uniform(0, 1, (n, 2)) * np.maximum([640, 480] - wh, 1)
        return np.round(np.concatenate([xy, wh], 1), 2)

    for image in np.sort(rng.permutation(images * 100)[:images]):
        truth["images"].append({"id": int(image), "width": 640, "height": 480,
                                "file_name": f"{image:012d}.jpg"})
        n = min(int(rng.geometric(1 / 7.8)) - 1, 60)
        gt, labels = boxes(n), rng.choice(category_ids, n, p=popularity)
        for box, label in zip(gt.tolist(), labels):
            truth["annotations"].append({"id": len(truth["annotations"]) + 1,
                                         "image_id": int(image),
                                         "category_id": int(label), "bbox": box,
                                         "area": round(box[2] * box[3] * rng.uniform(0.4, 1.0), 4),
                                         "iscrowd": int(rng.random() < 0.01)})
        copies = min(3 * n, per_image)
        which = np.arange(copies) % max(n, 1)
        near = gt[which] + rng.normal(0, 1, (copies, 4)) * np.tile(
            gt[which][:, 2:], 2) * rng.choice([0.02, 0.08, 0.25], (copies, 1))
        near[:, 2:] = np.maximum(near[:, 2:], 1)
        near_labels = np.where(rng.random(copies) < 0.85, labels[which] if n else 0,
                               rng.choice(category_ids, copies))
        noise = per_image - copies
        all_boxes = np.concatenate([near, boxes(noise)])
        all_labels = np.concatenate([near_labels, rng.choice(category_ids, noise, p=popularity)])
        scores = np.concatenate([rng.beta(2, 2, copies), rng.beta(1, 12, noise)])
        for k in np.argsort(-scores):
            results.append({"image_id": int(image), "category_id": int(all_labels[k]),
                            "bbox": all_boxes[k].astype(np.float32).tolist(),
                            "score": float(np.float32(scores[k]))})
    (folder / "gt.json").write_text(json.dumps(truth))
    (folder / "dt.json").write_text(json.dumps(results))
    print(f"{images:,} images, {classes} classes, {len(truth['annotations']):,} boxes, "
          f"{len(results):,} detections")


def run_vernier(gt_file, dt_file):
    """Its native interface, which its README recommends; it reads the detections while it
    evaluates.
    """
    from vernier.instance import Bbox, CocoDataset, Evaluator
    start = time.perf_counter()
    gt = CocoDataset.from_json(Path(gt_file).read_bytes())
    dt = Path(dt_file).read_bytes()
    load = time.perf_counter() - start
    start = time.perf_counter()
    summary = Evaluator(iou=Bbox(),
                        parity_mode="strict").evaluate(gt, dt, num_threads=os.cpu_count())
    return load, time.perf_counter() - start, summary.stats


def run_module(name, gt_file, dt_file):
    """Any evaluator with the interface of pycocotools."""
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
    return load, evaluate, run.stats


def child(name, gt_file, dt_file):
    """Prints one line of JSON as bench_coco_eval does."""
    load, evaluate, stats = (run_vernier(gt_file, dt_file) if name == "vernier"
                             else run_module(name, gt_file, dt_file))
    print(json.dumps({"load": load, "evaluate": evaluate, "stats": [float(s) for s in stats[:12]]}))


def run(command):
    """The command's line of JSON ({} if it prints none), with the seconds of the whole process; or
    the last line of its error.
    """
    start = time.perf_counter()
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    whole = time.perf_counter() - start
    if done.returncode != 0:
        return {"error": (done.stderr or done.stdout).strip().splitlines()[-1:]}
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"load"')]
    return {"whole": whole, **(json.loads(lines[-1]) if lines else {})}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=Path("build/release/bin"),
                        help="where dfine-eval and bench_coco_eval are")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--classes", type=int, default=80)
    parser.add_argument("--detections", type=int, default=100, help="per image")
    parser.add_argument("--skip", nargs="*", default=[], choices=PEERS,
                        help="pycocotools takes a minute and a half")
    parser.add_argument("--rounds", type=int, default=5,
                        help="runs of each but pycocotools, which runs once")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_data(folder, args.images, args.classes, args.detections)
        files = [folder / "gt.json", folder / "dt.json"]
        output = folder / "metrics.json"
        programs = {PROGRAM: [args.bin / "dfine-eval", "--annotations", files[0],
                              "--predictions", files[1]],
                    OURS: [args.bin / "bench_coco_eval", *files],
                    OURS + ", one thread": [args.bin / "bench_coco_eval", *files, 1]}
        programs.update({m: [sys.executable, __file__, "--child", m, *files] for m in PEERS
                         if m not in args.skip})
        results = {}
        for turn in range(args.rounds):
            for label, command in programs.items():
                if turn == 0 or label != "pycocotools":
                    results.setdefault(label, []).append(run(command))
        # Not timed: the file is forced to disk.
        if "error" not in run([*programs[PROGRAM], "--output", output]):
            metrics = list(json.loads(output.read_text()).values())[:12]
            results[PROGRAM][0]["stats"] = metrics
    report(results)


PROGRAM, OURS = "dfine-eval", "ours"


def medians(runs):
    """By name; "inside" is loading and evaluating."""
    found = {k: statistics.median(r[k] for r in runs) for k in ("whole", "load", "evaluate")
             if k in runs[0]}
    if "load" in found:
        found["inside"] = statistics.median(r["load"] + r["evaluate"] for r in runs)
    return found


def report(results):
    exact = results.get("pycocotools", [{}])[0].get("stats")
    print(f"medians of {len(results[PROGRAM])} rounds")
    print(f"{'':22}{'process s':>10}{'load s':>9}{'evaluate s':>12}{'inside s':>10}   largest "
          f"difference from pycocotools")
    found = {}
    for label, runs in results.items():
        failed = [r["error"] for r in runs if "error" in r]
        if failed:
            print(f"{label:22} failed: {failed[0]}")
            continue
        found[label] = m = medians(runs)
        parts = (f"{m['load']:9.3f}{m['evaluate']:12.3f}{m['inside']:10.3f}" if "load" in m
                 else " " * 31)
        off = (max(abs(a - b) for a, b in zip(runs[0]["stats"], exact)) if exact
               and "stats" in runs[0] else "not compared")
        print(f"{label:22}{m['whole']:10.3f}{parts}   {off}")
    if PROGRAM not in found or OURS not in found:
        return
    print(f"\n{'times as fast as':22}{'process':>10}{'inside':>9}")
    for label in PEERS:
        if label in found:
            print(f"{label:22}{found[label]['whole'] / found[PROGRAM]['whole']:10.2f}"
                  f"{found[label]['inside'] / found[OURS]['inside']:9.2f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    else:
        main()
