"""Our COCO evaluation beside pycocotools: all metrics, and every value of the precision, recall and
score arrays, bit for bit.
"""
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

DUMP = Path(os.environ["DFINE_BINARY_DIR"]) / "coco_dump"
PARTS = ("metrics", "precision", "scores", "recall", "classes")


@dataclass
class Settings:
    """None: COCO's own."""
    ious: list | None = None
    limits: list | None = None
    class_agnostic: bool = False

    def default(self):
        return self.ious is None and self.limits is None


def reference_run(truth, detections, settings):
    truth = json.loads(json.dumps(truth))
    with contextlib.redirect_stdout(io.StringIO()):
        gt = COCO()
        gt.dataset = truth
        gt.createIndex()
        if detections:
            dt = gt.loadRes(json.loads(json.dumps(detections)))
        else:  # loadRes cannot take an empty list
            dt = COCO()
            dt.dataset = {"images": truth["images"], "categories": truth["categories"],
                          "annotations": []}
            dt.createIndex()
        run = COCOeval(gt, dt, "bbox")
        if settings.ious is not None:
            run.params.iouThrs = np.array(settings.ious)
        if settings.limits is not None:
            run.params.maxDets = list(settings.limits)
        run.params.useCats = 0 if settings.class_agnostic else 1
        run.evaluate()
        run.accumulate()
        if settings.default():
            run.summarize()
    return run


def mean(values):
    return np.mean(values[values > -1]) if (values > -1).any() else -1.0


def metrics_of(run, settings):
    """What list_metrics() lists. With COCO's settings pycocotools' own numbers. With others its
    summarize() does not look for the largest limit: the means of its arrays.
    """
    if settings.default():
        return run.stats
    precision, recall = run.eval["precision"], run.eval["recall"]
    ious = [float(t) for t in run.params.iouThrs]
    listed = [0.5, 0.75]
    if settings.ious is not None:
        listed = sorted({*listed, *ious})
    values = [mean(precision[:, :, :, 0, -1])]
    values += [mean(precision[[i for i, t in enumerate(ious) if t == iou], :, :, 0, -1])
               for iou in listed]
    values += [mean(precision[:, :, :, a, -1]) for a in (1, 2, 3)]
    values += [mean(recall[:, :, 0, m]) for m in range(recall.shape[3])]
    values += [mean(recall[:, :, a, -1]) for a in (1, 2, 3)]
    return np.array(values)


def reference(truth, detections, settings):
    """PARTS, as flat float64 arrays."""
    run = reference_run(truth, detections, settings)
    precision, recall = run.eval["precision"], run.eval["recall"]
    ious = [float(t) for t in run.params.iouThrs]
    classes = []
    for k in range(precision.shape[2]):
        classes.append(mean(precision[:, :, k, 0, -1]))
        classes += [mean(precision[[i for i, t in enumerate(ious) if t == iou], :, k, 0, -1])
                    for iou in (0.5, 0.75)]
        classes.append(mean(recall[:, k, 0, -1]))
    parts = [metrics_of(run, settings), precision, run.eval["scores"], recall, np.array(classes)]
    return [np.ascontiguousarray(p, dtype=np.float64).ravel() for p in parts]


class Comparison:
    """One coco_dump for all cases."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.program = subprocess.Popen([DUMP], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL,  # warnings
                                        text=True)
        self.cases = self.values = 0
        return self

    def __exit__(self, *failure):
        self.program.stdin.close()
        self.program.wait()
        self.folder.cleanup()

    def ours(self, truth, detections, threads, settings):
        folder = Path(self.folder.name)
        gt, dt, out = folder / "gt.json", folder / "dt.json", folder / "out.bin"
        for path in (gt, dt, out):  # writing over a file waits for the disk
            path.unlink(missing_ok=True)
        gt.write_text(json.dumps(truth))
        dt.write_text(json.dumps(detections))
        fields = [gt, dt, out, threads, ",".join(repr(float(t)) for t in settings.ious or []),
                  ",".join(map(str, settings.limits or [])), int(settings.class_agnostic)]
        self.program.stdin.write("\t".join(map(str, fields)) + "\n")
        self.program.stdin.flush()
        answer = self.program.stdout.readline().strip()
        if answer != "ok":
            sys.exit(f"coco_dump: {answer!r}")
        return np.fromfile(out, dtype=np.float64)

    def compare(self, name, truth, detections, settings=None, threads=(1, 3)):
        settings = settings or Settings()
        expected = reference(truth, detections, settings)
        for count in threads:
            got = self.ours(truth, detections, count, settings)
            if got.size != sum(p.size for p in expected):
                sys.exit(f"{name}, {settings}: {got.size} values, expected "
                         f"{[p.size for p in expected]}")
            at = 0
            for part, values in zip(PARTS, expected):
                mine = got[at : at + values.size]
                at += values.size
                different = np.flatnonzero(mine.view(np.int64) != values.view(np.int64))
                if different.size:
                    i = different[0]
                    keep = Path(tempfile.gettempdir()) / "coco_case.json"
                    keep.write_text(json.dumps([truth, detections]))
                    sys.exit(f"{name}, {settings}, {count} threads: {different.size} of "
                             f"{values.size} values of {part} differ, first [{i}]: {mine[i]!r}, "
                             f"pycocotools {values[i]!r}; the case is in {keep}")
        self.cases += 1
        self.values += got.size
        return expected[0][0]
