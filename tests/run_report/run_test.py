"""What dfine-report shows of a run: curves, restarts, the best; and of runs that were cut short."""
import json
import tempfile
from pathlib import Path

from report_runs import dfine_report, opened, skip_without_browser, stays_within_the_page

CONFIG = """[run]
# Random seed. Allowed: whole number of at least 0. Default: 0.
seed = 4
# Folder. Allowed: text. Default: "runs/train".
dir = "runs/train"

[optim]
# Learning rate. Allowed: number > 0. Default: "auto".
lr = {lr}
"""


def steps(first, last, epoch_steps=10, **more):
    return [{"type": "step", "time": "2026-11-30T04:00:00.000Z", "step": s,
             "epoch": (s - 1) // epoch_steps, "loss": 20 / s,
             "losses": {"loss_vfl": 1.0, "loss_vfl_dn_0": 0.5, "loss_giou": 3.0},
             "grad_norm": 2.0, "lr": 0.001, "images": 8, "images_per_s": 4.0, "data_wait_s": 0.0,
             **more} for s in range(first, last + 1)]


def start(step, attempt, lost=0):
    return {"type": "start", "time": f"2026-11-30T04:00:0{attempt}.000Z", "step": step,
            "epoch": step // 10, "attempt": attempt, "run": "abc", "ranks": 2, "hosts": ["n1"],
            "steps_lost": lost, "resumed_from": None if attempt == 1 else "step-00000010-val"}


def val(step, ap, selected=True, weights="ema"):
    return {"type": "val" if selected else "val_other", "time": "2026-11-30T04:00:00.000Z",
            "step": step, "epoch": step // 10 - 1, "weights": weights, "val_loss": 2.0, "ap": ap,
            "ap50": 2 * ap, "ap75": ap / 2, "ap_small": -1.0}


def event(name, step, **values):
    return {"type": "event", "time": "2026-11-30T04:01:00.000Z", "event": name, "step": step,
            "epoch": step // 10, **values}


def write(folder, lines, tail="", lr="0.001"):
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line) + "\n" for line in lines) + tail
    (folder / "metrics.jsonl").write_text(text)
    (folder / "config.toml").write_text(CONFIG.format(lr=lr))
    (folder / "log.txt").write_text("2026-11-30 04:03:15 I [rank 0] fine\n")
    return folder


WHOLE = [start(0, 1), *steps(1, 10), val(10, 0.1), val(10, 0.05, False, "raw"),
         event("saved", 10, checkpoint="step-00000010-val", links="best and last"),
         start(10, 2, lost=3), *steps(11, 20), val(20, 0.4), event("stage2", 20),
         event("saved", 20, checkpoint="step-00000020-val", links="best and last"),
         *steps(21, 30), val(30, 0.3),
         event("saved", 30, checkpoint="step-00000030-val", links="last"),
         event("ended", 30, reason="complete")]


def facts(browser):
    return dict(browser.run("[...document.querySelectorAll('#overview .fact')].map((one) => "
                            "[one.querySelector('span').textContent, one.querySelector('b')"
                            ".textContent])"))


def problems(browser):
    return browser.run("runs[0].problems")


def marks(browser):
    return browser.run("marksOf(runs[0]).map((mark) => [mark.text, mark.x])")


def check_whole(folder):
    page = folder / "page.html"
    dfine_report(write(folder / "whole", WHOLE), "--output", page)
    with opened(page) as browser:
        shown = facts(browser)
        assert shown["state of the run"] == "complete", shown
        assert shown["best AP"] == "0.4000" and shown["steps"] == "30", shown
        assert shown["images per second"] == "4.0", shown
        assert sorted(marks(browser)) == [["best", 20], ["restart", 10], ["stage 2", 20]]
        assert browser.run("pointsOf(runs[0], 'loss').map((p) => p.y)") == [
            float(f"{20 / s:.6g}") for s in range(1, 31)]
        assert browser.run("sumOf(runs[0], lossTerms(runs[0])).map((p) => p.y)") == [4.5] * 30
        best = browser.run("[...document.querySelectorAll('tr.best td')].map((c) => c.textContent)")
        assert best[:4] == ["2", "20", "ema", "0.4000"] and best[6] == "\u2013", best
        rows = browser.run("[...document.querySelectorAll('#configuration tr.changed')]"
                           ".map((row) => row.textContent)")
        assert rows == ["run.seed40", "optim.lr0.001\"auto\""], rows
        assert not problems(browser)
        stays_within_the_page(browser, page)


