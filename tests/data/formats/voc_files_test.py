"""Which files of a VOC dataset are packed: sub-folders, upper-case extensions, hidden files, lists
in ImageSets/Main.
"""
import shutil

from image_sets import Folder, Pack, picture, voc_set, voc_xml
from packing import run_checks

DOG = voc_xml([("dog", (1, 1, 4, 4), "")])


def check_sub_folders_and_upper_case():
    with voc_set() as case:
        case.put("Annotations/a/b/4.XML", DOG)
        case.put("JPEGImages/a/b/4.JPG", picture(64, 48).convert("RGB"))
        case.put("Annotations/a/1.xml", DOG)  # not the image JPEGImages/1.jpg
        case.put("JPEGImages/a/1.Png", picture(64, 48, 1))
        (case.root / "set/Annotations/a/loop").symlink_to("..")
        out, _ = case.run(*case.arguments)
        assert Pack(case.output).names() == ["1.jpg", "2.png", "3.jpg", "a/1.Png",
                                             "a/b/4.JPG"], Pack(case.output).names()
        assert "not read" not in out and "not packed" not in out, out
        case.put("ImageSets/Main/deep.txt", "a/b/4\r\na/1\n")
        case.run(*case.arguments, "--split", "deep", "--overwrite")
        assert Pack(case.output).names() == ["a/b/4.JPG", "a/1.Png"]
    with Folder() as case:  # images and XML side by side
        case.put("train/x.jpeg", picture(64, 48))
        case.put("train/x.xml", DOG)
        case.run("--format", "voc", "--annotations", case.root / "set")
        assert Pack(case.output).names() == ["train/x.jpeg"]


def check_files_that_are_not_used_are_listed():
    with voc_set() as case:
        for name in ("Annotations/.ipynb_checkpoints/1-checkpoint.xml", "Annotations/._1.xml",
                     "JPEGImages/.hidden/9.jpg"):
            case.put(name, DOG if name.endswith("xml") else picture(8, 8))
        case.put("Annotations/notes.txt", "no XML")
        case.put("JPEGImages/lone.jpg", picture(64, 48))
        case.put("JPEGImages/deep/lone.jpg", picture(64, 48))
        out, _ = case.run(*case.arguments)
        assert Pack(case.output).names() == ["1.jpg", "2.png", "3.jpg"]
        hidden = out.split("hidden files and folders, not read: 3\n")[1]
        assert (all(f"set/{name}\n" in hidden for name in (
            "Annotations/.ipynb_checkpoints", "Annotations/._1.xml", "JPEGImages/.hidden"))), (
out
)
        assert ("files of other kinds among the images and XML files, not read: 1\n" in out
                and "Annotations/notes.txt" in out), out
        assert ("images without an XML file, not packed: 2\n  deep/lone.jpg\n  "
                "lone.jpg\n" in out), out
        # a list names the images: others are no fault
        out, _ = case.run(*case.arguments, "--split", "train", "--overwrite")
        assert "without an XML file" not in out, out


def check_folders_within_each_other():
    """--images and the XML files' folder may be one, or one may hold the other."""
    for xml, images in (("", "."), ("", "pictures/"), ("Annotations/", ".")):
        with Folder() as case:
            case.put(f"{xml}a.xml", DOG)
            case.put(f"{images}/a.jpg", picture(64, 48))
            case.put("classes.csv", "dog")
            out, _ = case.run("--format", "voc", "--annotations", case.root / "set",
                              "--images", f"{case.root}/set/{images}")
            others = "not read: 1\n" in out and "classes.csv\n" in out
            assert Pack(case.output).names() == ["a.jpg"] and others, out


def check_two_xml_files_of_one_image():
    with voc_set() as case:
        case.put("Annotations/3.XML", DOG)
        _, error = case.run(*case.arguments, expect=1)
        assert "3.XML and " in error and "3.xml are there" in error, error


def check_image_named_in_the_xml():
    """Where no image file has the XML file's name, <filename> says which one it is."""
    with voc_set() as case:
        shutil.move(case.root / "set/JPEGImages/1.jpg", case.root / "set/JPEGImages/other.jpg")
        out, _ = case.run(*case.arguments)
        assert (Pack(case.output).names() == ["other.jpg", "2.png", "3.jpg"]
                and "without an XML file" not in out), out


def check_image_that_cannot_be_read():
    """An image with the id of the XML file is the one meant, readable or not. The boxes never go to
    the image that a stale <filename> names.
    """
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"  # ISO/IEC 14496-12: size, ftyp, brand
    for content, what in ((None, "GIF"), (heic, "HEIC"), (b"", "k.gif is empty")):
        for named in ("1.jpg", "lost.jpg", "k.jpg", ""):
            with voc_set() as case:
                case.put("Annotations/k.xml", voc_xml([("cat", (3, 3, 30, 30), "")], named))
                path = case.put("JPEGImages/k.gif", picture(64, 48))
                if content is not None:
                    path.write_bytes(content)
                _, error = case.run(*case.arguments, expect=1)
                assert "k.gif" in error and what in error and "1.jpg" not in error, error
                out, _ = case.run(*case.arguments, "--skip-bad")
                assert Pack(case.output).names() == ["1.jpg", "2.png", "3.jpg"], out
                assert "skipped: 1 image\n" in out and "other kinds" not in out, out
    with voc_set() as case:  # of a format that can be read, under another name
        case.put("Annotations/k.xml", voc_xml([("cat", (3, 3, 30, 30), "")], "1.jpg"))
        shutil.copy(case.root / "set/JPEGImages/1.jpg", case.root / "set/JPEGImages/k.img")
        case.run(*case.arguments)
        assert Pack(case.output).names() == ["1.jpg", "2.png", "3.jpg", "k.img"]
    with voc_set() as case:  # what is no image says nothing
        case.put("Annotations/k.xml", voc_xml([("cat", (3, 3, 30, 30), "")], "other.jpg"))
        case.put("JPEGImages/other.jpg", picture(64, 48))
        for name in ("k.txt", "k.csv", "k.pdf"):
            case.put(f"JPEGImages/{name}", "%PDF-1.4")
        out, _ = case.run(*case.arguments)
        assert Pack(case.output).names() == ["1.jpg", "2.png", "3.jpg", "other.jpg"]
        assert "files of other kinds among the images and XML files, not read: 3\n" in out, out


