#!/usr/bin/env python3
"""D-FINE-N from random weights on the BCCD dataset, as a newcomer would train it: ours against the
official trainer.

  DFINE_OFFICIAL=checkout-of-Peterande/D-FINE python benchmarks/finetune_bccd.py
    --bin build/release/bin --work runs/finetune [--only ours]

The same images, classes, input size, global batch and number of optimizer steps, fp32 on the CPU:
  ours      dfine_ddp with two ranks of one thread and configs/custom/n.toml; only data, input size,
            batch, epochs and stop epoch are set
  official  its train.py, unchanged, in one process of --threads threads, with
            configs/dfine/custom/dfine_hgnetv2_n_custom.yml filled in the same way. Its class
            numbers must start at 0, so both get annotations numbered so. It needs its requirements
            and matplotlib.
The stop epoch keeps its official place, 200 of 220. Each trainer chooses its own best weights;
their detections on the validation images are written by its own program and judged by pycocotools.
What has run already is kept in WORK and printed again.
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
BCCD = SOURCE / "tests" / "data" / "bccd"
PARTS = ("train", "val")


def run(command, log, env=None):
    """Seconds of the clock and of processor time that the command took; its output goes to `log`.
    """
    begin, cpu = time.time(), cpu_seconds()
    with open(log, "w") as out:
        if subprocess.run(list(map(str, command)), stdout=out, stderr=subprocess.STDOUT,
                          env={**os.environ, **(env or {})}).returncode:
            sys.exit(f"failed, see {log}: {' '.join(map(str, command))}")
    return {"seconds": time.time() - begin, "cpu_seconds": cpu_seconds() - cpu}


def cpu_seconds():
    """Of all child processes that have ended, with their children."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def write_annotations(work):
    for part in PARTS:
        truth = json.loads((BCCD / f"{part}.json").read_text())
        number = {c["id"]: i for i, c in enumerate(truth["categories"])}
        for c in truth["categories"]:
            c["id"] = number[c["id"]]
        for a in truth["annotations"]:
            a["category_id"] = number[a["category_id"]]
        (work / f"{part}.json").write_text(json.dumps(truth))


