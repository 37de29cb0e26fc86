"""Pages about nothing: no detections, no boxes, one class; a pack in the place of a COCO file."""
import json
import tempfile
from pathlib import Path

from detection_sets import Expected, random_set
from packing import BCCD, dfine_pack
from report_runs import READ, dfine_report, opened, skip_without_browser, stays_within_the_page


def page_of(folder, *arguments):
    page = folder / "page.html"
    dfine_report("--predictions", folder / "predictions.json", *arguments, "--output", page)
    return page


def check_nothing(folder, boxes, detections):
    random_set(folder, images=3, boxes=boxes, detections=detections, classes=1, seed=2)
    page = page_of(folder, "--annotations", folder / "val.json")
    with opened(page) as browser:
        for threshold in (0, 0.5, 1):
            browser.run(f"setAll({threshold}); null")
            got = browser.run(READ)
            assert got["boxes"] == 3
            assert (sum(got["tp"]) == 0) and (sum(got["fp"]) > 0) == (
                detections > 0 and threshold == 0), got
        stays_within_the_page(browser, page)


def check_pack(folder):
    """The same numbers as from the annotation file, and pictures out of the pack."""
    annotations = json.loads((BCCD / "val.json").read_text())
    results = [{"image_id": a["image_id"], "category_id": a["category_id"], "bbox": a["bbox"],
                "score": round(0.3 + k % 7 / 10, 1)}
               for k, a in enumerate(annotations["annotations"]) if k % 3]
    (folder / "predictions.json").write_text(json.dumps(results))
    (folder / "val.json").write_text(json.dumps(annotations))
    dfine_pack("--images", BCCD / "images", "--annotations", BCCD / "val.json", "--output",
               folder / "pack")
    page = page_of(folder, "--data", folder / "pack", "--images", 3)
    expected = Expected(folder)
    with opened(page) as browser:
        browser.run("setAll(0.5); null")
        got = browser.run(READ)
        tp, fp, fn = expected.counts([0.5] * len(expected.categories))
        assert (got["tp"], got["fp"], got["fn"]) == (tp.tolist(), fp.tolist(), fn.tolist()), got
        assert browser.run("""Promise.all(Object.values(data.detections.pictures).map((source) => {
            const picture = new Image();
            picture.src = source;
            return picture.decode().then(() => Math.max(picture.width, picture.height));
          }))""") == [640] * 3
        stays_within_the_page(browser, page)


def check_pictures_that_cannot_be_read(folder):
    random_set(folder, images=4, boxes=3, detections=5, classes=2, seed=3, pictures=4)
    damaged = min((folder / "images").iterdir())
    damaged.write_bytes(damaged.read_bytes()[:200])
    page = page_of(folder, "--annotations", folder / "val.json", "--images-dir",
                   folder / "images")
    with opened(page) as browser:
        problems = browser.run("data.detections.problems")
        assert len(problems) == 2 and damaged.name in problems[0], problems
        assert browser.run("Object.keys(data.detections.pictures).length") == 3
        stays_within_the_page(browser, page)


def check_errors(folder):
    random_set(folder, images=2, boxes=3, detections=5, classes=2, seed=3)
    files = ["--annotations", folder / "val.json"]
    page = folder / "nothing.html"
    for arguments in ([], files, ["--compare", folder]):
        dfine_report(*arguments, "--output", page, expect=2)
    dfine_report("--predictions", folder / "predictions.json", "--output", page, expect=2)
    dfine_report(*files, "--predictions", folder / "none.json", "--output", page, expect=1)
    dfine_report(*files, "--predictions", folder / "predictions.json", "--images-dir",
                 folder / "none", "--output", page, expect=1)
    assert not page.exists()


if __name__ == "__main__":
    skip_without_browser()
    for check in (lambda folder: check_nothing(folder, boxes=3, detections=0),
                  lambda folder: check_nothing(folder, boxes=0, detections=4),
                  lambda folder: check_nothing(folder, boxes=0, detections=0),
                  check_pack, check_pictures_that_cannot_be_read, check_errors):
        with tempfile.TemporaryDirectory() as temporary:
            check(Path(temporary))
    print("passed")
