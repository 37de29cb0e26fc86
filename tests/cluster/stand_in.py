"""The stand-in for dfine_ddp (stand_in.cpp), as tests start it and look at what it left.

A class with the same members can run the same tests with dfine_ddp itself.
"""

import json
import os
from pathlib import Path


class StandIn:
    def __init__(self, folder):
        self.bin = Path(folder)  # holds the program, under the name dfine_ddp

    def command(self, run_dir, steps=50, step_ms=20, **more):
        """Arguments and environment variables of a run of `steps`, each of which takes at least
        `step_ms`. `more` are variables of stand_in.cpp, in small letters and without STAND_IN_.
        """
        values = {"steps": steps, "step_ms": step_ms, **more}
        return (["--config", "any.toml", "--set", f"run.dir={run_dir}"],
                {f"STAND_IN_{name.upper()}": str(value) for name, value in values.items()})

    def weights(self, run_dir):
        """The final weights, as something that == compares."""
        return (Path(run_dir) / "checkpoints" / "last" / "state").read_text()


def records(run_dir, kind):
    """The lines of that type in metrics.jsonl; none where there is no such file yet."""
    try:
        lines = (Path(run_dir) / "metrics.jsonl").read_text().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:  # is being written
            continue
        if record["type"] == kind:
            found.append(record)
    return found


def last_step(run_dir):
    return max((r["step"] for r in records(run_dir, "step")), default=0)


def events(run_dir):
    return [r["event"] for r in records(run_dir, "event")]


def starts(run_dir):
    """The steps from which the run was started and continued."""
    return [r["step"] for r in records(run_dir, "start")]


def alive(pid):
    """Whether the process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def is_long():
    return bool(os.environ.get("DFINE_LONG"))
