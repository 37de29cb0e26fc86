import os


def check(case):
    out = case.pack(expect=1)
    assert "a.json has an unusable categories[0]: name is empty" in out and "hint: " in out, out
    assert not os.path.exists(case("OUT"))
