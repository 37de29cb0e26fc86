"""Every file of a given folder is packed, used, or counted and named with the reason: in the
closing summary and in report.html."""

import io
import os
import re

from PIL import Image

from image_sets import Folder, Pack, picture, voc_set, yolo_set
from packing import Case, run_checks
from report_page import Page

HIDDEN = "hidden files and folders, not packed"
OTHERS = "files that are not JPEG, PNG, WebP, BMP or TIFF images, not packed"
LABELS = "text files among the labels that belong to no image, not used"
CYCLES = "links to a folder that contains them, not followed"
UNLISTED = "image files that the annotation file does not list, not packed"


def notes(out):
    """The lists of the closing summary: {title: (count, names)}."""
    found = {}
    for title, count, names in re.findall(r"^(\S[^\n]*): ([\d,]+)\n((?:  [^\n]*\n)*)", out,
                                          re.MULTILINE):
        found[title] = (int(count.replace(",", "")), [line.strip() for line in names.splitlines()])
    return {
        title: value
        for title, value in found.items()
        if title in (HIDDEN, OTHERS, LABELS, UNLISTED, CYCLES)
    }


def expect_notes(out, case, expected, folder=None):
    """`expected`: {title: names below `folder`}, each perhaps with a reason behind it. The report
    lists the same."""
    folder = folder or case.root / "set"
    expected = {
        title: (len(names), [str(folder / name) for name in sorted(names)])
        for title, names in expected.items()
    }
    assert notes(out) == expected, (notes(out), expected)
    page = Page(case.output / "report.html")
    for k, (title, (count, names)) in enumerate((t, expected[t]) for t in notes(out)):
        assert page.lists[f"note-{k}"] == names and f"{title}: {count}" in page.notes, page.lists


def as_bytes(kind, **options):
    out = io.BytesIO()
    picture(32, 24).save(out, kind, **options)
    return out.getvalue()


def put_bytes(case, name, content):
    path = case.put(name, "")
    path.write_bytes(content)
    return path


def check_yolo():
    with yolo_set() as case:
        run = ["--format", "yolo", "--annotations", case.yaml, "--split", "train"]
        out, _ = case.run(*run)
        expect_notes(out, case, {OTHERS: ["images/train/notes.md"]})  # no image by its first bytes
        # JPEG files under any name, or none, and other formats under wrong names.
        for name in ("1.jfif", "2.jpe", "3.mpo", "4.JPG", "5.jpeg", "6", "7.image"):
            put_bytes(case, f"images/train/{name}", as_bytes("JPEG"))
        put_bytes(case, "images/train/8.dat", as_bytes("TIFF", compression="tiff_lzw"))
        put_bytes(case, "images/train/9.jpg", as_bytes("BMP"))
        case.put("labels/train/1.txt", "0 .5 .5 1 1\n")
        # What is none of them.
        put_bytes(case, "images/train/a.gif", as_bytes("GIF"))
        put_bytes(case, "images/train/a.avif", b"\0\0\0\x20ftypavif" + bytes(20))
        put_bytes(case, "images/train/Thumbs.db", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100))
        put_bytes(case, "images/train/empty", b"")
        put_bytes(case, "images/train/short.bmp2", b"BM")
        (case.root / "set/images/train/link").symlink_to("nowhere")
        os.mkfifo(case.root / "set/images/train/pipe")
        for name in ("images/train/list.txt", "images/train/list.json", "images/train/b.XML"):
            case.put(name, "expected beside images")
        # Hidden ones, whatever they are.
        put_bytes(case, "images/train/._b.jpg", as_bytes("JPEG"))
        put_bytes(case, "images/train/sub/.ipynb_checkpoints/a-checkpoint.png", as_bytes("PNG"))
        case.put("labels/train/.ipynb_checkpoints/b-checkpoint.txt", "0 .5 .5 1 1\n")
        # Labels without an image, also in a folder without images, or with capital letters.
        for name in ("lost.txt", "sub/b.txt", "gone/a.txt", "empty.TXT"):
            case.put(f"labels/train/{name}", "0 .5 .5 1 1\n")
        case.put("labels/val/other.txt", "not of this split")
        out, _ = case.run(*run, "--overwrite")
        assert Pack(case.output).names() == [
            "1.jfif",
            "2.jpe",
            "3.mpo",
            "4.JPG",
            "5.jpeg",
            "6",
            "7.image",
            "8.dat",
            "9.jpg",
            "b.jpg",
            "empty.webp",
            "sub/a.PNG",
        ]
        assert [len(i["label"]) for i in Pack(case.output).images] == [1] + 8 * [0] + [2, 0, 2]
        expect_notes(
            out,
            case,
            {
                LABELS: [
                    f"labels/train/{name}"
                    for name in ("lost.txt", "sub/b.txt", "gone/a.txt", "empty.TXT")
                ],
                HIDDEN: [
                    "images/train/._b.jpg",
                    "images/train/sub/.ipynb_checkpoints",
                    "labels/train/.ipynb_checkpoints",
                ],
                OTHERS: [
                    f"images/train/{name}"
                    for name in (
                        "a.gif",
                        "a.avif",
                        "Thumbs.db",
                        "empty",
                        "short.bmp2",
                        "notes.md",
                        "pipe: not a regular file",
                        "link: a link to a file that does not exist",
                    )
                ],
            },
        )


