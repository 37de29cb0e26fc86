"""What dfine-pack reads: YOLO and VOC folders, every kind of image file, EXIF orientation; and what
--max-side and --val-fraction make of it.
"""
import io
import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

from image_sets import Folder, Pack, picture, voc_set, voc_xml, yolo_set
from packing import BCCD, BIN, Case, dfine_pack, run_checks


def check_yolo():
    for names in ("names: [cat, dog]\n", "nc: 2\nnames:\n  1: dog\n  0: cat\n"):
        with yolo_set(names) as case:
            out, _ = case.run("--format", "yolo", "--annotations", case.yaml, "--split", "train")
            assert "packed 3 images" in out and "images without boxes: 1" in out, out
            pack = Pack(case.output)
            assert pack.categories == [(0, "cat"), (1, "dog")]
            assert (pack.names() == ["b.jpg", "empty.webp", "sub/a.PNG"]
                    and [i["id"] for i in pack.images] == [1, 2, 3])
            b, empty, a = pack.images
            # centre and size times 64 x 48; the second box is cut at the left border: x from -0.05
            # to 0.25
            assert (b["label"] == [1, 0] and np.allclose(
                b["xywh"], [[24, 12, 16, 24], [-3.2, 2.4, 19.2, 4.8]], atol=1e-12))
            assert np.allclose(b["cxcywh"], [[0.5, 0.5, 0.25, 0.5], [0.125, 0.1, 0.25, 0.1]],
                               atol=1e-7)
            assert np.allclose(b["area"], [16 * 24, 19.2 * 4.8]) and b["iscrowd"] == [0, 0]
            assert empty["label"] == []
            # the polygon's corners: x 0.25 to 0.75, y 0.125 to 0.875 of 40 x 80
            assert (a["label"] == [1, 0]
                    and np.allclose(a["xywh"], [[10, 10, 20, 60], [0, 0, 40, 80]], atol=1e-12))
            assert (case.root / "set/images/train/b.jpg").read_bytes() == pack.files[0]


def check_yolo_ways_to_name_images():
    with yolo_set() as case:
        case.run("--format", "yolo", "--annotations", case.yaml, "--split", "val")
        assert Pack(case.output).names() == ["images/val/v.jpg", "images/more/w.jpg"]
        case.run("--format", "yolo", "--annotations", case.yaml, "--split", "test", "--overwrite")
        pack = Pack(case.output)
        assert (pack.names() == ["images/more/w.jpg", "images/val/v.jpg"]
                and [i["label"] for i in pack.images] == [[], [0]])
        case.run("--format", "yolo", "--annotations", case.yaml,
                 "--images", case.root / "set/images/val", "--overwrite")
        assert Pack(case.output).names() == ["v.jpg"]
        # absolute, while the rest is relative
        case.put("test.txt", f"{case.root}/set/images/val/v.jpg\n")
        case.run("--format", "yolo", "--annotations", os.path.relpath(case.yaml), "--split", "test",
                 "--overwrite")
        assert Pack(case.output).names() == ["images/val/v.jpg"]
    with yolo_set(path="path: data\n") as case:  # relative to the file, or not there at all
        case.run("--format", "yolo", "--annotations", case.yaml, "--split", "train")
        shutil.copytree(case.root / "set", case.root / "up/data")
        shutil.move(case.root / "up/data/data.yaml", case.root / "up/data.yaml")
        case.run("--format", "yolo", "--annotations", case.root / "up/data.yaml",
                 "--split", "train", "--overwrite")
        assert len(Pack(case.output).images) == 3
    with yolo_set("names: [cat, dog]\nkpt_shape: [2, 2]\n") as case:  # key points after the box
        case.put("labels/train/b.txt", "1 0.5 0.5 0.25 0.5 0.4 0.4 0.6 0.6\n")
        case.put("labels/train/sub/a.txt", "")
        case.run("--format", "yolo", "--annotations", case.yaml, "--split", "train")
        assert np.allclose(Pack(case.output).images[0]["xywh"], [[24, 12, 16, 24]])


