"""Times the official criterion on the outputs of bench_criterion.cpp, and scipy's assignment; one
thread unless OMP_NUM_THREADS says more.

    DFINE_OFFICIAL=checkout-of-Peterande/D-FINE python bench_criterion.py
"""
import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "tests", "golden"))
import make_criterion as golden
import numpy as np
import torch
from scipy.optimize import linear_sum_assignment


def median(run, repeats=15):
    times = []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
    wall, cpu = (sorted(x)[repeats // 2] * 1e3 for x in zip(*times))
    return f"median {wall:.2f} ms, CPU {cpu:.2f} ms"


def main():
    golden.CLASSES = 80
    targets = golden.make_targets([60] * 4, torch.float32)
    output, leaves = golden.make_output(targets, 300, 3, 100, 4.0, False, torch.float32)
    criterion = golden.make_official_criterion()
    total = lambda: sum(criterion(dict(output), targets).values())

    def backward():
        total().backward()
        for leaf in leaves.values():
            leaf.grad = None

    print("criterion_forward:", median(lambda: total().item()))
    print("criterion_forward_backward:", median(backward))
    for shape in ((60, 300), (300, 300)):
        cost = np.random.default_rng(0).random(shape)
        print(f"assignment {shape}:",
              median(lambda: linear_sum_assignment(cost)))  # noqa: B023 (called at once)


if __name__ == "__main__":
    main()