def check_yolo_labels_beside_images():
    """Without a folder "images" labels stand beside the images: files are named once, also where
    its path is relative."""
    with Folder() as case:
        case.put("data.yaml", "names: [cat]\ntrain: pictures\n")
        case.put("pictures/a.jpg", picture(32, 24))
        case.put("pictures/a.txt", "0 .5 .5 1 1\n")
        case.put("pictures/b.txt", "0 .5 .5 1 1\n")
        case.put("pictures/.hidden.txt", "")
        for path in (case.root / "set/data.yaml", os.path.relpath(case.root / "set/data.yaml")):
            out, _ = case.run(
                "--format", "yolo", "--annotations", path, "--split", "train", "--overwrite"
            )
            found = notes(out)
            assert [found[title][0] for title in (LABELS, HIDDEN)] == [
                1,
                1,
            ] and OTHERS not in found, out
            assert found[LABELS][1][0].endswith("pictures/b.txt") and found[HIDDEN][1][0].endswith(
                "pictures/.hidden.txt"
            ), out


def check_yolo_list():
    """Other images in the folders of a list, and their labels, belong to other lists."""
    with yolo_set() as case:
        out, _ = case.run("--format", "yolo", "--annotations", case.yaml, "--split", "test")
        assert notes(out) == {}, out


def check_links_that_are_not_followed():
    """To a folder that holds them: each is listed, once, for images and labels, in all formats."""
    with yolo_set() as case:
        links = ["images/train/self", "images/train/sub/up", "labels/train/again"]
        for link, target in zip(links, (".", "../../train", "."), strict=True):
            (case.root / "set" / link).symlink_to(target)
        run = ["--format", "yolo", "--annotations", case.yaml, "--split", "train"]
        out, _ = case.run(*run)
        expect_notes(out, case, {OTHERS: ["images/train/notes.md"], CYCLES: links})
    with voc_set() as case:
        links = ["Annotations/a", "JPEGImages/b/c"]
        (case.root / "set/JPEGImages/b").mkdir()
        for link, target in zip(links, (".", ".."), strict=True):
            (case.root / "set" / link).symlink_to(target)
        out, _ = case.run(*case.arguments)
        expect_notes(out, case, {CYCLES: links})
    with Case() as case:
        (case.images / "sub/up").symlink_to("..")
        out, _ = case.pack()
        expect_notes(out, case, {CYCLES: ["sub/up"]}, folder=case.images)


def check_many_are_counted():
    with yolo_set() as case:
        for i in range(25):
            case.put(f"labels/train/lost{i:02}.txt", "0 .5 .5 1 1\n")
        out, _ = case.run("--format", "yolo", "--annotations", case.yaml, "--split", "train")
        count, names = notes(out)[LABELS]
        assert count == 25 and len(names) == 11 and names[-1] == "and 15 more", names
        assert len(Page(case.output / "report.html").lists["note-0"]) == 25