def check_yolo_images_elsewhere():
    """Lists whose images lie outside of the dataset's folder: names are relative to the folder that
    holds them all.
    """
    for split, expected in (("list", ["more/w.jpg", "train/b.jpg"]),
                            ("both", ["more/w.jpg", "train/b.jpg"]), ("one", ["b.jpg"])):
        with Folder() as case:
            yaml = case.put("cfg/data.yaml",
                            "names: [cat, dog]\nboth: [../images/more, ../images/train]\none: "
                            "../images/train\nlist: list.txt\n")
            case.put("images/train/b.jpg", picture(64, 48))
            case.put("images/more/w.jpg", picture(64, 48))
            case.put("labels/train/b.txt", "1 0.5 0.5 0.25 0.5\n")
            case.put("cfg/list.txt", f"{case.root}/set/images/more/w.jpg\n../images/train/b.jpg\n")
            for path in (yaml, os.path.relpath(yaml)):
                case.run("--format", "yolo", "--annotations", path, "--split", split, "--overwrite")
                pack = Pack(case.output)
                assert pack.names() == expected and pack.images[-1]["label"] == [1], pack.names()


def check_yolo_from_inside_the_image_folder():
    with yolo_set() as case:
        case.put("images/b.jpg", picture(64, 48))
        case.put("labels/b.txt", "0 0.5 0.5 0.25 0.5\n")
        case.run("--format", "yolo", "--annotations", case.yaml, "--images", ".",
                 cwd=case.root / "set/images")
        pack = Pack(case.output)
        assert (pack.names()[0] == "b.jpg" and pack.images[0]["label"] == [0]
                and pack.names()[2] == "train/b.jpg" and pack.images[2]["label"] == [1, 0])


def check_links_to_folders():
    """Followed once; a link to a folder that holds it is not walked again."""
    with yolo_set() as case:
        (case.root / "set/images/train/self").symlink_to(".")
        (case.root / "set/images/train/sub/up").symlink_to("../..")
        (case.root / "set/images/train/more").symlink_to("../more")
        (case.root / "set/images/train/loop").symlink_to("loop")
        case.run("--format", "yolo", "--annotations", case.yaml, "--split", "train")
        assert Pack(case.output).names() == ["b.jpg", "empty.webp", "more/w.jpg", "sub/a.PNG",
                                             "sub/up/more/w.jpg",
                                             "sub/up/val/v.jpg"], Pack(case.output).names()
    with yolo_set() as case:
        (case.root / "set/images/train/loop.jpg").symlink_to("loop.jpg")
        _, error = case.run("--format", "yolo", "--annotations", case.yaml, "--split", "train",
                            expect=1)
        assert "loop.jpg" in error, error


def check_byte_order_marks():
    mark = "\ufeff"
    with yolo_set() as case:
        case.put("data.yaml", mark + case.yaml.read_text())
        case.put("labels/val/v.txt", mark + "1 0.5 0.5 0.5 0.5\n")
        case.put("test.txt", mark + "images/val/v.jpg\n")
        case.run("--format", "yolo", "--annotations", case.yaml, "--split", "test")
        assert Pack(case.output).images[0]["label"] == [1]
    with voc_set() as case:
        classes = case.put("classes.txt", mark + "person\ncat\ndog\n")
        case.put("Annotations/2.xml", mark + voc_xml([("person", (1, 1, 4, 4), "")]))
        case.put("ImageSets/Main/train.txt", mark + "2\n")
        case.run(*case.arguments, "--classes", classes, "--split", "train")
        pack = Pack(case.output)
        assert pack.categories[0] == (0, "person") and pack.images[0]["label"] == [0]
    with Case() as case:
        case.pack(text=mark + json.dumps(case.coco))
        assert len(Pack(case.output).images) == 4


def check_pipes_are_refused():
    """Reading one that nobody writes would wait for ever."""
    with yolo_set() as case:
        for path, arguments in (
            (case.root / "set/labels/train/b.txt",
             ["--format", "yolo", "--annotations", case.yaml, "--split", "train"]),
            (case.root / "pipe",
             ["--format", "yolo", "--annotations", case.root / "pipe", "--split", "train"]),
            (case.root / "pipe",
             ["--images", case.root / "set/images", "--annotations", case.root / "pipe"]),
        ):
            path.unlink(missing_ok=True)
            os.mkfifo(path)
            _, error = case.run(*arguments, expect=1)
            assert str(path) in error and "[file_unreadable]" in error and "hint: " in error, error
        reading, writing = os.pipe()
        os.close(writing)
        _, error = case.run("--images", case.root / "set/images",
                            "--annotations", f"/dev/fd/{reading}", expect=1, pass_fds=[reading])
        os.close(reading)
        assert "[file_unreadable]" in error, error


