def check(case):
    out = case.pack()
    warning = "all 2 annotations are crowd regions (iscrowd 1): training sees no box at all"
    assert f"warning: {warning}\n  set iscrowd to 0" in out, out
    assert f"warning: {warning}\n" in case.run("dfine-pack", "info", case("OUT"))
    assert warning in case.text("OUT", "report.html")
