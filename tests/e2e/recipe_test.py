"""The parts of the recipe that only a whole run shows: stage 2, averaged and raw weights, early
ends, bad steps, pre-flight, learning-rate finder.
"""
import json
import os
import resource
import subprocess

import torch
from safetensors.torch import load_file

from common import BIN, SOURCE, events, records, run, run_parts, says


def settings(ws, name, **more):
    keys = {"run.dir": ws(name), "run.threads": 1, "run.device": "cpu", "model.size": "n",
            "model.num_queries": 50, "data.train": ws("train"),
            "data.val": ws("val"), "data.image_size": 128, "data.batch_size": 2, "data.workers": 0,
            "optim.lr": 4e-4, "optim.warmup_steps": "auto",
            "optim.clip_norm": 0.1, "train.epochs": 2, "ema.enabled": "true",
            "checkpoint.monitor": "val_loss", **more}
    return ["--config", os.path.join(SOURCE, "configs", "n.toml"),
            *(x for k, v in keys.items() for x in ("--set", f"{k}={v}"))]


def state_of(folder):
    return torch.load(os.path.join(folder, "state.pth"), weights_only=True)


def held_weights_are_said(ws, run_dir):
    """model.safetensors of `best` is what metrics.json names, and metrics.jsonl's better validation
    of that step.
    """
    best = ws(run_dir, "checkpoints", "best")
    with open(os.path.join(best, "metrics.json")) as f:
        told = json.load(f)
    with open(os.path.join(best, "manifest.json")) as f:
        manifest = json.load(f)
    state, held = state_of(best), load_file(os.path.join(best, "model.safetensors"))
    tensors = state["ema"]["state_dict"] if told["weights"] == "ema" else state["model_state_dict"]
    assert held.keys() <= tensors.keys() and all(torch.equal(held[k], tensors[k]) for k in held)
    val = [r for r in records(ws(run_dir), "val") if r["step"] == told["step"]]
    other = [r for r in records(ws(run_dir), "val_other") if r["step"] == told["step"]]
    assert ([r["weights"] for r in val] == [told["weights"]] and {r["weights"] for r in val + other}
            == {"ema", "raw"})
    assert (val[0]["val_loss"] <= other[0]["val_loss"]
            and manifest["run"]["best"]["value"] == val[0]["val_loss"])


def second_stage(ws):
    """Two ranks, two micro-batches, multi-scale. A learning rate that destroys the weights after
    the stop epoch makes every later epoch worse. So each must begin from stage 1's best again.
    """
    out = run("dfine_ddp", *settings(ws, "stages", **{
        "model.num_queries": 45, "data.batch_size": 1, "train.gradient_accumulation_steps": 2,
        "train.epochs": 5, "train.stage2_epoch": 2, "train.stage2_from_best": "true",
        "data.multiscale": "true",
        "data.augment": "dfine", "ema.restart": "intended", "ema.restart_decay": 0.8,
        "optim.schedule": "multistep", "optim.milestones": "[2]",
        "optim.gamma": 60}), ranks=2)
    says(out, "pre-flight", "160x160", "optimizer steps", "EMA", "raw weights")
    steps = records(ws("stages"), "step")
    assert [r["step"] for r in steps] == list(range(1, 16)) and all(r["images"] == 4 for r in steps)
    assert abs(steps[5]["lr"] - 4e-4) < 1e-12 and abs(steps[6]["lr"] - 2.4e-2) < 1e-12
    held_weights_are_said(ws, "stages")
    first, _, last = (state_of(ws("stages", "checkpoints", name))
                      for name in ("best_stage1", "best", "last"))
    assert first["step"] in (3, 6) and last["step"] == 15
    back = len(events(ws("stages"), "back_to_best"))
    assert [r["step"] for r in events(ws("stages"), "stage2")] == [6]
    val = records(ws("stages"), "val")
    least = min(r["val_loss"] for r in val[:2])
    worse = 0
    for r in val[2:4]:
        worse += r["val_loss"] >= least
        least = min(least, r["val_loss"])
    assert worse > 0 and back == 1 + worse, (back, worse, out)
    # ema.restart: 0.8 from the stop epoch on, 1e-4 less after each later epoch without a new best
    # (official det_solver.py).
    assert first["ema"]["restarted_decay"] is None, first["ema"]["restarted_decay"]
    assert abs(last["ema"]["restarted_decay"]
               - (0.8 - 1e-4 * worse)) < 1e-12, (last["ema"]["restarted_decay"], worse)