def check_cut_short(folder):
    """A run that goes on or was killed; not finite values; lines of another version."""
    page = folder / "page.html"
    lines = [*WHOLE[:12], *steps(11, 12, loss=None), {"type": "new kind", "step": 12},
             *steps(13, 14, memory_gib=3.5)]
    run = write(folder / "cut", lines, tail='not json\n\n{"type":"step","step":15,"lo')
    dfine_report(run, "--output", page)
    with opened(page) as browser:
        shown = facts(browser)
        assert shown["state of the run"] == "no end", shown
        assert len(problems(browser)) == 3, problems(browser)
        assert browser.run("pointsOf(runs[0], 'loss').slice(10, 12).map((p) => p.y)") == [None] * 2
        assert browser.run("runs[0].curves.values.loss.not_finite") == 2
        assert browser.run("runs[0].curves.values.memory_gib.mean") == [None] * 12 + [3.5, 3.5]
        assert "Memory" in browser.run("document.getElementById('training').textContent")
        stays_within_the_page(browser, page)
    for name in ("metrics.jsonl", "config.toml"):
        (run / name).unlink()
    dfine_report(run, "--output", page)
    with opened(page) as browser:
        assert len(problems(browser)) == 2, problems(browser)
        stays_within_the_page(browser, page)
    assert "usage" not in dfine_report(folder / "nowhere", expect=1)
    dfine_report(expect=2)


def check_long(folder):
    """Many steps: a bounded page, in which no peak is lost."""
    lines = [start(0, 1), *steps(1, 20000, epoch_steps=1000)]
    lines[7777]["loss"] = 999.0
    page = folder / "page.html"
    dfine_report(write(folder / "long", lines), "--output", page)
    with opened(page) as browser:
        points = browser.run("pointsOf(runs[0], 'loss')")
        assert 400 <= len(points) <= 800, len(points)
        assert max(p["high"] for p in points) == 999
        assert min(p["low"] for p in points) == 20 / 20000
        assert points[-1]["x"] == 20000
        width = browser.run("runs[0].curves.steps_per_point")
        first = sum(20 / s for s in range(1, width + 1)) / width
        assert abs(points[0]["y"] - first) < 1e-4 * first
    assert page.stat().st_size < 1_000_000


def check_compare(folder):
    other = [line if line["type"] != "val" else {**line, "ap": line["ap"] / 2} for line in WHOLE]
    page = folder / "page.html"
    dfine_report(write(folder / "a", WHOLE), "--compare",
                 write(folder / "b", other, lr="0.5"), "--output", page)
    with opened(page) as browser:
        rows = browser.run("[...document.querySelectorAll('#overview tbody tr')].map((row) => "
                           "[...row.children].map((cell) => cell.textContent))")
        assert ["AP", "0.4000", "0.2000 (\u22120.2000)"] in rows, rows
        changed = browser.run("[...document.querySelectorAll('#configuration tr.changed')]"
                              ".map((row) => [...row.children].map((c) => c.textContent))")
        assert changed == [["optim.lr", "0.001", "0.5", '"auto"']], changed
        assert browser.run("allCharts[0].data.datasets.map((set) => set.label)") == ["a", "b"]
        stays_within_the_page(browser, page)


if __name__ == "__main__":
    skip_without_browser()
    with tempfile.TemporaryDirectory() as temporary:
        for check in (check_whole, check_cut_short, check_long, check_compare):
            check(Path(temporary))
    print("passed")
