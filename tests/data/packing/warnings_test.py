"""Data that cannot train as intended: the warnings of the closing summary, report.html and
`dfine-pack info`; --drop-unused-classes; class names that are empty."""

import json
import re
import shutil

from image_sets import Pack, voc_set, yolo_set
from packing import Case, dfine_pack, run_checks, small_coco
from report_page import Page


def warnings(out):
    """[(text, advice)] of the closing summary."""
    return re.findall(r"^warning: (.*)\n  (.*)$", out, re.MULTILINE)


def texts(out):
    return [text for text, _ in warnings(out)]


def set_boxes(case, boxes, crowd=0):
    """`boxes`: {image id: [bbox, ...]}, all of category 3."""
    case.coco["annotations"] = [
        {
            "id": 1000 * image + k,
            "image_id": image,
            "category_id": 3,
            "bbox": bbox,
            "iscrowd": crowd,
        }
        for image, of_image in boxes.items()
        for k, bbox in enumerate(of_image)
    ]


def expect(case, words, *arguments, info=True):
    """One warning with all the words, with advice, everywhere; returns its advice."""
    out, _ = case.pack("--overwrite", *arguments)
    assert len(texts(out)) == 1 and all(word in texts(out)[0] for word in words), out
    text, advice = warnings(out)[0]
    assert f"{text}: {advice}" in Page(case.output / "report.html").notes
    shown, _ = dfine_pack("info", case.output)
    assert warnings(shown) == ([(text, advice)] if info else []), shown
    return advice


def check_sound_data_have_none():
    with Case() as case:
        case.coco["annotations"] = [a for a in case.coco["annotations"] if not a["iscrowd"]]
        out, _ = case.pack()
        assert texts(out) == [], out
        assert texts(dfine_pack("info", case.output)[0]) == []


def check_relative_coordinates():
    with Case() as case:
        set_boxes(case, {10: [[0.25, 0.5, 0.5, 0.25], [0, 0, 1, 1]], 20: [[0.9, 0.9, 0.1, 0.1]]})
        advice = expect(case, ["all 3 boxes", "relative"])
        assert "multiply" in advice and "--format yolo" in advice, advice
        case.coco["annotations"] = []  # and none is none
        assert texts(case.pack("--overwrite")[0]) == []
    corners = "<bndbox><xmin>0.25</xmin><ymin>0.5</ymin><xmax>0.75</xmax><ymax>1.0</ymax></bndbox>"
    with voc_set() as case:
        for name in ("1", "2", "3"):
            case.put(
                f"Annotations/{name}.xml",
                f"<annotation><object><name>cat</name>{corners}</object></annotation>",
            )
        out, _ = case.run(*case.arguments)
        assert (
            len(texts(out)) == 1 and "all 3 boxes" in texts(out)[0] and "relative" in texts(out)[0]
        ), out


def check_forms_of_relative_coordinates():
    """A box of 0.3 x 0.4 at (0.6, 0.5), as each form writes it; rounded beyond the border; a whole
    image."""
    for bbox in (
        [0.6, 0.5, 0.3, 0.4],  # left, top, width, height
        [0.75, 0.7, 0.3, 0.4],  # centre, width, height: ends beyond 1 as a corner and a size
        [0.6, 0.5, 0.9, 0.9],  # two corners
        [0.6, 0.5, 0.4000001, 0.5000001],
        [1.0, 1.0, 0.001, 0.001],
        [0.5, 0.5, 1, 1],
        [0, 0, 1, 1],
        [-0.4, -0.5, 1.3, 1.4],  # two corners in a VOC file: x - 1, x2 - x1 + 1
    ):
        with Case() as case:
            set_boxes(case, {10: [bbox], 20: [bbox]})
            expect(case, ["all 2 boxes have coordinates", "relative"])
    for bbox in ([1.5, 1.5, 1, 1], [0, 0, 3, 1], [0, 5, 1, 1], [-3, 0, 1, 1], [0, 0, 0, 0]):
        with Case() as case:  # small boxes in pixels, and places without a box
            set_boxes(case, {10: [bbox], 20: [bbox]})
            assert texts(case.pack()[0]) == [], bbox


