"""A Slurm cluster of two nodes, n1 and n2, on this machine's loopback, without any service."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
NODES = ("n1", "n2")
# Both nodes have one host name and one /dev/shm, where shared-memory segments of OpenMPI's vader
# would collide. Ranks that wait give their core away: tests share them.
MPI_SETTINGS = {
    "OMPI_MCA_pml": "ob1",
    "OMPI_MCA_btl": "self,tcp",
    "OMPI_MCA_btl_tcp_if_include": "lo",
    "OMPI_MCA_oob_tcp_if_include": "lo",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
}


def why_not():
    """Why no cluster can be started here, "" if one can."""
    paths = os.environ["PATH"] + ":/usr/sbin:/sbin"
    for program in ("slurmctld", "slurmd", "munged", "sbatch", "setpriv"):
        if not shutil.which(program, path=paths):
            return f"{program} is missing (tests/packages.txt)"
    return "" if os.getuid() == 0 else "slurmd needs root"


def await_(what, condition, seconds, poll=0.05):
    """The first true value of `condition()`; an error that names `what` after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        time.sleep(poll)


def free_ports():
    """The first of three ports in a row that are free, far from those of other programs."""
    for _ in range(100):
        base = random.randrange(20000, 30000, 400)
        with contextlib.ExitStack() as stack:
            try:
                for port in range(base, base + 3):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return base
    raise AssertionError("no free ports")


def environment_of(pid):
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def processes(*variables, program=None):
    """Ids of processes with these NAME=VALUE in their environment, and of this program's name."""
    wanted = {v.encode() for v in variables}
    found = []
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        if not wanted <= set(environment_of(pid)):
            continue
        try:
            name = Path(f"/proc/{pid}/comm").read_text().strip()
        except OSError:
            continue
        if program in (None, name):
            found.append(pid)
    return found


class Slurm:
    """with Slurm() as slurm: ... starts the daemons and waits for both nodes; ends all it started.
    """

    def __enter__(self):
        self.path = Path(tempfile.mkdtemp(prefix="dfine-slurm-"))
        self.conf = self.path / "etc" / "slurm.conf"
        self.daemons = {}
        path = os.environ["PATH"] + ":/usr/sbin:/sbin"
        self.environment = {**os.environ, "PATH": path, "SLURM_CONF": str(self.conf)}
        try:
            self.configure()
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind, value, trace):
        self.stop()
        if kind is None:
            shutil.rmtree(self.path)
        else:
            print(f"Slurm's logs are left in {self.path}/log", flush=True)

    def configure(self):
        names = ["etc", "run", "log", "state", "munge"]
        for name in names + [f"{kind}/{node}" for kind in ("spool", "tmp") for node in NODES]:
            (self.path / name).mkdir(parents=True, mode=0o755)
        self.path.chmod(0o755)
        key = self.path / "etc" / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(128))
        base = free_ports()
        text = (HERE / "slurm.conf.in").read_text()
        for mark, value in {
            "@R@": self.path,
            "@H@": socket.gethostname().split(".")[0],
            "@P0@": base,
            "@P1@": base + 1,
            "@P2@": base + 2,
            "@SRUN@": f"{base + 100}-{base + 299}",
        }.items():
            text = text.replace(mark, str(value))
        self.conf.write_text(text)
        (self.path / "etc" / "plugstack.conf").touch()
        (self.path / "etc" / "cgroup.conf").write_text("CgroupPlugin=autodetect\n")
        for gpu in range(2):  # Slurm only counts them
            (self.path / "etc" / f"gpu{gpu}").touch()
        (self.path / "etc" / "gres.conf").write_text(f"Name=gpu File={self.path}/etc/gpu[0-1]\n")

    def daemon(self, name, *command):
        with open(self.path / "log" / f"{name}.out", "a") as out:
            # Should this process be killed, the daemon is too.
            self.daemons[name] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command], stdin=subprocess.DEVNULL, stdout=out,
                stderr=out, env=self.environment, start_new_session=True)

    def start_node(self, node):
        self.daemon(node, "slurmd", "-D", "-N", node, "-f", str(self.conf))

    def start(self):
        munge = self.path / "munge" / "munge.socket"
        files = {"key-file": "etc/munge.key", "socket": "munge/munge.socket",
                 "pid-file": "run/munged.pid", "log-file": "log/munged.log",
                 "seed-file": "run/munged.seed"}
        self.daemon("munged", "munged", "-F", "--num-threads=2",
                    *(f"--{option}={self.path / file}" for option, file in files.items()))
        await_("munged's socket", munge.exists, 10)
        self.daemon("slurmctld", "slurmctld", "-D", "-c", "-f", str(self.conf))
        for node in NODES:
            self.start_node(node)
        self.await_idle()

    def await_idle(self):
        def idle():
            return self.ask("sinfo", "-h", "-N", "-o", "%t").split() == ["idle"] * len(NODES)
        await_("both nodes are idle", idle, 40, poll=0.1)

    def ask(self, *command):
        """What a Slurm command prints; "" where it fails."""
        done = subprocess.run(command, env=self.environment, text=True, timeout=30,
                              capture_output=True, check=False)
        return done.stdout if done.returncode == 0 else ""

    def kill_node(self, node):
        """Ends the node's slurmd, as if it had crashed; its jobs go on."""
        daemon = self.daemons.pop(node)
        daemon.kill()
        daemon.wait()

    def stop(self):
        if "slurmctld" in self.daemons:
            self.ask("scancel", "--signal=KILL", "--full", "--user=root")
            self.ask("scancel", "--user=root")
        for name in [*NODES, "slurmctld", "munged"]:
            daemon = self.daemons.pop(name, None)
            if daemon is None:
                continue
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        # Jobs and their slurmstepd outlive a slurmd.
        for pid in processes(f"SLURM_CONF={self.conf}"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def submit(self, script, *arguments, options=(), environment=None):
        """Submits a batch script and returns the job's number."""
        done = subprocess.run(
            ["sbatch", "--parsable", *options, str(script), *map(str, arguments)],
            env={**self.environment, **MPI_SETTINGS, **(environment or {})},
            text=True, timeout=30, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def job(self, number):
        """The job's fields as scontrol names them: JobState, Restarts, ExitCode, ..."""
        text = self.ask("scontrol", "show", "job", "-o", number)
        return dict(word.split("=", 1) for word in text.split() if "=" in word)

    def await_end(self, number, seconds):
        """Waits until the job will not run any more, and returns its fields."""
        def ended():
            job = self.job(number)
            going = ("PENDING", "RUNNING", "COMPLETING", "SUSPENDED", "CONFIGURING", "REQUEUED")
            return job if job and job["JobState"] not in going else None
        return await_(f"job {number} ends", ended, seconds, poll=0.1)
