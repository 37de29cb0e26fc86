"""What the end-to-end tests share: the programs, the shipped images, small datasets made of them.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.environ["DFINE_SOURCE_DIR"]
BIN = os.environ["DFINE_BINARY_DIR"]
BCCD = os.path.join(SOURCE, "tests", "data", "bccd")


def run(*command, expect=0, ranks=0, timeout=600):
    """Runs a program of the build (under mpirun with `ranks`) and returns its output, stdout and
    stderr together.
    """
    command = [os.path.join(BIN, command[0]), *map(str, command[1:])]
    if ranks:
        command = ["mpirun", "-np", str(ranks), "--bind-to", "none", "--oversubscribe", *command]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=timeout)
    if done.returncode != expect:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}, expected "
                 f"{expect}\n{done.stdout}")
    return done.stdout


def says(text, *values):
    """Checks that the output has all values: codes of errors such as [bad_value], names, paths,
    keys, numbers.
    """
    for value in values:
        assert value in text, f"{value!r} is not in:\n{text}"


def events(run_dir, event):
    """The event lines of that kind in a run's metrics.jsonl."""
    return [r for r in records(run_dir, "event") if r["event"] == event]


def subset(part, count, path, keep=lambda image: True):
    """The first `count` images of train.json or val.json with their annotations, written to `path`.
    """
    with open(os.path.join(BCCD, part + ".json")) as f:
        coco = json.load(f)
    coco["images"] = [i for i in coco["images"] if keep(i)][:count]
    ids = {i["id"] for i in coco["images"]}
    coco["annotations"] = [a for a in coco["annotations"] if a["image_id"] in ids]
    with open(path, "w") as f:
        json.dump(coco, f)
    return coco


def pack(annotations, output):
    run("dfine-pack", "--images", os.path.join(BCCD, "images"), "--annotations", annotations,
        "--output", output)
    return output


class Workspace:
    """A temporary folder, removed when the test passes and named when it fails."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="dfine-e2e-")
        return self

    def __call__(self, *parts):
        return os.path.join(self.path, *parts)

    def __exit__(self, kind, value, trace):
        if kind is None:
            shutil.rmtree(self.path)
        else:
            print(f"files are left in {self.path}", file=sys.stderr)


def records(run_dir, kind):
    """The lines of that kind in a run's metrics.jsonl, without the wall-clock time."""
    with open(os.path.join(run_dir, "metrics.jsonl")) as f:
        found = [r for r in map(json.loads, f) if r["type"] == kind]
    for record in found:
        record.pop("time")
    return found


def run_parts(parts, train, val):
    """The parts of a test, one after the other, in a workspace with packs `train` and `val` of N
    images.
    """
    with Workspace() as ws:
        for name, count in (("train", train), ("val", val)):
            subset(name, count, ws(name + ".json"))
            pack(ws(name + ".json"), ws(name))
        for part in parts:
            part(ws)
            print(part.__name__, "passed", flush=True)
    print("all passed")
