"""What the tests on the null device share: small packs, and a training run of few steps."""

import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from run import complaints, run

from common import BCCD, SOURCE, Workspace, pack, subset

__all__ = ["BCCD", "SOURCE", "Workspace", "expect_clean", "pack", "packs", "run_parts", "subset",
           "train", "train_arguments"]


def packs(ws, train=8, val=4):
    """ws("train") and ws("val"), and ws("half_empty"), of whose images every second one has no box.
    """
    for name, count in (("train", train), ("val", val)):
        subset(name, count, ws(name + ".json"))
        pack(ws(name + ".json"), ws(name))
    coco = subset("train", train, ws("half_empty.json"))
    kept = {image["id"] for image in coco["images"][::2]}
    coco["annotations"] = [a for a in coco["annotations"] if a["image_id"] in kept]
    Path(ws("half_empty.json")).write_text(json.dumps(coco))
    pack(ws("half_empty.json"), ws("half_empty"))


def train_arguments(ws, name, size="n", **keys):
    """The smallest run that goes through everything; `keys` as in run__dir for run.dir."""
    settings = {
        "run.dir": ws(name),
        "run.device": "cuda",
        "run.threads": 1,
        "run.precision": "bf16",
        "data.train": ws("train"),
        "data.val": ws("val"),
        "data.image_size": 320,
        "data.batch_size": 2,
        "data.workers": 1,
        "model.num_queries": 100,
        "model.allow_random_frozen": "true",
        "train.epochs": 1,
        "train.preflight": "false",
        "validate.every_epochs": 1,
        **{key.replace("__", "."): value for key, value in keys.items()},
    }
    return ["--config", os.path.join(SOURCE, "configs", size + ".toml"),
            *(x for k, v in settings.items() for x in ("--set", f"{k}={v}"))]


def expect_clean(done, ranks=1):
    found = complaints(done, ranks)
    if found:
        sys.exit(done.log + "\n".join(found))
    return done


def train(ws, name, *more, ranks=1, size="n", devices=None, caching=False, variables=None, **keys):
    """A training run that must succeed, without any use of the device that a real one would refuse.
    """
    done = run(
        "dfine_ddp",
        *train_arguments(ws, name, size, **keys),
        *more,
        ranks=ranks,
        devices=devices,
        caching=caching,
        **(variables or {}),
    )
    return expect_clean(done, ranks)


def run_parts(quick, long):
    """The parts that the command line names; without names the quick ones, with DFINE_LONG set all.
    """
    known = {part.__name__: part for part in quick + long}
    unknown = [name for name in sys.argv[1:] if name not in known]
    if unknown:
        sys.exit(f"there is no part {unknown[0]}; parts: {', '.join(known)}")
    wanted = ([known[name] for name in sys.argv[1:]] or quick
              + (long if os.environ.get("DFINE_LONG") else []))
    with Workspace() as ws:
        packs(ws)
        for part in wanted:
            started = time.monotonic()
            part(ws)
            print(f"{part.__name__} passed after {time.monotonic() - started:.1f} s", flush=True)
    print("all passed")
