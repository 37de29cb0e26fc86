"""Names from datasets, runs and logs are shown as they are: none becomes markup or a script, and
no page asks for anything.
"""
import json
import tempfile
from pathlib import Path

from detection_sets import random_set
from report_runs import dfine_report, opened, skip_without_browser, stays_within_the_page

NAMES = [
    "</script><img src=x onerror=hacked=1>",
    "<!--<script>",
    "\"><svg onload=hacked=1>' &amp; &lt;b&gt;",
    "\u202ecba txt \u05e9\u05dc\u05d5\u05dd",
    "very long " + 80 * "0123456789",
    "line\nbreak\ttab \\ \u2028",
    "__proto__",
    "constructor",
]
FILES = [f"{k}/{name}.jpg".replace("\n", "_") for k, name in enumerate(NAMES)]


def write_run(folder, name):
    run = folder / name
    run.mkdir(parents=True)
    lines = [{"type": "start", "time": NAMES[0], "step": 0, "epoch": 0, "attempt": 1,
              "run": NAMES[1], "ranks": 1, "hosts": NAMES, "steps_lost": 0,
              "resumed_from": NAMES[0]}]
    for step in range(1, 30):
        lines.append({"type": "step", "step": step, "epoch": 0, "loss": 1.0 / step,
                      "losses": {"loss_vfl": 0.5, "loss_" + NAMES[0]: 0.25}, "grad_norm": 1,
                      "lr": 1e-4, NAMES[2]: step, NAMES[6]: 1})
    lines.append({"type": "val", "step": 29, "epoch": 0, "weights": NAMES[0], "val_loss": 1,
                  "ap": 0.5, NAMES[6]: 2, NAMES[0]: 3})
    lines.append({"type": "event", "event": "saved", "step": 29, "epoch": 0,
                  "checkpoint": NAMES[0], "links": "best and last"})
    lines.append({"type": "event", "event": "failed", "step": 29, "epoch": 0, "code": NAMES[0],
                  "message": NAMES[2]})
    (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (run / "config.toml").write_text(
        f"[data]\n# {NAMES[0]} Allowed: text. Default: \"\".\ntrain = \"{NAMES[0]}\"\n"
        f"[model]\nfreeze = ['{NAMES[0]}']\n")
    (run / "log.txt").write_text(
        f"2026-11-30 04:03:15 W [rank 0] {NAMES[0]}\n2026-11-30 04:03:15 E {NAMES[2]}\n")
    return run


def main():
    skip_without_browser()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        random_set(folder, images=len(NAMES), boxes=5, detections=20, classes=len(NAMES), seed=1,
                   names=NAMES, files=FILES)
        run = write_run(folder, "<img src=x onerror=hacked=1>")
        other = write_run(folder, "&amp;\"'")
        one, both = folder / "page.html", folder / "both.html"
        dfine_report(run, "--annotations", folder / "val.json", "--predictions",
                     folder / "predictions.json", "--output", one)
        dfine_report(run, "--compare", other, "--output", both)
        for page in (one, both):
            with opened(page) as browser:
                assert browser.run("typeof hacked") == "undefined"
                assert browser.run("document.querySelectorAll('main img, main svg').length") == 0
                assert browser.run("document.getElementById('title').textContent").startswith(
                    run.name)
                assert NAMES[0] in browser.run("document.getElementById('log').textContent")
                if page == one:
                    classes = browser.run("[...document.querySelectorAll('#class-rows tr')]"
                                          ".map((row) => row.firstChild.textContent)")
                    assert sorted(classes) == sorted(NAMES), classes
                    shots = browser.run("[...document.querySelectorAll('.shot b')]"
                                        ".map((one) => one.textContent)")
                    assert sorted(shots) == sorted(FILES), shots
                    browser.run("document.querySelector('.shot').click()")
                    assert browser.run("document.getElementById('viewer').open")
                stays_within_the_page(browser, page)
                # The page stays as wide as a phone; long names break.
                browser.resize(390, 800, mobile=True)
                browser.run("new Promise((done) => setTimeout(done, 500))")
                wide = browser.run("""[...document.querySelectorAll("body *")].filter((one) =>
                    one.getBoundingClientRect().right > 391 && !one.closest(".scroll, nav"))
                    .map((one) => one.outerHTML.slice(0, 80))""")
                assert browser.run("document.documentElement.scrollWidth") <= 390, wide
                # The policy of the page refuses what does not belong to it.
                assert browser.run("""new Promise((done) => {
                    addEventListener("securitypolicyviolation", () => done("refused"));
                    const script = document.createElement("script");
                    script.textContent = "hacked = 1";
                    document.body.append(script);
                    setTimeout(() => done(typeof hacked), 500);
                  })""") == "refused"
    print("passed")


main()
