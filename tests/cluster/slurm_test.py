"""The batch scripts of cluster/ on a Slurm of two nodes. Whatever stops a job, it is requeued and
ends with the weights of an uninterrupted run.

    slurm_test.py FOLDER_OF_STAND_IN [PART ...]
"""

import filecmp
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from slurm import NODES, Slurm, await_, processes, why_not
from stand_in import StandIn, events, is_long, last_step, starts

SOURCE = Path(os.environ["DFINE_SOURCE_DIR"])
BIN = Path(os.environ["DFINE_BINARY_DIR"])
TRAIN = SOURCE / "cluster" / "train.sbatch"
TWO_NODES = ["--nodes=2", "--ntasks-per-node=2", "--gpus-per-node=2", "--cpus-per-task=1"]
ONE_NODE = ["--nodes=1", *TWO_NODES[1:]]


class Training:
    """A job of train.sbatch; steps of it are awaited, and its end."""

    def __init__(self, slurm, trainer, folder, options=TWO_NODES, minutes=5, arguments=(),
                 **environment):
        self.slurm, self.trainer = slurm, trainer
        folder.mkdir()
        self.run_dir, self.log = folder / "run", folder / "job.log"
        own_arguments, variables = trainer.command(self.run_dir, **environment)
        self.job = slurm.submit(
            TRAIN, *own_arguments, *arguments,
            options=[*options, f"--time={minutes}", f"--output={self.log}"],
            environment={"DFINE_HOME": str(SOURCE), "DFINE_BIN": str(trainer.bin), **variables})

    def text(self):
        return self.log.read_text() if self.log.exists() else ""

    def at_step(self, step, seconds=30):
        self.wait(f"step {step}", lambda: last_step(self.run_dir) >= step, seconds)

    def wait(self, what, condition, seconds):
        try:
            return await_(what, condition, seconds)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.text()}") from e

    def restarted(self, count=1, seconds=40):
        self.wait(f"restart {count}", lambda: self.text().count(": 4 ranks on") > count, seconds)

    def end(self, state="COMPLETED", seconds=60):
        try:
            job = self.slurm.await_end(self.job, seconds)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.text()}") from e
        assert job["JobState"] == state, f"{job}\n{self.text()}"
        return job

    def says(self, *texts):
        for text in texts:
            assert text in self.text(), f"{text!r} is not in\n{self.text()}"

    def ranks(self, node):
        return processes(f"SLURM_JOB_ID={self.job}", f"SLURMD_NODENAME={node}",
                         program="dfine_ddp")

    def complete(self, restarts, whole):
        job = self.end()
        assert job["Restarts"] == str(restarts), f"{job}\n{self.text()}"
        assert self.trainer.weights(self.run_dir) == whole, self.text()
        assert not list(self.run_dir.glob("*.state")), os.listdir(self.run_dir)


