"""5,000 images and 500,000 detections: the size of the page, and how fast the slider is."""
import os
import statistics
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

MOST_BYTES = 10_000_000
MOST_MILLISECONDS = 100


def main():
    skip_without_browser()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        random_set(folder, images=5000, boxes=7, detections=100.5, classes=80, seed=11,
                   floats=True)
        page = folder / "page.html"
        dfine_report("--annotations", folder / "val.json", "--predictions",
                     folder / "predictions.json", "--output", page)
        size = page.stat().st_size
        assert size <= MOST_BYTES, size
        expected = Expected(folder)
        count = len(expected.detections)
        assert count >= 500_000, count
        with opened(page) as browser:
            times = []
            for value in np.round(np.random.default_rng(2).uniform(0, 1, 20) / 0.005) * 0.005:
                times.append(browser.run(f"({MOVE})({value})"))
                got = browser.run(READ)
                tp, fp, fn = expected.counts(got["thresholds"])
                assert (got["tp"], got["fp"], got["fn"]) == (tp.tolist(), fp.tolist(), fn.tolist())
            assert np.array_equal(got["matrix"], expected.matrix(got["thresholds"]).ravel())
            stays_within_the_page(browser, page)
        median = statistics.median(times)
        print(f"{count} detections: {size} bytes; the slider: median {median:.0f} ms, most "
              f"{max(times):.0f} ms, on {os.cpu_count()} cores")
        assert median <= MOST_MILLISECONDS, times
    print("passed")


main()