def check_some_relative_coordinates():
    """A tenth of the boxes is no accident: images of another source, or some in pixels."""
    for relative, warned in ((36, True), (35, True), (4, True), (3, False), (0, False)):
        with Case() as case:
            boxes = [[0.2, 0.3, 0.5, 0.4]] * relative + [[2, 3, 5, 4]] * (36 - relative)
            set_boxes(case, {10: boxes[:18], 20: boxes[18:]})
            found = texts(case.pack()[0])
            assert len(found) == warned, (relative, found)
            if 0 < relative < 36 and warned:
                assert found[0].startswith(f"{relative} of 36 boxes have coordinates"), found


def check_crowds():
    with Case() as case:
        set_boxes(case, {10: [[1, 1, 20, 20]], 20: [[5, 5, 20, 20]]}, crowd=1)
        assert "iscrowd" in expect(case, ["all 2 annotations are crowd regions", "no box at all"])
        case.coco["annotations"].append(
            {"id": 1, "image_id": 20, "category_id": 90, "bbox": [1, 1, 9, 9], "iscrowd": 0}
        )
        expect(case, ["1 class has only crowd regions", '"cat" (id 3)'])
        case.coco["annotations"][0]["iscrowd"] = 0
        assert texts(case.pack("--overwrite")[0]) == []
    with Case() as case:  # a class of crowds on one side of a split has boxes on the other
        case.coco["annotations"] = [
            {
                "id": image,
                "image_id": image,
                "category_id": 3,
                "bbox": [1, 1, 5, 5],
                "iscrowd": int(image != 30),
            }
            for image in (7, 10, 20, 30)
        ]
        out, _ = case.pack("--val-fraction", "0.5")
        assert texts(out) == [], out


def check_more_boxes_than_queries():
    with Case() as case:
        grid = [[3 + x / 8, 3 + y / 8, 2, 2] for x in range(18) for y in range(17)]  # 306
        set_boxes(case, {10: grid[:300], 20: grid[:301], 30: grid, 7: grid[:1]})
        case.coco["annotations"][0]["bbox"] = [5, 5, 10, 10]
        advice = expect(case, ["2 images have more than 300 boxes", "the most is 306", "c.jpg"])
        assert "model.num_queries" in advice, advice
        # Crowd regions and boxes outside the image are no targets: 300 are left of 301 and 306.
        by_image = {
            image: [a for a in case.coco["annotations"] if a["image_id"] == image]
            for image in (20, 30)
        }
        by_image[20][0]["iscrowd"] = 1
        for annotation in by_image[30][:6]:
            annotation["bbox"] = [500, 500, 5, 5]
        assert texts(case.pack("--overwrite")[0]) == []


def check_classes_of_one_name():
    with Case() as case:
        case.coco["categories"] += [{"id": 4, "name": "cat"}, {"id": 11, "name": "cat"}]
        set_boxes(case, {10: [[5, 5, 20, 20]]})
        assert "merge" in expect(case, ['3 classes have the same name "cat"', "ids 3, 4 and 11"])
    with yolo_set("names: [cat, cat]\n") as case:
        out, _ = case.run("--format", "yolo", "--annotations", case.yaml, "--split", "train")
        assert '2 classes' in out and '"cat": ids 0 and 1' in out, out


