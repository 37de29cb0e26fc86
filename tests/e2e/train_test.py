"""Training as a user runs it: two ranks, metrics, checkpoints that transformers and torch open,
evaluation, prediction, resume.
"""
import json
import math
import os

import torch
from safetensors.torch import load_file

from common import BCCD, SOURCE, Workspace, pack, records, run, says, subset

VAL_KEYS = {"type", "step", "epoch", "weights", "val_loss", "ap", "ap50", "ap75", "ap_small",
            "ap_medium", "ap_large",
            "ar1", "ar10", "ar100", "ar_small", "ar_medium", "ar_large"}
STEP_KEYS = {"type", "step", "epoch", "loss", "losses", "grad_norm", "lr", "images", "images_per_s",
             "data_wait_s", "memory_bytes"}


def settings(ws, name, **more):
    keys = {"run.dir": ws(name), "run.deterministic": "true", "run.threads": 1, "run.device": "cpu",
            "model.size": "n",
            "data.train": ws("train"), "data.val": ws("val"), "data.image_size": 256,
            "data.batch_size": 2, "data.workers": 1,
            "data.augment": "flip", "optim.lr": 4e-4, "optim.warmup_steps": 0,
            "optim.clip_norm": 0.1, "train.epochs": 2, "ema.enabled": "true",
            "ema.warmup_steps": 10, "validate.weights": "ema", **more}
    return ["--config", os.path.join(SOURCE, "configs", "n.toml"),
            *(x for k, v in keys.items() for x in ("--set", f"{k}={v}"))]


def check_metrics(run_dir, steps):
    got = records(run_dir, "step")
    assert [r["step"] for r in got] == list(range(1, steps + 1)), [r["step"] for r in got]
    for r in got:
        assert set(r) == STEP_KEYS, set(r) ^ STEP_KEYS
        # 38 terms for N with denoising (oracle: 20 without); `loss` is their sum.
        assert len(r["losses"]) == 38, len(r["losses"])
        assert math.isclose(r["loss"], sum(r["losses"].values()), rel_tol=1e-5)
        assert r["grad_norm"] > 0 and r["images"] == 4
    val = records(run_dir, "val")
    assert all(set(r) == VAL_KEYS for r in val)
    return got, val


def check_checkpoint(folder, classes):
    """transformers and torch open it, and the tensors are the same."""
    from transformers import AutoImageProcessor, DFineForObjectDetection
    model, info = DFineForObjectDetection.from_pretrained(folder, output_loading_info=True)
    assert (not info["missing_keys"] and not info["unexpected_keys"]
            and not info["mismatched_keys"]), info
    assert model.config.id2label == dict(enumerate(classes)), model.config.id2label
    AutoImageProcessor.from_pretrained(folder)
    state = torch.load(os.path.join(folder, "state.pth"), weights_only=True)
    assert {"epoch", "model_state_dict", "optimizer_state_dict",
            "val_loss"} <= set(state), state.keys()
    return model.eval(), state


def same_tensors(a, b, where):
    assert type(a) is type(b), (where, type(a), type(b))
    if isinstance(a, dict):
        assert a.keys() == b.keys(), (where, a.keys() ^ b.keys())
        for k in a:
            same_tensors(a[k], b[k], f"{where}.{k}")
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b), where
        for i, (x, y) in enumerate(zip(a, b)):
            same_tensors(x, y, f"{where}[{i}]")
    elif isinstance(a, torch.Tensor):
        assert a.dtype == b.dtype and torch.equal(a,
                                                  b), (where, (a.double() - b.double()).abs().max())


