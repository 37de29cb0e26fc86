def categories(case):
    return [(c["id"], c["name"]) for c in case.manifest()["categories"]]


def check(case):
    out = case.pack()
    assert (
        'warning: class "animals" (id 0)' in out
        and "\n  --drop-group-classes" in out
    ), out
    assert categories(case) == [(0, "animals"), (1, "cat"), (2, "dog")]
    out = case.pack("--overwrite", "--drop-unused-classes")
    assert (
        'classes without annotations, dropped: 1\n  "animals" (id 0)\n' in out
        and "warning: " not in out
    ), out
    assert categories(case) == [(1, "cat"), (2, "dog")]
    out = case.pack("--overwrite", "--drop-group-classes")
    assert (
        'classes that only group others, dropped: 1\n  "animals" (id 0)\n' in out
        and "warning: " not in out
    ), out
    assert categories(case) == [(1, "cat"), (2, "dog")]
