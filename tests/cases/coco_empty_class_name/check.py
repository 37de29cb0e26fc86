import os


def check(case):
    out = case.run(
        "dfine-pack",
        "--images",
        "images",
        "--annotations",
        "a.json",
        "--output",
        case("OUT"),
        expect=1,
    )
    assert "a.json has an unusable categories[0]: name is empty" in out and "hint: " in out, out
    assert not os.path.exists(case("OUT"))
