"""Small YOLO and VOC datasets for tests, and packs read with h5py."""
import json
import shutil

import h5py
import numpy as np
from PIL import Image

from packing import Case, crc32c, dfine_pack


class Pack:
    """All shards of a pack, read with h5py."""

    def __init__(self, folder):
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        self.categories = [(c["id"], c["name"]) for c in manifest["categories"]]
        self.images, self.files = [], []
        for shard in manifest["shards"]:
            with h5py.File(folder / shard["file"]) as f:
                d = {
                    k: f[k][()]
                    for k in (
                        "image/offset",
                        "image/size",
                        "image/crc32c",
                        "image/bytes",
                        "image/id",
                        "image/width",
                        "image/height",
                        "box/first",
                        "box/label",
                        "box/xywh",
                        "box/cxcywh",
                        "box/area",
                        "box/iscrowd",
                        "image/file_name",
                    )
                }
            for i, name in enumerate(d["image/file_name"]):
                a, b = int(d["box/first"][i]), int(d["box/first"][i + 1])
                self.images.append(
                    {
                        "id": int(d["image/id"][i]),
                        "file_name": name.decode(),
                        "size": (int(d["image/width"][i]), int(d["image/height"][i])),
                        "label": d["box/label"][a:b].tolist(),
                        "xywh": d["box/xywh"][a:b],
                        "cxcywh": d["box/cxcywh"][a:b],
                        "area": d["box/area"][a:b],
                        "iscrowd": d["box/iscrowd"][a:b].tolist(),
                    }
                )
                file = d["image/bytes"][
                    int(d["image/offset"][i]) : int(d["image/offset"][i] + d["image/size"][i])
                ].tobytes()
                assert crc32c(file) == d["image/crc32c"][i]
                self.files.append(file)

    def names(self):
        return [image["file_name"] for image in self.images]


def picture(width, height, seed=0):
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8))
    return coarse.resize((width, height), Image.BICUBIC)


class Folder(Case):
    """An empty folder in place of the small COCO dataset."""

    def __init__(self):
        super().__init__({"images": [], "annotations": [], "categories": []})
        shutil.rmtree(self.images)

    def put(self, name, content):
        path = self.root / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        else:
            content.save(path)
        return path

    def run(self, *arguments, expect=0, **options):
        return dfine_pack("--output", self.output, *arguments, expect=expect, **options)


def yolo_set(names="names: [cat, dog]\n", path=""):
    case = Folder()
    case.yaml = case.put(
        "data.yaml",
        f"{path}train: images/train\nval: [images/val, images/more]\ntest: test.txt\n{names}",
    )
    case.put("images/train/b.jpg", picture(64, 48))
    case.put("images/train/sub/a.PNG", picture(40, 80))
    case.put("images/train/empty.webp", picture(30, 30))
    case.put("images/train/notes.md", "no image")
    case.put("images/val/v.jpg", picture(64, 48))
    case.put("images/more/w.jpg", picture(64, 48))
    case.put("labels/train/b.txt", "1 0.5 0.5 0.25 0.5\r\n\n0 0.1 0.1 0.3 0.1\n")
    case.put("labels/train/sub/a.txt", "1 0.25 0.125 0.75 0.5 0.5 0.875\n0.0 0.5 0.5 1 1")
    case.put("labels/val/v.txt", "0 0.5 0.5 0.5 0.5\n")
    case.put("test.txt", "./images/more/w.jpg\nimages/val/v.jpg\n")
    return case


def voc_xml(objects, name="", size=(64, 48)):
    text = (f"<annotation>\n<filename>{name}</filename>\n<size><width>{size[0]}</width>"
            f"<height>{size[1]}</height><depth>3</depth></size>\n")
    for kind, box, more in objects:
        corners = "".join(
            f"<{k}>{v}</{k}>" for k, v in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
        )
        text += f"<object>\n<name>{kind}</name>{more}\n<bndbox>{corners}</bndbox></object>\n"
    return text + "</annotation>\n"


def voc_set():
    case = Folder()
    case.put("JPEGImages/1.jpg", picture(64, 48))
    case.put("JPEGImages/2.png", picture(64, 48))
    case.put("JPEGImages/3.jpg", picture(64, 48))
    part = "<difficult>1</difficult><part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>"
    case.put(
        "Annotations/1.xml",
        voc_xml([("dog", (1, 1, 64, 48), ""), ("person", (10, 20.5, 30, 40), part)], "other.jpg"),
    )
    case.put("Annotations/2.xml", voc_xml([], size=(0, 0)))
    case.put("Annotations/3.xml", voc_xml([("cat", (5, 5, 5, 5), "")]))
    case.put("ImageSets/Main/train.txt", "2\n1\n")
    case.put("ImageSets/Main/dog_train.txt", "2 -1\n1  1\n")
    case.arguments = ["--format", "voc", "--annotations", case.root / "set"]
    return case
