"""Every call that changes the run's folder fails in turn, and the process is killed after each. The
run goes on, or continues, to the same weights, and there is always an intact checkpoint.

    faults_test.py [PART...]     with DFINE_LONG set each call meets each error

fault_injector.cpp says what a fault is.
"""
import json
import os
import re
import shutil
import signal
from collections import Counter

from checkpoint_files import checkpoints, final, leftovers, require_intact, require_same
from runs import LONG, run_parts, side_by_side, train

ERRORS = ("ENOSPC", "EIO", "EDQUOT")
KILLED = -signal.SIGKILL


def glob(path):
    """What a path has in common with those of other steps and processes."""
    path = re.sub(r"\.partial-(?!removed)[0-9a-f-]+", ".partial-*", path)
    path = re.sub(r"probe-\w{6}", "probe-??????", path)
    path = re.sub(r"\.lock-\d{6}", ".lock-??????", path)
    return re.sub(r"step-\d{8}", "step-????????", path)


def chosen(calls, window):
    """The calls of a window as (name, glob, nth). Of the many writes of a large file the first, one
    amid them and the last; more of them in the long form.
    """
    found, counts = [], Counter()
    for its_window, name, path, _ in calls:
        if its_window != window or (window[0] != "S" and not path.startswith("checkpoints")):
            continue
        counts[name, glob(path)] += 1
        found.append((name, glob(path), counts[name, glob(path)]))
    most = 12 if LONG else 3

    def stays(name, pattern, nth):
        count = counts[name, pattern]
        if name != "write" or count <= most:
            return True
        return nth in {1 + round(i * (count - 1) / (most - 1)) for i in range(most)}

    return [call for call in found if stays(*call)]


class Calls:
    """What an undisturbed run does, listed once: `start`, `plain` and `validated` checkpoints."""

    def __init__(self, ws):
        done = train(ws, ws("listed"), faults=[], train__epochs=3)
        self.start = chosen(done.calls, "S0")
        self.plain = chosen(done.calls, "P3")
        self.validated = chosen(done.calls, "V2")
        names = {name for name, _, _ in self.start + self.plain + self.validated}
        # Or the comparison would not show what it is for.
        assert names >= {"open", "write", "close", "fsync", "mkdir", "link", "symlink", "rename",
                         "unlink", "rmdir"}, names
        folder = "checkpoints/.step-????????.partial-*"
        for name, pattern in (("write", folder + "/.state.pth.partial-*"), ("fsync", folder),
                              ("rename", "checkpoints/step-????????"), ("fsync", "checkpoints"),
                              ("rename", "checkpoints/last")):
            assert (name, pattern, 1) in self.plain, (name, pattern)


_once = {}


def once(ws, what, make):
    if what not in _once:
        _once[what] = make(ws)
    return _once[what]


def calls_of(ws):
    return once(ws, "calls", Calls)


def undisturbed(ws, epochs):
    def make(ws):
        folder = ws(f"undisturbed-{epochs}")
        train(ws, folder, train__epochs=epochs)
        require_intact(folder)
        return final(folder)

    return once(ws, ("undisturbed", epochs), make)


def specification(window, call, action):
    name, pattern, nth = call
    return f"{window} {name} {pattern} {nth} {action}"


def actions_for(call, number):
    """Errors that the call is to have, in turn in the short form."""
    possible = ERRORS + (("short",) if call[0] == "write" else ())
    return possible if LONG else (possible[number % len(possible)],)


def fault_plans(ws, epochs):
    """Lists of faults, one for each run of `epochs` epochs: every call of a plain and of a
    validated checkpoint fails once. The first epoch is without faults, and so is the last.
    """
    calls = calls_of(ws)
    plain = [(c, a) for i, c in enumerate(calls.plain) for a in actions_for(c, i)]
    validated = [(c, a) for i, c in enumerate(calls.validated) for a in actions_for(c, i)]
    plans = []

    def add(plain, validated, every):
        # Of each epoch's two steps the first one's checkpoint may fail: the second one's is what
        # the validated one shares its files with.
        most = (epochs - 2) // every
        for i in range(0, max(len(plain), len(validated)), most):
            plans.append(
                [specification(f"P{2 * every * n + 3}", *one)
                 for n, one in enumerate(plain[i:i + most])]
                + [specification(f"V{every * (n + 1)}", *one)
                   for n, one in enumerate(validated[i:i + most])])

    # What a checkpoint removes in the end depends on whether the one before could be written.
    removes = lambda one: "removed" in one[0][1]
    add([p for p in plain if not removes(p)], [v for v in validated if not removes(v)], every=1)
    add([p for p in plain if removes(p)], [v for v in validated if removes(v)], every=2)
    return plans


