"""Files given for a JSON file, or for data.yaml, that are something else: the error says what they
look like and what to do.
"""
import bz2
import gzip
import io
import json
import lzma
import pickle
import re
import shutil
import subprocess
import zipfile

from image_sets import Pack, voc_set, yolo_set
from packing import Case, dfine_pack, run_checks, small_coco


def zipped(name, data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, data)
    return out.getvalue()


def kinds():
    """(content, what the message calls it, part of the hint)"""
    text = json.dumps(small_coco())
    return [
        (gzip.compress(text.encode()), "gzip", "gzip -dc"),
        (bz2.compress(text.encode()), "bzip2", "bzip2 -dc"),
        (lzma.compress(text.encode()), "xz", "xz -dc"), (zipped("a.json", text), "zip", "unpack"),
        (text.encode("utf-16"), "UTF-16 ", "iconv -f UTF-16 "),
        (text.encode("utf-16-le"), "UTF-16LE", "iconv -f UTF-16LE "),
        (text.encode("utf-16-be"), "UTF-16BE", "iconv -f UTF-16BE "),
        (text.encode("utf-32"), "UTF-32 ", "iconv -f UTF-32 "),
        (text.encode("utf-32-le"), "UTF-32LE", "iconv"),
        (text.encode("utf-32-be"), "UTF-32BE", "iconv"),
        (b"# classes\n\npath: .\ntrain: images\nnames: [a]\n", "YAML", "--format yolo"),
        (b"---\nnames: [a]\n", "YAML", "--format yolo"),
        (b"names:\n  - a\n", "YAML", "--format yolo"),
        (b"\xef\xbb\xbfnc: 2\r\n", "YAML", "--format yolo"),
        (b"<annotation>\n</annotation>", "XML", "--format voc"),
        (b"<?xml version='1.0'?><annotation/>", "XML", "--format voc"),
        (b"\n<!DOCTYPE html>\n<html></html>", "HTML", "download"),
        (b"<HTML></HTML>", "HTML", "download"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n",
         "Git LFS", "git lfs pull"),
        (b'{"id": 1, "file_name": "a.jpg"}\n{"id": 2, "file_name": "b.jpg"}\n',
         "JSON lines", "one JSON"),
        *[(pickle.dumps(small_coco(), protocol), "pickle", "json.dump")
          for protocol in (2, 3, 4, 5)],
        (repr(small_coco()).encode(), "Python", "json.dump"),
        (b"{'images': []}", "Python", "json.dump"),
        (b"[{'id': 1}]", "Python", "json.dump"), (b"[run]\ndir = 'x'\n", "TOML", "--config"),
        (b"# a run\nseed = 1\n", "TOML", "--config"),
        (b"image,x,y,w,h\na.jpg,1,2,3,4\n", "CSV", "convert"),
        (b"id;name\r\n1;a\r\n", "CSV", "convert"), (b"a.jpg\t3\nb.jpg\t4\n", "CSV", "convert"),
        (b"0 0.5 0.5 0.1 0.1\n", "YOLO", "--format yolo"),
        (b"1 .1 .1 .9 .1 .9 .9\r\n0 .5 .5 1 1\r\n", "YOLO", "--format yolo"),
        (f"// made by hand\n{text}".encode(), "comment", "remove"),
        (f"/* made */\n{text}".encode(), "comment", "remove"),
        (f"\n# made by hand\n{text}".encode(), "comment", "remove"),
    ]


def check_annotations():
    with Case() as case:
        path = case.root / "annotations.json"
        for content, what, hint in kinds():
            path.write_bytes(content)
            _, error = dfine_pack("--images", case.images, "--annotations", path,
                                  "--output", case.output, expect=1)
            message, _, rest = error.partition("hint: ")
            assert (f"{path} " in message and what in message and "[format_invalid]" in message
                    and hint in rest), error
        # nothing that is known
        for content in ("no JSON", "id,name", "http://a.b/c.json", "a,b\nc\n"):
            path.write_text(content)
            _, error = dfine_pack("--images", case.images, "--annotations", path,
                                  "--output", case.output, expect=1)
            begin = content.splitlines()[0]
            assert (f'"{begin}"' in error and "JSON" in error and "[format_invalid]" in error
                    and "looks like" not in error), error
        for content in ("[1, 2]", "[true]", "3", "1 2 3 4"):  # JSON, but no object
            path.write_text(content)
            _, error = dfine_pack("--images", case.images, "--annotations", path,
                                  "--output", case.output, expect=1)
            assert "[format_invalid]" in error and "JSON object" in error, error


