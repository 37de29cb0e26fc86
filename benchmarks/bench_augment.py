#!/usr/bin/env python3
"""Times the official augmentation of 640x480 JPEGs to 640x640, one thread, without decoding.

Ours is compared with torchvision's v2 transforms in the official list, on Pillow images as the
official code runs them and on uint8 tensors. Measured is the CPU time of a thread, so that other
work on the machine counts little. Each is repeated in turn and the best is taken.

  python3 benchmarks/bench_augment.py --bin build/release/bin [--repeat 3] [--images 40]
"""
import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torchvision.transforms.v2 as T
from PIL import Image
from torchvision import tv_tensors

DATA = Path(__file__).resolve().parent.parent / "tests/data/bccd"


class IoUCrop(torch.nn.Module):
    """The official wrapper: torchvision's crop with probability 0.8."""

    def __init__(self):
        super().__init__()
        self.crop = T.RandomIoUCrop()

    def forward(self, *sample):
        return self.crop(*sample) if torch.rand(1) < 0.8 else sample


def official():
    return T.Compose([T.RandomPhotometricDistort(p=0.5), T.RandomZoomOut(fill=0), IoUCrop(),
                      T.SanitizeBoundingBoxes(min_size=1),
                      T.RandomHorizontalFlip(), T.Resize([640, 640]),
                      T.SanitizeBoundingBoxes(min_size=1)])


def samples(coco, count, as_tensors):
    for image in coco["images"][:count]:
        pixels = Image.open(DATA / "images" / image["file_name"]).convert("RGB")
        rows = [a["bbox"] for a in coco["annotations"] if a["image_id"] == image["id"]]
        boxes = torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        boxes = tv_tensors.BoundingBoxes(boxes, format="XYXY",
                                         canvas_size=(pixels.height, pixels.width))
        if as_tensors:
            planes = torch.from_numpy(np.array(pixels)).permute(2, 0, 1)
            pixels = tv_tensors.Image(planes.contiguous())
        yield pixels, {"boxes": boxes, "labels": torch.zeros(len(boxes), dtype=torch.int64)}


def torchvision_microseconds(given, as_tensors):
    transform = official()
    begin = time.thread_time()
    for pixels, target in given:
        pixels, _ = transform(pixels, target)
        if not as_tensors:
            T.functional.pil_to_tensor(pixels)
    return (time.thread_time() - begin) / len(given) * 1e6


def ours_microseconds(program, annotations, passes):
    done = subprocess.run([program, annotations, DATA / "images", "640", str(passes)], check=True,
                          text=True, stdout=subprocess.PIPE)
    return {name: float(value)
            for name, value in (line.split() for line in done.stdout.splitlines())}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="build/release/bin")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--images", type=int, default=40)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    coco = json.loads((DATA / "train.json").read_text())
    chosen = {image["id"] for image in coco["images"][: options.images]}
    part = {"images": coco["images"][: options.images],
            "annotations": [a for a in coco["annotations"] if a["image_id"] in chosen]}
    best = {}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as annotations:
        json.dump(part, annotations)
        annotations.flush()
        for _ in range(options.repeat):
            found = {"ours " + k: v for k, v in ours_microseconds(f"{options.bin}/bench_augment",
                                                                  annotations.name, 10).items()}
            for name, as_tensors in [("torchvision, Pillow", False),
                                     ("torchvision, tensors", True)]:
                found[name] = torchvision_microseconds(
                    list(samples(coco, options.images, as_tensors)), as_tensors)
            best = {name: min(value, best.get(name, value)) for name, value in found.items()}
    ours = best["ours augment_us"]
    for name, value in best.items():
        print(f"{name}: {value:.0f} us, {value / ours:.2f} times our augmentation")


if __name__ == "__main__":
    main()