class Test:
    def __init__(self, slurm, trainer, work):
        self.slurm, self.trainer, self.work = slurm, trainer, work
        self.weights = {}  # by steps

    def training(self, name, *arguments, **more):
        return Training(self.slurm, self.trainer, self.work / name, arguments=arguments, **more)

    def whole(self, steps=50):
        """The weights of an uninterrupted run."""
        if steps not in self.weights:
            run = self.training(f"whole_{steps}", steps=steps, step_ms=1)
            run.end()
            self.weights[steps] = self.trainer.weights(run.run_dir)
        return self.weights[steps]

    # --- parts of the normal test

    def saved_and_requeued(self):
        """SIGUSR1, as Slurm sends it before the time limit."""
        whole = self.whole()
        run = self.training("usr1", step_ms=100)
        run.at_step(5)
        self.slurm.ask("scancel", "--batch", "--signal=USR1", run.job)
        run.complete(1, whole)
        assert len(starts(run.run_dir)) == 2 and starts(run.run_dir)[1] >= 5, starts(run.run_dir)
        run.says("saved, after step", "(restart 1)", "n[1-2], 1 cores")

    def cancelled(self):
        """SIGTERM to the script saves too, but the job is not requeued."""
        run = self.training("term", step_ms=100)
        run.at_step(5)
        self.slurm.ask("scancel", "--batch", "--signal=TERM", run.job)
        job = run.end("FAILED")
        assert job["ExitCode"] == "75:0", job
        assert events(run.run_dir)[-1] == "saved", events(run.run_dir)
        run.says("by SIGTERM", "exit code 75", "not requeueing")

    def killed_rank(self):
        """--resume none is for the first start only: the second continues."""
        run = self.training("killed", "--resume", "none", step_ms=40, fail="25,3,137,1")
        run.complete(1, self.whole())
        run.says("exit code 137", "after step 25; requeueing")

    def killed_daemon(self):
        """The daemon of mpirun on the second node ends, as with the node's power."""
        run = self.training("orted", step_ms=60)
        run.at_step(12)
        daemons = processes(f"SLURM_JOB_ID={run.job}", "SLURMD_NODENAME=n2", program="orted")
        assert len(daemons) == 1, daemons
        os.kill(daemons[0], signal.SIGKILL)
        run.complete(1, self.whole())
        run.says("exit code 205")

    def wrong_usage(self):
        run = self.training("usage", "--wrong")
        job = run.end("FAILED")
        assert job["ExitCode"] == "2:0" and job["Restarts"] == "0", job

    def administrator(self):
        """scontrol requeue from outside."""
        run = self.training("administrator", step_ms=100)
        run.at_step(12)
        self.slurm.ask("scontrol", "requeue", run.job)
        run.complete(1, self.whole())
        run.says("by SIGTERM")

    def killed_slurmd(self):
        """Slurm gives the node up and requeues the job; the ranks of before end."""
        run = self.training("slurmd", steps=250, step_ms=50)
        run.at_step(12)
        before = [pid for node in NODES for pid in run.ranks(node)]
        assert len(before) == 4, before
        self.slurm.kill_node("n2")
        run.wait("the job is requeued", lambda: self.slurm.job(run.job).get("Restarts") == "1", 30)
        run.wait("the ranks end", lambda: not set(before) & set(run.ranks("n1") + run.ranks("n2")),
                 20)
        self.slurm.start_node("n2")
        run.restarted()
        run.complete(1, self.whole(250))
        assert len(starts(run.run_dir)) == 2 and starts(run.run_dir)[1] >= 10, run.text()
        self.slurm.await_idle()

    def packed_by_array(self):
        """An array over both nodes packs what one task packs, byte for byte."""
        bccd = SOURCE / "tests" / "data" / "bccd"
        packs = []
        for name, options in (("one", []), ("array", ["--array=1-4"])):
            packs.append(self.work / name)
            log = self.work / f"{name}-%a.log"
            job = self.slurm.submit(
                SOURCE / "cluster" / "pack.sbatch", "--images", bccd / "images",
                "--annotations", bccd / "train.json", "--output", packs[-1],
                options=[*options, "--cpus-per-task=2", "--mem=100", "--time=5",
                         f"--output={log}"],
                environment={"DFINE_HOME": str(SOURCE), "DFINE_BIN": str(BIN)})
            await_(f"job {job} ends", lambda job=job: not self.slurm.ask("squeue", "-h", "-j", job),
                   60)
            logs = "".join(p.read_text() for p in self.work.glob(f"{name}-*.log"))
            assert (packs[-1] / "manifest.json").exists(), logs
        names = [sorted(p.name for p in pack.iterdir()) for pack in packs]
        assert names[0] == names[1], names
        different = filecmp.cmpfiles(*packs, names[0], shallow=False)[1:]
        assert different == ([], []), different

    def started_by_srun(self):
        """srun --mpi=pmix starts ranks that find each other."""
        script = self.work / "srun.sh"
        script.write_text("#!/bin/bash\nexec srun --mpi=pmix -K1 \"$@\"\n")
        log, run_dir = self.work / "srun.log", self.work / "srun"
        arguments, variables = self.trainer.command(run_dir, step_ms=1)
        job = self.slurm.submit(script, self.trainer.bin / "dfine_ddp", *arguments,
                                options=[*TWO_NODES, f"--output={log}"], environment=variables)
        ended = self.slurm.await_end(job, 30)
        assert ended["JobState"] == "COMPLETED", log.read_text()
        assert self.trainer.weights(run_dir) == self.whole()

    # --- parts of the long test

    def failed_at_once(self):
        """An error before any new step is not tried again."""
        run = self.training("error", step_ms=1, fail="1,1,1,9", steps=50)
        run.end("FAILED")  # one restart, as step 1 was new
        assert starts(run.run_dir) == [0, 0], run.text()
        run.says("exit code 1, after step 1; requeueing")

    def early_signal(self):
        """SIGUSR1 while the ranks start up: nothing is lost, and the job starts again."""
        run = self.training("early", start_ms=3000, step_ms=1)
        run.wait("the ranks start", lambda: run.ranks("n2"), 20)
        self.slurm.ask("scancel", "--batch", "--signal=USR1", run.job)
        run.complete(1, self.whole())
        assert starts(run.run_dir) == [0], run.text()

    def time_limit(self):
        """Slurm itself sends the signal, up to 60 s too early: there may be two restarts."""
        run = self.training("limit", options=[*TWO_NODES, "--signal=B:USR1@30"], minutes=1,
                            steps=1000, step_ms=40)
        restarts = int(run.end(seconds=150)["Restarts"])
        assert restarts > 0, run.text()
        run.complete(restarts, self.whole(1000))
        run.says("got SIGUSR1")

    def bad_node(self):
        """The host of two failures in a row is excluded."""
        run = self.training("bad_node", options=ONE_NODE, step_ms=20, fail="25,-1,137,9",
                            fail_node="n1")
        run.end(seconds=90)
        run.says("ranks on n1", "host n1 failed", "ranks on n2")
        assert self.slurm.job(run.job)["ExcNodeList"] == "n1"

    def no_progress(self):
        """Three restarts that bring no new step are enough."""
        run = self.training("no_progress", step_ms=5, fail="25,1,137,99")
        run.end("FAILED", seconds=120)
        run.says("Not requeued: 3 restarts")
        assert starts(run.run_dir) == [0, 20, 20, 20, 20], run.text()


NORMAL = [Test.saved_and_requeued, Test.cancelled, Test.killed_rank, Test.killed_daemon,
          Test.wrong_usage, Test.administrator, Test.killed_slurmd,
          Test.packed_by_array, Test.started_by_srun]
LONG = [Test.failed_at_once, Test.early_signal, Test.time_limit, Test.bad_node, Test.no_progress]


def run_parts(names, normal, long, make_test):
    """The parts of those names; without names the normal ones, with DFINE_LONG set all."""
    if why_not():
        print(f"SKIPPED: a Slurm of two nodes: {why_not()}")
        return
    chosen = normal + (long if is_long() or names else [])
    with tempfile.TemporaryDirectory(prefix="dfine-cluster-") as work, Slurm() as slurm:
        test = make_test(slurm, Path(work))
        for part in [p for p in chosen if not names or p.__name__ in names]:
            start = time.monotonic()
            part(test)
            print(f"{part.__name__} passed, {time.monotonic() - start:.1f} s", flush=True)
    print("all passed")


if __name__ == "__main__":
    run_parts(sys.argv[2:], NORMAL, LONG,
              lambda slurm, work: Test(slurm, StandIn(sys.argv[1]), work))