def check_image_of_another_xml_file():
    """<filename> names an image that has an XML file of its own. It was copied, and the boxes are
    those of an image that is not there.
    """
    with voc_set() as case:
        case.put("Annotations/k.xml", voc_xml([("cat", (3, 3, 30, 30), "")], "1.jpg"))
        _, error = case.run(*case.arguments, expect=1)
        assert "k.xml" in error and "id k" in error and "[record_invalid]" in error, error
        assert "1.jpg, its <filename>, belongs to " in error and "Annotations/1.xml" in error, error
        out, _ = case.run(*case.arguments, "--skip-bad")
        assert Pack(case.output).names() == ["1.jpg", "2.png", "3.jpg"], out


def lists(lines, *, names=(), expect=0):
    """Packs by a list; returns the names packed, and the output."""
    with voc_set() as case:
        for name in names:
            case.put(f"Annotations/{name}.xml", DOG)
            case.put(f"JPEGImages/{name}.jpg", picture(64, 48))
        case.put("ImageSets/Main/list.txt", "\n".join(lines) + "\n")
        out, error = case.run(*case.arguments, "--split", "list", expect=expect)
        return (Pack(case.output).names() if expect == 0 else []), out + error


def check_lines_of_lists():
    # The whole line is an id where there is such a file, with spaces, quotes and flags in it.
    assert lists(["my photo"], names=["my photo", "my"])[0] == ["my photo.jpg"]
    assert lists(["photo -1", "photo 1"],
                 names=["photo -1", "photo 1", "photo"])[0] == ["photo -1.jpg", "photo 1.jpg"]
    assert lists(["\"my photo\"", "'1'"], names=["my photo"])[0] == ["my photo.jpg", "1.jpg"]
    # as Datumaro quotes ids with spaces
    assert lists(['"my photo"  1', '"2"  -1'], names=["my photo"])[0] == ["my photo.jpg"]
    assert lists(['"1"'], names=['"1"'])[0] == ['"1".jpg']
    # The development kit's lists of one class: 1 shows it, 0 shows it in difficult objects alone,
    # -1 does not (VOC2012 devkit_doc, 4.2.1).
    names, out = lists(["1  1", "2 -1", "3  0", "my photo -1"], names=["my photo"])
    assert names == ["1.jpg", "3.jpg"], names
    assert "list.txt, skipped: 2\n  2\n  my photo\n" in out, out
    _, out = lists(["1 -1", "2 -1"], expect=1)
    assert "-1" in out and "[dataset_too_small]" in out and "hint: " in out, out


def check_paths_in_lists():
    """Lines that are paths of images or XML files, as other programs list them."""
    for line, id in (("1.jpg", "1"), ("JPEGImages/1.jpg", "1"), ("./JPEGImages/1.jpg", "1"),
                     ("Annotations/1.xml", "1"), ("/data/VOC/JPEGImages/1.jpg", "1"),
                     ("sub\\b", "sub/b"), ("JPEGImages\\sub\\b.jpg", "sub/b"),
                     ("C:\\VOC\\JPEGImages\\sub\\b.jpg", "sub/b"), ('"1.jpg"', "1"),
                     ("1.jpg 1", "1")):
        _, out = lists(["2", line], names=["sub/b"], expect=1)
        assert "list.txt, line 2: " in out and f"mean {id}?" in out, out
    for line in ("9", "9.jpg", "sub/1/", "C:\\"):
        _, out = lists(["2", line], expect=1)
        assert "[record_invalid]" in out and "did you" not in out, out


def check_bad_lists():
    # A second word that is no flag belongs to the id: it is not 1.xml that is meant.
    for line, what in (("1 b", "1 b.xml "), ("9", "9.xml "), ("9 1", "9.xml "),
                       ("1 2 1", "1 2.xml ")):
        _, out = lists(["2", "", line], expect=1)
        assert "ImageSets/Main/list.txt, line 3: " in out and what in out, out
    _, out = lists(["1", "2", "1 1"], expect=1)
    assert "list.txt, line 3: 1 " in out and "line 1 " in out and "[record_invalid]" in out, out
    with voc_set() as case:
        for encoding in ("utf-16", "utf-16-le", "utf-16-be"):  # what PowerShell writes with >
            (case.root / "set/ImageSets/Main/list.txt").write_bytes("1\n2\n".encode(encoding))
            _, error = case.run(*case.arguments, "--split", "list", expect=1)
            assert "list.txt is UTF-16" in error and "iconv" in error, error


if __name__ == "__main__":
    run_checks(dict(globals()))
