"""report.html against numbers computed from the annotation file with numpy; what it lists; that it
is safe and self-contained.
"""
import json
import math
import shutil

import numpy as np
from PIL import Image

from packing import BCCD, Case, dfine_pack, run_checks
from report_page import Page


def is_self_contained(page):
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "img", "iframe", "object", "embed", "base", "form",
                           "foreignobject"), tag
        for name, value in attributes.items():
            assert (not name.startswith("on")
                    and name not in ("src", "srcset", "action")), (tag, name)
            assert name != "href" or value.startswith("#"), value
    for text in ("http:", "https:", "@import", "url(", "javascript:"):
        assert text not in page.text, text


def bins(values, edges):
    return [int(((values >= a) & (values < b)).sum())
            for a, b in zip([0, *edges], [*edges, math.inf], strict=True)]


def shown(chart):
    return list(chart.values())


def without_ends(counts):
    filled = [k for k, count in enumerate(counts) if count]
    return counts[filled[0] : filled[-1] + 1]


def check_figures():
    with Case() as case:
        coco = json.loads((BCCD / "train.json").read_text())
        dfine_pack("--images", BCCD / "images", "--annotations", BCCD / "train.json",
                   "--output", case.output)
        page = Page(case.output / "report.html")
        is_self_contained(page)
        kept = [a for a in coco["annotations"] if a["bbox"][2] > 0 and a["bbox"][3] > 0]
        wh = np.array([a["bbox"][2:] for a in kept], float)
        assert (page.numbers["images"] == str(len(coco["images"]))
                and page.numbers["boxes to train on"] == f"{len(kept):,}")
        assert page.numbers["boxes per image"] == f"{len(kept) / len(coco['images']):.1f}"
        assert (shown(page.charts["boxes by size"]) == without_ends(
            bins(np.sqrt(wh[:, 0] * wh[:, 1]), [4, 8, 16, 32, 64, 128, 256, 512, 1024])))
        assert (shown(page.charts["boxes by aspect ratio"])
                == without_ends(bins(wh[:, 0] / wh[:, 1], [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8])))
        areas = np.array([a["area"] for a in kept], float)
        assert (shown(page.charts["boxes by COCO size group"])
                == without_ends(bins(areas, [32**2, 96**2])))
        per_image = np.array([sum(a["image_id"] == i["id"] for a in kept) for i in coco["images"]])
        assert (shown(page.charts["images by number of boxes"])
                == without_ends(bins(per_image, [1, 2, 3, 5, 9, 17, 33, 65, 129, 257])))
        for category in coco["categories"]:
            mine = [a for a in kept if a["category_id"] == category["id"]]
            row = page.rows[category["name"]]
            assert row[:4] == [str(category["id"]), f"{len({a['image_id'] for a in mine}):,}",
                               f"{len(mine):,}", "0"], row
        boxes = [int(row[2].replace(",", "")) for name, row in page.rows.items()
                 if " x " not in name]
        assert boxes == sorted(boxes, reverse=True)
        assert page.rows["640 x 480"][0] == str(len(coco["images"]))
        assert (len(page.lists["dropped"]) == 1 and "clipped" not in page.lists
                and "shared-0" not in page.lists)


def check_lists_of_the_small_set():
    with Case() as case:
        case.coco["categories"].append({"id": 91, "name": "never <b>seen</b>"})
        case.pack()
        page = Page(case.output / "report.html")
        assert page.lists["clipped"] == ["c.jpg: \u00e4pfel, annotation 997",
                                         "c.jpg: zebra, annotation 991"], page.lists
        assert page.lists["dropped"] == ["c.jpg: cat, annotation 985", "c.jpg: \u00e4pfel, "
                                         "annotation 976", "sub/a.png: cat, annotation 994"]
        assert page.lists["empty"] == ["b.webp"] and page.lists["unused"] == ["never <b>seen</b>"]
        assert (page.numbers["crowd regions"] == "1" and page.rows["\u00e4pfel"][:4]
                == ["7", "1", "2", "1"])
        case.images.joinpath("c.jpg").write_bytes(b"no image")
        case.pack("--overwrite", "--skip-bad")
        page = Page(case.output / "report.html")
        assert len(page.lists["skipped"]) == 1 and 'image 30 ("c.jpg")' in page.lists["skipped"][0]


def check_names_cannot_become_markup():
    evil = "<img src=x onerror=alert(1)>&\"'\u0001\u202e.jpg"
    with Case() as case:
        shutil.move(case.images / "c.jpg", case.images / evil)
        case.coco["images"][0]["file_name"] = evil
        case.coco["categories"][2]["name"] = "</style><script>alert(2)</script>"
        case.pack()
        page = Page(case.output / "report.html")
        is_self_contained(page)
        begin = "<img src=x onerror=alert(1)>&\"'\ufffd\u202e.jpg: "
        assert page.lists["clipped"][0].startswith(begin), page.lists
        assert "</style><script>alert(2)</script>" in page.rows


