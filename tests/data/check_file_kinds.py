"""Files given for a JSON file, or for data.yaml, that are something else: the error says what they look like and what to do."""
import bz2
import gzip
import io
import json
import lzma
import zipfile

from check_formats import yolo_set

from packing import Case, dfine_pack, run_checks, small_coco


def zipped(name, data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, data)
    return out.getvalue()


def kinds():
    """(content, part of the message, part of the hint)"""
    text = json.dumps(small_coco())
    return [
        (gzip.compress(text.encode()), "is gzip-compressed", "gunzip"), (bz2.compress(text.encode()), "is bzip2-compressed", "bunzip2"),
        (lzma.compress(text.encode()), "is xz-compressed", "unxz"), (zipped("a.json", text), "is a zip archive", "unpack it"),
        (text.encode("utf-16"), "is UTF-16 text", "iconv -f UTF-16 "), (text.encode("utf-16-le"), "is UTF-16LE text", "iconv -f UTF-16LE "),
        (text.encode("utf-16-be"), "is UTF-16BE text", "iconv -f UTF-16BE "), (text.encode("utf-32"), "is UTF-32 text", "iconv -f UTF-32 "),
        (text.encode("utf-32-le"), "is UTF-32LE text", "iconv"), (text.encode("utf-32-be"), "is UTF-32BE text", "iconv"),
        (b"# classes\n\npath: .\ntrain: images\nnames: [a]\n", "looks like YAML", "--format yolo"), (b"---\nnames: [a]\n", "looks like YAML", "--format yolo"),
        (b"names:\n  - a\n", "looks like YAML", "--format yolo"), (b"\xef\xbb\xbfnc: 2\r\n", "looks like YAML", "--format yolo"),
        (b"<annotation>\n</annotation>", "looks like XML", "--format voc"), (b"<?xml version='1.0'?><annotation/>", "looks like XML", "--format voc"),
        (b"\n<!DOCTYPE html>\n<html></html>", "is an HTML page", "download it again"), (b"<HTML></HTML>", "is an HTML page", "download"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", "is a pointer of Git LFS", "git lfs pull"),
        (b'{"id": 1, "file_name": "a.jpg"}\n{"id": 2, "file_name": "b.jpg"}\n', "looks like JSON lines", "one JSON"),
    ]  # fmt: skip


def check_annotations():
    with Case() as case:
        path = case.root / "annotations.json"
        for content, what, hint in kinds():
            path.write_bytes(content)
            _, error = dfine_pack("--images", case.images, "--annotations", path, "--output", case.output, expect=1)
            message, _, rest = error.partition("hint: ")
            assert f"{path} {what}" in message and hint in rest, error
        for content in ("no JSON", "id,name\n1,a\n", "{'images': []}", "http://a.b/c.json"):  # nothing that is known
            path.write_text(content)
            _, error = dfine_pack("--images", case.images, "--annotations", path, "--output", case.output, expect=1)
            assert "broken JSON" in error and "looks like" not in error, error


def check_data_yaml():
    with yolo_set() as case:
        yaml = case.yaml.read_text()
        arguments = ["--format", "yolo", "--annotations", case.yaml, "--split", "train"]
        case.yaml.write_text(json.dumps(small_coco()))
        _, error = case.run(*arguments, expect=1)
        assert "looks like a COCO annotation file" in error and "--format coco" in error, error
        case.yaml.write_bytes(gzip.compress(yaml.encode()))
        _, error = case.run(*arguments, expect=1)
        assert "data.yaml is gzip-compressed" in error and "gunzip" in error, error
        case.yaml.write_bytes(yaml.encode("utf-16"))  # yaml-cpp reads it
        case.run(*arguments)
        case.yaml.write_text(yaml + "nc:\nkpt_shape: null\n")  # a key without a value is no value
        out, _ = case.run(*arguments, "--overwrite")
        assert "packed 3 images" in out, out


def check_labels_in_another_encoding():
    with yolo_set() as case:
        (case.root / "set/labels/train/b.txt").write_bytes("1 0.5 0.5 0.25 0.5\n".encode("utf-16"))
        _, error = case.run("--format", "yolo", "--annotations", case.yaml, "--split", "train", expect=1)
        assert "labels/train/b.txt is UTF-16 text" in error, error


if __name__ == "__main__":
    run_checks(dict(globals()))
