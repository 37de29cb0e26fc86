"""Runs that are stopped, killed and continued: they end as if nothing had happened. What they may
not continue is an error, and so is a second job in their folder.
"""
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import time

import torch

from common import BIN, SOURCE, events, pack, records, run, run_parts, says, subset

STOPPED = 75  # exit code: saved, run again


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


def manifest_of(ws, run_dir, name):
    with open(ws(run_dir, "checkpoints", name, "manifest.json")) as f:
        return json.load(f)["run"]


def same(ws, a, b, *names):
    for name in names:
        one, other = (manifest_of(ws, run_dir, name) for run_dir in (a, b))
        for key in ("step", "epoch", "samples", "stage", "best", "best_stage1", "weights",
                    "validations_without_best", "val_loss"):
            assert one[key] == other[key], (name, key, one[key], other[key])
        one, other = (state_of(ws, run_dir, name) for run_dir in (a, b))
        for part in (lambda s: s["model_state_dict"], lambda s: s["ema"]["state_dict"]):
            assert all(torch.equal(v, part(other)[k]) for k, v in part(one).items()), name


def start(ws, name, *more, command=(), **settings_of_run):
    """In the background."""
    return subprocess.Popen([*command, os.path.join(BIN, "dfine_ddp"),
                             *settings(ws, name, **settings_of_run), *more],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def await_that(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def steps_in(ws, name):
    path = ws(name, "metrics.jsonl")
    return len(records(ws(name), "step")) if os.path.exists(path) else 0


def uninterrupted(ws):
    run("dfine_ddp", *settings(ws, "whole"))
    # or the comparison would not show what it is for
    assert len(events(ws("whole"), "back_to_best")) > 1
    with open(ws("whole", "checkpoints", "last", "metrics.json")) as f:
        metrics = json.load(f)
    assert metrics["epoch"] == 5 and all(v["epoch"] == 5 for v in metrics["validations"]), metrics


def stopped_before_every_validation(ws):
    """train.max_minutes ends each of six starts after an epoch, before its validation, which the
    next start does first. Stage 2's are among them, which go back to the best weights.
    """
    for attempt in range(1, 7):
        run("dfine_ddp", *settings(ws, "parts", **{"train.max_minutes": 1e-6}), "--resume", "auto",
            expect=STOPPED if attempt < 6 else 0)
        assert events(ws("parts"), "ended")[-1]["reason"] == ("max_minutes" if attempt < 6
                                                              else "complete")
        assert len(records(ws("parts"), "val")) == (attempt - 1 if attempt < 6 else 6)
    starts = records(ws("parts"), "start")
    assert [s["attempt"] for s in starts] == list(range(1, 7))
    assert all(s["steps_lost"] == 0 for s in starts), starts
    assert starts[0]["resumed_from"] is None and starts[1]["resumed_from"].endswith("step-00000001")
    same(ws, "whole", "parts", "last", "best", "best_stage1")


def stopped_within_an_epoch(ws):
    """Each of three runs ends after one of the epoch's steps. The next goes on with the images that
    the epoch has not had yet.
    """
    single = {"data.batch_size": 1, "train.epochs": 2, "train.stage2_epoch": 0,
              "train.stage2_from_best": "false", "validate.every_epochs": 0}
    run("dfine_ddp", *settings(ws, "steps", **single))
    for _ in range(3):
        run("dfine_ddp", *settings(ws, "step_by_step", **single, **{"train.max_minutes": 1e-6}),
            "--resume", "auto", expect=STOPPED)
    run("dfine_ddp", *settings(ws, "step_by_step", **single), "--resume", "auto")
    losses = [[r["loss"] for r in records(ws(name), "step")] for name in ("steps", "step_by_step")]
    assert len(losses[0]) == 4 and losses[0] == losses[1], losses
    same(ws, "steps", "step_by_step", "last")


def asked_to_stop(ws):
    """By each signal, by the file RUN_DIR/stop, alone and under mpirun: saved, exit code 75."""
    for number, ask in enumerate(("USR1", "USR2", "TERM", "INT", "file", "mpirun")):
        name, command = "asked", ()
        if ask == "mpirun":
            name, command = "asked2", ("mpirun", "-np", "2", "--bind-to", "none", "--oversubscribe")
        two = {"data.batch_size": 1} if ask == "mpirun" else {}
        done = steps_in(ws, name)
        asked = start(ws, name, "--resume", "auto", command=command, **two,
                      **{"train.epochs": 100, "train.stage2_epoch": 60, "run.log_seconds": 0})
        await_that(lambda n=name, d=done: steps_in(ws, n) > d)
        if ask == "file":
            open(ws(name, "stop"), "w").close()
        else:
            asked.send_signal(signal.Signals["SIG" + (ask if ask != "mpirun" else "USR1")])
        out = asked.communicate(timeout=60)[0]
        assert asked.returncode == STOPPED, (ask, asked.returncode, out)
        says(out, "--resume auto")
        assert not os.path.exists(ws(name, "stop"))
        saved = manifest_of(ws, name, "last")["step"]
        assert saved == records(ws(name), "step")[-1]["step"] > 0, (ask, saved)
        if number == 0:  # a second Ctrl-C does not wait for a step
            at_once = start(ws, name, "--resume", "auto", **{"train.epochs": 100,
                                                             "train.stage2_epoch": 60})
            await_that(lambda n=name, d=saved: steps_in(ws, n) > d)
            at_once.send_signal(signal.SIGINT)
            at_once.send_signal(signal.SIGINT)
            at_once.communicate(timeout=60)
            assert at_once.returncode in (-signal.SIGINT, STOPPED), at_once.returncode


def killed_during_validation(ws):
    """The epoch is not trained again."""
    long = {"data.val": ws("long"), "validate.batch_size": 1, "train.epochs": 2,
            "train.stage2_epoch": 0, "train.stage2_from_best": "false"}
    killed = start(ws, "validation", **long)
    await_that(lambda: os.path.exists(ws("validation", "checkpoints", "last")))
    time.sleep(0.3)
    killed.kill()
    killed.communicate()
    assert not records(ws("validation"), "val")
    out = run("dfine_ddp", *settings(ws, "validation", **long), "--resume", "auto")
    says(out, "step-00000001")
    assert [r["step"] for r in records(ws("validation"), "step")] == [1, 2]
    assert [r["step"] for r in records(ws("validation"), "val")] == [1, 2]
    run("dfine_ddp", *settings(ws, "validation-whole", **long))
    same(ws, "validation", "validation-whole", "last", "best")


def one_job_per_folder(ws):
    """A second job names the first one, and touches nothing."""
    first = start(ws, "shared", **{"train.epochs": 30, "train.stage2_epoch": 20,
                                   "run.lock_seconds": 20})
    await_that(lambda: steps_in(ws, "shared") > 0)
    files = sorted(os.listdir(ws("shared")))
    for resume in ("none", "auto"):
        out = run("dfine_ddp", *settings(ws, "shared", **{"run.lock_seconds": 20}), "--resume",
                  resume, expect=1)
        says(out, "[run_folder_busy]", str(first.pid), os.uname().nodename, "hint: ")
    assert sorted(os.listdir(ws("shared"))) == files
    out = first.communicate(timeout=120)[0]
    assert first.returncode == 0, out
    assert [r["step"] for r in records(ws("shared"), "step")] == list(range(1, 31))
    # A holder that was killed is no obstacle.
    killed = start(ws, "shared", **{"train.epochs": 30})
    await_that(lambda: steps_in(ws, "shared") > 0)
    killed.kill()
    killed.communicate()
    run("dfine_ddp", *settings(ws, "shared"), "--resume", "auto", timeout=60)


def replaced_by_another_job(ws):
    """A job whose lock was taken over notices before it writes, and ends."""
    held = start(ws, "replaced", **{"train.epochs": 100, "train.stage2_epoch": 60})
    await_that(lambda: steps_in(ws, "replaced") > 1)
    with open(ws("replaced", ".lock-000001")) as f:
        lock = f.read()
    token = re.search("token=([0-9a-f]+)", lock).group(1)
    with open(ws("replaced", ".lock-new"), "w") as f:
        f.write(lock.replace(token, token[::-1]))
    os.rename(ws("replaced", ".lock-new"), ws("replaced", ".lock-000002"))
    out = held.communicate(timeout=60)[0]
    assert held.returncode == 1, out
    says(out, "[run_folder_busy]", os.uname().nodename)
    assert not events(ws("replaced"), "failed")
    with open(ws("replaced", "log.txt")) as f:
        assert "run_folder_busy" not in f.read()


def lost_best(ws):
    shutil.copytree(ws("whole"), ws("lost"), symlinks=True)
    shutil.rmtree(os.path.realpath(ws("lost", "checkpoints", "best")))
    out = run("dfine_ddp", *settings(ws, "lost", **{"train.epochs": 7}), "--resume", "auto")
    says(out, "checkpoints/best is missing", "train.epochs = 7, was 6")
    assert state_of(ws, "lost", "best")["step"] == 7


def nothing_left_to_resume(ws):
    """A run has saved here, but nothing undamaged is left: never a silent start from scratch."""
    shutil.copytree(ws("whole"), ws("gone"), symlinks=True)
    for folder in glob.glob(ws("gone", "checkpoints", "step-*")):
        os.truncate(os.path.join(folder, "state.pth"), 1000)
    damaged = sorted(os.listdir(ws("gone", "checkpoints")))
    out = run("dfine_ddp", *settings(ws, "gone"), "--resume", "auto", expect=1)
    says(out, "state.pth", "--resume none", *(d for d in damaged if d.startswith("step-")))
    assert sorted(os.listdir(ws("gone", "checkpoints"))) == damaged
    shutil.rmtree(ws("gone", "checkpoints"))
    out = run("dfine_ddp", *settings(ws, "gone"), "--resume", "auto", expect=1)
    says(out, "[checkpoint_mismatch]", "--resume none")
    run("dfine_ddp", *settings(ws, "gone", **{"train.max_steps": 1}), "--resume", "none")
    assert os.path.exists(ws("gone", "previous-1", "metrics.jsonl"))
    # An attempt that ended before its first checkpoint had nothing to lose.
    shutil.rmtree(ws("gone", "checkpoints"))
    with open(ws("gone", "metrics.jsonl"), "w") as f:
        f.write('{"type":"start","time":"2026-11-29T19:30:00.000Z","step":0}\n')
    out = run("dfine_ddp", *settings(ws, "gone", **{"train.max_steps": 1}), "--resume", "auto")
    says(out, "previous-2")


def continued_elsewhere(ws):
    """In a new folder, and in one that belongs to another run, whose files and best stay its own.
    """
    run("dfine_ddp", *settings(ws, "elsewhere"), "--resume", ws("whole", "checkpoints", "last"))
    same(ws, "whole", "elsewhere", "last", "best", "best_stage1")
    run("dfine_ddp", *settings(ws, "other", **{"run.seed": 5, "train.max_steps": 2}))
    before = records(ws("other"), "val")
    more = {"train.epochs": 7}
    run("dfine_ddp", *settings(ws, "other", **more), "--resume", ws("whole", "checkpoints", "last"))
    assert records(ws("other", "previous-1"), "val") == before
    assert [r["step"] for r in records(ws("other"), "step")] == [7]
    run("dfine_ddp", *settings(ws, "elsewhere", **more), "--resume", "auto")
    same(ws, "other", "elsewhere", "last", "best", "best_stage1")


def other_data(ws):
    """As many images, so as many steps per epoch, but other ones."""
    shutil.copytree(ws("whole"), ws("data"), symlinks=True)
    more = {"train.epochs": 7, "data.train": ws("others")}
    out = run("dfine_ddp", *settings(ws, "data", **more), "--resume", "auto", expect=1)
    checksum = manifest_of(ws, "data", "last")["train_data"]
    says(out, "[checkpoint_mismatch]", f"data.train: {checksum} ",
         "(2 images) now",
         'run.allow_changed = ["data"]')
    out = run("dfine_ddp", *settings(ws, "data", **more, **{"data.image_size": 160,
                                                            "model.num_queries": 40}),
              "--resume", "auto", expect=1)
    says(out, ": 128x128 ", ", 160x160 now", ": 50 ", ", 40 now",
         '"data", "image_size", "num_queries"')
    run("dfine_ddp", *settings(ws, "data", **more, **{"run.allow_changed": '["data"]'}), "--resume",
        "auto")
    assert manifest_of(ws, "data", "last")["train_data"] != checksum


def initial_weights_are_not_needed(ws):
    """Of a run that is continued."""
    shutil.copytree(ws("whole", "checkpoints", "best"), ws("weights"))
    weights = {"model.weights": ws("weights"), "train.epochs": 2, "train.stage2_epoch": 0,
               "train.stage2_from_best": "false"}
    run("dfine_ddp", *settings(ws, "weights-run", **weights, **{"train.max_steps": 1}))
    shutil.rmtree(ws("weights"))
    run("dfine_ddp", *settings(ws, "weights-run", **weights), "--resume", "auto")
    assert manifest_of(ws, "weights-run", "last")["step"] == 2


def mpirun(ws, places, *more, program=()):
    """Each rank in a separate folder, as on nodes with local disks."""
    command = ["mpirun", "--bind-to", "none", "--oversubscribe"]
    for place in places:
        command += [":"] * (command[-1] != "--oversubscribe") + ["-np", "1", "--wdir", ws(place),
                                                                 *program, *more]
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=300)
    return done.returncode, done.stdout


def folders_of_their_own(ws):
    """Rank one sees another run folder than rank zero: what rank zero reads is everyone's."""
    for place in ("a", "b"):
        os.mkdir(ws(place))
    program = [os.path.join(BIN, "dfine_ddp"), *settings(ws, "unused", **{"data.batch_size": 1}),
               "--set", "run.dir=mine"]

    def train(*more):
        code, out = mpirun(ws, ("a", "b"), *more, program=program)
        assert code == 0, out
        return out

    train("--set", "train.max_steps=2")
    says(train("--resume", "auto"), "mine/checkpoints/step-00000002-val")
    assert [r["step"] for r in records(ws("a", "mine"), "start")] == [0, 2]
    assert ([r["step"] for r in records(ws("a", "mine"), "step")] == list(range(1, 7))
            and not os.listdir(ws("b")))
    run("dfine_ddp", *settings(ws, "together", **{"data.batch_size": 1}), ranks=2)
    for name in ("last", "best"):
        one = torch.load(ws("a", "mine", "checkpoints", name, "state.pth"), weights_only=True)
        assert all(torch.equal(v, one["model_state_dict"][k])
                   for k, v in state_of(ws, "together", name)["model_state_dict"].items())


def packs_that_differ(ws):
    """Rank one's copy of the pack is an old one: other images, or fewer of them."""
    for number, stale in enumerate(("others", "long")):
        places = (f"node{2 * number}", f"node{2 * number + 1}")
        for place, which in zip(places, ("train", stale)):
            os.mkdir(ws(place))
            shutil.copytree(ws(which), ws(place, "pack"))
        code, out = mpirun(ws, places, program=[
            os.path.join(BIN, "dfine_ddp"),
            *settings(ws, "unused", **{"data.batch_size": 1, "data.train": "pack"})])
        assert code == 1, out
        says(out, "[ranks_disagree]", "data.train", "rank 0 on ", "rank 1 on ", "(2 images)")


def other_ranks_and_batches(ws):
    """At the same global batch, 1, 2 and 4 ranks go on alike. Another one is allowed: the epoch
    goes on after its samples, and the learning rate's schedule after its epochs.
    """
    four = {"data.train": ws("eight"), "train.epochs": 4, "train.stage2_epoch": 0,
            "train.stage2_from_best": "false", "optim.lr": 1e-4,
            "optim.schedule": "multistep", "optim.milestones": "[3]", "optim.gamma": 0.5}
    run("dfine_ddp", *settings(ws, "half", **four, **{"data.batch_size": 4, "train.max_steps": 3}))
    losses = {}
    for ranks in (1, 2, 4):
        shutil.copytree(ws("half"), ws(f"ranks{ranks}"), symlinks=True)
        run("dfine_ddp", *settings(ws, f"ranks{ranks}", **four, **{"data.batch_size": 4 // ranks}),
            "--resume", "auto", ranks=ranks if ranks > 1 else 0)
        losses[ranks] = [r["loss"] for r in records(ws(f"ranks{ranks}"), "step")]
        assert len(losses[ranks]) == 8, losses
    # What rounding alone does: the same step in another order of summation, by threads.
    shutil.copytree(ws("half"), ws("rounding"), symlinks=True)
    run("dfine_ddp", *settings(ws, "rounding", **four, **{"data.batch_size": 4, "run.threads": 2}),
        "--resume", "auto")
    rounding = [abs(a - r["loss"]) for a, r in zip(losses[1], records(ws("rounding"), "step"))]
    for ranks in (2, 4):
        apart = [abs(a - b) for a, b in zip(losses[1], losses[ranks])]
        assert apart[3] < 1e-4 * losses[1][3], (ranks, apart)
        assert max(apart[4:]) <= 3 * max(rounding[4:]) + 1e-4 * losses[1][4], (apart, rounding)

    shutil.copytree(ws("half"), ws("batch"), symlinks=True)
    out = run("dfine_ddp", *settings(ws, "batch", **four, **{"data.batch_size": 2}), "--resume",
              "auto")
    says(out, "batch of 2, was 4", "4 samples")
    steps = records(ws("batch"), "step")
    # 3 steps of 4, 2 of 2 to the end of epoch 1, and two epochs of 4 steps
    assert [r["epoch"] for r in steps] == [0] * 2 + [1] * 3 + [2] * 4 + [3] * 4, steps
    assert [r["lr"] for r in steps] == [1e-4] * 9 + [5e-5] * 4, [r["lr"] for r in steps]
    assert manifest_of(ws, "batch", "last")["samples"] == 32

    # The 4 samples that are left of epoch 1 fill no batch of 5: it ends at once.
    shutil.copytree(ws("half"), ws("batch5"), symlinks=True)
    run("dfine_ddp", *settings(ws, "batch5", **four, **{"data.batch_size": 5}), "--resume", "auto")
    assert [r["epoch"] for r in records(ws("batch5"), "step")] == [0, 0, 1, 2, 3]
    assert [r["epoch"] for r in records(ws("batch5"), "val")] == [0, 1, 2, 3]


def with_more_packs(ws):
    for part, count, name in (("train", 8, "eight"), ("val", 60, "long")):
        subset(part, count, ws(name + ".json"))
        pack(ws(name + ".json"), ws(name))
    images = set()
    subset("train", 2, ws("others.json"),
           keep=lambda image: (images.add(image["id"]), len(images) > 2)[1])
    pack(ws("others.json"), ws("others"))


run_parts((with_more_packs, uninterrupted, stopped_before_every_validation,
           stopped_within_an_epoch, asked_to_stop, killed_during_validation, one_job_per_folder,
           replaced_by_another_job, lost_best, nothing_left_to_resume, continued_elsewhere,
           other_data, initial_weights_are_not_needed, folders_of_their_own, packs_that_differ,
           other_ranks_and_batches), train=2, val=4)