def average_precision(work, detections):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
    truth = COCO(str(work / "val.json"))
    evaluation = COCOeval(truth, truth.loadRes(str(detections)), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return {"ap": evaluation.stats[0], "ap50": evaluation.stats[1], "ap75": evaluation.stats[2]}


def stop_epoch(epochs):
    return round(epochs * 200 / 220)


def official_yaml(a, folder):
    """The official file with what a newcomer fills in."""
    import yaml
    sys.dont_write_bytecode = True
    sys.path.insert(0, os.environ["DFINE_OFFICIAL"])
    from src.core import yaml_utils
    c = yaml_utils.load_config(os.environ["DFINE_OFFICIAL"]
                               + "/configs/dfine/custom/dfine_hgnetv2_n_custom.yml")
    side = [a.image_size, a.image_size]
    del c["__include__"]  # resolved
    c.update(num_classes=3, epochs=a.epochs, eval_spatial_size=side, remap_mscoco_category=False)
    c["HGNetv2"]["pretrained"] = False
    for part in PARTS:
        loader = c[f"{part}_dataloader"]
        loader.update(total_batch_size=a.batch, num_workers=1)
        loader["dataset"].update(img_folder=str(BCCD / "images"),
                                 ann_file=str(a.work / f"{part}.json"))
        for op in loader["dataset"]["transforms"]["ops"]:
            if op["type"] == "Resize":
                op["size"] = side
    train = c["train_dataloader"]
    train["dataset"]["transforms"]["policy"]["epoch"] = stop_epoch(a.epochs)
    train["collate_fn"]["stop_epoch"] = stop_epoch(a.epochs)
    train["collate_fn"]["base_size"] = a.image_size
    (folder / "newcomer.yml").write_text(yaml.dump(c))


def official_detections(a, folder):
    """By the official model, data loader and post-processor."""
    import torch
    official_yaml(a, folder)
    from src.core import YAMLConfig
    torch.set_num_threads(a.threads)
    best = next(p for p in (folder / "best_stg2.pth", folder / "best_stg1.pth") if p.exists())
    config = YAMLConfig(str(folder / "newcomer.yml"))
    config.model.load_state_dict(torch.load(best, map_location="cpu",
                                            weights_only=False)["ema"]["module"])
    found = []
    with torch.no_grad():
        for images, targets in config.val_dataloader:
            results = config.postprocessor(config.model.eval()(images),
                                           torch.stack([t["orig_size"] for t in targets]))
            for target, result in zip(targets, results):
                for label, (x0, y0, x1, y1), score in zip(
                    *(result[k].tolist() for k in ("labels", "boxes", "scores"))):
                    found.append({"image_id": target["image_id"].item(), "category_id": label,
                                  "bbox": [x0, y0, x1 - x0, y1 - y0], "score": score})
    (folder / "predictions.json").write_text(json.dumps(found))


def own_arguments(a):
    """For a child process that works on one seed's folder."""
    return ["--work", a.work, "--epochs", a.epochs, "--batch", a.batch,
            "--image-size", a.image_size, "--threads", a.threads]


def official(a, folder):
    # the official code replaces pycocotools where it runs
    run([sys.executable, __file__, "--role", "yaml", *own_arguments(a)], folder / "yaml.log")
    # its checkpoints hold counters
    env = {"OMP_NUM_THREADS": str(a.threads), "PYTHONDONTWRITEBYTECODE": "1",
           "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"}
    command = [sys.executable, os.environ["DFINE_OFFICIAL"] + "/train.py", "-c",
               folder / "newcomer.yml", "-d", "cpu", "--seed", a.seed, "--output-dir", folder]
    if (folder / "last.pth").exists():  # an interrupted run goes on
        command += ["-r", folder / "last.pth"]
    seconds = run(command, folder / "train.log", env)
    run([sys.executable, __file__, "--role", "detections", *own_arguments(a)],
        folder / "detect.log")
    curve = [json.loads(line)["test_coco_eval_bbox"][0]
             for line in (folder / "log.txt").read_text().splitlines()]
    return {**seconds, "curve": curve}


def ours(a, folder):
    tool = lambda name: Path(a.bin) / name
    for part in PARTS:
        run([tool("dfine-pack"), "--images", BCCD / "images",
             "--annotations", a.work / f"{part}.json", "--output", folder / part, "--overwrite"],
            folder / f"pack_{part}.log")
    settings = [f"run.dir={folder / 'run'}", f"run.seed={a.seed}", f"data.train={folder / 'train'}",
                f"data.val={folder / 'val'}", "data.workers=1",
                f"data.image_size={a.image_size}", f"data.batch_size={a.batch // 2}",
                f"train.epochs={a.epochs}", f"train.stage2_epoch={stop_epoch(a.epochs)}"]
    command = ["mpirun", "-np", 2, "--bind-to", "none", "--oversubscribe", tool("dfine_ddp"),
               "--config", SOURCE / "configs/custom/n.toml"]
    for setting in settings + a.set:
        command += ["--set", setting]
    seconds = run(command, folder / "train.log",
                  {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"})
    images = [BCCD / "images" / i["file_name"]
              for i in json.loads((a.work / "val.json").read_text())["images"]]
    run([tool("dfine-predict"), "--weights", folder / "run/checkpoints/best",
         "--annotations", a.work / "val.json", "--threshold", 0, "--output", folder,
         "--images", *images], folder / "detect.log")
    lines = map(json.loads, (folder / "run/metrics.jsonl").read_text().splitlines())
    return {**seconds, "curve": [line["ap"] for line in lines if line["type"] == "val"],
            "set": a.set}


METRICS = (("ap", ""), ("ap50", ""), ("ap75", ""), ("seconds", " s"), ("cpu_seconds", " s"))


def summary(rows, key, unit):
    values = [r[key] for r in rows]
    digits = 0 if unit else 3
    return (f"{key} {statistics.mean(values):.{digits}f}{unit} ({min(values):.{digits}f} to "
            f"{max(values):.{digits}f})" if values else "")


def one_seed(a, results):
    a.work.mkdir(parents=True, exist_ok=True)
    write_annotations(a.work)
    for name, train in (("official", official), ("ours", ours)):
        folder = a.work / name
        folder.mkdir(exist_ok=True)
        stored = folder / "result.json"
        if not stored.exists() and a.only in (None, name):
            result = train(a, folder)
            result |= average_precision(a.work, folder / "predictions.json")
            result |= {"epochs": a.epochs, "batch": a.batch, "image_size": a.image_size,
                       "seed": a.seed}
            stored.write_text(json.dumps(result, indent=1))
        if stored.exists():
            result = json.loads(stored.read_text())
            results[name].append(result)
            print(f"seed {a.seed} {name:9} " + "  ".join(
                f"{k} {result[k]:.{0 if unit else 4}f}{unit}" for k, unit in METRICS), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bin", default="build/release/bin")
    p.add_argument("--work", type=Path, default=Path("runs/finetune"))
    p.add_argument("--only", choices=["ours", "official"])
    p.add_argument("--epochs", type=int, default=10, help="25 steps each at a batch of 8")
    p.add_argument("--batch", type=int, default=8, help="over all ranks")
    p.add_argument("--image-size", type=int, default=320)
    p.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    p.add_argument("--threads", type=int, default=2, help="of the official trainer")
    p.add_argument("--set", nargs="*", default=[],
                   help="more settings for ours, to look into a difference")
    p.add_argument("--json", type=Path)
    p.add_argument("--role", help=argparse.SUPPRESS)
    a = p.parse_args()
    a.work = a.work.resolve()
    if a.role:
        return {"yaml": official_yaml,
                "detections": official_detections}[a.role](a, a.work / "official")
    results = {"official": [], "ours": []}
    base = a.work
    for seed in a.seeds:
        a.seed, a.work = seed, base / f"seed{seed}"
        one_seed(a, results)
    for name, rows in results.items():
        print(f"{name:9} {len(rows)} "
              f"seeds: " + "  ".join(summary(rows, k, unit) for k, unit in METRICS))
    if a.json:
        a.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
