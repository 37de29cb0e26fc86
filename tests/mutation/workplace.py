"""A copy of the checkout with a build folder of its own, in which mutants are built and tested."""
import fnmatch
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

# Bytes a test may allocate: a loop that never ends must not take the machine's memory.
MEMORY = 8 << 30


@dataclass(frozen=True)
class Stage:
    names: str         # regular expression of ctest names
    filter: str = "*"  # GTEST_FILTER: of tests with all five sizes, the smallest


@dataclass(frozen=True)
class Tests:
    files: tuple    # patterns, from the root of the source tree
    targets: tuple  # what is built
    stages: tuple   # run one after the other, quick ones first, until one fails


TABLE = (
    Tests(("src/loss/*.cpp",), ("loss.unit", "loss.split", "loss.parity"),
          (Stage(r"^loss.unit$"), Stage(r"^loss.split\.np2$"),
           Stage(r"^loss.parity$", "*Parity.*/n:Trajectory.*"))),
    Tests(("src/optim/*.cpp",), ("optim.unit", "learner.steps", "learner.unit"),
          (Stage(r"^optim.unit$"), Stage(r"^(learner.unit|learner.steps\.np1)$"))),
    Tests(("src/input/epoch_sampler.cpp", "src/input/sample_order.cpp", "src/input/multiscale.cpp"),
          ("input.unit", "learner.unit"), (Stage(r"^input.unit$"), Stage(r"^learner.unit$"))),
    Tests(("src/metrics/*.cpp",), ("metrics.unit", "coco_dump", "dfine-eval"),
          (Stage(r"^metrics.unit$"), Stage(r"^metrics\."))),
    Tests(("src/analysis/*.cpp",), ("analysis.unit", "analysis_dump"),
          (Stage(r"^analysis.unit$"), Stage(r"^analysis\."))),
    Tests(("src/learner/step.cpp", "src/learner/learner.cpp"),
          ("learner.steps", "learner.split", "run.reload", "train.trajectory"),
          (Stage(r"^(learner.steps|run.reload)\."), Stage(r"^learner.split\.np[12]$"),
           Stage(r"^train.trajectory$", "*/n"))),
)


def tests_of(file):
    return next(t for t in TABLE if any(fnmatch.fnmatch(file, pattern) for pattern in t.files))


class Workplace:
    def __init__(self, checkout, folder, configured, jobs):
        """Copies `checkout` into `folder` and configures it as the build folder `configured` is."""
        self.checkout, self.jobs = checkout, jobs
        self.source, self.build = folder / "source", folder / "build"
        self.limits = {}  # seconds that a stage may take
        # With a base folder, ccache finds in one copy what it has compiled in another.
        self.environment = {**os.environ, "CCACHE_BASEDIR": str(folder), "CCACHE_NOHASHDIR": "1",
                            "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        self.copy()
        entries = re.findall(r"^(DFINE_TORCH_ROOT|DFINE_ORACLE_PYTHON):\w+=(.+)$",
                             (configured / "CMakeCache.txt").read_text(), re.MULTILINE)
        self.must("cmake", "-S", self.source, "-B", self.build, "-G", "Ninja", "-DDFINE_TESTS=ON",
                  "-DDFINE_BENCHMARKS=OFF", *(f"-D{key}={value}" for key, value in entries))

    def copy(self):
        """Tracked files and new ones, where they differ: a kept build folder stays up to date."""
        command = ["git", "-C", self.checkout, "ls-files", "-z", "--cached", "--others",
                   "--exclude-standard"]
        listed = subprocess.run(command, check=True, capture_output=True, text=True)
        wanted = {name for name in listed.stdout.split("\0") if (self.checkout / name).is_file()}
        for path in list(self.source.rglob("*")):
            if path.is_file() and str(path.relative_to(self.source)) not in wanted:
                path.unlink()
        for name in wanted:
            source, target = self.checkout / name, self.source / name
            if not target.exists() or target.read_bytes() != source.read_bytes():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)

    def call(self, *command, timeout=None, memory=resource.RLIM_INFINITY, **environment):
        """Runs a command in a session of its own; returns whether it succeeded, and its output."""
        process = subprocess.Popen(
            list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", env={**self.environment, **environment}, start_new_session=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (memory, memory)))
        try:
            output, _ = process.communicate(timeout=timeout)
            return process.returncode == 0, output
        except subprocess.TimeoutExpired:
            return False, f"no end after {timeout:.0f} s"
        finally:
            end(process)

    def must(self, *command):
        succeeded, output = self.call(*command)
        if not succeeded:
            sys.exit(f"{' '.join(map(str, command))} failed:\n{output[-5000:]}")

    def test(self, stage, timeout=None):
        return self.call("ctest", "--test-dir", self.build, "-R", stage.names, "--stop-on-failure",
                         "--output-on-failure", "--no-tests=error", timeout=timeout, memory=MEMORY,
                         GTEST_FILTER=stage.filter)

    def prepare(self, groups):
        """Builds and runs on the sound code what will be needed; sets the time limits."""
        targets = sorted({target for tests in groups for target in tests.targets})
        self.must("ninja", "-C", self.build, f"-j{self.jobs}", *targets)
        for stage in {stage for tests in groups for stage in tests.stages}:
            begin = time.monotonic()
            passed, output = self.test(stage)
            if not passed:
                sys.exit(f"the tests {stage.names} fail on the sound code:\n{output[-5000:]}")
            self.limits[stage] = 3 * (time.monotonic() - begin) + 30

    def judge(self, mutant):
        """("killed", names of the tests), ("survived", "") or ("does not compile", "")."""
        path, tests = self.source / mutant.file, tests_of(mutant.file)
        sound = path.read_text()
        lines = sound.split("\n")
        lines[mutant.line - 1] = mutant.after
        try:
            path.write_text("\n".join(lines))
            compiled, _ = self.call("ninja", "-C", self.build, f"-j{self.jobs}", *tests.targets)
            if not compiled:
                return "does not compile", ""
            for stage in tests.stages:
                passed, output = self.test(stage, self.limits[stage])
                if not passed:
                    failed = re.findall(r"\d+ - (\S+) \(", output)
                    return "killed", " ".join(dict.fromkeys(failed)) or output
            return "survived", ""
        finally:
            path.write_text(sound)


def end(process):
    """Asks first: mpirun then ends its ranks, which are in process groups of their own."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        os.killpg(process.pid, sign)
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            pass
