def check(case):
    out = case.pack_yolo()
    assert case.manifest()["totals"]["images"] == 2
    assert "images without boxes: 0" in out, out
    assert "hidden files and folders, not packed: 1\n" in out and ".ipynb_checkpoints\n" in out, out
    assert ".ipynb_checkpoints" in case.text("OUT", "report.html")