def check_classes_that_count_as_one_name():
    """Names that are one when weights are matched by name: weights/class_match_test.cpp has them.
    """
    for names in (
        ["cat", "Cat"],
        ["traffic light", "traffic_light", "Traffic-Light"],
        ["tv", "Monitor/TV"],
        ["couch", "sofa"],
    ):
        with Case() as case:
            first = len(case.coco["categories"])
            case.coco["categories"] += [
                {"id": 200 + k, "name": name} for k, name in enumerate(names)
            ]
            if names[0] == "cat":
                del case.coco["categories"][first - 1]  # its own "cat"
                case.coco["categories"].append({"id": 3, "name": "bird"})
            set_boxes(case, {10: [[5, 5, 20, 20]]})
            listed = [f'"{name}" (id {200 + k})' for k, name in enumerate(names)]
            title = f"{len(names)} classes count as one name: "
            assert "merge" in expect(case, [title + ", ".join(listed)])
    with Case() as case:
        case.coco["categories"] += [{"id": 4, "name": "cats"}, {"id": 5, "name": "cat2"}]
        set_boxes(case, {10: [[5, 5, 20, 20]]})
        assert texts(case.pack()[0]) == []


def check_equal_images_on_both_sides():
    coco = small_coco()
    coco["images"] = [
        {"id": 1 + k, "file_name": f"{k}.png", "width": 30, "height": 20} for k in range(8)
    ]
    coco["annotations"] = [
        {"id": 1 + k, "image_id": 1 + k, "category_id": 3, "bbox": [5, 5, 9, 9]} for k in range(8)
    ]
    with Case(coco) as case:
        out, _ = case.pack("--val-fraction", "0.5")
        assert texts(out) == [], out
        train, val = (Pack(case.output / side).names() for side in ("train", "val"))
        for k in range(2):  # two of val are two of train
            (case.images / val[k]).write_bytes((case.images / train[k]).read_bytes())
        (case.images / val[2]).write_bytes(
            (case.images / val[3]).read_bytes()
        )  # no matter within one side
        out, _ = case.pack("--val-fraction", "0.5", "--overwrite")
        assert (
            texts(out) == ["2 images of val are in train too, byte for byte"]
            and "report.html" in warnings(out)[0][1]
        ), out
        for side in ("train", "val"):
            page = Page(case.output / side / "report.html")
            assert any(
                note.startswith("2 images of val are in train too") for note in page.notes
            ), page.notes
        (case.images / val[1]).write_bytes(
            (case.images / val[1]).read_bytes() + b"\0"
        )  # one byte more: another file
        out, _ = case.pack("--val-fraction", "0.5", "--overwrite")
        assert texts(out) == ["1 image of val is in train too, byte for byte"], out
        # In parts, the run that completes the pack says it.
        parts = [*case.arguments(case.root / "parts"), "--val-fraction", "0.5"]
        for part in ("2/3", "1/3"):
            out, _ = dfine_pack(*parts, "--part", part)
            assert texts(out) == [], out
        out, _ = dfine_pack(*parts, "--part", "3/3")
        assert texts(out) == ["1 image of val is in train too, byte for byte"], out
        # The pack that --compare names.
        other = case.root / "other"
        case.coco["images"] = [
            image for image in coco["images"] if image["file_name"] in (val[0], val[2])
        ]
        case.coco["annotations"] = []
        dfine_pack("--output", other, "--images", case.images, "--annotations", case.write())
        out, _ = dfine_pack(
            "--output",
            case.root / "third",
            "--images",
            case.images,
            "--annotations",
            case.root / "annotations.json",
            "--compare",
            other,
        )
        assert any("2 images" in text and str(other) in text for text in texts(out)), out


def check_parts_warn_once_all_are_there():
    """A part alone may well hold crowds only; together they do not, or do."""
    for last_is_crowd in (0, 1):
        with Case() as case:
            case.coco["annotations"] = [
                {
                    "id": image["id"],
                    "image_id": image["id"],
                    "category_id": 3,
                    "bbox": [1, 1, 5, 5],
                    "iscrowd": 1,
                }
                for image in case.coco["images"]
            ]
            case.coco["annotations"][-1]["iscrowd"] = last_is_crowd
            for part in ("1/2", "2/2"):
                out, _ = case.pack("--shard-size", "1", "--part", part)
                assert (texts(out) != []) == (part == "2/2" and last_is_crowd == 1), out


