"""TensorBoard reads the event files of a run: each value is that of metrics.jsonl, the histogram
counts all detections, the pictures open.
"""
import io
import json
import os
import sys

sys.path.insert(0, os.path.join(os.environ["DFINE_SOURCE_DIR"], "tests", "e2e"))
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from common import SOURCE, Workspace, pack, records, run, subset

SIZES = {"scalars": 0, "images": 0, "histograms": 0}  # 0: all


def train(ws, steps, *more):
    keys = {"run.dir": ws("run"), "run.device": "cpu", "run.threads": 2, "run.log_seconds": 0,
            "data.train": ws("train"), "data.val": ws("val"), "data.image_size": 256,
            "data.batch_size": 2, "data.workers": 0, "train.max_steps": steps,
            "train.preflight": "false", "model.num_queries": 60, "ema.enabled": "true",
            "ema.decay": 0.9}
    run("dfine_ddp", "--config", os.path.join(SOURCE, "configs", "n.toml"), *more,
        *(x for k, v in keys.items() for x in ("--set", f"{k}={v}")))


def check(ws):
    for name, count in (("train", 4), ("val", 3)):
        subset(name, count, ws(name + ".json"))
        pack(ws(name + ".json"), ws(name))
    train(ws, 2)
    train(ws, 4, "--resume", "auto")
    events = EventAccumulator(ws("run", "tensorboard"), size_guidance=SIZES,
                              purge_orphaned_data=True)
    events.Reload()
    steps = records(ws("run"), "step")
    assert len(steps) == 4
    for tag, value in (("train/loss", lambda r: r["loss"]), ("train/lr", lambda r: r["lr"]),
                       ("train/grad_norm", lambda r: r["grad_norm"]),
                       ("loss/loss_vfl", lambda r: r["losses"]["loss_vfl"])):
        found = [(e.step, e.value) for e in events.Scalars(tag)]
        assert [s for s, _ in found] == [1, 2, 3, 4], (tag, found)
        for (_, number), record in zip(found, steps, strict=True):
            assert abs(number - value(record)) <= 1e-6 * abs(value(record)), (tag, number, record)
    chosen = {(r["step"], r["weights"]): r for kind in ("val", "val_other")
              for r in records(ws("run"), kind)}
    for weights in ("ema", "raw"):
        for e in events.Scalars(f"val_{weights}/val_loss"):
            expected = chosen[e.step, weights]["val_loss"]
            assert abs(e.value - expected) <= 1e-6 * expected
    histogram = events.Histograms("val/scores")[-1].histogram_value
    # 60 queries and 3 classes: 180 pairs on each of 3 images.
    assert histogram.num == sum(histogram.bucket) == 3 * 180, histogram
    assert 0 <= histogram.min <= histogram.max <= 1
    for i in range(3):
        picture = events.Images(f"val/image_{i}")[-1]
        with Image.open(io.BytesIO(picture.encoded_image_string)) as image:
            assert image.size == (picture.width, picture.height) == (1280, 480)
    with open(ws("run", "metrics.jsonl")) as f:
        assert all(json.loads(line)["memory_bytes"] > 1e8 for line in f if '"step",' in line)


def main():
    with Workspace() as ws:
        check(ws)
    print("all passed")


if __name__ == "__main__":
    main()
