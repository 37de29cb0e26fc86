import os


def check(case):
    with open(case("classes.txt"), "w") as f:
        f.write("cat\n")
    path = case("Annotations", "annotations.xml")
    root = "line 1: the root element is <annotations>, not <annotation>"
    # the second: cut off in the middle of its second line
    for text, what in ((open(path).read(), root),
                       ("<annotation>\n<object><name>cat", "line 2: broken XML")):
        with open(path, "w") as f:
            f.write(text)
        for classes in ([], ["--classes", "classes.txt"]):
            for skip in ([], ["--skip-bad"]):
                out = case.run("dfine-pack", "--format", "voc", "--annotations", ".",
                               "--output", "out", *classes, *skip, expect=1)
                assert f"annotations.xml, {what}" in out and "hint: " in out, out
                assert not os.path.exists(case("out"))