def roboflow(case):
    case.coco["categories"] = [
        {"id": 0, "name": "animals", "supercategory": "none"},
        {"id": 3, "name": "cat", "supercategory": "animals"},
        {"id": 7, "name": "dog", "supercategory": "animals"},
        {"id": 90, "name": "zebra", "supercategory": "zebra"},
    ]
    set_boxes(case, {10: [[5, 5, 20, 20]], 20: [[5, 5, 20, 20]]})
    case.coco["annotations"][1]["category_id"] = 7


def check_categories_that_group_others():
    with Case() as case:
        roboflow(case)
        advice = expect(
            case, ['class "animals" (id 0) has no annotations', "supercategory"], info=False
        )  # a pack does not keep them
        assert "--drop-group-classes" in advice, advice
        case.coco["categories"][0]["name"] = "ANI-MALS"  # names are compared as elsewhere
        expect(case, ['class "ANI-MALS" (id 0) has no annotations'], info=False)
        case.coco["categories"][3]["supercategory"] = "Zebra"  # its own name: no group
        expect(case, ['class "ANI-MALS" (id 0) has no annotations'], info=False)
        case.coco["annotations"][0]["category_id"] = 0  # used: a class like others
        assert texts(case.pack("--overwrite")[0]) == []


def check_groups_are_dropped_from_all_files_alike():
    """Roboflow exports training and validation as separate files, with the same categories."""
    kept = [(3, "cat"), (7, "dog"), (90, "zebra")]
    with Case() as case:
        roboflow(case)
        for category in (3, 7):  # one file without dogs, one without cats
            for annotation in case.coco["annotations"]:
                annotation["category_id"] = category
            out, _ = case.pack("--drop-group-classes", "--overwrite")
            assert texts(out) == [], out
            assert 'classes that only group others, dropped: 1\n  "animals" (id 0)\n' in out, out
            assert Pack(case.output).categories == kept
        case.pack("--drop-group-classes", "--drop-unused-classes", "--overwrite")
        assert Pack(case.output).categories == [(7, "dog")]
        case.coco["annotations"][0]["category_id"] = 0  # it has annotations: a class like others
        case.pack("--drop-group-classes", "--overwrite")
        assert Pack(case.output).categories == [(0, "animals"), *kept]
    with yolo_set() as case:
        run = ["--format", "yolo", "--annotations", case.yaml, "--split", "train"]
        _, error = case.run(*run, "--drop-group-classes", expect=2)
        assert "--drop-group-classes goes with --format coco alone" in error, error


def check_unused_classes_are_dropped():
    with Case() as case:
        roboflow(case)
        out, _ = case.pack("--drop-unused-classes")
        assert (
            texts(out) == []
            and 'classes without annotations, dropped: 2\n  "animals" (id 0)\n  "zebra" (id 90)\n'
            in out
        ), out
        pack = Pack(case.output)
        assert pack.categories == [(3, "cat"), (7, "dog")]
        labels = {image["id"]: image["label"] for image in pack.images}
        assert labels[10] == [0] and labels[20] == [
            1
        ], labels  # the ids stay, the labels start at 0 again
        # Both sides of a split and all parts have the same classes, although one side lacks "dog".
        out, _ = case.pack("--drop-unused-classes", "--overwrite", "--val-fraction", "0.5")
        assert [Pack(case.output / side).categories for side in ("train", "val")] == 2 * [
            [(3, "cat"), (7, "dog")]
        ]
        parts = [*case.arguments(case.root / "parts"), "--shard-size", "1"]
        dfine_pack(*parts, "--part", "1/2", "--drop-unused-classes")
        _, error = dfine_pack(*parts, "--part", "2/2", expect=1)
        assert "[data_mismatch]" in error, error
        shutil.rmtree(case.root / "parts.parts/part-2-of-2")
        dfine_pack(*parts, "--part", "2/2", "--drop-unused-classes")
        assert Pack(case.root / "parts").categories == [(3, "cat"), (7, "dog")]
        # Crowd regions and boxes outside the image are annotations too.
        case.coco["annotations"] = [
            {"id": 1, "image_id": 10, "category_id": 0, "bbox": [1, 1, 5, 5], "iscrowd": 1},
            {"id": 2, "image_id": 10, "category_id": 90, "bbox": [900, 1, 5, 5], "iscrowd": 0},
        ]
        case.pack("--drop-unused-classes", "--overwrite")
        assert Pack(case.output).categories == [(0, "animals"), (90, "zebra")]
        case.coco["annotations"] = []
        _, error = case.pack("--drop-unused-classes", "--overwrite", expect=1)
        assert "[dataset_too_small]" in error and "hint: " in error, error


