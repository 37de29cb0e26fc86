def check(case):
    out = case.pack()
    assert "warning: all 2 " in out and "iscrowd 1" in out and "iscrowd to 0" in out, out
    assert f"warning: {warning}\n" in case.run("dfine-pack", "info", case("OUT"))
    assert warning in case.text("OUT", "report.html")
