"""Executes every command of README.md and docs/getting-started.md, in order, as a reader would.

Commands are the lines of ```sh blocks, and `dfine...` commands with arguments in tables.
SUBSTITUTIONS lists all that is different here: small data, a small model and few steps. Scripts
that install and build are only asked for their --help. A server on this machine stands for the
Hugging Face Hub: it gives random weights for the names in the documents.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from hub_server import Hub, Repository

from prose import code_blocks, fence_of

SOURCE = Path(os.environ["DFINE_SOURCE_DIR"])
BIN = Path(os.environ["DFINE_BINARY_DIR"])
sys.path.insert(0, str(SOURCE / "tests/e2e"))
from common import Workspace, run, subset  # noqa: E402

DOCUMENTS = ["README.md", "docs/getting-started.md"]
SMALL = (
    "model.size=n",
    "run.device=cpu",
    "run.threads=1",
    "data.image_size=128",
    "data.batch_size=2",
    "data.workers=1",
    "data.multiscale=false",
    "train.epochs=2",
)
SUBSTITUTIONS = [
    # pattern, replacement, why
    (r"^(launcher/\w+\.sh|tests/run\.sh)$", r"\1 --help", "installs and builds"),
    (r"\$PWD/build/release/bin", str(BIN), "the programs of this build"),
    (
        r"(dfine_ddp --config configs/custom/\S+)",
        r"\1" + "".join(f" --set {key}" for key in SMALL),
        "small and short",
    ),
    (r"^mpirun -np 2 ", "mpirun -np 2 --oversubscribe ", "two ranks on any number of cores"),
]


def commands(text):
    """Pairs (line, command) in order; a command may span several lines."""
    found = []
    for start, language, code in code_blocks(text):
        if language == "sh":
            number = start
            for line in re.split(r"(?<!\\)\n", code):
                if line.strip():
                    found.append((number, re.sub(r"\s*\\\n\s*", " ", line).strip()))
                number += line.count("\n") + 1
    fence = None
    for number, line in enumerate(text.splitlines(), 1):
        mark = fence_of(line)
        if mark:
            fence = None if fence else mark
        elif not fence and line.startswith("|"):
            found += [(number, command) for command in re.findall(r"`(dfine[-_]\w+ [^`]+)`", line)]
    return sorted(found)


def substituted(command, used):
    for pattern, replacement, why in SUBSTITUTIONS:
        command, count = re.subn(pattern, replacement, command)
        if count:
            used.add(why)
    return command


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def make_data(folder):
    """photos/ and photos.json; data.yaml with the same images (YOLO); VOC2012/ (Pascal VOC)."""
    coco = subset("train", 10, folder / "photos.json")
    names = {c["id"]: c["name"] for c in coco["categories"]}
    labels = [c["id"] for c in coco["categories"]]
    put(folder / "data.yaml", "train: images\nnames: [" + ", ".join(names.values()) + "]\n")
    for image in coco["images"]:
        file, w, h = image["file_name"], image["width"], image["height"]
        stem = Path(file).stem
        for images in ("photos", "images", "VOC2012/JPEGImages"):
            (folder / images).mkdir(parents=True, exist_ok=True)
            os.symlink(SOURCE / "tests/data/bccd/images" / file, folder / images / file)
        yolo, voc = [], []
        for a in coco["annotations"]:
            if a["image_id"] != image["id"]:
                continue
            x, y, bw, bh = a["bbox"]
            yolo.append(
                f"{labels.index(a['category_id'])} "
                f"{(x + bw / 2) / w} {(y + bh / 2) / h} {bw / w} {bh / h}"
            )
            voc.append(
                f"<object><name>{names[a['category_id']]}</name>"
                f"<bndbox><xmin>{x + 1}</xmin><ymin>{y + 1}</ymin>"
                f"<xmax>{x + bw}</xmax><ymax>{y + bh}</ymax></bndbox></object>"
            )
        put(folder / f"labels/{stem}.txt", "\n".join(yolo) + "\n")
        put(
            folder / f"VOC2012/Annotations/{stem}.xml",
            f"<annotation><filename>{file}</filename><size><width>{w}</width><height>{h}</height>"
            f"<depth>3</depth></size>{''.join(voc)}</annotation>\n",
        )
    put(
        folder / "VOC2012/ImageSets/Main/trainval.txt",
        "".join(Path(i["file_name"]).stem + "\n" for i in coco["images"]),
    )


def make_weights(folder):
    """given/: a model with random weights, as a published one lies in its folder."""
    run(
        "dfine-pack",
        "--images",
        folder / "photos",
        "--annotations",
        folder / "photos.json",
        "--output",
        folder / "all",
    )
    keys = [
        *SMALL,
        "model.num_queries=60",
        "train.epochs=1",
        "train.max_steps=1",
        "validate.every_epochs=0",
        f"data.train={folder / 'all'}",
        f"run.dir={folder / 'first'}",
    ]
    run(
        "dfine_ddp",
        "--config",
        SOURCE / "configs/n.toml",
        *(word for key in keys for word in ("--set", key)),
    )
    os.rename((folder / "first/checkpoints/last").resolve(), folder / "given")


PUBLISHED = "ustc-community/dfine-small-obj365"


def hub_with(folder):
    """A server that gives the weights in `folder` for the model that the documents name."""
    names = ("config.json", "preprocessor_config.json", "model.safetensors")
    return Hub({PUBLISHED: Repository({name: (folder / name).read_bytes() for name in names})})


def execute(document, used):
    text = (SOURCE / document).read_text(encoding="utf-8")
    found = commands(text)
    assert len(found) > 5, f"{document}: only {len(found)} commands were found"
    with Workspace() as ws:
        folder = Path(ws.path)
        for name in ("configs", "launcher", "tests"):
            os.symlink(SOURCE / name, folder / name)
        make_data(folder)
        make_weights(folder)
        script = ["set -e", f"export PATH={BIN}:$PATH"]
        for number, command in found:
            script += [f"echo {document}:{number} >at", substituted(command, used)]
        with hub_with(folder / "given") as hub:
            done = subprocess.run(
                ["bash", "-c", "\n".join(script)],
                cwd=folder,
                env={**os.environ, "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(folder / "hub")},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=540,
                check=False,
            )
        if done.returncode:
            sys.exit(
                f"{(folder / 'at').read_text().strip()}: exit code {done.returncode}\n{done.stdout}"
            )
        check_results(folder)
        print(f"{document}: {len(found)} commands passed", flush=True)


def check_results(folder):
    """What the documents promise of the run of S."""
    best = folder / "runs/custom_s/checkpoints/best"
    for name in (
        "config.json",
        "preprocessor_config.json",
        "model.safetensors",
        "state.pth",
        "metrics.json",
    ):
        assert (best / name).exists(), name
    records = json.loads((folder / "predictions/predictions.json").read_text())
    assert isinstance(records, list)
    assert (folder / "packs/photos/train/report.html").exists() and (
        folder / "packs/photos/val/manifest.json"
    ).exists()


def main():
    used = set()
    for document in sys.argv[1:] or DOCUMENTS:
        execute(document, used)
    unused = [why for _, _, why in SUBSTITUTIONS if why not in used]
    assert not unused, f"substitutions that no command needs: {unused}"


if __name__ == "__main__":
    main()