def main():
    with Workspace() as ws:
        classes = [c["name"] for c in sorted(subset("train", 14, ws("train.json"))["categories"],
                                             key=lambda c: c["id"])]
        subset("val", 7, ws("val.json"))
        pack(ws("train.json"), ws("train"))
        pack(ws("val.json"), ws("val"))

        # 14 images, global batch 4: three steps per epoch, two images dropped from each.
        out = run("dfine_ddp", *settings(ws, "whole"), ranks=2)
        assert "2 ranks" in out, out
        with open(ws("whole", "log.txt")) as f:
            log = f.read()
        assert "rank" in log and "host" in log and "device" in log, log
        assert "warn" not in out.lower(), out  # nothing is wrong, so nothing must look it
        steps, val = check_metrics(ws("whole"), 6)
        assert [r["step"] for r in val] == [3, 6]
        for name in ("last", "best"):
            check_checkpoint(ws("whole", "checkpoints", name), classes)

        # Interrupted after the first epoch and resumed: the very same weights, optimizer, EMA and
        # metrics.
        run("dfine_ddp", *settings(ws, "parts", **{"train.epochs": 1}), ranks=2)
        run("dfine_ddp", *settings(ws, "parts"), "--resume", "auto", ranks=2)
        again, val_again = check_metrics(ws("parts"), 6)
        assert [r["losses"] for r in again] == [r["losses"] for r in steps]
        assert val_again == val
        a, b = (load_file(ws(n, "checkpoints", "last", "model.safetensors"))
                for n in ("whole", "parts"))
        same_tensors(a, b, "model.safetensors")
        a, b = (torch.load(ws(n, "checkpoints", "last", "state.pth"), weights_only=True)
                for n in ("whole", "parts"))
        for key in ("epoch", "model_state_dict", "optimizer_state_dict"):
            same_tensors(a[key], b[key], key)

        # The step is a function of the global batch: one rank with all four images starts with the
        # same loss and follows.
        run("dfine_ddp", *settings(ws, "alone", **{"data.batch_size": 4, "train.max_steps": 1}))
        alone = records(ws("alone"), "step")[0]

        # Bound to one core, as mpirun does by default.
        cores = os.sched_getaffinity(0)
        if len(cores) > 1:
            os.sched_setaffinity(0, {min(cores)})
            out = run("dfine_ddp", *settings(ws, "bound", **{"train.max_steps": 1}))
            os.sched_setaffinity(0, cores)
            says(out, "bound to 1 core of ", "--bind-to none", "--cpus-per-task")
        for name, value in steps[0]["losses"].items():
            assert math.isclose(alone["losses"][name], value, rel_tol=2e-4,
                                abs_tol=1e-6), (name, alone["losses"][name], value)

        last = ws("whole", "checkpoints", "last")
        with open(ws("val.json")) as f:
            images = [os.path.join(BCCD, "images", i["file_name"]) for i in json.load(f)["images"]]
        run("dfine-predict", "--weights", last, "--images", *images, "--threshold", 0,
            "--output", ws("predictions"),
            "--annotations", ws("val.json"), "--image-size", 256)
        with open(ws("predictions", "predictions.json")) as f:
            predictions = json.load(f)
        assert len(predictions) == 7 * 300
        drawn = os.listdir(ws("predictions"))
        assert sum(name.endswith(".jpg") for name in drawn) == 7, drawn

        check_predictions(last, images[0],
                          [p for p in predictions if p["file_name"] == os.path.basename(images[0])])
    print("all passed")


def check_predictions(folder, image, ours):
    """transformers with the same weights on the same file gives the same detections."""
    from PIL import Image
    model, _ = check_checkpoint(
        folder, list(json.load(open(os.path.join(folder, "config.json")))["id2label"].values()))
    from transformers import AutoImageProcessor
    processor = AutoImageProcessor.from_pretrained(folder)
    picture = Image.open(image).convert("RGB")
    with torch.no_grad():
        inputs = processor(picture, size={"height": 256, "width": 256}, return_tensors="pt")
        result = processor.post_process_object_detection(model(**inputs), threshold=0.0,
                                                         target_sizes=[picture.size[::-1]])[0]
    theirs = torch.cat([result["scores"][:, None], result["boxes"]], 1)
    mine = torch.tensor([[p["score"], p["bbox"][0], p["bbox"][1], p["bbox"][0] + p["bbox"][2],
                          p["bbox"][1] + p["bbox"][3]] for p in ours])
    assert theirs.shape == mine.shape == (300, 5)
    # Scores within what the parity bound on logits allows.
    assert torch.allclose(theirs[:, 0], mine[:, 0],
                          atol=1e-3), (theirs[:, 0] - mine[:, 0]).abs().max()
    # The ten best boxes agree within 0.05 pixels of 640: 1e-5 of the image size, times ten for the
    # accumulated differences in resizing. Each is sought among ours, since two of nearly equal
    # score may change places.
    for box in theirs[:10]:
        distance = (mine[:, 1:] - box[1:]).abs().amax(1).min()
        assert distance < 0.05, (distance, box)


if __name__ == "__main__":
    main()