def check_bad_yolo():
    for line, what in (("2 .5 .5 .1 .1", "class 2"), ("0 .5 .5 .1", "4 numbers"), ("0", "1 number"),
                       ("0 .5 .5 .1 .1 .9", "6 numbers"),
                       ("x .5 .5 .1 .1", '"x"'), ("0 320 240 64 48", "320 "),
                       ("0 .5 nan .1 .1", '"nan"'),
                       ("-1 .5 .5 .1 .1", "class -1"),
                       ("99999999999999999999 .5 .5 .1 .1", "class 99999999999999999999"),
                       ("0 .5 .5 1.2345678901 .1", "1.2345678901"), ("0 .5 0,5 .1 .1", '"0,5"'),
                       ("1234567 .5 .5 .1 .1", "class 1234567"), ("0.5 .5 .5 .1 .1", "class 0.5"),
                       ("0 .5 .5 1.5 .1", "1.5 ")):
        with yolo_set() as case:
            case.put("labels/train/b.txt", "0 .5 .5 .2 .2\n" + line + "\n")
            _, error = case.run("--format", "yolo", "--annotations", case.yaml, "--split", "train",
                                expect=1)
            assert ("labels/train/b.txt, line 2: " in error and what in error
                    and "[record_invalid]" in error and "hint: " in error), error
            assert not case.output.exists()
            out, _ = case.run("--format", "yolo", "--annotations", case.yaml, "--split", "train",
                              "--skip-bad")
            assert ("skipped: 1 image" in out and Pack(case.output).names()
                    == ["empty.webp", "sub/a.PNG"]), out
    for text, what in (
        ("names: [a\n", "line 2"),
        ("train: images\n", "data.yaml"),
        ("names: {0: a, 2: b}\n", "line 1: `names`"),
        ("names: [a]\nnc: 2\n", "line 2: `nc` is 2"),
        ("[1]", "data.yaml"),
        ("names: 3", "line 1"),
        ("x: 1\nnames: {99999999999999999999: a}", "line 2: the class id 99999999999999999999"),
        ("names:\n  0: a\n  b: c\n", 'line 3: the class id "b"'),
        ("names: {0.5: a}", '"0.5"'),
        ("names: {-1: a}", '"-1"'),
        ("names: {[0]: a}", "the class id"),
        ("names: {0: a, 0: b}", "class 0 twice"),
        ("names: [[a, b]]", "line 1: a class name"),
        ("names: {0: {b: c}}", "line 1: a class name"),
        ("names: [a]\nnc: two", 'line 2: `nc` "two"'),
        ("names: [a]\nnc: [1]", "line 2: `nc`"),
        ("names: [a]\nnc: -1", 'line 2: `nc` "-1"'),
        ("names: [a]\ntrain: [[b]]", "line 2: an entry of 'train'"),
        ("names: [a]\ntrain: {a: 1}", "line 2"),
        ("names: [a]\ntrain: nowhere", "nowhere"),
    ):
        with yolo_set() as case:
            case.put("data.yaml", text)
            _, error = case.run("--format", "yolo", "--annotations", case.yaml, "--split", "train",
                                expect=1)
            assert what in error and "hint: " in error, error
    with yolo_set() as case:
        _, error = case.run(
            "--format", "yolo", "--annotations", case.yaml, "--split", "minival", expect=2
        )
        assert (
            "data.yaml" in error
            and "'minival'" in error
            and "[missing_key]" in error
            and "hint: " in error
        ), error
    with yolo_set() as case:
        shutil.rmtree(case.root / "set/labels")
        _, error = case.run("--format", "yolo", "--annotations", case.yaml, "--split", "train",
                            expect=1)
        assert "[file_missing]" in error and "labels/train/b.txt" in error, error
    with yolo_set() as case:
        shutil.copy(case.root / "set/images/train/b.jpg",
                    os.fsencode(case.root / "set/images/train") + b"/\xff.jpg")
        _, error = case.run("--format", "yolo", "--annotations", case.yaml, "--split", "train",
                            expect=1, errors="replace")
        assert "not UTF-8" in error, error
    with yolo_set() as case:
        case.put("images/train/b.jpg", "no jpeg")
        _, error = case.run("--format", "yolo", "--annotations", case.yaml, "--split", "train",
                            expect=1)
        assert "images/train/b.jpg" in error, error


