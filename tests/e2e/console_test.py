"""What dfine_ddp prints: where, how much, and how it looks on a terminal."""
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios

from common import BIN, SOURCE, Workspace, pack, subset

STEPS = 4


def command(ws, name, *more):
    keys = {"run.dir": ws(name), "run.device": "cpu", "run.threads": 2, "data.workers": 0,
            "train.max_steps": STEPS, "model.num_queries": 60, "validate.every_epochs": 1}
    return [os.path.join(BIN, "dfine_ddp"), "--config", os.path.join(SOURCE, "configs", "n.toml"),
            "--data", ws("packs"), "--image-size", "256", "--batch", "2",
            *(x for k, v in keys.items() for x in ("--set", f"{k}={v}")), *more]


def output(*args, **more):
    done = subprocess.run(*args, capture_output=True, timeout=300, **more)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout.decode(), done.stderr.decode()


def on_terminal(args, columns, **environment):
    """What a program writes to a terminal of that width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    program = subprocess.Popen(args, stdout=theirs, stderr=theirs,
                               env={**os.environ, "TERM": "xterm", **environment})
    os.close(theirs)
    text = b""
    try:
        while piece := os.read(ours, 65536):
            text += piece
    except OSError:  # the other end is closed
        pass
    assert program.wait() == 0, text
    return text.decode()


def streams(ws):
    """Messages on stdout, warnings on stderr; few lines before the first step; log.txt has all."""
    out, err = output(command(ws, "plain"))
    lines = out.splitlines()
    first = next(i for i, line in enumerate(lines) if f"step 1/{STEPS}" in line)
    assert first <= 12, out
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+$", lines[0]), lines[0]
    assert all(re.match(r"\d\d:\d\d:\d\d I |  ", line) for line in lines), out
    assert all(re.match(r"\d\d:\d\d:\d\d W |  ", line) for line in err.splitlines()), err
    assert "W " in err  # so few steps are warned of
    assert "[rank" not in out + err
    # The end: what to do next.
    best = ws("plain", "checkpoints", "best")
    assert f"dfine-eval --weights {best} --data {ws('packs', 'val')}" in out
    assert f"dfine-predict --weights {best}" in out
    with open(ws("plain", "log.txt")) as f:
        log = f.read()
    for line in lines + err.splitlines():
        assert line[9:] in log, (line, log)
    assert " D AdamW" in log and "AdamW" not in out


def progress_lines(ws):
    out, _ = output(command(ws, "each", "--set", "run.log_seconds=0"))
    lines = [line for line in out.splitlines() if " step " in line and "images/s" in line]
    assert len(lines) == STEPS, out
    for k, line in enumerate(lines, 1):
        found = re.search(r"epoch (\d+)/\d+ .*step (\d+)/4 .*loss [\d.]+ .*lr [\d.e-]+ .* "
                          r"ETA .*data wait \d+ % .*memory [\d.]+ [GM]iB$", line)
        assert found and found[2] == str(k) and found[1] == str((k - 1) // 2), line


def quiet_and_json(ws):
    out, err = output(command(ws, "quiet", "--quiet"))
    assert out == "" and err and " I " not in err, (out, err)
    with open(ws("quiet", "log.txt")) as f:
        assert "AdamW" in f.read()
    out, err = output(command(ws, "json", "--log-json"))
    records = [json.loads(line) for line in out.splitlines()]
    assert all(r.keys() == {"time", "level", "message"} and r["level"] == "info" for r in records)
    assert any("images/s" in r["message"] for r in records)
    assert all(json.loads(line)["level"] == "warning" for line in err.splitlines())


def terminal(ws):
    text = on_terminal(command(ws, "pty"), 60)
    live = re.findall(r"\r\x1b\[K([^\r\n\x1b]+)", text)
    assert any("step 4/4" in line for line in live), text
    assert any("validated" in line for line in live), text
    assert max(map(len, live)) == 59, live
    assert "\x1b[32mI\x1b[0m" in text
    plain = on_terminal(command(ws, "no_color"), 60, NO_COLOR="1")
    assert "\x1b[32m" not in plain and "\r\x1b[K" in plain
    with open(ws("pty", "log.txt")) as f:
        log = f.read()
    assert "images/s" in log and "\x1b" not in log
    # Without a terminal, only where it is asked for.
    _, err = output(command(ws, "always", "--progress", "always"))
    assert "\r\x1b[K" in err
    assert "\x1b" not in on_terminal(command(ws, "never", "--progress", "never"), 60, NO_COLOR="1")


def closed_output(ws):
    """Nobody reads stdout any more: the run goes on to its end."""
    program = subprocess.Popen(command(ws, "closed", "--set", "run.log_seconds=0"),
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    program.stdout.readline()
    program.stdout.close()
    assert program.wait(timeout=300) == 0
    assert os.path.exists(ws("closed", "checkpoints", "best", "model.safetensors"))


def several_ranks(ws):
    out, err = output(["mpirun", "-np", "2", "--bind-to", "none", "--oversubscribe",
                       *command(ws, "ranks", "--set", "run.threads=1")])
    assert "2 ranks" in out and "[rank" not in out + err, (out, err)
    assert "\x1b" not in out + err, out


def main():
    with Workspace() as ws:
        for name, count in (("train", 4), ("val", 3)):
            subset(name, count, ws(name + ".json"))
            pack(ws(name + ".json"), ws("packs", name))
        for part in (streams, progress_lines, quiet_and_json, terminal, closed_output,
                     several_ranks):
            part(ws)
            print(part.__name__, "passed", flush=True)
    print("all passed")


if __name__ == "__main__":
    sys.exit(main())