def early_ends(ws):
    # From epoch 1 on the learning rate is far too large: validation gets worse at once or soon.
    out = run("dfine_ddp", *settings(ws, "patience", **{"optim.lr": 1e-6, "train.epochs": 20,
                                                        "train.patience": 2, "ema.enabled": "false",
                                                        "optim.schedule": "multistep",
                                                        "optim.milestones": "[1]",
                                                        "optim.gamma": 2e4}))
    losses = [r["val_loss"] for r in records(ws("patience"), "val")]
    best = losses.index(min(losses))
    assert len(losses) == best + 3 < 20, losses
    says(out, "train.patience", f"checkpoints/best, of epoch {best}", "recipe", "optim.lr")
    assert [r["reason"] for r in events(ws("patience"), "ended")] == ["patience"]

    limit = {"train.epochs": 2, "validate.every_epochs": 2}
    says(run("dfine_ddp", *settings(ws, "minutes", **limit, **{"train.max_minutes": 1e-6}),
             expect=75), "train.max_minutes", "--resume auto")
    assert [r["reason"] for r in events(ws("minutes"), "ended")] == ["max_minutes"]
    assert ([r["step"] for r in records(ws("minutes"), "step")] == [1]
            and not records(ws("minutes"), "val"))
    run("dfine_ddp", *settings(ws, "minutes", **limit), "--resume", "auto")
    assert [r["step"] for r in records(ws("minutes"), "step")] == list(range(1, 13))


def bad_steps(ws):
    """A learning rate of 1e30 ruins the weights in one step. Every later step is skipped, after
    three the run ends, and `last` is from before.
    """
    common = {"train.epochs": 4, "validate.every_epochs": 4}
    run("dfine_ddp", *settings(ws, "bad", **{**common, "train.max_steps": 1, "optim.lr": 1e-4,
                                             "validate.every_epochs": 0}), ranks=2)
    before = state_of(ws("bad", "checkpoints", "last"))
    out = run("dfine_ddp",
              *settings(ws, "bad", **common, **{"optim.lr": 1e30, "train.max_bad_steps": 3,
                                                "run.resume": "auto"}), ranks=2, expect=1)
    says(out, "rank 0: image", "rank 1: image", "[not_finite]", "3 steps", "optim.lr",
         "after_bad_steps")
    hint = out.split("hint: ")[-1]
    assert (ws("bad", "checkpoints", "last") in hint and "fp32" not in hint
            and ws("bad", "checkpoints", "best") not in hint), hint
    assert ([r.get("skipped", False) for r in records(ws("bad"), "step")]
            == [False, False, True, True, True])
    after = state_of(ws("bad", "checkpoints", "last"))
    assert (after["step"] == 1 and all(torch.equal(v, after["model_state_dict"][k])
                                       for k, v in before["model_state_dict"].items()))


def preflight(ws):
    """Address space for the libraries, but not for the largest step: an error that names the batch,
    before any step.
    """
    command = [os.path.join(BIN, "dfine_ddp"),
               *settings(ws, "large", **{"data.image_size": 1024, "data.batch_size": 12,
                                         "data.multiscale": "true"})]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=300,
                          preexec_fn=lambda: resource.setrlimit(
                              resource.RLIMIT_AS, (4 << 30, 4 << 30)))
    assert done.returncode == 1, done.stdout
    says(done.stdout, "[out_of_memory]", "12 images of 1280x1280", "data.batch_size",
         "train.gradient_accumulation_steps")
    assert not os.path.exists(ws("large", "metrics.jsonl"))


def preflight_leaves_no_trace(ws):
    """The same steps with and without it, to the last bit. Some images have more than 4 boxes:
    under a limit of 8 denoising queries, 4 of them positive, this is said once."""
    common = {"run.deterministic": "true", "train.epochs": 1, "data.augment": "dfine",
              "augment.mosaic": 0.5, "model.num_denoising": 4,
              "model.max_denoising_queries": 8, "validate.batch_size": 3}
    tried = run("dfine_ddp", *settings(ws, "tried", **common))
    says(tried, "pre-flight", "128x128", " 3 images: ")
    # the warnings come after it
    assert tried.index("pre-flight:") < tried.index("optimizer steps in all"), tried
    assert tried.count("model.max_denoising_queries = 8 applies: in step ") == 1, tried
    untried = run("dfine_ddp", *settings(ws, "untried", **common, **{"train.preflight": "false"}))
    assert "pre-flight" not in untried, untried
    first, second = ([(r["losses"], r["grad_norm"]) for r in records(ws(name), "step")]
                     for name in ("tried", "untried"))
    assert len(first) == 6 and first == second, (first, second)


def range_test(ws):
    before = sorted(os.listdir(ws("patience")))
    out = run("dfine_ddp", *settings(ws, "patience"), "--find-lr", 12)
    # 12 steps from random weights
    says(out, "learning-rate finder", "suggestion: optim.lr = ", "inconclusive", "find-lr.svg")
    assert sorted(os.listdir(ws("patience"))) == sorted(before + ["find-lr.csv", "find-lr.svg"])
    with open(ws("patience", "find-lr.csv")) as f:
        rows = [line.split(",") for line in f.read().splitlines()]
    rates = [float(r[0]) for r in rows[1:]]
    assert rows[0] == ["lr", "loss", "smoothed"] and abs(rates[0] - 1e-6) < 1e-12
    assert all(abs(b / a - 1e5 ** (1 / 11)) < 1e-3 for a, b in zip(rates, rates[1:])), rates


run_parts((second_stage, early_ends, bad_steps, preflight, preflight_leaves_no_trace, range_test),
          train=12, val=4)
