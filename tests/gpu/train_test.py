"""Training, resume, evaluation and prediction on GPUs, against the same on the CPU: D-FINE-N at 320
on the BCCD dataset.

    train_test.py [--device cpu]     with cpu everything runs on the CPU, and compares it with
    itself
"""
import argparse
import json
import math
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from common import BCCD, SOURCE, Workspace, pack, records, run, subset

# Convolutions in fp32 may otherwise round their inputs to TF32's 10 bits, and what is compared
# would not be the same arithmetic.
os.environ["NVIDIA_TF32_OVERRIDE"] = "0"
STEPS = 3


def says(text, *parts):
    for part in parts:
        assert part in text, f"{part!r} is missing in\n{text}"


def close(a, b, relative, what):
    assert math.isclose(a, b, rel_tol=relative,
                        abs_tol=1e-6), f"{what}: {a} and {b} differ by more than {relative} of them"


def gpus():
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True).stdout
    except FileNotFoundError:
        return 0
    return sum(line.startswith("GPU ") for line in listed.splitlines())


def train(ws, name, *arguments, device, ranks=1, **more):
    """Four images per step, two at once however many ranks share them: the statistics of batch
    norms are of as many images.
    """
    keys = {"run.dir": ws(name), "run.device": device, "run.threads": 1, "run.precision": "fp32",
            "data.train": ws("train"), "data.val": ws("val"),
            "data.image_size": 320, "data.multiscale": "true", "data.batch_size": 2 // ranks,
            "data.workers": 1, "data.augment": "dfine",
            "model.num_queries": 100, "train.gradient_accumulation_steps": 2, "train.epochs": 2,
            "train.max_steps": STEPS, "train.preflight": "true",
            "ema.enabled": "true", "validate.every_epochs": 2, **more}
    out = run("dfine_ddp", "--config", os.path.join(SOURCE, "configs", "n.toml"),
              *(x for k, v in keys.items() for x in ("--set", f"{k}={v}")),
              *arguments, ranks=ranks if ranks > 1 else 0)
    says(out, "384x384")
    return out, records(ws(name), "step")


def precisions(ws, device, ranks):
    """Three steps in each precision. fp16 begins with a large loss scale and may skip steps that
    overflow. Returns fp32's first loss.
    """
    first = None
    for precision in ("fp32", "bf16", "fp16"):
        name = f"{precision}-{ranks}"
        out, steps = train(ws, name, device=device, ranks=ranks, **{"run.precision": precision})
        says(out, device)
        assert [r["step"] for r in steps] == list(range(1, STEPS + 1)), steps
        assert all(r["images"] == 4 and math.isfinite(r["loss"]) for r in steps), steps
        assert precision == "fp16" or not any(r.get("skipped") for r in steps), steps
        first = first or steps[0]
        # bf16 keeps 8 bits. Which queries are chosen, and what they are matched to, may change with
        # that.
        close(steps[0]["loss"], first["loss"], 0.1,
              f"first loss in {precision} and in fp32, {ranks} rank(s)")
        assert os.path.exists(ws(name, "checkpoints", "last", "model.safetensors"))
        print(name, "passed", flush=True)
    return first


def same_losses(a, b, what):
    assert a["losses"].keys() == b["losses"].keys(), what
    close(a["loss"], b["loss"], 1e-3, what)
    for term, value in a["losses"].items():
        assert (abs(value - b["losses"][term]) <= 1e-3 * max(abs(value), 1e-2 * a["loss"])), (
            what, term, value, b["losses"][term])


def resume(ws, device):
    """Two more steps from a checkpoint, and the loss of the first as in a run that never stopped.
    That the two are equal bit for bit is tested on the CPU, where it can be."""
    _, whole = train(ws, "whole", device=device, **{"train.max_steps": STEPS + 2})
    _, parts = train(ws, "fp32-1", "--resume", "auto", device=device,
                     **{"train.max_steps": STEPS + 2})
    assert [r["step"] for r in parts] == list(range(1, STEPS + 3)), parts
    close(parts[STEPS]["loss"], whole[STEPS]["loss"], 1e-2, "loss of the first step after a resume")


def evaluation(ws, device, weights):
    metrics = {}
    for where in (device, "cpu"):
        run("dfine-eval", "--weights", weights, "--data", ws("val"), "--device", where,
            "--output", ws("metrics.json"))
        with open(ws("metrics.json")) as f:
            metrics[where] = json.load(f)
    mine, theirs = metrics[device], metrics["cpu"]
    close(mine["val_loss"], theirs["val_loss"], 1e-3, "val_loss")
    assert abs(mine["ap"] - theirs["ap"]) < 0.005, (mine["ap"], theirs["ap"])


def prediction(ws, device, weights, images):
    """The sorted scores agree; each of an image's ten best detections is among the CPU's, of the
    same class and in the same place. Order alone may differ: after few steps many scores are almost
    equal.
    """
    found = {}
    for where in (device, "cpu"):
        run("dfine-predict", "--weights", weights, "--images", *images, "--device", where,
            "--threshold", 0, "--output", ws("predicted-" + where))
        found[where] = {}
        with open(ws("predicted-" + where, "predictions.json")) as f:
            for p in json.load(f):
                found[where].setdefault(p["image_id"], []).append(p)
    assert found[device].keys() == found["cpu"].keys() == set(range(1, len(images) + 1))
    for image, mine in found[device].items():
        theirs = found["cpu"][image]
        assert len(mine) == len(theirs) == 300  # 100 queries, 3 classes
        worst = max(abs(a["score"] - b["score"]) for a, b in zip(mine, theirs))
        assert worst < 1e-3, f"image {image}: scores differ by {worst}"
        for p in mine[:10]:
            same = [q for q in theirs if q["category_id"] == p["category_id"]
                    and abs(q["score"] - p["score"]) < 1e-3]
            away = min((max(abs(a - b) for a, b in zip(corners(p), corners(q))) for q in same),
                       default=math.inf)
            assert away < 0.5, f"image {image}: {p} is {away} pixels from the CPU's nearest"


def corners(p):
    x, y, w, h = p["bbox"]
    return x, y, x + w, y + h


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    device = parser.parse_args().device
    count = gpus() if device == "cuda" else 2
    if count == 0:
        print("SKIPPED: nvidia-smi lists no GPU on this machine")
        sys.exit(77)
    with Workspace() as ws:
        subset("train", 12, ws("train.json"))
        val = subset("val", 6, ws("val.json"))
        pack(ws("train.json"), ws("train"))
        pack(ws("val.json"), ws("val"))

        first = precisions(ws, device, ranks=1)
        _, on_cpu = train(ws, "cpu", device="cpu", **{"train.max_steps": 1})
        same_losses(first, on_cpu[0], "first step on the CPU and on " + device)
        if count > 1 and shutil.which("mpirun"):
            same_losses(first, precisions(ws, device, ranks=2), "first step of one rank and of two")
        else:
            print(f"two ranks are skipped: GPUs: {count}, mpirun: {shutil.which('mpirun')}")
        resume(ws, device)
        weights = ws("whole", "checkpoints", "last")
        evaluation(ws, device, weights)
        prediction(ws, device, weights,
                   [os.path.join(BCCD, "images", i["file_name"]) for i in val["images"][:4]])
    print("all passed")


if __name__ == "__main__":
    main()