def check_yolo_paths_in_messages():
    """Each is named once and without "./"; lists with quotes, of Windows or of URLs get advice."""
    with yolo_set(path="path: .\n") as case:
        case.put("data.yaml", "path: .\ntrain: ./list.txt\nnames: [cat, dog]\n")
        run = ["--format", "yolo", "--annotations", "data.yaml", "--split", "train"]
        case.put("images/train/empty.jpg", "")
        for lines, place, advice in (
            (
                ["images/train/b.jpg", "./images/train/empty.jpg"],
                "data.yaml: list.txt, line 2: images/train/empty.jpg ",
                "empty",
            ),
            (["././images/train/b.jpg", "./no.jpg"], "list.txt, line 2: no.jpg ", "exist"),
            (["images/train/b.jpg", '"no.jpg"'], 'line 2: "no.jpg" ', "quotes"),
            (["images/train/b.jpg", "a\\no.jpg"], "a\\no.jpg ", " / for \\ "),
            (["images/train/b.jpg", "https://a.b/c.jpg"], "a.b/c.jpg ", "download"),
        ):
            case.put("list.txt", "\n".join(lines))
            _, error = case.run(*run, expect=1, cwd=case.root / "set")
            assert (place in error and advice in error and "[record_invalid]" in error
                    and "./" not in error), error
        for line, advice in (('"images/train/b.jpg"', "quotes"), ("'images/train/b.jpg'", "quotes"),
                             ("https://a.b/c.jpg", "download")):
            case.put("list.txt", line)
            _, error = case.run(*run, expect=1, cwd=case.root / "set")
            assert ("[file_missing]" in error and "list.txt, line 1" in error
                    and advice in error.partition("hint: ")[2]), error
        case.put("list.txt", "./images/train/b.jpg")
        case.run(*run, cwd=case.root / "set")
        assert [(i["file_name"], i["label"])
                for i in Pack(case.output).images] == [("images/train/b.jpg", [1, 0])]


def check_voc():
    with voc_set() as case:
        case.run(*case.arguments, "--split", "train")
        pack = Pack(case.output)
        assert pack.categories == [(0, "cat"), (1, "dog"),
                                   (2, "person")], "classes of all files, so that splits agree"
        assert pack.names() == ["2.png", "1.jpg"] and pack.images[0]["label"] == []
        # pixel numbers from 1, both ends in the box: 1..64 is the whole width
        one = pack.images[1]
        assert (one["label"] == [1, 2] and np.array_equal(
            one["xywh"], [[0, 0, 64, 48], [9, 19.5, 21, 20.5]]) and one["iscrowd"] == [0, 0])
        assert (np.array_equal(one["cxcywh"][0], [0.5, 0.5, 1, 1])
                and np.array_equal(one["area"], [64 * 48, 21 * 20.5]))
        case.run(*case.arguments, "--split", "dog_train", "--overwrite")
        assert Pack(case.output).names() == ["1.jpg"]
        case.run(*case.arguments, "--overwrite")
        assert Pack(case.output).names() == ["1.jpg", "2.png", "3.jpg"]
        classes = case.put("classes.txt", "person\ncat\n\ndog\n")
        case.run(*case.arguments, "--overwrite", "--classes", classes)
        assert Pack(case.output).categories == [(0, "person"), (1, "cat"), (2, "dog")]
    with Folder() as case:  # images and XML side by side
        case.put("x.jpeg", picture(64, 48))
        case.put("x.xml", voc_xml([("a", (1, 1, 2, 2), "")]))
        case.run("--format", "voc", "--annotations", case.root / "set")
        assert Pack(case.output).names() == ["x.jpeg"]


