import json
import os

# Bytes that a file may have: more than N's model.safetensors (15 MB), less than state.pth (60 MB).
ROOM = 30_000_000


def check(case):
    case.run("dfine-pack", "--images", "images", "--annotations", "a.json", "--output", "A")
    limited = ("prlimit", f"--fsize={ROOM}")

    # The first checkpoint.
    output = case.run("dfine_ddp", "--config", "tiny.toml", expect=1, shell_prefix=limited)
    assert_said(output, "File too large", "ulimit -f")
    assert os.listdir(case("RUN", "checkpoints")) == [], os.listdir(case("RUN", "checkpoints"))

    # A later one: the earlier stays, and the run goes on from it.
    case.run("dfine_ddp", "--config", "tiny.toml")
    before = contents(case("RUN", "checkpoints"))
    more = ("--config", "tiny.toml", "--set", "train.epochs=2", "--resume", "auto")
    output = case.run("dfine_ddp", *more, expect=1, shell_prefix=limited)
    assert_said(output, "File too large", "ulimit -f")
    assert contents(case("RUN", "checkpoints")) == before
    case.run("dfine_ddp", *more)
    with open(case("RUN", "metrics.jsonl")) as f:
        steps = [record["step"] for record in map(json.loads, f) if record["type"] == "step"]
    assert steps == [1, 2, 3, 4, 5, 6, 7, 8], steps


def assert_said(output, reason, remedy):
    errors = [line for line in output.splitlines() if "state.pth" in line and reason in line]
    assert (errors and remedy in output
            and ("[disk_full]" in output or "[write_failed]" in output)), output
    assert "enforce fail" not in output and "terminate" not in output, output


def contents(folder):
    return {os.path.join(path, name): os.stat(os.path.join(path, name)).st_mtime_ns
            for path, _, names in os.walk(folder) for name in names}
