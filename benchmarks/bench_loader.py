#!/usr/bin/env python3
"""Loading of training batches with the official augmentation, 640x480 JPEG files to 640x640 float:
images a second, on one core.

Side by side in one run, in turn, each in a separate process tied to the first core, --repeat times.
Printed are the medians of the rates, and of the ratios within a round:
  ours          bench_loader --threads 1 on the pack
  official      the dataset and dataloader of $DFINE_OFFICIAL with its recipe
                (configs/dfine/include/dataloader.yml), no worker processes, multi-scale off so that
                every batch is 640x640
  torchvision   the same transforms as torchvision has them, on tensors decoded by torchvision.io,
                which is its quickest form
  dali          NVIDIA DALI's CPU pipeline: decoding, resize to 640x640, mirror and colour changes
                with a chance of one half each. It has no zoom-out and no crop, so it does less than
                the others
  libjpeg       bare decoding of the same files from memory to RGB, by libjpeg-turbo through Pillow
  simplejpeg    the same through simplejpeg, the quickest binding of libjpeg-turbo
Versions of the peers: benchmarks/requirements.txt. A peer that is not installed is named and
skipped. Then ours with one and two threads on two cores. The second column is images for each
second of processor time, which other programs on the machine disturb less.

  DFINE_OFFICIAL=... python3 benchmarks/bench_loader.py --bin build/release/bin
    [--images 400] [--repeat 5] [--json FILE]
"""
import argparse
import importlib.util
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
BCCD = SOURCE / "tests" / "data" / "bccd"


def rate(images, body):
    """Images a second, by the clock and of processor time. `body` yields how many it has done; the
    first tenth of them is warm-up.
    """
    done, begin, begin_done = 0, None, 0
    for n in body:
        done += n
        if begin is None and done * 10 >= images:
            begin, begin_done = (time.perf_counter(), time.process_time()), done
        if begin is not None and done - begin_done >= images:
            break
    return ((done - begin_done) / (time.perf_counter() - begin[0]),
            (done - begin_done) / (time.process_time() - begin[1]))


def official(images):
    import torch
    torch.set_num_threads(1)
    sys.dont_write_bytecode = True
    sys.path.insert(0, os.environ["DFINE_OFFICIAL"])
    import src  # noqa: F401, registers the classes
    from src.core import YAMLConfig
    loader = {"total_batch_size": 8, "num_workers": 0, "collate_fn": {"base_size_repeat": None},
              "dataset": {"img_folder": str(BCCD / "images"), "ann_file": str(BCCD / "train.json")}}
    config = YAMLConfig(os.environ["DFINE_OFFICIAL"] + "/configs/dfine/dfine_hgnetv2_l_coco.yml",
                        train_dataloader=loader,
                        remap_mscoco_category=False)
    batches = config.train_dataloader

    def body():
        for _ in range(10**6):
            batches.set_epoch(0)
            for pictures, _ in batches:
                assert (pictures.shape[1:] == (3, 640, 640)
                        and pictures.dtype == torch.float32), pictures.shape
                yield len(pictures)
    return rate(images, body())


def torchvision(images):
    import torch
    from torchvision import tv_tensors
    from torchvision.io import ImageReadMode, decode_jpeg
    from torchvision.transforms import v2
    torch.set_num_threads(1)
    truth = json.loads((BCCD / "train.json").read_text())
    boxes = {image["id"]: [] for image in truth["images"]}
    for a in truth["annotations"]:
        x, y, w, h = a["bbox"]
        if w > 0 and h > 0:
            boxes[a["image_id"]].append(([x, y, x + w, y + h], a["category_id"]))
    files = [(torch.frombuffer(bytearray((BCCD / "images" / i["file_name"]).read_bytes()),
                               dtype=torch.uint8), boxes[i["id"]])
             for i in truth["images"]]
    augment = v2.Compose([v2.RandomPhotometricDistort(p=0.5), v2.RandomZoomOut(fill=0),
                          v2.RandomApply([v2.RandomIoUCrop()], p=0.8),
                          v2.SanitizeBoundingBoxes(min_size=1), v2.RandomHorizontalFlip(),
                          v2.Resize((640, 640), antialias=True),
                          v2.SanitizeBoundingBoxes(min_size=1),
                          v2.ToDtype(torch.float32, scale=True)])

    def body():
        batch = []
        while True:
            for file, targets in files:
                picture = tv_tensors.Image(decode_jpeg(file, ImageReadMode.RGB))
                corners = tv_tensors.BoundingBoxes([t[0] for t in targets] or torch.zeros(0, 4),
                                                   format="XYXY", canvas_size=picture.shape[-2:])
                picture, _ = augment(picture, {"boxes": corners,
                                               "labels": torch.tensor([t[1] for t in targets])})
                batch.append(picture)
                if len(batch) == 8:
                    torch.stack(batch)
                    batch.clear()
                    yield 8
    return rate(images, body())


