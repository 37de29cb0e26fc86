"""What stands in a dataset twice: it is packed as it stands, and the summary names it."""
import os
import shutil

from image_sets import Pack, picture, voc_set, voc_xml, yolo_set
from packing import Case, run_checks

FILES = "image files under several image ids, packed once per id: "
BOXES = "annotations that repeat another one of their image (same class and box), kept: "
LABELS = "label files that several images share, used for each: "


def check_nothing_is_said_of_sound_sets():
    with Case() as case:
        out, _ = case.pack()
        assert FILES not in out and BOXES not in out, out
    with yolo_set() as case:
        out, _ = case.run("--format", "yolo", "--annotations", case.yaml, "--split", "train")
        assert LABELS not in out and BOXES not in out, out


def check_one_file_under_several_ids():
    with Case() as case:
        os.link(case.images / "c.jpg", case.images / "hard.jpg")
        (case.images / "soft.jpg").symlink_to("c.jpg")
        # another file: the report's list of equal images has it
        shutil.copy(case.images / "c.jpg", case.images / "copy.jpg")
        c = case.coco["images"][0]
        names = ("c.jpg", "sub/../c.jpg", "hard.jpg", "soft.jpg", "copy.jpg")
        case.coco["images"] += [{**c, "id": 100 + i, "file_name": name}
                                for i, name in enumerate(names)]
        out, _ = case.pack()
        listed = " = ".join(f'image {i} ("{name}")' for i, name in [
            (30, "c.jpg"), *((100 + i, name) for i, name in enumerate(names[:4]))])
        assert f"{FILES}1\n  {listed}\n" in out, out
        assert len(Pack(case.output).images) == 9
        # also across the two sides of a split
        out, _ = case.pack("--val-fraction", "0.4", "--overwrite")
        assert f"{FILES}1\n  {listed}\n" in out, out


def check_many_are_counted():
    with Case() as case:
        first = case.coco["images"][0]
        case.coco["annotations"] = [{"id": i, "image_id": 30, "category_id": 7,
                                     "bbox": [1, 2, 3, 4]} for i in range(15)]
        case.coco["annotations"] += [
            {"id": 20, "image_id": 30, "category_id": 3, "bbox": [1, 2, 3, 4]},  # another class
            {"id": 21, "image_id": 30, "category_id": 7, "bbox": [1, 2, 3, 4.5]},  # another box
            {"id": 22, "image_id": 10, "category_id": 7, "bbox": [1, 2, 3, 4]},  # another image
            {"id": 23, "image_id": 30, "category_id": 7, "bbox": [1, 2, 3, 4], "iscrowd": 1},
        ]
        out, _ = case.pack()
        assert (f'{BOXES}14\n  image 30 ("{first["file_name"]}"): annotation 1 is annotation 0 '
                f'again (\u00e4pfel, 1 2 3 4)\n' in out), out
        assert ("annotation 10 is annotation 0 again" in out and "annotation 11 is" not in out
                and "  and 4 more\n" in out), out
        assert sum(len(i["label"]) for i in Pack(case.output).images) == 19


def check_yolo():
    with yolo_set() as case:
        case.put("images/train/b.png", picture(64, 48, 3))
        case.put("labels/train/b.txt",
                 "1 0.5 0.5 0.25 0.5\n0 0.1 0.1 0.3 0.1\n1 0.5 0.5 0.25 0.5\n")
        out, _ = case.run("--format", "yolo", "--annotations", case.yaml, "--split", "train")
        assert f"{LABELS}1\n" in out and "labels/train/b.txt: b.jpg, b.png\n" in out, out
        assert (f'{BOXES}2\n  image 1 ("b.jpg"): annotation 3 is annotation 1 again (dog, 24 12 '
                f'16 24)\n' in out), out
        assert [i["label"] for i in Pack(case.output).images][:2] == [[1, 0, 1], [1, 0, 1]]
        # a list may repeat an image on purpose
        case.put("test.txt", "images/val/v.jpg\nimages/val/v.jpg\n")
        out, _ = case.run("--format", "yolo", "--annotations", case.yaml, "--split", "test",
                          "--overwrite")
        assert (f'{FILES}1\n  image 1 ("images/val/v.jpg") = image 2 ("images/val/v.jpg")\n' in out
                and LABELS not in out), out
        assert len(Pack(case.output).images) == 2


def check_voc():
    with voc_set() as case:
        case.put("Annotations/3.xml",
                 voc_xml([("cat", (5, 5, 5, 5), ""), ("cat", (5, 5, 5, 5), "")]))
        out, _ = case.run(*case.arguments)
        assert f"{BOXES}1\n" in out, out


if __name__ == "__main__":
    run_checks(dict(globals()))