def check_coco():
    with Case() as case:
        out, _ = case.pack()
        assert notes(out) == {}, out
        picture(32, 24).save(case.images / "extra.png")
        picture(32, 24).save(case.images / "sub/extra.mpo", "JPEG")
        picture(32, 24).save(case.images / ".a.jpg")
        (case.images / "sub/movie.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(100))
        (case.images / "annotations.json").write_text("{}")
        # Listed ones are used, hidden or not, whatever their name is.
        case.coco["images"][0]["file_name"] = "sub/.kept/c"
        (case.images / "sub/.kept").mkdir()
        (case.images / "c.jpg").rename(case.images / "sub/.kept/c")
        out, _ = case.pack("--overwrite")
        expect_notes(
            out,
            case,
            {
                UNLISTED: ["extra.png", "sub/extra.mpo"],
                HIDDEN: [".a.jpg"],
                OTHERS: ["sub/movie.mp4"],
            },
            folder=case.images,
        )
        # Beside the folder that holds all listed images others may lie: of other annotation files.
        for image in case.coco["images"]:
            (case.images / "train" / image["file_name"]).parent.mkdir(parents=True, exist_ok=True)
            (case.images / image["file_name"]).rename(case.images / "train" / image["file_name"])
            image["file_name"] = "train/" + image["file_name"]
        picture(32, 24).save(case.images / "train/unlisted.jpg")
        out, _ = case.pack("--overwrite")
        expect_notes(out, case, {UNLISTED: ["train/unlisted.jpg"]}, folder=case.images)


def check_nothing_but_other_files():
    with Folder() as case:
        case.put("data.yaml", "names: [cat]\ntrain: images\n")
        put_bytes(case, "images/a.gif", as_bytes("GIF"))
        case.put("labels/a.txt", "0 .5 .5 1 1\n")
        _, error = case.run(
            "--format",
            "yolo",
            "--annotations",
            case.root / "set/data.yaml",
            "--split",
            "train",
            expect=1,
        )
        assert (
            "[dataset_too_small]" in error
            and f"{OTHERS}: 1, such as " in error
            and "images/a.gif" in error
            and f"{LABELS}: 1" in error
        ), error


def check_parts_name_them_too():
    with Case() as case:
        picture(32, 24).save(case.images / "extra.png")
        for part in ("1/2", "2/2"):
            out, _ = case.pack("--part", part)
            assert notes(out)[UNLISTED] == (1, [str(case.images / "extra.png")]), out
        assert Page(case.output / "report.html").lists["note-0"] == [str(case.images / "extra.png")]


def check_unreadable_images_of_known_formats():
    """Files that are named as images but cannot be read end the run; --skip-bad lists them."""
    with yolo_set() as case:
        deep = Image.new("I;16", (8, 8))
        deep.save(case.root / "set/images/train/deep.tif")
        Image.new("RGB", (8, 8)).save(
            case.root / "set/images/train/pages.tiff",
            save_all=True,
            append_images=[Image.new("RGB", (8, 8))],
        )
        Image.new("CMYK", (8, 8)).save(case.root / "set/images/train/ink.tif")
        Image.new("F", (8, 8)).save(case.root / "set/images/train/float.tif")
        run = ["--format", "yolo", "--annotations", case.yaml, "--split", "train"]
        _, error = case.run(*run, expect=1)
        assert "deep.tif" in error and "--skip-bad" in error, error
        out, error = case.run(*run, "--skip-bad")
        assert error == "" or "TIFF" not in error, error  # nothing of libtiff's own
        for name, reason in (
            ("deep.tif", "16 bits per sample"),
            ("pages.tiff", "several pages"),
            ("ink.tif", "CMYK colours"),
            ("float.tif", "floating-point samples"),
        ):
            assert any(name in line and reason in line for line in out.splitlines()), out
        assert "skipped: 4 images" in out and len(Pack(case.output).images) == 3, out


if __name__ == "__main__":
    run_checks(dict(globals()))
