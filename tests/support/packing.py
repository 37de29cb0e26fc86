"""What the checks of dfine-pack share: running it, an independent CRC-32C, small datasets."""
import copy
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import numpy as np
from PIL import Image

BIN = Path(os.environ["DFINE_BINARY_DIR"])
SOURCE = Path(os.environ["DFINE_SOURCE_DIR"])
BCCD = SOURCE / "tests/data/bccd"


def crc32c_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


TABLE = crc32c_table()


def crc32c(data):
    """Bit by bit from the polynomial, one table look-up per byte (RFC 3720, appendix B.4)."""
    crc = 0xFFFFFFFF
    table = TABLE
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


# published check values
assert crc32c(b"123456789") == 0xE3069283 and crc32c(bytes(32)) == 0x8A9136AA


def dfine_pack(*arguments, expect=0, **options):
    """Runs dfine-pack; returns (stdout, stderr)."""
    command = [str(BIN / "dfine-pack"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == expect, (f"{command}: exit code {done.returncode} instead of "
                                       f"{expect}\n{done.stdout}\n{done.stderr}")
    return done.stdout, done.stderr


def small_coco():
    """Sparse, unordered category ids, an image without boxes, a crowd, a missing area, boxes partly
    and wholly outside, of no size.
    """
    images = [
        {"id": 30, "file_name": "c.jpg", "width": 60, "height": 40},
        {"id": 10, "file_name": "sub/a.png", "width": 33, "height": 47},
        {"id": 20, "file_name": "b.webp", "width": 64, "height": 64},
        {"id": 7, "file_name": "d\u00e9.jpg", "width": 20, "height": 10},
    ]
    boxes = [  # image, category, bbox, area, crowd
        (10, 90, [1.5, 2.25, 10.1, 20.2], 150.5, 0),
        (30, 7, [-10, 5, 30, 20], 600, 0),
        (10, 3, [5, 5, 0, 8], 0, 0),
        (30, 90, [50, 30, 30, 30], 900, 0),
        (10, 7, [2, 2, 20, 20], 350, 1),
        (30, 3, [100, 100, 5, 5], 25, 0),
        (10, 90, [3, 3, 7.7, 9.9], None, 0),
        (7, 3, [0, 0, 20, 10], 200, 0),
        (30, 7, [3, 4, -5, 6], -30, 0),
        (30, 7, [20, 10, 12, 13], 156, 0),
    ]
    annotations = []
    for i, (image, category, bbox, area, crowd) in enumerate(boxes):
        annotations.append({"id": 1000 - 3 * i, "image_id": image, "category_id": category,
                            "bbox": bbox, "iscrowd": crowd})
        if area is not None:
            annotations[-1]["area"] = area
    categories = [{"id": 90, "name": "zebra"}, {"id": 7, "name": "\u00e4pfel"},
                  {"id": 3, "name": "cat"}]
    return {"images": images, "annotations": annotations, "categories": categories}


class Case:
    """A folder of its own with the small dataset; `pack` runs dfine-pack on it."""

    def __init__(self, coco=None):
        self.root = Path(tempfile.mkdtemp(prefix="dfine-pack-"))
        self.images = self.root / "images"
        (self.images / "sub").mkdir(parents=True)
        self.coco = copy.deepcopy(coco or small_coco())
        for n, image in enumerate(self.coco["images"]):
            y, x = np.mgrid[0 : image["height"], 0 : image["width"]]
            pixels = np.stack([x * 3 + 40 * n, y * 5, x + y], -1).astype(np.uint8)
            Image.fromarray(pixels).save(self.images / image["file_name"])
        self.output = self.root / "pack"

    def write(self, text=None):
        path = self.root / "annotations.json"
        path.write_text(text if text is not None else json.dumps(self.coco), encoding="utf-8")
        return path

    def pack(self, *arguments, text=None, expect=0, **options):
        path = self.write(text)
        return dfine_pack("--images", self.images, "--annotations", path, "--output", self.output,
                          *arguments, expect=expect, **options)

    def arguments(self, output):
        """Of dfine-pack, for the dataset as it was last written."""
        return ["--output", output, "--images", self.images,
                "--annotations", self.root / "annotations.json"]

    def beside(self):
        """Names in the folder but the inputs: the output and whatever was left behind."""
        return sorted(p.name for p in self.root.iterdir()
                      if p.name not in ("images", "annotations.json"))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            shutil.rmtree(self.root)
        else:
            print(f"files are left in {self.root}", file=sys.stderr)


def run_checks(namespace):
    """Runs every function of the module whose name begins with check_; fails at the end if one of
    them did.
    """
    failed = []
    for name, check in namespace.items():
        if name.startswith("check_") and callable(check):
            try:
                check()
                print("passed", name, flush=True)
            except Exception:
                traceback.print_exc()
                failed.append(name)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)