def every_call_fails(ws):
    epochs = 12
    plans = fault_plans(ws, epochs)
    expected = undisturbed(ws, epochs)

    def check(number):
        folder, faults = ws(f"failing-{number}"), plans[number]
        done = train(ws, folder, faults=faults, train__epochs=epochs)
        hit = {(w, name, glob(path)) for w, name, path, _ in done.calls}
        for fault in faults:
            assert tuple(fault.split(" ")[:3]) in hit, f"{fault} met no call: {done.calls}"
        failed = done.text.count("could not be written (")
        # A checkpoint that is there has not failed because older ones are there too.
        assert failed == 0 or not any("removed" in fault for fault in faults), done.text
        require_same(expected, final(folder), folder)
        require_intact(folder)
        shutil.rmtree(folder)
        return len(faults), failed

    results = side_by_side(check, range(len(plans)))
    print(f"{sum(r[0] for r in results)} calls failed, {sum(r[1] for r in results)} of them cost a "
          f"checkpoint; {len(results)} runs ended with equal weights")


def killed_after_every_call(ws):
    """A run is started again and again, and killed after another call each time: of the start, of
    a plain checkpoint, of a validated one. What it comes to is compared whenever it ends.
    """
    calls = calls_of(ws)
    epochs = 3
    expected = undisturbed(ws, epochs)
    # The kernel keeps what a killed process has written. So a kill after a close or fsync finds the
    # files as one after the call before does.
    quiet = () if LONG else ("close", "fsync")
    targets = [(window, call) for window, some in
               (("S0", calls.start), ("P*", calls.plain), ("V*", calls.validated))
               for call in some if call[0] not in quiet]

    def chain(number):
        todo, tries, ends = targets[number::2], Counter(), 0
        done = set()
        while todo:
            ends += 1
            folder = ws(f"killed-{number}-{ends}")
            result = None
            while result is None or result.code == KILLED:
                before = leftovers(folder)
                # Once all are done, or nothing is left of the run, it goes on undisturbed.
                window, call = todo[0] if todo else ("S0", ("none", "none", 1))
                tries[window, call] += 1
                assert tries[window, call] < 10, f"{window} {call} does not happen"
                result = train(ws, folder, "--resume", "auto", train__epochs=epochs,
                               faults=[specification(window, call, "after")], expect=(0, KILLED))
                assert "cannot be" not in result.text, result.text
                if result.code == KILLED:
                    require_hit(result, window, call)
                    done.add(todo.pop(0))
                elif todo:  # the run was over before; the next one meets the call
                    assert not result.calls, result.calls
                if checkpoints(folder):
                    require_intact(folder, newest=1)
                if not (window == "S0" and result.code == KILLED):
                    stayed = before & leftovers(folder)
                    assert not stayed, f"left by the start before: {stayed}"
            require_same(expected, final(folder), folder)
            require_intact(folder)
            assert not leftovers(folder), leftovers(folder)
            shutil.rmtree(folder)
        return len(done), ends

    results = side_by_side(chain, range(2))
    kills, ends = (sum(r[i] for r in results) for i in range(2))
    assert kills == len(targets), (kills, len(targets))
    print(f"{kills} kills, {kills} resumes; {ends} runs ended with equal weights")


def require_hit(result, window, call):
    hits = [(w, name, glob(path)) for w, name, path, _ in result.calls]
    assert len(hits) == 1 and hits[0][1:] == call[:2] and hits[0][0][0] == window[0], (
        f"{window} {call}: {hits}")