def check_bad_voc():
    good = voc_xml([("dog", (1, 1, 4, 4), "")])
    for text, what in ((good.replace("</object>", ""), "line 7: broken XML"),
                       (good.replace("<name>dog</name>", ""), "line 4: the <object> has no <name>"),
                       (good.replace("bndbox", "box"),
                        'line 4: the <object> "dog" has no <bndbox>'),
                       ("<x/>", "line 1: the root element is <x>"),
                       ("<!-- -->", "line 1: broken XML: No document element"),
                       (good.replace("<ymin>1</ymin>", "<ymin>top</ymin>"),
                        'line 6: the <bndbox> of "dog"'),
                       (good.replace("<xmax>4", "<xmax>0"), "line 6: the <bndbox> of \"dog\""),
                       ("", "broken XML"),
                       (good.replace("<xmax>4", "<xmax>nan"), "no number <xmax>"),
                       (good.replace("max>4", "max>1e200"), 'line 6: the <bndbox> of "dog"'),
                       (voc_xml([], size=(65, 48)), "64x48 pixels, but")):
        with voc_set() as case:
            case.put("Annotations/3.xml", text)
            _, error = case.run(*case.arguments, expect=1)
            assert what in error and "3." in error and "hint: " in error, error
            out, _ = case.run(*case.arguments, "--skip-bad")
            assert ("skipped: 1 image" in out and Pack(case.output).names()
                    == ["1.jpg", "2.png"]), out
    with voc_set() as case:
        _, error = case.run(*case.arguments, "--classes", case.put("c.txt", "person\ndog"),
                            expect=1)
        assert 'Annotations/3.xml, line 4: unknown class "cat"' in error, error
        for extra, what in ((["--split", "none"], "none.txt"),
                            (["--classes", case.put("d.txt", "a\na\n")], "'a' twice"),
                            (["--images", "/no/where"], "/no/where")):
            _, error = case.run(*case.arguments, *extra, expect=1)
            assert what in error, error
        case.put("JPEGImages/3.png", picture(64, 48))
        _, error = case.run(*case.arguments, expect=1)
        assert ("3.xml" in error and "3.jpg" in error and "3.png" in error
                and "[record_invalid]" in error), error
        (case.root / "set/JPEGImages/3.png").unlink()
        (case.root / "set/JPEGImages/3.jpg").unlink()
        _, error = case.run(*case.arguments, expect=1)
        assert "JPEGImages/3.jpg" in error and "[file_missing]" in error, error
        case.put("JPEGImages/3.jpg", picture(64, 48))
        # no file gives class names: what is wrong with them, not that there are no classes
        for id in "123":
            case.put(f"Annotations/{id}.xml", "<annotation>\n<x>")
        for extra in ([], ["--skip-bad"], ["--classes", case.put("c.txt", "person\ndog")]):
            _, error = case.run(*case.arguments, *extra, expect=1)
            assert (all(f"Annotations/{id}.xml, line 2: broken XML" in error for id in "123")
                    and "hint: " in error), error
        for id in "123":
            case.put(f"Annotations/{id}.xml", voc_xml([]))
        _, error = case.run(*case.arguments, expect=1)
        assert "[dataset_too_small]" in error and "--classes" in error, error
        case.put("Annotations/1.xml", good)
        case.put("ImageSets/Main/train.txt", "1\n9\n")
        _, error = case.run(*case.arguments, "--split", "train", expect=1)
        assert ("train.txt, line 2: " in error and "9.xml" in error
                and "[record_invalid]" in error), error


def check_usage_errors_say_what_is_allowed():
    for arguments, *values in (
        (["--format", "cocoo"], "--format 'cocoo'", "coco or yolo or voc", "coco?"),
        (["--val-fraction", "half"], "--val-fraction 'half'"),
        (["--seed", "abc"], "--seed 'abc'"),
        (["--seed", "-3"], "--seed '-3'", "from 0 to 9223372036854775807"),
        (["--jobs", "0"], "--jobs '0'", "1 to 1024"),
        (["--shard-size", "3q"], "--shard-size 'q'", "MiB"),
        (["--format", "yolo"], "--format yolo", "--split or --images"),
        (["--format", "yolo", "--images", "x", "--split", "train"], "--split or --images"),
    ):
        _, error = dfine_pack("--annotations", "a", "--output", "o", *arguments, expect=2)
        assert "[usage]" in error and "hint: " in error, error
        assert all(value in error for value in values), error


