"""Two ranks with the whole recipe are killed at random moments, and continued until the run is
complete. The weights are those of a run that nobody disturbed. With DFINE_LONG set 100 times.

    kills_test.py [PART...]
"""
import json
import os
import random
import shutil
import signal
import time

from checkpoint_files import checkpoints, final, leftovers, require_intact, require_same
from ranks import RECIPE, Job
from runs import LONG, run_parts, train

from common import events, records

SEED = 20261129
KINDS = ("rank 0", "rank 1", "rank 0 in a write", "mpirun")


def undisturbed(ws):
    """What the run comes to, and the seconds until its first step and until its end."""
    folder, first = ws("whole"), None
    with Job(ws, folder) as job:
        metrics = os.path.join(folder, "metrics.jsonl")
        job.await_condition(lambda: os.path.exists(metrics))
        first = time.monotonic() - job.started
        assert job.end() == 0, job.text()
        seconds = time.monotonic() - job.started
    # Or the comparison would not show what it is for.
    assert events(folder, "stage2") and events(folder, "back_to_best"), records(folder, "event")
    assert os.path.lexists(os.path.join(folder, "checkpoints", "best_stage1"))
    require_intact(folder)
    return final(folder), first, seconds


def steps_saved(folder):
    names = checkpoints(folder)
    return int(names[-1][5:13]) if names else 0


def steps_done(folder):
    """Steps of which there is a line; one that a kill cut short does not count."""
    path, newest = os.path.join(folder, "metrics.jsonl"), 0
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            for line in f:
                if line.endswith("\n") and '"type":"step"' in line:
                    newest = max(newest, json.loads(line)["step"])
    return newest


def kill_one(ws, folder, kind, draw, until):
    """Starts the run, kills at a random moment, waits until all processes are gone. False if the
    run was complete before.
    """
    faults = ""
    if kind == "rank 0 in a write":
        # Of the next checkpoints: some thousand writes of tensors, flushes, renames, links.
        call = draw.choice(("write", "write", "fsync", "rename", "open", "unlink", "symlink"))
        nth = draw.randrange(1, 9000) if call == "write" else draw.randrange(1, 12)
        faults = f"* {call} * {nth} {draw.choice(('before', 'after'))}"
    with Job(ws, folder, faults) as job:
        if not faults:
            moment = draw.uniform(0.2, until)
            job.await_condition(lambda: time.monotonic() - job.started > moment)
            victim = {"rank 0": 0, "rank 1": 1}.get(kind)
            if victim is None:
                job.mpirun.kill()
            elif victim in (ranks := job.ranks()):
                os.kill(ranks[victim], signal.SIGKILL)
        return job.end() != 0


def killed_at_random(ws):
    expected, first, seconds = undisturbed(ws)
    wanted, draw = (100 if LONG else 6), random.Random(SEED)
    kills = dict.fromkeys(KINDS, 0)
    equal = attempts = lost = most_lost = runs = 0
    while sum(kills.values()) < wanted:
        runs += 1
        folder, in_this_run = ws(f"killed-{runs}"), 0
        kind = KINDS[sum(kills.values()) % len(KINDS)]
        # At most a few kills per run, so that runs end, and are compared, often.
        while sum(kills.values()) < wanted and in_this_run < 4:
            attempts += 1
            assert attempts < 4 * wanted, "the runs end before they can be killed"
            if not kill_one(ws, folder, kind, draw, until=max(seconds * 0.8, first + 1)):
                break
            kills[kind] += 1
            in_this_run += 1
            kind = KINDS[sum(kills.values()) % len(KINDS)]
            saved, done = steps_saved(folder), steps_done(folder)
            lost += max(0, done - saved)
            most_lost = max(most_lost, done - saved)
            if saved:
                require_intact(folder, newest=1)
        with Job(ws, folder) as job:
            assert job.end() == 0, job.text()
            assert "cannot be" not in job.text(), job.text()
        require_same(expected, final(folder), folder)
        require_intact(folder)
        assert not leftovers(folder), leftovers(folder)
        equal += in_this_run
        shutil.rmtree(folder)
    # A checkpoint is written while the next step runs: two steps may have been lost at most.
    assert most_lost <= 2, most_lost
    print(json.dumps({"seed": SEED, "kills": sum(kills.values()), "by kind": kills,
                      "resumes": sum(kills.values()), "steps lost": lost,
                      "most steps lost at once": most_lost, "runs": runs,
                      "kills that ended in equal weights": equal}, indent=2))


def stopped_at_every_boundary(ws):
    """Signals that ask for an end come after each line of metrics.jsonl: after steps, checkpoints,
    validations, the begin of stage 2. Each start saves and ends with 75 until the run is complete.
    """
    whole = ws("single")

    def start(folder, nth=None, name=""):
        return train(ws, folder, "--resume", "auto", expect=(0, 75), data__max_images=4,
                     faults=[f"* write metrics.jsonl {nth} {name}"] if nth else None, **RECIPE)

    assert start(whole).code == 0
    expected = final(whole)
    assert events(whole, "stage2") and events(whole, "back_to_best")
    stops = 0
    for nth, name in ((2, "SIGTERM"), (3, "SIGUSR1"), (4, "SIGTERM")):
        folder = ws(f"stopped-{nth}")
        result = start(folder, 1, name)  # before the first step
        while result.code != 0:
            stops += 1
            assert stops < 100, result.text
            require_intact(folder, newest=1)
            result = start(folder, nth, name)
        require_same(expected, final(folder), folder)
        require_intact(folder)
    print(f"{stops} stops with exit code 75, all continued to equal weights")


if __name__ == "__main__":
    run_parts(killed_at_random, stopped_at_every_boundary, images=(8, 4))