def start_of_a_resumed_run(ws):
    """What a start finds may have to be tidied up first: temporaries of a killed process, a damaged
    checkpoint. The start fails or is killed at each call of that; the next one is as any other.
    """
    epochs = 3
    expected = undisturbed(ws, epochs)
    made = ws("untidy")
    train(ws, made, train__epochs=epochs, expect=(KILLED,),
          faults=["V2 fsync checkpoints/.step-*.partial-*/state.pth 1 before"])
    assert leftovers(made) and checkpoints(made)[-1] == "step-00000004", os.listdir(made)
    with open(os.path.join(made, "checkpoints", "step-00000004", "metrics.json"), "ab") as f:
        f.write(b" ")

    def untidy(folder):
        return shutil.copytree(made, folder, symlinks=True, copy_function=lambda a, b: (
            os.link if "step-" in a else shutil.copy2)(a, b))

    listed = train(ws, untidy(ws("untidy-listed")), "--resume", "auto", train__epochs=epochs,
                   faults=[])
    assert "set-aside-1" in listed.text, listed.text
    calls = chosen(listed.calls, "S0")
    for name, pattern in (("unlink", "checkpoints/.step-????????-val.partial-*/state.pth"),
                          ("mkdir", "checkpoints/set-aside-1"), ("rename", "checkpoints/last"),
                          ("rename", "checkpoints/set-aside-1/step-????????")):
        assert (name, pattern, 1) in calls, ((name, pattern), calls)
    cases = [(call, action) for call in calls for action in (*actions_for(call, 0), "after")]
    if not LONG:  # every third call, killed and failed in turn
        cases = [(call, "after" if i % 2 == 0 else actions_for(call, i)[0])
                 for i, call in enumerate([c for c in calls if c[0] != "close"][::3])]

    def check(number):
        folder, (call, action) = untidy(ws(f"untidy-{number}")), cases[number]
        where = f"{call} {action}"
        result = train(ws, folder, "--resume", "auto", train__epochs=epochs, expect=None,
                       faults=[specification("S0", call, action)])
        assert result.calls, f"{where} met no call"
        assert result.code in ((KILLED,) if action == "after" else (0, 1)), (where, result.text)
        if result.code != 0:
            before = leftovers(folder)
            train(ws, folder, "--resume", "auto", train__epochs=epochs)
            assert not before & leftovers(folder), where
        require_same(expected, final(folder), where)
        require_intact(folder)
        shutil.rmtree(folder)
        return result.code

    codes = Counter(side_by_side(check, range(len(cases))))
    print(f"{len(cases)} disturbed starts: {codes[KILLED]} killed, {codes[1]} ended with an error, "
          f"{codes[0]} went on; all came to equal weights")


def refused_calls(ws):
    """File systems without hard links, symbolic links or renameat2() do as well."""
    expected = undisturbed(ws, 3)
    cases = {"renameat2": ["* renameat2 * 0 ENOSYS"], "symlink": ["* symlink * 0 EPERM"],
             "link": ["* link * 0 EPERM"]}
    cases["all"] = [fault for some in cases.values() for fault in some]

    def check(name):
        folder = ws("without-" + name)
        # Killed once, so that there is also something to be continued from.
        first = train(ws, folder, train__epochs=3, expect=(KILLED,), faults=[
            *cases[name], "V2 rename checkpoints/last 1 before"])
        require_intact(folder)
        done = train(ws, folder, "--resume", "auto", train__epochs=3, faults=cases[name])
        # What training never calls, it need not do without: renameat2().
        refused = {call for _, call, _, action in first.calls + done.calls if action[0] == "E"}
        assert refused >= {"symlink", "link"} if name == "all" else refused <= {name}, refused
        assert os.path.islink(os.path.join(folder, "checkpoints", "last")) == (
            name not in ("symlink", "all"))
        require_same(expected, final(folder), name)
        require_intact(folder)
        assert not leftovers(folder), leftovers(folder)

    side_by_side(check, cases)


def disk_full(ws):
    """There is no room from the third checkpoint on. Training goes on, and ends after the fifth
    failure in a row. With room again before that, it ends as if nothing had happened.
    """
    epochs = 5
    expected = undisturbed(ws, epochs)

    def for_good(folder):
        done = train(ws, folder, train__epochs=epochs, expect=(1,),
                     faults=["P[3-9] * * 0 full", "V[2-9] * * 0 full"])
        for part in ("step-00000003 could not be written (1 of at most 5 failures in a row)",
                     "step-00000006 could not be written (5 of at most 5 failures in a row)",
                     os.path.join(folder, "checkpoints"), "No space left on device",
                     "a checkpoint takes", "are free there", "[disk_full]"):
            assert part in done.text, (part, done.text)
        assert checkpoints(folder) == ["step-00000001", "step-00000002-val"], checkpoints(folder)
        require_intact(folder)
        train(ws, folder, "--resume", "auto", train__epochs=epochs)

    def for_a_while(folder):
        done = train(ws, folder, train__epochs=epochs,
                     faults=["P[3-5] * * 0 full", "V2 * * 0 full"])
        assert "step-00000005 could" in done.text and "(4 of" in done.text, done.text
        assert "step-00000006 could" not in done.text, done.text

    def check(part):
        folder = ws("full-" + part.__name__)
        part(folder)
        require_same(expected, final(folder), folder)
        require_intact(folder)
        assert not leftovers(folder), leftovers(folder)

    side_by_side(check, (for_good, for_a_while))


