"""The threshold slider of dfine-report: what it counts equals pycocotools', at any threshold."""
import tempfile
from pathlib import Path

import numpy as np

from detection_sets import Expected, random_set
from report_runs import (
    MOVE,
    READ,
    dfine_report,
    opened,
    skip_without_browser,
    stays_within_the_page,
)


def shown_number(text):
    return int(text.replace(",", ""))


def agrees(got, expected, thresholds):
    tp, fp, fn = expected.counts(thresholds)
    assert got["tp"] == tp.tolist(), (got["tp"], tp)
    assert got["fp"] == fp.tolist(), (got["fp"], fp)
    assert got["fn"] == fn.tolist(), (got["fn"], fn)
    matrix = expected.matrix(thresholds)
    assert got["matrix"] == matrix.ravel().tolist(), (np.array(got["matrix"]), matrix)
    assert [shown_number(text) for text in got["shown"][:3]] == [tp.sum(), fp.sum(), fn.sum()]
    for text, part, rest in zip(got["shown"][3:], (tp.sum(), tp.sum()), (fp.sum(), fn.sum())):
        if part + rest == 0:
            assert text == "\u2013", text
        else:  # one digit; JavaScript rounds halves up
            assert abs(float(text.removesuffix(" %")) - 100 * part / (part + rest)) < 0.0501, text


def check_counts(floats):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        random_set(folder, images=60, boxes=6, detections=40, classes=5, seed=3, floats=floats,
                   pictures=60)
        page = folder / "page.html"
        dfine_report("--annotations", folder / "val.json", "--predictions",
                     folder / "predictions.json", "--images-dir", folder / "images", "--images", 8,
                     "--output", page)
        expected = Expected(folder)
        with opened(page) as browser:
            rng = np.random.default_rng(1)
            for value in [0, 1, *np.round(rng.uniform(0, 0.8, 18) / 0.005) * 0.005]:
                browser.run(f"({MOVE})({value})")
                got = browser.run(READ)
                assert np.allclose(got["thresholds"], value), (value, got["thresholds"])
                assert got["boxes"] == 12
                agrees(got, expected, got["thresholds"])
            # Thresholds that are scores, and one for each class.
            for _ in range(5):
                thresholds = rng.choice(expected.scores, 5).tolist()
                browser.run(f"{thresholds}.forEach((t, k) => setOne(k, t)); null")
                got = browser.run(READ)
                assert got["thresholds"] == thresholds
                agrees(got, expected, thresholds)
            # The keyboard moves the slider too.
            browser.run("document.getElementById('threshold').focus(); setAll(0.5); null")
            browser.press("ArrowRight", 39)
            assert abs(browser.run("state.all") - 0.505) < 1e-9, browser.run("state.all")
            stats = browser.run("Object.values(data.detections.metrics).slice(0, 12)")
            assert stats == expected.stats.tolist(), (stats, expected.stats)
            assert browser.run("Object.keys(data.detections.pictures).length") == 8
            stays_within_the_page(browser, page)


def check_filters():
    """Only images with the kind of error and the class are listed; the worst come first."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        random_set(folder, images=30, boxes=4, detections=12, classes=3, seed=5, crowds=False)
        page = folder / "page.html"
        dfine_report("--annotations", folder / "val.json", "--predictions",
                     folder / "predictions.json", "--output", page)
        with opened(page) as browser:
            browser.run("setAll(0.3); null")
            listed = lambda: browser.run("""(() => {
              const names = [];
              for (;;) {
                names.push(...[...document.querySelectorAll("#gallery .shot")].map((one) =>
                  [one.querySelector("b").textContent, one.querySelector("small").textContent]));
                const next = [...document.querySelectorAll("#images button")]
                  .find((one) => one.textContent === "next");
                if (next.disabled) return names;
                next.click();
              }
            })()""")
            numbers = lambda text: [int(part.split()[0]) for part in text.split(" \u00b7 ")]
            everything = listed()
            assert len(everything) == 30
            errors = [sum(numbers(text)[1:]) for _, text in everything]
            assert errors == sorted(errors, reverse=True), errors
            browser.run("""(() => { const by = document.getElementById("filter-kind");
              by.value = "missed"; by.dispatchEvent(new Event("change")); })()""")
            missed = listed()
            assert {name for name, _ in missed} == {
                name for name, text in everything if numbers(text)[2] > 0}
            browser.run("""(() => { const by = document.getElementById("filter-kind");
              by.value = "false"; by.dispatchEvent(new Event("change")); })()""")
            assert {name for name, _ in listed()} == {
                name for name, text in everything if numbers(text)[1] > 0}
            stays_within_the_page(browser, page)


if __name__ == "__main__":
    skip_without_browser()
    check_counts(floats=False)
    check_counts(floats=True)
    check_filters()
    print("passed")
