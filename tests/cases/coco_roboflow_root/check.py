import json


def categories(case):
    with open(case("OUT", "manifest.json"), encoding="utf-8") as f:
        return [(c["id"], c["name"]) for c in json.load(f)["categories"]]


def check(case):
    pack = ["dfine-pack", "--images", "images", "--annotations", "a.json", "--output", case("OUT")]
    out = case.run(*pack)
    assert (
        'warning: class "animals" (id 0) has no annotations' in out
        and "\n  --drop-unused-classes packs without it" in out
    ), out
    assert categories(case) == [(0, "animals"), (1, "cat"), (2, "dog")]
    out = case.run(*pack, "--overwrite", "--drop-unused-classes")
    assert (
        'classes without annotations, dropped: 1\n  "animals" (id 0)\n' in out
        and "warning: " not in out
    ), out
    assert categories(case) == [(1, "cat"), (2, "dog")]
