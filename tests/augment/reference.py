"""Shared by the checks of the augmentation: runs augment_probe, makes pictures, compares pixels."""
import json
import os
import subprocess
import tempfile

import numpy as np


def picture(width, height, seed):
    """Noise with full contrast, smooth colours and grey: every branch of the colour arithmetic, and
    every rounding.
    """
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    noise[rng.random((height, width)) < 0.1] = 255
    noise[rng.random((height, width)) < 0.1] = 0
    y, x = np.mgrid[0:height, 0:width]
    smooth = np.stack([127 + 120 * np.sin(x / 19 + c) * np.cos(y / 17 - c) for c in range(3)], -1)
    grey = np.repeat(smooth[..., :1], 3, -1)
    third = (3 * x // width)[..., None]
    return np.where(third == 0, noise, np.where(third == 1, smooth, grey)).astype(np.uint8)


class Probe:
    """Collects jobs for augment_probe and runs them in one process."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.jobs = []
        self.shapes = []
        self.images = {}  # id of the array: (file, the array, which keeps the id taken)

    def image(self, array):
        if id(array) not in self.images:
            path = os.path.join(self.folder.name, f"in{len(self.images)}")
            array.tofile(path)
            self.images[id(array)] = path, array
        return {"image": self.images[id(array)][0], "width": array.shape[1],
                "height": array.shape[0]}

    def add(self, op, shape=None, image=None, **arguments):
        job = {"op": op, "out": None, **arguments}
        if image is not None:
            job |= self.image(image)
        if shape is not None:
            job["out"] = os.path.join(self.folder.name, f"out{len(self.jobs)}")
        self.jobs.append(job)
        self.shapes.append(shape)

    def run(self):
        """(what was printed, pixels or None) of each job."""
        probe = os.path.join(os.environ["DFINE_BINARY_DIR"], "augment_probe")
        done = subprocess.run([probe], input=json.dumps(self.jobs), stdout=subprocess.PIPE,
                              check=True, text=True)
        printed = [json.loads(line) for line in done.stdout.splitlines()]
        pixels = [None if s is None else np.fromfile(j["out"], np.uint8).reshape(s)
                  for j, s in zip(self.jobs, self.shapes)]
        return list(zip(printed, pixels))


def difference(a, b):
    """Greatest absolute difference, share of values that differ, share that differ by more than one
    step.
    """
    d = np.abs(a.astype(np.int16) - b.astype(np.int16))
    return int(d.max(initial=0)), float((d > 0).mean()), float((d > 1).mean())
