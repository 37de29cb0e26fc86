"""The program dfine-eval on files: its metrics against pycocotools on the shipped images, its exit
codes, and what it leaves behind.
"""
import contextlib
import io
import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

PROGRAM = Path(os.environ["DFINE_BINARY_DIR"]) / "dfine-eval"
TRUTH = Path(os.environ["DFINE_SOURCE_DIR"]) / "tests/data/bccd/val.json"
NAMES = ["ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large", "ar1", "ar10", "ar100",
         "ar_small", "ar_medium", "ar_large"]


def run(*args):
    return subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rng = np.random.default_rng(0)
        annotations = json.loads(TRUTH.read_text())["annotations"]
        results = [{"image_id": a["image_id"], "category_id": a["category_id"],
                    "score": float(rng.random()),
                    "bbox": (np.array(a["bbox"]) + rng.normal(0, 8, 4)).tolist()}
                   for a in annotations]
        predictions, output = folder / "dt.json", folder / "metrics.json"
        predictions.write_text(json.dumps(results))

        done = run("--annotations", TRUTH, "--predictions", predictions, "--output", output)
        assert done.returncode == 0, done.stderr
        with contextlib.redirect_stdout(io.StringIO()):
            gt = COCO(str(TRUTH))
            reference = COCOeval(gt, gt.loadRes(str(predictions)), "bbox")
            reference.evaluate()
            reference.accumulate()
            reference.summarize()
        written = json.loads(output.read_text())
        assert [written[n] for n in NAMES] == reference.stats.tolist(), written
        assert [c["name"] for c in written["classes"]] == ["RBC", "WBC", "Platelets"]
        for line, value in zip(done.stdout.splitlines()[2:], reference.stats):
            assert f" {value:.3f} " in line, (line, value)
        assert (sorted(p.name for p in folder.iterdir())
                == ["dt.json", "metrics.json"]), "something is left behind"

        before = output.read_text()
        predictions.write_text(json.dumps(results)[:-20])
        done = run("--annotations", TRUTH, "--predictions", predictions, "--output", output)
        assert done.returncode == 1 and "dt.json" in done.stderr, done
        assert output.read_text() == before, "a failed run touched the old metrics"
        predictions.write_text(json.dumps([{**results[0], "image_id": 123456}]))
        done = run("--annotations", TRUTH, "--predictions", predictions)
        assert (done.returncode == 1 and "123456" in done.stderr and "dt.json" in done.stderr
                and "val.json" in done.stderr), done
        assert run("--annotations", folder / "absent.json",
                   "--predictions", predictions).returncode == 1
        predictions.write_text("[]")
        done = run("--annotations", TRUTH, "--predictions", predictions,
                   "--output", folder / "new" / "metrics.json")
        assert done.returncode == 0 and (folder / "new" / "metrics.json").exists(), done
        # below a file
        done = run("--annotations", TRUTH, "--predictions", predictions,
                   "--output", predictions / "metrics.json")
        assert (done.returncode == 1 and "dt.json" in done.stderr and predictions.read_text()
                == "[]"), done

        for wrong in (["--annotations", TRUTH], ["--no-such-option"],
                      ["--annotations", TRUTH, "--predictions", predictions, "--threads", "x"]):
            assert run(*wrong).returncode == 2, wrong
        done = run("--help")
        assert done.returncode == 0 and "--predictions" in done.stdout
        done = run("--version")
        assert done.returncode == 0 and done.stdout.startswith("dfine-eval "), done
        print("dfine-eval on files agrees with pycocotools")


main()