def check_hints_work():
    """The command of the hint makes a file that can be packed, whatever the given one is called."""
    coco = small_coco()
    coco["categories"][0]["name"] = "z\u00e9bre"
    text = json.dumps(coco, ensure_ascii=False)
    latin = text.replace("\u00e4", "a").encode("latin-1").replace(b"d\xe9.jpg", b"d.jpg")
    contents = [compress(text.encode())
                for compress in (gzip.compress, bz2.compress, lzma.compress)]
    for content in [*contents, text.encode("utf-16"), text.encode("utf-32-be"), latin]:
        with Case(json.loads(latin.decode("latin-1")) if content is latin else coco) as case:
            path, new = case.root / "x.json", case.root / "new.json"
            path.write_bytes(content)
            arguments = ["--images", case.images, "--output", case.output]
            _, error = dfine_pack(*arguments, "--annotations", path, expect=1)
            command = re.search(r"hint: .*: (\w+ .* > NEW_FILE)", error).group(1)
            if shutil.which(command.split()[0]) is None:
                continue
            command = command.replace("NEW_FILE", str(new)).replace("FILE", str(path))
            subprocess.run(command, shell=True, check=True)
            dfine_pack(*arguments, "--annotations", new)
            assert "z\u00e9bre" in [name for _, name in Pack(case.output).categories]


def check_text_that_is_not_utf8():
    """The byte and its line, also where other faults come first, in records and beside them."""
    for name, key in ((b"caf\xe9", b"name"), (b"\xff", b"file_name"), (b"a\xc3", b"x")):
        for broken in (b"", b"}"):
            with Case() as case:
                text = b'{"images": [\n{"id": 1, "' + key + b'": "' + name + b'"}], ' + broken
                text += b'"annotations": [], "categories": [{"id": 1, "name": "c"}]}'
                path = case.root / "annotations.json"
                path.write_bytes(text)
                _, error = dfine_pack("--images", case.images, "--annotations", path,
                                      "--output", case.output, expect=1)
                at = text.index(name) + len(name) - 1
                assert (f"{path} is not UTF-8 text (at byte {at}, line 2)" in error
                        and "iconv" in error), error


def check_data_yaml():
    with yolo_set() as case:
        yaml = case.yaml.read_text()
        arguments = ["--format", "yolo", "--annotations", case.yaml, "--split", "train"]
        case.yaml.write_text(json.dumps(small_coco()))
        _, error = case.run(*arguments, expect=1)
        assert "[format_invalid]" in error and "COCO" in error and "--format coco" in error, error
        case.yaml.write_bytes(gzip.compress(yaml.encode()))
        _, error = case.run(*arguments, expect=1)
        assert "data.yaml is gzip-compressed" in error and "gzip -dc" in error, error
        case.yaml.write_bytes(yaml.encode("utf-16"))  # yaml-cpp reads it
        case.run(*arguments)
        case.yaml.write_text(yaml + "nc:\nkpt_shape: null\n")  # a key without a value is no value
        out, _ = case.run(*arguments, "--overwrite")
        assert "packed 3 images" in out, out


def check_class_names_that_are_not_utf8():
    with yolo_set() as case:
        case.yaml.write_bytes(b"train: images/train\nnames: [cat, caf\xe9]\n")
        _, error = case.run("--format", "yolo", "--annotations", case.yaml, "--split", "train",
                            expect=1)
        assert (str(case.yaml) in error and 'class 1, "caf\\xe9"' in error and "UTF-8" in error
                and "[format_invalid]" in error and "iconv" in error), error
    with voc_set() as case:
        classes = case.put("classes.txt", "")
        classes.write_bytes(b"person\ncat\ndog\n\xfcber\n")
        _, error = case.run(*case.arguments, "--classes", classes, expect=1)
        assert (str(classes) in error and 'class 3, "\\xfcber"' in error and "UTF-8" in error
                and "[format_invalid]" in error and "iconv" in error), error


def check_labels_in_another_encoding():
    with yolo_set() as case:
        (case.root / "set/labels/train/b.txt").write_bytes("1 0.5 0.5 0.25 0.5\n".encode("utf-16"))
        _, error = case.run("--format", "yolo", "--annotations", case.yaml, "--split", "train",
                            expect=1)
        assert "labels/train/b.txt is UTF-16 text" in error, error


if __name__ == "__main__":
    run_checks(dict(globals()))
