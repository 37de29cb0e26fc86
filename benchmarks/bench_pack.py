"""dfine-pack on data of COCO train2017's shape, beside pycocotools (reading annotations), cp
(packing) and cat (verifying), in one run.

    # the whole shape: 8 GB of disk, some 15 minutes
    python benchmarks/bench_pack.py --bin build/release/bin
    python benchmarks/bench_pack.py --bin build/release/bin --images 20000 --annotations 150000

Prints one JSON object per measurement. The program cp does not force its copies to disk and
dfine-pack does. So cp is measured twice: as it is, and with `sync -f` after it. Source files are in
the page cache for both, as they are links to a few photographs.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from coco_shape import ANNOTATIONS, IMAGES, shipped_photographs, write_annotations, write_images


def report(what, **metrics):
    print(json.dumps({"what": what, **{k: round(v, 3) if isinstance(v, float) else v
                                       for k, v in metrics.items()}}), flush=True)


def timed(command, **options):
    """Seconds, peak memory in MiB, standard output."""
    start = time.monotonic()
    run = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True, **options)
    out = run.stdout.read()
    _, status, usage = os.wait4(run.pid, 0)
    seconds = time.monotonic() - start
    if status:
        sys.exit(f"{command} failed")
    return seconds, usage.ru_maxrss / 1024, out


def reading(binary, annotations, repeats):
    """The programs take turns, so that other load on the machine meets both; the fastest of each
    counts.
    """
    script = ("import sys, time; from pycocotools.coco import COCO; t = time.time(); "
              "COCO(sys.argv[1]); print(time.time() - t)")
    theirs, ours = [], {1: [], 2: [], os.cpu_count(): []}
    for _ in range(repeats):
        theirs.append(float(timed([sys.executable, "-c", script, annotations])[2].split()[-1]))
        for threads, seconds in ours.items():
            seconds.append(json.loads(timed([binary / "bench_pack", annotations,
                                             threads])[2])["seconds"])
    for threads, seconds in ours.items():
        report("annotations read", threads=threads, megabytes=annotations.stat().st_size // 10**6,
               seconds=min(seconds), pycocotools=min(theirs),
               times_faster=min(theirs) / min(seconds))


def checking(binary, pack, size):
    """Both find the pack in the page cache, or not: it has just been written."""
    cat, _, _ = timed(["sh", "-c", f"cat '{pack}'/shard-* > /dev/null"])
    verify, _, _ = timed([binary / "dfine-pack", "verify", pack])
    report("pack checked", mb_per_s=size / 1e6 / verify, cat_mb_per_s=size / 1e6 / cat)


def packing(binary, root, annotations, repeats):
    images = root / "images"
    size = sum(f.stat().st_size for f in images.iterdir())
    best = {}
    for _ in range(repeats):
        for name in ("cp", "cp and sync", "dfine-pack"):
            target = root / "copy"
            subprocess.run(["sync", "-f", root], check=True)
            if name == "dfine-pack":
                command = [binary / "dfine-pack", "--images", images, "--annotations", annotations,
                           "--output", target]
            else:
                command = ["sh", "-c", f"cp -r '{images}' '{target}'"
                           + (f" && sync -f '{target}'" if name == "cp and sync" else "")]
            seconds, memory, _ = timed(command)
            if name == "dfine-pack":
                checking(binary, target, size)
            shutil.rmtree(target)
            best[name] = min(best.get(name, (seconds, memory)), (seconds, memory))
    reading_mib = json.loads(timed([binary / "bench_pack", annotations,
                                    os.cpu_count()])[2])["peak_kib"] / 1024
    for name, (seconds, memory) in best.items():
        more = ({"peak_mib": memory, "reading_alone_peak_mib": reading_mib} if name == "dfine-pack"
                else {})
        report("files packed", by=name, files=len(list(images.iterdir())), megabytes=size // 10**6,
               seconds=seconds, mb_per_s=size / 1e6 / seconds,
               pack_rate_over_this=seconds / best["dfine-pack"][0], **more)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--annotations", type=int, default=ANNOTATIONS)
    parser.add_argument("--folder", help="where to put the data; on the disk to be measured")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--reading-only", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="bench-pack-") as folder:
        root = Path(folder)
        annotations = root / "annotations.json"
        names = write_annotations(annotations, arguments.images, arguments.annotations)
        report("machine", cores=os.cpu_count(), load=os.getloadavg()[0])
        reading(arguments.bin.resolve(), annotations, arguments.repeats)
        if not arguments.reading_only:
            write_images(root / "images", names, shipped_photographs())
            packing(arguments.bin.resolve(), root, annotations, arguments.repeats)


if __name__ == "__main__":
    main()
