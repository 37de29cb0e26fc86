"""Running dfine-report, and what its pages share in tests."""
import atexit
import contextlib
import functools
import os
import subprocess
import sys
from pathlib import Path

from browser import Browser, find_browser

PROGRAM = Path(os.environ["DFINE_BINARY_DIR"]) / "dfine-report"
SKIPPED = 77

# Moves the slider as a user does, and waits until the browser has painted.
MOVE = """async (value) => {
  const slider = document.getElementById("threshold");
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const begin = performance.now();
  slider.value = value;
  slider.dispatchEvent(new Event("input", {bubbles: true}));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - begin;
}"""

READ = """({
  thresholds: [...state.thresholds], tp: [...counts.tp], fp: [...counts.fp],
  fn: details.classes.map((_, k) => counts.fn(k)), matrix: [...counts.matrix],
  shown: ["TP", "FP", "FN", "precision", "recall"].map((name) =>
    document.getElementById("count-" + name).textContent),
  boxes: document.querySelectorAll("#gallery canvas").length,
})"""


def skip_without_browser():
    if find_browser() is None:
        print("skipped: there is no chromium (tests/packages.txt): the pages were NOT tested")
        sys.exit(SKIPPED)


def dfine_report(*arguments, expect=0):
    command = [str(PROGRAM), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == expect, (f"{command}: exit code {done.returncode} instead of "
                                       f"{expect}\n{done.stdout}\n{done.stderr}")
    return done.stderr


@functools.cache
def only_browser():
    """One for all pages of a test: it takes seconds to start."""
    browser = Browser()
    atexit.register(browser.close)
    return browser


@contextlib.contextmanager
def opened(page):
    """The page in a browser that has no other."""
    browser = only_browser()
    browser.forget()
    browser.open(page)
    yield browser


def stays_within_the_page(browser, page):
    outside = [url for url in browser.requests
               if url != page.resolve().as_uri() and not url.startswith(("data:", "blob:"))
               and url != "about:blank"]
    assert not outside, outside
    assert not browser.complaints, browser.complaints