def check_output_that_cannot_be_written():
    """A device without space, and standard output that is closed."""
    with Case() as case:
        case.pack()
        for command in (f"info {case.output}", f"verify {case.output}"):
            for target in ("> /dev/full", ">&-"):
                if target == "> /dev/full" and not Path("/dev/full").is_char_device():
                    continue
                done = subprocess.run(f"{BIN}/dfine-pack {command} {target}", shell=True,
                                      capture_output=True, text=True)
                assert done.returncode == 1 and "[write_failed]" in done.stderr, done


def check_wrong_usage():
    for arguments in (["--format", "tfrecord", "--annotations", "x"],
                      ["--format", "yolo", "--annotations", "x"],
                      ["--annotations", "x", "--images", "y", "--split", "z"],
                      ["--format", "yolo", "--annotations", "x", "--images", "y", "--split", "z"],
                      ["--annotations", "x"], ["--format", "voc"],
                      ["--format", "coco", "--annotations", "x", "--images", "y", "--classes", "z"],
                      ["--annotations", "x", "--images", "y", "--val-fraction", "1"],
                      ["--annotations", "x", "--images", "y", "--val-fraction", "0"],
                      ["--annotations", "x", "--images", "y", "--seed", "1"],
                      ["--annotations", "x", "--images", "y", "--max-side", "3"]):
        dfine_pack("--output", "o", *arguments, expect=2)


def image_kinds():
    """Every kind of file with Pillow's encoder: name -> (picture, arguments of save)."""
    colour = picture(50, 40)
    grey16 = Image.fromarray(np.arange(50 * 40, dtype=np.uint16).reshape(40, 50) * 30)
    return {
        "baseline.jpg": (colour, {}), "progressive.jpg": (colour, {"progressive": True}),
        "grey.jpg": (colour.convert("L"), {}),
        "cmyk.jpg": (colour.convert("CMYK"), {}), "colour.png": (colour, {}),
        "palette.png": (colour.quantize(16), {}), "grey16.png": (grey16, {}),
        "alpha.png": (colour.convert("RGBA"), {}), "greyalpha.png": (colour.convert("LA"), {}),
        "bit.png": (colour.convert("1"), {}),
        "lossy.webp": (colour, {}), "lossless.webp": (colour, {"lossless": True}),
        "alpha.webp": (colour.convert("RGBA"), {}),
    }


def coco_of(names, size=(50, 40)):
    images = [{"id": i + 1, "file_name": name, "width": size[0], "height": size[1]}
              for i, name in enumerate(names)]
    annotations = [{"id": i + 1, "image_id": i + 1, "category_id": 1, "bbox": [5, 4, 20, 16],
                    "area": 300, "iscrowd": 0} for i in range(len(names))]
    return {"images": images, "annotations": annotations,
            "categories": [{"id": 1, "name": "thing"}]}


def check_every_kind_of_image_file():
    with Folder() as case:
        kinds = image_kinds()
        for name, (image, how) in kinds.items():
            path = case.root / "set" / name
            path.parent.mkdir(exist_ok=True)
            image.save(path, **how)
        coco = case.put("coco.json", json.dumps(coco_of(kinds)))
        case.run("--images", case.root / "set", "--annotations", coco)
        pack = Pack(case.output)
        assert pack.names() == list(kinds)
        assert all(file == (case.root / "set" / name).read_bytes()
                   for name, file in zip(kinds, pack.files, strict=True))
        # Made smaller: JPEG of Pillow's quality 95, pixels close to Pillow's own reduction of the
        # picture that it decodes.
        case.run("--images", case.root / "set", "--annotations", coco, "--max-side", "25",
                 "--overwrite")
        reference = io.BytesIO()
        picture(50, 40).save(reference, "JPEG", quality=95)
        tables = Image.open(reference).quantization
        for record, file, (name, _) in zip(Pack(case.output).images, Pack(case.output).files,
                                           kinds.items(), strict=True):
            small = Image.open(io.BytesIO(file))
            assert (small.format == "JPEG" and small.size == (25, 20) == record["size"]
                    and small.quantization == tables), name
            whole = Image.open(case.root / "set" / name).convert("RGB")
            error = np.abs(np.asarray(small.convert("RGB"), int)
                           - np.asarray(whole.resize((25, 20), Image.BILINEAR), int))
            assert error.mean() < 4, (name, error.mean())
            assert (np.allclose(record["cxcywh"], [[0.3, 0.3, 0.4, 0.4]]) and np.allclose(
                record["xywh"], [[2.5, 2, 10, 8]]) and np.allclose(record["area"], 75))


