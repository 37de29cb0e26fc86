def check(case):
    out = case.run(
        "dfine-pack", "--images", "images", "--annotations", "a.json", "--output", case("OUT")
    )
    warning = "all 2 annotations are crowd regions (iscrowd 1): training sees no box at all"
    assert f"warning: {warning}\n  set iscrowd to 0" in out, out
    assert f"warning: {warning}\n" in case.run("dfine-pack", "info", case("OUT"))
    with open(case("OUT", "report.html"), encoding="utf-8") as f:
        assert warning in f.read()
