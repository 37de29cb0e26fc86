def check(case):
    out = case.pack()
    warning = out.partition("warning: ")[2].partition("\n")[0]
    assert warning.startswith("all 2 ") and "iscrowd 1" in warning and "iscrowd to 0" in out, out
    assert f"warning: {warning}\n" in case.run("dfine-pack", "info", case("OUT"))
    assert warning in case.text("OUT", "report.html")