def check_equal_images():
    with Case() as case:
        names = ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"]
        case.coco = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "x"}]}
        for i, name in enumerate(names):
            # a = c = e, b = d
            Image.fromarray(np.full((30, 40, 3), 10 * (i % 2), np.uint8)).save(case.images / name)
            case.coco["images"].append({"id": i + 1, "file_name": name, "width": 40, "height": 30})
        case.pack("--shard-size", "1")
        page = Page(case.output / "report.html")
        assert page.lists["duplicates"] == ["a.jpg = c.jpg = e.jpg", "b.jpg = d.jpg"], page.lists
        assert any(note.startswith("2 groups of equal image files") for note in page.notes)
        # A second pack that holds one of them under another name.
        (case.images / "other.jpg").write_bytes((case.images / "b.jpg").read_bytes())
        other = case.root / "other.json"
        other.write_text(json.dumps({**case.coco, "images": [{"id": 8, "file_name": "other.jpg"}]}))
        arguments = ["--images", case.images, "--annotations", other,
                     "--output", case.root / "second"]
        dfine_pack(*arguments, "--compare", case.output)
        page = Page(case.root / "second/report.html")
        assert (page.lists["shared-0"] == ["other.jpg is b.jpg there"]
                and any("1 image " in note and "flatter" in note for note in page.notes))
        _, error = dfine_pack(*arguments, "--overwrite", "--compare", case.images, expect=1)
        assert "[format_invalid]" in error and (case.root / "second/report.html").exists(), error
        # Before anything is packed, or even read.
        other.write_text("no JSON")
        for wrong, what in ((case.root / "none", "[file_missing]"), (other, "[format_invalid]"),
                            (case.images, "manifest.json")):
            for more in ([], ["--part", "1/2"]):
                _, error = dfine_pack(*arguments[:-1], case.root / "third", *more,
                                      "--compare", wrong, expect=1)
                assert what in error and f", {wrong}" in error and "JSON" not in error, error
        # Both sides of a split are compared with each other.
        case.pack("--overwrite", "--val-fraction", "0.4")
        sides = [Page(case.output / side / "report.html") for side in ("train", "val")]
        held = [json.loads((case.output / side / "manifest.json").read_text())["totals"]["images"]
                for side in ("train", "val")]
        assert held == [3, 2], held
        assert all(len(side.lists["shared-0"]) >= 1 for side in sides), [s.lists for s in sides]


def check_damage_of_the_other_pack_costs_no_pack():
    with Case() as case:
        case.pack("--shard-size", "1")
        shard = case.output / "shard-00001.h5"  # one image a shard: this is sub/a.png
        data = bytearray(shard.read_bytes())
        data[data.index(b"IHDR")] ^= 1
        shard.write_bytes(data)
        for more in ([], ["--part", "1/1"]):
            out, _ = dfine_pack("--images", case.images, "--annotations", case.write(),
                                "--output", case.root / "second", "--compare", case.output, *more)
            assert ("report.html" in out and "comparison" in out and "checksum" in out
                    and f'in record 0 ("sub/a.png") of {shard}' in out), out
            page = Page(case.root / "second/report.html")
            assert page.numbers["images"] == "4" and "shared-0" not in page.lists
            dfine_pack("verify", case.root / "second")
            shutil.rmtree(case.root / "second")


def check_long_lists():
    """10,000 of each are listed, and the rest is counted."""
    with Case() as case:
        case.coco["annotations"] = [{"id": i, "image_id": 30, "category_id": 7,
                                     "bbox": [100, 100, 5, 5]} for i in range(1, 10_004)]
        case.pack()
        page = Page(case.output / "report.html")
        assert len(page.lists["dropped"]) == 10_001 and page.lists["dropped"][-1] == "and 3 more"
        assert (page.lists["dropped"][9_999] == "c.jpg: \u00e4pfel, annotation 10000"
                and "the first 10,000 of each" in page.text)


def check_same_bytes_every_time():
    with Case() as case:
        pages = []
        for jobs in ("1", "3"):
            dfine_pack("--images", BCCD / "images", "--annotations", BCCD / "val.json",
                       "--output", case.root / jobs, "--jobs", jobs)
            pages.append((case.root / jobs / "report.html").read_bytes())
        assert pages[0] == pages[1]


if __name__ == "__main__":
    run_checks(dict(globals()))
