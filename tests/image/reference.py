"""Shared by the checks of the image layer: runs image_probe and compares pixels."""
import os
import subprocess
import tempfile

import numpy as np


class Probe:
    """Collects commands for image_probe, runs them in one process and returns what they wrote, in
    order.
    """

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.arguments = []
        self.outputs = []  # path and shape of each result

    def _file(self, content, number):
        path = os.path.join(self.folder.name, f"in{number}")
        with open(path, "wb") as f:
            f.write(content)
        return path

    def add(self, command, content, shape, *rest):
        number = len(self.outputs)
        out = os.path.join(self.folder.name, f"out{number}")
        self.arguments += [command, self._file(content, number), out, *map(str, rest)]
        self.outputs.append((out, shape))

    def run(self):
        probe = os.path.join(os.environ["DFINE_BINARY_DIR"], "image_probe")
        subprocess.run([probe, *self.arguments], check=True)
        return [np.fromfile(path, np.uint8).reshape(shape) for path, shape in self.outputs]


def difference(a, b):
    """Greatest absolute difference, and the share of values that differ."""
    d = np.abs(a.astype(np.int16) - b.astype(np.int16))
    return int(d.max()), float((d > 0).mean())
