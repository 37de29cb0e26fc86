"""Runs that are stopped, killed and continued: they end as if nothing had happened, and a best that
is lost is said.
"""
import os
import shutil
import subprocess

import torch

from common import BIN, SOURCE, events, records, run, run_parts


def settings(ws, name, **more):
    """Two images, one step per epoch; stage 2 from epoch 3; a learning rate that soon makes
    validation worse.
    """
    keys = {"run.dir": ws(name), "run.threads": 1, "run.device": "cpu", "run.deterministic": "true",
            "model.size": "n", "model.num_queries": 50,
            "data.train": ws("train"), "data.val": ws("val"), "data.image_size": 128,
            "data.batch_size": 2, "data.workers": 0, "optim.lr": 5e-3,
            "optim.warmup_steps": 0, "train.epochs": 6, "train.stage2_epoch": 3,
            "train.stage2_from_best": "true", "train.preflight": "false",
            "ema.enabled": "true", "checkpoint.monitor": "val_loss", **more}
    return ["--config", os.path.join(SOURCE, "configs", "n.toml"),
            *(x for k, v in keys.items() for x in ("--set", f"{k}={v}"))]


def state_of(ws, run_dir, name):
    return torch.load(ws(run_dir, "checkpoints", name, "state.pth"), weights_only=True)


def same(ws, a, b, *names):
    for name in names:
        one, other = state_of(ws, a, name), state_of(ws, b, name)
        assert one["step"] == other["step"] and one["best"] == other["best"], (
            name, one["best"], other["best"])
        for part in (lambda s: s["model_state_dict"], lambda s: s["ema"]["state_dict"]):
            assert all(torch.equal(v, part(other)[k]) for k, v in part(one).items()), name


def ended(ws, name, **more):
    """Why the run ended, continued where it can be."""
    run("dfine_ddp", *settings(ws, name, **more), "--resume", "auto")
    return events(ws(name), "ended")[-1]["reason"]


def stopped_after_every_epoch(ws):
    """train.max_minutes ends each of six runs after an epoch, stage 2's among them, which go back
    to the best weights.
    """
    run("dfine_ddp", *settings(ws, "whole"))
    # or the comparison would not show what it is for
    assert len(events(ws("whole"), "back_to_best")) > 1
    for _ in range(5):
        assert ended(ws, "parts", **{"train.max_minutes": 1e-6}) == "max_minutes"
    assert ended(ws, "parts", **{"train.max_minutes": 1e-6}) == "complete"
    same(ws, "whole", "parts", "last", "best", "best_stage1")


def stopped_within_an_epoch(ws):
    """Each of three runs ends after one of the epoch's steps. The next goes on with the images that
    the epoch has not had yet.
    """
    single = {"data.batch_size": 1, "train.epochs": 2, "train.stage2_epoch": 0,
              "train.stage2_from_best": "false", "validate.every_epochs": 0}
    run("dfine_ddp", *settings(ws, "steps", **single))
    for _ in range(3):
        assert ended(ws, "step_by_step", **single, **{"train.max_minutes": 1e-6}) == "max_minutes"
    run("dfine_ddp", *settings(ws, "step_by_step", **single), "--resume", "auto")
    losses = [[r["loss"] for r in records(ws(name), "step")] for name in ("steps", "step_by_step")]
    assert len(losses[0]) == 4 and losses[0] == losses[1], losses
    same(ws, "steps", "step_by_step", "last")


def killed_between_best_and_last(ws):
    """The best of the first epoch is written, its `last` is not: the state of before goes with the
    later best.
    """
    run("dfine_ddp", *settings(ws, "killed", **{"train.max_minutes": 1e-6}), "--resume", "auto")
    written = [os.stat(ws("killed", "checkpoints", name, "state.pth")).st_mtime_ns
               for name in ("best", "last")]
    assert written[0] < written[1]  # no moment at which `last` speaks of a best that is not there
    kept = shutil.copytree(ws("killed", "checkpoints", "last"), ws("kept"))
    for _ in range(2):
        run("dfine_ddp", *settings(ws, "killed", **{"train.max_minutes": 1e-6}), "--resume", "auto")
    assert state_of(ws, "killed", "best")["step"] > 1
    shutil.rmtree(ws("killed", "checkpoints", "last"))
    shutil.copytree(kept, ws("killed", "checkpoints", "last"))
    run("dfine_ddp", *settings(ws, "killed"), "--resume", "auto")
    same(ws, "whole", "killed", "last", "best", "best_stage1")


def lost_best(ws):
    shutil.copytree(ws("whole"), ws("lost"))
    shutil.rmtree(ws("lost", "checkpoints", "best"))
    out = run("dfine_ddp", *settings(ws, "lost", **{"train.epochs": 7}), "--resume", "auto")
    assert "checkpoints/best is missing" in out and "train.epochs = 7, was 6" in out, out
    assert state_of(ws, "lost", "best")["step"] == 7


def continued_elsewhere(ws):
    run("dfine_ddp", *settings(ws, "elsewhere"), "--resume", ws("whole", "checkpoints", "last"))
    same(ws, "whole", "elsewhere", "best", "best_stage1")


def folders_of_their_own(ws):
    """Rank one sees another run folder than rank zero, as on disks of the nodes' own: what rank
    zero reads is everyone's.
    """
    for place in ("a", "b"):
        os.mkdir(ws(place))

    def train(*more):
        program = [os.path.join(BIN, "dfine_ddp"),
                   *settings(ws, "unused", **{"data.batch_size": 1}),
                   "--set", "run.dir=mine", *more]
        command = ["mpirun", "--bind-to", "none", "--oversubscribe", "-np", "1", "--wdir", ws("a"),
                   *program, ":", "-np", "1", "--wdir", ws("b"), *program]
        done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=300)
        assert done.returncode == 0, done.stdout
        return done.stdout

    train("--set", "train.max_steps=2")
    assert "mine/checkpoints/last" in train("--resume", "auto")
    assert [r["step"] for r in events(ws("a", "mine"), "resumed")] == [2]
    assert ([r["step"] for r in records(ws("a", "mine"), "step")] == list(range(1, 7))
            and not os.listdir(ws("b")))
    run("dfine_ddp", *settings(ws, "together", **{"data.batch_size": 1}), ranks=2)
    for name in ("last", "best"):
        one = torch.load(ws("a", "mine", "checkpoints", name, "state.pth"), weights_only=True)
        assert all(torch.equal(v, one["model_state_dict"][k])
                   for k, v in state_of(ws, "together", name)["model_state_dict"].items())


run_parts((stopped_after_every_epoch, stopped_within_an_epoch, killed_between_best_and_last,
           lost_best, continued_elsewhere, folders_of_their_own), train=2, val=4)
