def check(case):
    out = case.pack_yolo()
    totals = case.manifest()["totals"]
    assert (totals["images"], totals["boxes"]) == (
        5,
        5,
    ), totals  # one line in each of the five label files
    assert (
        "images without boxes: 0" in out and "not used" not in out and "not packed" not in out
    ), out
