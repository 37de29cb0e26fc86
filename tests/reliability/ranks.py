"""Runs of several ranks, their processes, and how they are killed."""
import os
import signal
import subprocess
import time

from runs import BIN, INJECTOR, LIMIT, arguments

# Two steps per epoch, of eight images, with everything that has a state or draws random numbers.
# Stage 2, from the best weights so far, begins in the middle.
RECIPE = {
    "model__num_queries": 40, "model__num_denoising": 20, "model__freeze": "[]",
    "data__image_size": 128, "data__augment": "dfine", "data__multiscale": "true",
    "data__multiscale_repeat": 1, "data__workers": 1, "augment__mosaic": 0.3,
    "augment__mosaic_tile": 64, "augment__mixup": 0.3,
    "train__gradient_accumulation_steps": 2, "train__epochs": 4, "train__stage2_epoch": 2,
    "train__stage2_from_best": "true", "train__patience": 10, "optim__lr": 2e-3,
    "optim__warmup_steps": 2, "optim__clip_norm": 0.1, "validate__weights": "both",
}


class Job:
    """mpirun with two ranks. Every process is gone at the end of the block."""

    def __init__(self, ws, run_dir, faults="", **keys):
        self.log = open(run_dir + ".out", "w+", encoding="utf-8")
        passed = {"LD_PRELOAD": INJECTOR, "DFINE_FAULT_FOLDER": run_dir, "DFINE_FAULTS": faults,
                  "DFINE_FAULT_LOG": run_dir + ".calls"} if faults else {}
        self.mark = f"{os.getpid()}-{time.monotonic_ns()}"  # by which its processes are found
        passed["DFINE_TEST_JOB"] = self.mark
        # What a killed Open MPI leaves behind goes with the workspace.
        os.makedirs(ws("mpi"), exist_ok=True)
        environment = {**os.environ, "TMPDIR": ws("mpi"),
                       **{f"OMPI_MCA_btl_{name}_backing_directory": ws("mpi")
                          for name in ("vader", "sm")}}
        command = ["mpirun", "-np", "2", "--oversubscribe", "--bind-to", "none",
                   *(word for k, v in passed.items() for word in ("-x", f"{k}={v}")),
                   os.path.join(BIN, "dfine_ddp"), "--resume", "auto",
                   *map(str, arguments(ws, run_dir, **RECIPE, **keys))]
        self.started = time.monotonic()
        self.mpirun = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT,
                                       stdin=subprocess.DEVNULL, start_new_session=True,
                                       env=environment)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        left = [self.mpirun.pid] if self.mpirun.poll() is None else []
        for pid in [*left, *self.ranks().values()]:
            os.kill(pid, signal.SIGKILL)
        self.mpirun.wait(timeout=LIMIT)
        self.log.close()

    def ranks(self):
        """Process ids of the ranks that run, by rank."""
        found = {}
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                with open(f"/proc/{name}/environ", "rb") as f:
                    environment = dict(v.split(b"=", 1) for v in f.read().split(b"\0") if b"=" in v)
                with open(f"/proc/{name}/stat") as f:
                    ended = f.read().rsplit(")", 1)[1].split()[0] in "ZX"
            except OSError:  # it has just ended
                continue
            if environment.get(b"DFINE_TEST_JOB") == self.mark.encode() and not ended:
                found[int(environment.get(b"OMPI_COMM_WORLD_RANK", b"-1"))] = int(name)
        return found

    def await_condition(self, condition, seconds=LIMIT):
        """Whether the condition came true before the job or the time was over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return True
            if self.mpirun.poll() is not None and not self.ranks():
                return condition()
            time.sleep(0.01)
        return False

    def end(self, seconds=90):
        """Waits until mpirun and all ranks have ended by themselves; mpirun's exit code."""
        over = lambda: self.mpirun.poll() is not None and not self.ranks()
        assert self.await_condition(over, seconds), (
            f"after {seconds} s mpirun ({self.mpirun.poll()}) or ranks {self.ranks()} are left:\n"
            f"{self.text()}")
        return self.mpirun.returncode

    def text(self):
        self.log.flush()
        with open(self.log.name, encoding="utf-8", errors="replace") as f:
            return f.read()
