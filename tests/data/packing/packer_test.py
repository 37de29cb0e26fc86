"""A pack read with h5py alone, against the COCO annotation file and the image files it was made
from.
"""
import contextlib
import io
import json
import subprocess

import h5py
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from packing import BCCD, BIN, Case, crc32c, dfine_pack, run_checks

TYPES = {
    "image/bytes": "u1", "image/offset": "<u8", "image/size": "<u8", "image/crc32c": "<u4",
    "image/id": "<i8", "image/width": "<i4",
    "image/height": "<i4", "box/first": "<u8", "box/cxcywh": "<f4", "box/label": "<i4",
    "box/xywh": "<f8", "box/area": "<f8",
    "box/iscrowd": "u1", "box/annotation_id": "<i8", "dropped/first": "<u8", "dropped/label": "<i4",
    "dropped/xywh": "<f8",
    "dropped/area": "<f8", "dropped/iscrowd": "u1", "dropped/annotation_id": "<i8",
    "dropped/position": "<u4",
}


def inside(bbox, width, height):
    """The part of the box in the image as cxcywh in [0, 1], by the definition in double precision;
    None without area.
    """
    x1, x2 = (min(max(v, 0), width) for v in (bbox[0], bbox[0] + bbox[2]))
    y1, y2 = (min(max(v, 0), height) for v in (bbox[1], bbox[1] + bbox[3]))
    if x2 <= x1 or y2 <= y1:
        return None
    return [(x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height]


def compare(pack, coco, image_folder):
    """Every value of every shard and of the manifest; returns the number of (kept, dropped) boxes.
    """
    manifest = json.loads((pack / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["format"] == "dfine-pack" and manifest["format_version"] == 1
    without = {key: value for key, value in manifest.items() if key != "crc32c"}
    text = json.dumps(without, indent=2, ensure_ascii=False) + "\n"
    assert manifest["crc32c"] == f"{crc32c(text.encode()):08x}"
    categories = sorted(coco["categories"], key=lambda c: c["id"])
    label = {c["id"]: i for i, c in enumerate(categories)}
    assert manifest["categories"] == [{"id": c["id"], "name": c["name"]} for c in categories]
    expected = iter(coco["images"])
    kept = dropped = 0
    assert (sorted(p.name for p in pack.iterdir())
            == sorted(["manifest.json", "report.html"] + [s["file"] for s in manifest["shards"]]))
    for shard in manifest["shards"]:
        raw = (pack / shard["file"]).read_bytes()
        assert len(raw) == shard["file_bytes"]
        with h5py.File(pack / shard["file"], "r") as f:
            assert f.attrs["format_version"] == 1
            assert list(f.attrs["category_id"]) == [c["id"] for c in categories]
            assert list(f.attrs["category_name"]) == [c["name"] for c in categories]
            data = {name: f[name][()] for name in TYPES}
            for name, kind in TYPES.items():
                assert f[name].dtype == np.dtype(kind), name
                assert f[name].chunks is None, name
            names = [name.decode() for name in f["image/file_name"][()]]
            assert list(f["image/file_name"].asstr()[()]) == names
            begin, size = f["image/bytes"].id.get_offset(), len(data["image/bytes"])
            found = []
            add = found.append
            f.visititems(lambda name, item, add=add: add(name)
                         if isinstance(item, h5py.Dataset) else None)
            assert sorted(found) == sorted([*TYPES, "image/file_name"])
        assert begin == shard["image_bytes_offset"] and size == shard["image_bytes"]
        assert crc32c(raw[:begin] + raw[begin + size :]) == int(shard["index_crc32c"], 16)
        assert data["image/size"].sum() == size
        n = len(names)
        assert (shard["images"] == n and data["box/first"].shape == (n + 1,)
                and data["dropped/first"].shape == (n + 1,))
        assert (shard["boxes"] == len(data["box/label"]) == data["box/first"][n]
                and data["box/cxcywh"].shape == (shard["boxes"], 4))
        assert shard["dropped_boxes"] == len(data["dropped/label"]) == data["dropped/first"][n]
        for i in range(n):
            image = next(expected)
            assert names[i] == image["file_name"]
            assert ([data["image/" + k][i] for k in ("id", "width", "height")]
                    == [image["id"], image["width"], image["height"]])
            file = (image_folder / image["file_name"]).read_bytes()
            offset, length = int(data["image/offset"][i]), int(data["image/size"][i])
            assert (data["image/bytes"][offset : offset + length].tobytes() == file
                    == raw[begin + offset : begin + offset + length])
            assert data["image/crc32c"][i] == crc32c(file)
            b, d = int(data["box/first"][i]), int(data["dropped/first"][i])
            for position, a in enumerate(a for a in coco["annotations"]
                                         if a["image_id"] == image["id"]):
                part = inside(a["bbox"], image["width"], image["height"])
                group, k = ("box", b) if part else ("dropped", d)
                assert data[group + "/annotation_id"][k] == a["id"]
                assert list(data[group + "/xywh"][k]) == a["bbox"]
                assert data[group + "/area"][k] == a.get("area", a["bbox"][2] * a["bbox"][3])
                assert data[group + "/label"][k] == label[a["category_id"]]
                assert data[group + "/iscrowd"][k] == a.get("iscrowd", 0)
                if part:
                    assert np.array_equal(data["box/cxcywh"][b],
                                          np.float32(part)), (data["box/cxcywh"][b], part)
                    b += 1
                else:
                    assert data["dropped/position"][d] == position
                    d += 1
            assert b == data["box/first"][i + 1] and d == data["dropped/first"][i + 1]
        kept += shard["boxes"]
        dropped += shard["dropped_boxes"]
    assert next(expected, None) is None
    totals = {key: sum(shard[key] for shard in manifest["shards"]) for key in manifest["totals"]}
    assert totals == manifest["totals"] and totals["images"] == len(coco["images"])
    return kept, dropped


def dump(pack, *arguments):
    return json.loads(subprocess.run([BIN / "pack_dump", pack, *arguments], check=True,
                                     capture_output=True).stdout)


def evaluation(truth, detections):
    with contextlib.redirect_stdout(io.StringIO()):
        gt = COCO()
        gt.dataset = json.loads(json.dumps(truth))
        gt.createIndex()
        run = COCOeval(gt, gt.loadRes(json.loads(json.dumps(detections))), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run.eval["precision"], run.eval["recall"], run.eval["scores"]


def check_shipped_images():
    with Case() as case:
        # one box without size in each, of 2805 and 1138
        for part, counts in (("train", (2804, 1)), ("val", (1137, 1))):
            coco = json.loads((BCCD / f"{part}.json").read_text())
            pack = case.root / part
            out, _ = dfine_pack("--images", BCCD / "images", "--annotations", BCCD / f"{part}.json",
                                "--output", pack, "--shard-size", "1MiB")
            assert compare(pack, coco, BCCD / "images") == counts
            assert (f"packed {len(coco['images'])} images" in out
                    and "dropped from training, no area inside the image: 1 box" in out)
            # No shard is larger than asked for, and none could have held the next one's first
            # image.
            sizes = [s["image_bytes"]
                     for s in json.loads((pack / "manifest.json").read_text())["shards"]]
            assert all(size <= 1 << 20 for size in sizes) and len(sizes) > 1
            dfine_pack("verify", pack)


def check_sparse_categories_and_odd_boxes():
    with Case() as case:
        out, _ = case.pack()
        # Dropped: no width; wholly outside; negative width. Clipped: two partly outside.
        assert compare(case.output, case.coco, case.images) == (7, 3)
        assert ("clipped to the image: 2 boxes\n  c.jpg, annotation 997\n  c.jpg, "
                "annotation 991\n" in out), out
        assert ("inside the image: 3 boxes\n  c.jpg, annotation 985\n  c.jpg, annotation 976\n  "
                "sub/a.png, annotation 994\n" in out), out
        assert "images without boxes: 1\n" in out
        assert "without area, taken as width x height: 1 box\n" in out
        table = {line.split()[0]: line.split()[1:] for line in out.splitlines()
                 if len(line.split()) == 4}
        assert (table["cat"] == ["3", "1", "0"] and table["\u00e4pfel"] == ["7", "2", "1"]
                and table["zebra"] == ["90", "3", "0"]), out
        info, _ = dfine_pack("info", case.output)
        assert all(line in info for line in out.splitlines()
                   if line.endswith(("1         0", "2         1", "3         0"))), info


def check_each_image_can_have_its_own_shard():
    with Case() as case:
        case.pack("--shard-size", "1")
        assert compare(case.output, case.coco, case.images) == (7, 3)
        assert len(list(case.output.glob("shard-*.h5"))) == len(case.coco["images"])


def check_size_is_read_from_the_file_where_the_json_has_none():
    with Case() as case:
        with_sizes = json.loads(json.dumps(case.coco))
        for image in case.coco["images"]:
            del image["width"], image["height"]
        case.pack()
        assert compare(case.output, with_sizes, case.images) == (7, 3)


def check_no_boxes_at_all():
    with Case() as case:
        case.coco["annotations"] = []
        out, _ = case.pack()
        assert compare(case.output, case.coco, case.images) == (0, 0)
        assert "images without boxes: 4" in out


def check_the_result_does_not_depend_on_jobs_or_time():
    with Case() as case:
        contents = []
        for jobs in ("1", "4"):
            pack = case.root / f"jobs{jobs}"
            dfine_pack("--images", BCCD / "images", "--annotations", BCCD / "val.json",
                       "--output", pack, "--shard-size", "300KiB", "--jobs", jobs)
            contents.append({p.name: p.read_bytes() for p in pack.iterdir()})
        assert contents[0] == contents[1] and len(contents[0]) > 3


def check_the_reader_gives_back_what_evaluation_needs():
    """COCO metrics of the reader's boxes equal those of the annotation file bit for bit: crowds,
    dropped boxes, their order and all.
    """
    with Case() as case:
        files = case.root / "files"
        files.mkdir()
        case.pack("--shard-size", "1")
        seen = dump(case.output, files)
        for image, packed in zip(case.coco["images"], seen["images"], strict=True):
            assert {k: packed[k] for k in image} == image
            assert ((files / str(image["id"])).read_bytes()
                    == (case.images / image["file_name"]).read_bytes())
        ours = {a["id"]: a for a in seen["annotations"]}
        assert len(ours) == len(case.coco["annotations"])
        for a in case.coco["annotations"]:
            a.setdefault("area", a["bbox"][2] * a["bbox"][3])
            assert {k: ours[a["id"]][k] for k in a} == a
            size = next((i["width"], i["height"]) for i in case.coco["images"]
                        if i["id"] == a["image_id"])
            assert ours[a["id"]]["trains"] == (inside(a["bbox"], *size) is not None
                                               and not a["iscrowd"])
        for image in case.coco["images"]:
            order = [[a["id"] for a in s["annotations"] if a["image_id"] == image["id"]]
                     for s in (seen, case.coco)]
            assert order[0] == order[1]
        rng = np.random.default_rng(0)
        detections = []
        for image in case.coco["images"]:
            for a in case.coco["annotations"]:
                if a["image_id"] == image["id"]:
                    box = [float(v + n)
                           for v, n in zip(a["bbox"], rng.normal(0, 1, 4), strict=True)]
                    detections.append({"image_id": image["id"], "category_id": a["category_id"],
                                       "bbox": box, "score": float(rng.random())})
            detections.append({"image_id": image["id"], "category_id": 7,
                               "bbox": [98.0, 99.0, 8.0, 8.0], "score": 0.5})
        for mine, theirs in zip(evaluation(seen, detections), evaluation(case.coco, detections),
                                strict=True):
            assert np.array_equal(mine, theirs) and (mine > 0).any()


if __name__ == "__main__":
    run_checks(dict(globals()))
