import os


def check(case):
    yaml = open(case("data.yaml")).read()
    for name, first in (("train.txt", "/home/u/d/images/train/0.jpg"),
                        ("windows.txt", "images\\train\\0.jpg")):
        with open(case("data.yaml"), "w") as f:
            f.write(yaml.replace("train.txt", name))
        for more in ([], ["--skip-bad"]):
            out = case.run("dfine-pack", "--format", "yolo", "--annotations", "data.yaml",
                           "--split", "train", "--output", "out", *more, expect=1)
            message, _, hint = out.partition("hint: ")
            assert ("2 images" in message and "[file_missing]" in message
                    and f"{name}, line 1" in message and first in message), out
            assert "label" not in message and "--images" in hint, out
            assert ("write / for \\" in hint) == ("\\" in first), out
        assert not os.path.exists(case("out"))
    # One image is there: the other one's error names the line.
    with open(case("windows.txt"), "w") as f:
        f.write("images/train/0.jpg\nimages\\train\\1.jpg\n")
    arguments = ["--format", "yolo", "--annotations", "data.yaml", "--split", "train",
                 "--output", "out"]
    out = case.run("dfine-pack", *arguments, expect=1)
    assert "windows.txt, line 2: " in out and "1.jpg" in out and "[record_invalid]" in out, out
    out = case.run("dfine-pack", *arguments, "--skip-bad")
    assert "packed 1 image" in out and "skipped: 1 image" in out, out
