"""Data of COCO train2017's shape: an annotation file with 118,287 images and 860,001 annotations
with polygons (450 MB), and image files.

The image files are the shipped photographs under other names, by hard links where the file system
has them, else copies. That suffices for reading, checksums and writing: their cost does not depend
on what a picture shows.
"""
import argparse
import json
import os
import random
import shutil
from pathlib import Path

IMAGES, ANNOTATIONS = 118_287, 860_001  # train2017


def coordinate(rng, limit):
    return round(rng.random() * limit, 2)


def annotation(rng, number, image):
    """Some 500 bytes, as in train2017: polygons of about 26 points, area, box, ids."""
    x, y = coordinate(rng, 500), coordinate(rng, 350)
    w, h = round(2 + rng.random() * (638 - x), 2), round(2 + rng.random() * (478 - y), 2)
    points = max(4, int(rng.gauss(23, 9)))
    polygon = [coordinate(rng, 640 if k % 2 == 0 else 480) for k in range(2 * points)]
    return {"segmentation": [polygon], "area": round(w * h * 0.6, 4), "iscrowd": 0,
            "image_id": image, "bbox": [x, y, w, h],
            "category_id": rng.randrange(1, 91), "id": number}


def write_annotations(path, images, annotations, size=(640, 480)):
    """Streams the file, so that it does not take the memory that reading it does."""
    rng = random.Random(0)
    ids = rng.sample(range(1, 600_000), images)
    with open(path, "w") as out:
        out.write('{"info": {"year": 2017}, "licenses": [], "images": [')
        for i, image in enumerate(ids):
            record = {"license": 3, "file_name": f"{image:012d}.jpg",
                      "coco_url": f"http://images.cocodataset.org/train2017/{image:012d}.jpg",
                      "height": size[1], "width": size[0], "date_captured": "2013-11-14 11:18:45",
                      "flickr_url":
                      f"http://farm{image % 9}.staticflickr.com/{image}/{image * 7919}_z.jpg",
                      "id": image}
            out.write((", " if i else "") + json.dumps(record))
        out.write('], "annotations": [')
        for i in range(annotations):
            out.write((", " if i else "")
                      + json.dumps(annotation(rng, 1000 + 3 * i, rng.choice(ids))))
        out.write('], "categories": ' + json.dumps(
            [{"supercategory": "s", "id": c, "name": f"class {c}"} for c in range(1, 91)]) + "}")
    return [f"{image:012d}.jpg" for image in ids]


def write_images(folder, names, sources):
    """Links spread over copies of the sources: a file may have only a limited number (65,000 on
    ext4).
    """
    folder.mkdir(parents=True, exist_ok=True)
    for i, name in enumerate(names):
        source, target = sources[i % len(sources)], folder / name
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)


def shipped_photographs():
    return sorted((Path(__file__).resolve().parent.parent / "tests/data/bccd/images").glob("*.jpg"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, help="folder to create: annotations.json and images/")
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--annotations", type=int, default=ANNOTATIONS)
    parser.add_argument("--no-image-files", action="store_true")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True)
    names = write_annotations(arguments.output / "annotations.json", arguments.images,
                              arguments.annotations)
    if not arguments.no_image_files:
        write_images(arguments.output / "images", names, shipped_photographs())


if __name__ == "__main__":
    main()
