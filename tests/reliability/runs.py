"""Short training runs that the tests of this folder disturb."""
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from common import BIN, SOURCE, Workspace, pack, subset

LONG = bool(os.environ.get("DFINE_LONG"))
INJECTOR = os.environ.get("DFINE_FAULT_INJECTOR", "")
LIMIT = 300  # seconds that a run may take, many times what it needs


def packs(ws, train, val):
    for name, count in (("train", train), ("val", val)):
        subset(name, count, ws(name + ".json"))
        pack(ws(name + ".json"), ws(name))


def arguments(ws, run_dir, **keys):
    """A small run: two steps per epoch, a checkpoint after each, a validation after each epoch.
    Frozen parts have no moments that checkpoints would have to hold. `keys` as in checkpoint__keep
    for checkpoint.keep.
    """
    settings = {
        "run.dir": run_dir, "run.threads": 1, "run.device": "cpu", "run.deterministic": "true",
        "model.num_queries": 20, "model.num_denoising": 4,
        "model.freeze": '["backbone", "encoder"]',
        "data.train": ws("train"), "data.val": ws("val"), "data.image_size": 64,
        "data.batch_size": 1, "data.workers": 0, "optim.lr": 2e-4, "train.epochs": 3,
        "train.preflight": "false", "ema.enabled": "true", "validate.weights": "ema",
        "checkpoint.every_steps": 1, "checkpoint.keep": 2,
        "run.tensorboard": "false",  # its files have another name in each start
        **{key.replace("__", "."): value for key, value in keys.items()},
    }
    return ["--config", os.path.join(SOURCE, "configs", "n.toml"),
            *(x for k, v in settings.items() for x in ("--set", f"{k}={v}"))]


class Done:
    """A process that has ended: `code`, as subprocess gives it, and its output. `calls` are the
    faults that applied, or all calls if they were to be listed, as (window, call, path, action).
    """

    def __init__(self, code, text, calls):
        self.code, self.text, self.calls = code, text, calls


def train(ws, run_dir, *more, faults=None, expect=(0,), **keys):
    """A run of one process, with faults if they are not None. Its exit code must be one of
    `expect`; None: any.
    """
    environment = dict(os.environ)
    log = run_dir + ".calls"
    if faults is not None:
        environment.update(LD_PRELOAD=INJECTOR, DFINE_FAULT_FOLDER=run_dir, DFINE_FAULT_LOG=log,
                           DFINE_FAULTS=";".join(faults))
        if os.path.exists(log):
            os.remove(log)
    done = subprocess.run(
        [os.path.join(BIN, "dfine_ddp"), *map(str, arguments(ws, run_dir, **keys)), *more],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT)
    calls = []
    if faults is not None and os.path.exists(log):
        with open(log, encoding="utf-8") as f:
            calls = [tuple((line.rstrip("\n").split(" ") + [""])[:4]) for line in f]
    assert expect is None or done.returncode in expect, (
        f"exit code {done.returncode}, not one of {expect}; {run_dir}, {more}, faults {faults}\n"
        f"{done.stdout}")
    return Done(done.returncode, done.stdout, calls)


def side_by_side(task, items):
    """task(item) for each, two at a time. The first failure ends it."""
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(task, item) for item in items]
        try:
            return [one.result() for one in waiting]
        except BaseException:
            for one in waiting:
                one.cancel()
            raise


def run_parts(*parts, images=(2, 1)):
    """The parts that the command line names, or all, in one workspace. `images`: of the packs for
    training and validation.
    """
    known = {part.__name__: part for part in parts}
    for name in sys.argv[1:]:
        if name not in known:
            sys.exit(f"there is no part {name}; parts: {', '.join(known)}")
    begin = time.monotonic()
    # The short form spares the disk: it writes gigabytes.
    if not LONG and os.path.isdir("/dev/shm") and shutil.disk_usage("/dev/shm").free > 4e9:
        tempfile.tempdir = "/dev/shm"
    with Workspace() as ws:
        packs(ws, *images)
        for part in [known[name] for name in sys.argv[1:]] or parts:
            started = time.monotonic()
            part(ws)
            print(f"{part.__name__} passed after {time.monotonic() - started:.1f} s", flush=True)
    print(f"all passed after {time.monotonic() - begin:.1f} s")
