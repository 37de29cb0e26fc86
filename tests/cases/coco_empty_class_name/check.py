import os


def check(case):
    out = case.pack(expect=1)
    assert ("a.json" in out and "categories[0]: name" in out and "[record_invalid]" in out
            and "hint: " in out), out
    assert not os.path.exists(case("OUT"))