def check_max_side_leaves_smaller_images_alone():
    with Folder() as case:
        case.put("a.png", picture(300, 100))
        case.put("b.jpg", picture(100, 200))
        case.put("c.jpg", picture(1000, 3))
        coco = coco_of(["a.png", "b.jpg", "c.jpg"])
        for image, size in zip(coco["images"], ((300, 100), (100, 200), (1000, 3)), strict=True):
            image["width"], image["height"] = size
        path = case.put("coco.json", json.dumps(coco))
        out, _ = case.run("--images", case.root / "set", "--annotations", path, "--max-side", "200")
        assert "made smaller: 2 images" in out, out
        pack = Pack(case.output)
        assert [i["size"] for i in pack.images] == [(200, 67), (100, 200), (200, 1)]
        assert (pack.files[1] == (case.root / "set/b.jpg").read_bytes()
                and pack.images[1]["area"].tolist() == [300])
        dfine_pack("verify", case.output)


def check_orientation_is_counted_and_not_applied():
    with Folder() as case:
        (case.root / "set").mkdir()
        exif, upright = Image.Exif(), Image.Exif()
        exif[0x0112], upright[0x0112] = 6, 1
        exif[0x010F] = "maker"
        names = []
        for suffix in ("jpg", "png", "webp"):
            for kind, data in (("turned", exif), ("upright", upright), ("none", None)):
                names.append(f"{kind}.{suffix}")
                picture(50, 40).save(case.root / "set" / names[-1],
                                     **({"exif": data} if data else {}))
        coco = case.put("coco.json", json.dumps(coco_of(names)))
        out, _ = case.run("--images", case.root / "set", "--annotations", coco)
        assert "EXIF orientation" in out and ": 3 images" in out, out
        assert all(i["size"] == (50, 40) for i in Pack(case.output).images)


def check_val_fraction():
    def split(*arguments, coco=BCCD / "train.json"):
        with Case() as case:
            out, _ = dfine_pack("--images", BCCD / "images", "--annotations", coco,
                                "--output", case.output, "--val-fraction", "0.2", *arguments)
            assert sorted(p.name for p in case.output.iterdir()) == ["train", "val"]
            _, error = dfine_pack("info", case.output, expect=1)
            assert (f"give {case.output}/train or {case.output}/val" in error
                    and "[format_invalid]" in error), error
            packs = [Pack(case.output / name) for name in ("train", "val")]
            dfine_pack("verify", case.output / "val")
            return out, packs

    whole = json.loads((BCCD / "train.json").read_text())
    out, (train, val) = split()
    count = len(whole["images"])
    assert len(val.images) == round(0.2 * count) and len(train.images) + len(val.images) == count
    order = {image["id"]: i for i, image in enumerate(whole["images"])}
    for pack in (train, val):
        places = [order[image["id"]] for image in pack.images]
        assert places == sorted(places), "in order of the annotation file"
    assert not set(train.names()) & set(val.names()) and train.categories == val.categories
    assert "train alone: none" in out and "val alone: none" in out, out
    ids = {image["id"] for image in val.images}
    assert ({i["id"] for i in split()[1][1].images} == ids
            and {i["id"] for i in split("--seed", "1")[1][1].images} != ids)
    with Case() as case:  # neither order nor annotations matter
        path = case.root / "other.json"
        path.write_text(json.dumps({**whole, "images": whole["images"][::-1],
                                    "annotations": whole["annotations"][:5]}))
        out, (_, other) = split(coco=path)
        assert {i["id"] for i in other.images} == ids
        assert ("val alone: " in out
                and not ("train alone: none" in out and "val alone: none" in out)), out


if __name__ == "__main__":
    run_checks(dict(globals()))