def check_splits_of_other_formats_refuse_to_drop():
    with yolo_set("names: [cat, dog, cow]\n") as case:
        run = ["--format", "yolo", "--annotations", case.yaml]
        _, error = case.run(*run, "--split", "train", "--drop-unused-classes", expect=2)
        assert (
            "--drop-unused-classes" in error and "--split" in error and "[usage]" in error
            and "hint: " in error
        ), error
        case.run(*run, "--images", case.root / "set/images", "--drop-unused-classes")
        assert Pack(case.output).categories == [(0, "cat"), (1, "dog")]
        case.run(
            *run,
            "--split",
            "train",
            "--val-fraction",
            "0.4",
            "--drop-unused-classes",
            "--overwrite",
        )  # both sides by one command
        assert Pack(case.output / "val").categories == [(0, "cat"), (1, "dog")]
    with voc_set() as case:
        case.run(*case.arguments, "--split", "train", "--drop-unused-classes", expect=2)
        classes = case.put("classes.txt", "cow\nperson\ncat\ndog\n")
        case.run(*case.arguments, "--classes", classes, "--drop-unused-classes")
        assert Pack(case.output).categories == [(1, "person"), (2, "cat"), (3, "dog")]


def check_empty_class_names():
    for name in ("", " ", "\t\n"):
        with Case() as case:
            case.coco["categories"][1]["name"] = name
            for more in ([], ["--skip-bad"]):
                _, error = case.pack(*more, expect=1)
                assert (
                    "categories[1]" in error and "name" in error and "[record_invalid]" in error
                    and "hint: " in error
                ), error
            assert not case.output.exists()
    for names, line in (
        ("names: [cat, '']\n", 4),
        ("names: [cat, ' ']\n", 4),
        ("names:\n  0: cat\n  1:\n", 6),
        ("names:\n  - ~\n  - dog\n", 5),
    ):
        with yolo_set(names) as case:
            _, error = case.run(
                "--format", "yolo", "--annotations", case.yaml, "--split", "train", expect=1
            )
            assert (
                f"data.yaml, line {line}: " in error and "[format_invalid]" in error
                and "hint: " in error
            ), error
    with voc_set() as case:
        text = (
            (case.root / "set/Annotations/3.xml")
            .read_text()
            .replace("<name>cat</name>", "<name> </name>")
        )
        case.put("Annotations/3.xml", text)
        _, error = case.run(*case.arguments, expect=1)
        assert "3.xml, line 4: the <object> has no <name>" in error, error


def check_text_of_others_in_the_report():
    with Case() as case:
        case.coco["categories"] += [{"id": 4, "name": "<b>&"}, {"id": 5, "name": "<b>&"}]
        set_boxes(case, {10: [[5, 5, 20, 20]]})
        assert json.dumps("<b>&") in texts(case.pack()[0])[0]
        page = Page(case.output / "report.html")
        assert (
            any("<b>&" in note for note in page.notes) and "&lt;b&gt;&amp;" in page.text
        ), page.notes


if __name__ == "__main__":
    run_checks(dict(globals()))
