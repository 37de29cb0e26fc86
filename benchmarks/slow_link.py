#!/usr/bin/env python3
"""How much of the exchange of gradients a step hides behind its backward pass, over a slow link.

  sudo python3 benchmarks/slow_link.py --bin build/release/bin --rates 1000 400 200

Two CPU ranks of one thread train. Each has a network namespace, and a pair of virtual interfaces
connects them. At each rate (Mbit/s) a token bucket limits both directions. Everything is made in
namespaces of this process, and ends with it.

  link    seconds that the bytes of a step take at that rate: the larger direction, by the
          interface's counters, without those of start and end
  step    median seconds of a step
  hidden  1 - (step - step without a limit) / link

The exchange can only be hidden while gradients are still being computed. So `hidden` can reach 1
only where `link` is shorter than the backward pass, which takes about 60 % of a step.
"""
import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from ranks import SOURCE, WARM_UP, make_pack, median_rate, training

ADDRESSES = "10.213.7.1", "10.213.7.2"


def call(*command):
    subprocess.run(command, check=True)


@contextlib.contextmanager
def two_nodes(folder):
    """Two namespaces with a link: this one, and another. Gives the command that enters the other,
    and the program that mpirun starts its ranks there with.
    """
    other = subprocess.Popen(["unshare", "--net", "--uts", "sh", "-c",
                              "hostname other; echo ready; exec sleep 3600"],
                             stdout=subprocess.PIPE, text=True)
    try:
        other.stdout.readline()
        enter = ["nsenter", "-t", str(other.pid), "-n", "-u", "--"]
        call("ip", "link", "set", "lo", "up")
        call("ip", "link", "add", "link0", "type", "veth", "peer", "name", "link1")
        call("ip", "link", "set", "link1", "netns", str(other.pid))
        for address, name, prefix in zip(ADDRESSES, ("link0", "link1"), ([], enter), strict=True):
            call(*prefix, "ip", "address", "add", f"{address}/24", "dev", name)
            call(*prefix, "ip", "link", "set", name, "up")
        call(*enter, "ip", "link", "set", "lo", "up")
        agent = Path(folder) / "agent"  # mpirun's ssh: AGENT HOST COMMAND
        agent.write_text(f"#!/bin/sh\nshift\nexec {' '.join(enter)} sh -c \"$*\"\n")
        agent.chmod(0o755)
        yield enter, agent
    finally:
        other.kill()
        other.wait()


def limit(enter, rate):
    """Mbit/s in both directions; None: no limit."""
    for prefix, name in (([], "link0"), (enter, "link1")):
        subprocess.run([*prefix, "tc", "qdisc", "del", "dev", name, "root"],
                       stderr=subprocess.DEVNULL)
        if rate:
            call(*prefix, "tc", "qdisc", "add", "dev", name, "root", "tbf", "rate",
                 f"{rate}mbit", "burst", "256kb", "latency", "50ms")


def sent(direction):
    return int(Path(f"/sys/class/net/link0/statistics/{direction}_bytes").read_text())


def train(a, steps, pack, folder, agent):
    """The median step, and the bytes of the whole run in the larger direction."""
    before = sent("tx"), sent("rx")
    command = ["mpirun", "--allow-run-as-root", "-np", "2", "--bind-to", "none",
               "--mca", "plm_rsh_agent", str(agent), "--mca", "pml", "ob1", "--mca", "btl",
               "self,tcp", "--mca", "btl_tcp_if_include", "10.213.7.0/24", "--mca",
               "oob_tcp_if_include", "10.213.7.0/24", "-H", ",".join(f"{x}:1" for x in ADDRESSES),
               "sh", "-c", 'exec taskset -c $OMPI_COMM_WORLD_RANK "$@"', "sh",
               *training(a, a.size, pack, folder), "--set", f"train.max_steps={steps}",
               *(word for change in a.set for word in ("--set", change))]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        sys.exit(run.stdout[-2000:] + run.stderr[-2000:])
    moved = max(sent("tx") - before[0], sent("rx") - before[1])
    return 2 * a.batch / median_rate(folder), moved


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bin", default=str(SOURCE / "build" / "release" / "bin"))
    p.add_argument("--size", default="n")
    p.add_argument("--rates", type=int, nargs="+", default=[1000, 500, 250], help="Mbit/s")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--steps", type=int, default=12)
    p.add_argument("--batch", type=int, default=2, help="images per rank and step")
    p.add_argument("--image-size", type=int, default=640)
    p.add_argument("--set", action="append", default=[], metavar="KEY=VALUE",
                   help="changes a setting of the runs, such as model.freeze=norm")
    a = p.parse_args()
    if os.getuid():
        sys.exit("network namespaces need root: sudo python3 benchmarks/slow_link.py ...")
    if "DFINE_SLOW_LINK" not in os.environ:
        os.environ["DFINE_SLOW_LINK"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, *sys.argv])
    call("mount", "-t", "sysfs", "sysfs", "/sys")  # that of this network namespace
    times = {rate: [] for rate in [None, *a.rates]}
    short = WARM_UP + 1
    with tempfile.TemporaryDirectory() as folder, two_nodes(folder) as (enter, agent):
        pack = os.path.join(folder, "pack")
        make_pack(a, pack)

        def run(steps):
            with tempfile.TemporaryDirectory() as scratch:
                return train(a, steps, pack, os.path.join(scratch, "run"), agent)
        moved = (run(a.steps)[1] - run(short)[1]) / (a.steps - short)
        for _ in range(a.rounds):
            for rate, got in times.items():
                limit(enter, rate)
                got.append(run(a.steps)[0])
    free = statistics.median(times.pop(None))
    print(f"{a.size}, {a.batch} images per rank: a step moves {moved / 1e6:.1f} MB each way; "
          f"without a limit it takes {free:.3f} s")
    for rate, got in times.items():
        step = statistics.median(got)
        link = moved * 8 / (rate * 1e6)
        print(f"{rate:6} Mbit/s: link {link:.3f} s, step {step:.3f} s, "
              f"hidden {1 - (step - free) / link:.2f}")


if __name__ == "__main__":
    main()