def last_checkpoint_fails(ws):
    """A run whose last state is not on the disk does not end with 0. The next start does the rest.
    """
    epochs = 3
    expected = undisturbed(ws, epochs)
    cases = {"plain and validated": ["P6 fsync checkpoints/.step-*.partial-*/state.pth 1 EIO",
                                     "V3 fsync checkpoints/.step-*.partial-*/state.pth 1 EIO"],
             "validated": ["V3 fsync checkpoints/.step-*.partial-*/state.pth 1 EIO"]}

    def check(name):
        folder = ws("last-" + name.replace(" ", "-"))
        done = train(ws, folder, train__epochs=epochs, faults=cases[name], expect=(1,))
        assert len(done.calls) == len(cases[name]), done.calls
        assert "[write_failed]" in done.text, done.text
        require_intact(folder)
        train(ws, folder, "--resume", "auto", train__epochs=epochs)
        require_same(expected, final(folder), name)

    side_by_side(check, cases)


def link_of_stage2_fails(ws):
    """best_stage1 is linked between two steps, and only people need it."""
    stage2 = {"train__epochs": 4, "train__stage2_epoch": 2, "train__stage2_from_best": "true"}
    train(ws, ws("stage2"), **stage2)
    expected = final(ws("stage2"))
    assert "best_stage1" in expected["links"], expected["links"]
    link = "checkpoints/.best_stage1.partial-*"
    cases = [f"* symlink {link} 1 ENOSPC", f"* open {link} 1 EDQUOT",
             "* rename checkpoints/best_stage1 1 EIO", f"* symlink {link} 1 after"]

    def check(number):
        folder, fault = ws(f"stage2-{number}"), cases[number]
        done = train(ws, folder, faults=[fault], expect=(KILLED if "after" in fault else 0,),
                     **stage2)
        assert len(done.calls) == 1, (fault, done.calls)
        if done.code == 0:
            assert "best_stage1: " in done.text, (fault, done.text)
        # A next start links it, and has nothing else to do where the run was complete.
        train(ws, folder, "--resume", "auto", **stage2)
        require_same(expected, final(folder), fault)
        require_intact(folder)
        assert not leftovers(folder), leftovers(folder)

    side_by_side(check, range(len(cases)))


def logs_full(ws):
    """metrics.jsonl and log.txt are not worth a run: it ends well and says how much is lost."""
    epochs = 3
    expected = undisturbed(ws, epochs)

    def check(nth):
        folder = ws(f"logs-{nth}")
        os.mkdir(folder)
        if nth == "0":
            os.symlink("/dev/full", os.path.join(folder, "log.txt"))
        done = train(ws, folder, train__epochs=epochs,
                     faults=[f"* write metrics.jsonl {nth} {'short' if nth == '4' else 'ENOSPC'}"])
        lost = len([call for call in done.calls if call[3] == "ENOSPC"])
        lines = f"{lost} lines" if lost > 1 else "1 line"
        says = f"{lines} of {folder}/metrics.jsonl could not be written"
        assert lost and says in done.text, (says, done.text)
        assert ("log.txt could" in done.text) == (nth == "0"), done.text
        # Each line is whole: what could be written of a lost one is cut off again.
        with open(os.path.join(folder, "metrics.jsonl"), encoding="utf-8") as f:
            complete = sum(isinstance(json.loads(line), dict) for line in f)
        require_same(expected, final(folder), folder)
        return lost + complete

    counts = side_by_side(check, ("0", "3-5", "4"))
    assert len(set(counts)) == 1, counts  # all runs had as many lines to write


if __name__ == "__main__":
    run_parts(every_call_fails, killed_after_every_call, start_of_a_resumed_run, refused_calls,
              disk_full, last_checkpoint_fails, link_of_stage2_fails, logs_full)
