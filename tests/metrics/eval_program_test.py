"""The program dfine-eval on files: its metrics against pycocotools on the shipped images, its exit
codes, and what it leaves behind.
"""
import contextlib
import io
import json
import os
import shutil
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

        files = ["--annotations", TRUTH, "--predictions", predictions]
        done = run(*files, "--output", output)
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

        for wrong, *values in (
                (["--annotations", TRUTH], "--predictions"), (["--no-such-option"],),
                (["--predictions", predictions], "--annotations"),
                (["--weights", "x"], "--data"), ([], "--annotations", "--weights"),
                (["--iou-thresholds", "0.5"], "--annotations"),
                ([*files, "--weights", "x", "--data", "y"], "--weights"),
                ([*files, "--threads", "x"], "--threads", "'x'"),
                ([*files, "--iou-thresholds", "0.5", "1.5"], "--iou-thresholds 1.5", "up to 1"),
                ([*files, "--iou-thresholds", "0"], "--iou-thresholds 0", "above 0"),
                ([*files, "--iou-thresholds", "half"], "half", "no number"),
                ([*files, "--iou-thresholds", "0.5:0.9"], "FIRST:LAST:STEP"),
                ([*files, "--iou-thresholds", "0.5:0.9:0.3"], "0.5:0.9:0.3", "whole steps"),
                ([*files, "--iou-thresholds", "0.9:0.5:0.1"], "before it begins"),
                ([*files, "--iou-thresholds", "0.01:0.99:0.01"], "32"),
                ([*files, "--iou-thresholds", "0.5", "0.5"], "0.5", "twice"),
                ([*files, "--max-dets", "10", "0"], "--max-dets", "1000000000"),
                ([*files, "--max-dets", "ten"], "--max-dets", "'ten'"),
                ([*files, "--max-dets", "10", "10"], "--max-dets", "10 twice")):
            done = run(*wrong)
            assert done.returncode == 2 and all(v in done.stderr for v in values), (wrong, done)
        done = run("--help")
        for option in ("--predictions", "--weights", "--max-dets", "--class-agnostic",
                       "--image-size"):
            assert done.returncode == 0 and option in done.stdout, (option, done)
        done = run("--version")
        assert done.returncode == 0 and done.stdout.startswith("dfine-eval "), done
        other_settings(folder, results)
        without_sibling(folder)
        print("dfine-eval on files agrees with pycocotools")


def other_settings(folder, results):
    """The options against pycocotools' arrays for the same parameters."""
    predictions, output = folder / "dt.json", folder / "metrics.json"
    predictions.write_text(json.dumps(results))
    done = run("--annotations", TRUTH, "--predictions", predictions, "--output", output,
               "--iou-thresholds", "0.3:0.5:0.1", "0.75", "--max-dets", 500, 2,
               "--class-agnostic")
    assert done.returncode == 0, done
    with contextlib.redirect_stdout(io.StringIO()):
        gt = COCO(str(TRUTH))
        reference = COCOeval(gt, gt.loadRes(str(predictions)), "bbox")
        reference.params.iouThrs = np.array([*np.linspace(0.3, 0.5, 3), 0.75])
        reference.params.maxDets = [2, 500]
        reference.params.useCats = 0
        reference.evaluate()
        reference.accumulate()
    precision, recall = reference.eval["precision"], reference.eval["recall"]
    written = json.loads(output.read_text())
    expected = {"ap": precision[..., 0, -1], "ap30": precision[0, ..., 0, -1],
                "ap50": precision[2, ..., 0, -1], "ap75": precision[3, ..., 0, -1],
                "ap_medium": precision[..., 2, -1], "ar2": recall[..., 0, 0],
                "ar500": recall[..., 0, 1], "ar_large": recall[..., 3, 1]}
    for name, values in expected.items():
        assert written[name] == np.mean(values[values > -1]), (name, written)
    assert written["iou_thresholds"] == reference.params.iouThrs.tolist()
    assert written["max_dets"] == [2, 500] and written["class_agnostic"] is True
    [everything] = written["classes"]
    assert everything["detections"] == len(results) and everything["ap"] == written["ap"]
    assert "AR500" in done.stdout and "ap30" in done.stdout, done.stdout


def without_sibling(folder):
    """A model needs the program beside; a link to dfine-eval finds it all the same."""
    alone, model = folder / "alone" / "dfine-eval", PROGRAM.parent / "dfine-eval-model"
    alone.parent.mkdir()
    shutil.copy2(PROGRAM, alone)
    arguments = ["--weights", folder / "no.pth", "--data", folder, "--device", "cpu"]
    done = subprocess.run([alone, *arguments], capture_output=True, text=True)
    assert done.returncode == 1, done
    for part in (str(alone.parent / "dfine-eval-model"), "DFINE_TORCH=ON", "--predictions"):
        assert part in done.stderr, (part, done)
    link = folder / "link"
    link.symlink_to(PROGRAM)
    done = subprocess.run([link, *arguments], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("dfine-eval: "), done
    assert ("manifest.json" if model.exists() else str(model)) in done.stderr, done


main()
