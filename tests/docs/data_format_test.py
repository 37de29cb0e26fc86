"""The examples of docs/data-format.md, run unchanged."""
import contextlib
import io
import json
import os
import re
import shlex
import tempfile

from packing import BCCD, SOURCE, dfine_pack, run_checks


def check_examples():
    text = (SOURCE / "docs/data-format.md").read_text(encoding="utf-8")
    blocks = dict(re.findall(r"```(sh|python)\n(.*?)```", text, re.DOTALL))
    coco = json.loads((BCCD / "train.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.symlink(SOURCE / "tests", "tests")
        for line in blocks["sh"].replace("\\\n", " ").splitlines():
            program, *arguments = shlex.split(line)
            assert program == "dfine-pack"
            dfine_pack(*arguments)
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(blocks["python"], "docs/data-format.md", "exec"), {"__name__": "example"})
    lines = out.getvalue().splitlines()
    # Of the first image, what the annotation file says.
    image = coco["images"][0]
    boxes = [a for a in coco["annotations"] if a["image_id"] == image["id"]]
    names = {c["id"]: c["name"] for c in coco["categories"]}
    assert lines[0] == f"{image['file_name']} ({image['width']}, {image['height']})", lines[0]
    assert lines[1:] == [f"{names[a['category_id']]} {a['bbox']}" for a in boxes], lines
    os.chdir("/")


if __name__ == "__main__":
    run_checks(dict(globals()))
