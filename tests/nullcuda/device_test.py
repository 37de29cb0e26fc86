"""The null device notices what it is there for: each wrong use of wrong_use.cpp, and no right one.
"""

import os

from run import amounts, run

INVALID_VALUE, OUT_OF_MEMORY, INVALID_CONFIGURATION, INVALID_HANDLE = 1, 2, 9, 400
LATE = {"NULLCUDA_LATE_COPIES": 1}


def use(way, **variables):
    """Exit code, and how many misuses were noticed."""
    done = run(os.environ["DFINE_NULLCUDA_WRONG_USE"], way, devices=2, **variables)
    assert len(done.reports) == 1, done.log
    return done.code, sum(amounts(done.reports[0], "misuse").values())


def expect(way, code, misuses, **variables):
    got = use(way, **variables)
    assert got == (code % 256, misuses), (way, variables, got)


def main():
    for variables in ({}, LATE):
        expect("right", 0, 0, **variables)
        expect("memory_of_another_device", INVALID_VALUE, 1, **variables)
        expect("fills_memory_of_another_device", INVALID_VALUE, 1, **variables)
        expect("thread_without_guard", INVALID_HANDLE, 1, **variables)
        expect("launches_nothing", INVALID_CONFIGURATION, 1, **variables)
        expect("frees_what_is_not_its_own", INVALID_VALUE, 1, **variables)
        expect("takes_too_much", OUT_OF_MEMORY, 0, **variables)
    expect("fills_a_source_again", 0, 0)
    expect("fills_a_source_again", 0, 1, **LATE)
    expect("reads_before_it_waited", 0, 0)
    expect("reads_before_it_waited", 1, 0, **LATE)
    expect("takes_too_much", OUT_OF_MEMORY, 0, NULLCUDA_MEMORY=64)
    expect("waits", 0, 0)
    expect("waits", 5, 0, NULLCUDA_FAIL="cudaEventSynchronize:2:5")
    expect("waits", 55, 0, NULLCUDA_FAIL="cudaEventSynchronize:2+:5")
    expect("waits", 0, 0, NULLCUDA_FAIL="cudaEventSynchronize:2:5@1")
    print("all passed")


if __name__ == "__main__":
    main()