def dali(images):
    from nvidia.dali import fn, pipeline_def, types

    @pipeline_def(batch_size=8, num_threads=1, device_id=None, seed=0)
    def pipe():
        files, _ = fn.readers.file(file_root=str(BCCD),
                                   files=[f"images/{name}" for name in train_files()],
                                   random_shuffle=True)
        pictures = fn.decoders.image(files, device="cpu", output_type=types.RGB)
        pictures = fn.resize(pictures, size=(640, 640), antialias=True,
                             interp_type=types.INTERP_LINEAR)
        changed = fn.color_twist(pictures, brightness=fn.random.uniform(range=(0.875, 1.125)),
                                 contrast=fn.random.uniform(range=(0.5, 1.5)),
                                 saturation=fn.random.uniform(range=(0.5, 1.5)),
                                 hue=fn.random.uniform(range=(-18.0, 18.0)))
        pick = fn.random.coin_flip(probability=0.5, dtype=types.UINT8)
        pictures = changed * pick + pictures * (1 - pick)
        return fn.crop_mirror_normalize(fn.cast(pictures, dtype=types.UINT8), mean=[0.0] * 3,
                                        std=[255.0] * 3, output_layout="CHW",
                                        mirror=fn.random.coin_flip(probability=0.5),
                                        dtype=types.FLOAT)
    pipeline = pipe()
    pipeline.build()

    def body():
        while True:
            (pictures,) = pipeline.run()
            assert pictures.as_array().shape == (8, 3, 640, 640)
            yield 8
    return rate(images, body())


def train_files():
    return [i["file_name"] for i in json.loads((BCCD / "train.json").read_text())["images"]]


def decoding(images, decode):
    files = [(BCCD / "images" / name).read_bytes() for name in train_files()]

    def body():
        while True:
            for file in files:
                decode(file)
                yield 1
    return rate(images, body())


def libjpeg(images):
    from PIL import Image, features
    assert features.check("libjpeg_turbo")
    return decoding(images, lambda file: Image.open(io.BytesIO(file)).load())


def simplejpeg(images):
    from simplejpeg import decode_jpeg
    return decoding(images, lambda file: decode_jpeg(file, "RGB"))


def is_installed(module):
    """Also for a part of a namespace package: PyTorch's wheels bring `nvidia` without
    `nvidia.dali`.
    """
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def ours(options, pack, threads, images, augment="dfine"):
    command = [str(Path(options.bin) / "bench_loader"), "--data", str(pack), "--image-size", "640",
               "--augment", augment, "--threads", str(threads),
               "--images", str(images)]
    words = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return tuple(float(words[words.index(name) + 1])
                 for name in ("images_per_s", "images_per_cpu_s"))


def on_cores(cores, body):
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:cores])
    try:
        return body()
    finally:
        os.sched_setaffinity(0, allowed)


def peer(name, images):
    text = subprocess.run([sys.executable, __file__, "--peer", name, "--images", str(images)],
                          check=True, capture_output=True, text=True).stdout
    return tuple(map(float, text.strip().splitlines()[-1].split()))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=str(SOURCE / "build" / "release" / "bin"))
    parser.add_argument("--images", type=int, default=400,
                        help="for the official loader; the others take more in the same time")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", help="writes the numbers to this file")
    parser.add_argument("--peer", choices=["official", "torchvision", "dali", "libjpeg",
                                           "simplejpeg"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        print(*globals()[options.peer](options.images))
        return

    with tempfile.TemporaryDirectory() as folder:
        pack = Path(folder) / "train"
        subprocess.run([str(Path(options.bin) / "dfine-pack"), "--images", str(BCCD / "images"),
                        "--annotations", str(BCCD / "train.json"),
                        "--output", str(pack)], check=True, capture_output=True)
        runs = {"ours": lambda: on_cores(1, lambda: ours(options, pack, 1, 10 * options.images)),
                "torchvision": lambda: on_cores(1, lambda: peer("torchvision", options.images)),
                "libjpeg": lambda: on_cores(1, lambda: peer("libjpeg", 10 * options.images)),
                "one thread": lambda: on_cores(2,
                                               lambda: ours(options, pack, 1, 10 * options.images)),
                "two "
                "threads": lambda: on_cores(2, lambda: ours(options, pack, 2, 10 * options.images))}
        for name, module, share in (("dali", "nvidia.dali", 5), ("simplejpeg", "simplejpeg", 10)):
            if is_installed(module):
                runs[name] = lambda name=name, share=share: on_cores(
                    1, lambda: peer(name, share * options.images))
            else:
                print(f"{name} is not installed: skipped")
        if "DFINE_OFFICIAL" in os.environ:
            runs["official"] = lambda: on_cores(1, lambda: peer("official", options.images))
        rounds = {name: [] for name in runs}
        for _ in range(options.repeat):
            for name, run in runs.items():
                rounds[name].append(run())

        def medians(pairs):
            return tuple(map(statistics.median, zip(*pairs)))

        def ratio(a, b):
            return "{:10.2f} {:10.2f}".format(*medians(
                [(x[0] / y[0], x[1] / y[1]) for x, y in zip(rounds[a], rounds[b])]))
        print(f"{'':18} {'images/s':>10} {'of CPU':>10}")
        for name, pairs in rounds.items():
            print("{:18} {:10.1f} {:10.1f}".format(name, *medians(pairs)))
        for name in ("official", "torchvision", "dali", "libjpeg", "simplejpeg"):
            if name in rounds:
                print(f"ours / {name:11} {ratio('ours', name)}")
        print(f"{'two / one thread':18} {ratio('two threads', 'one thread')}")
        if options.json:
            Path(options.json).write_text(json.dumps(rounds, indent=1) + "\n")


if __name__ == "__main__":
    main()
