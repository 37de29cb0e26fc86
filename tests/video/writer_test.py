"""Files of VideoWriter, as ffprobe and ffmpeg see them."""
import os
import resource
import subprocess
import sys
import tempfile

import numpy as np
from videos import PROBE, Checks, decoded, ffmpeg, ffprobe, frame_times, make_clip

ENTRIES = "stream=codec_name,width,height,pix_fmt,color_range,color_space,r_frame_rate"


def copy(source, target, **options):
    return subprocess.run([PROBE, "copy", source, target], capture_output=True, text=True,
                          check=False, **options)


def main():
    check = Checks()
    with tempfile.TemporaryDirectory() as folder:
        def path(name):
            return os.path.join(folder, name)

        has_x264 = b"libx264" in ffmpeg("-encoders")
        codec = "h264" if has_x264 else "mpeg4"
        for name, source_options, rate in [
                ("a.mp4", [], "30000/1001"), ("b.mkv", [], "25"), ("c.mov", [], "24000/1001"),
                ("vfr.mp4", ["-vf", "select=not(mod(n\\,3))+lt(n\\,9)", "-fps_mode", "vfr"], "25")]:
            source, target = path("source-" + name), path(name)
            make_clip(source, *source_options, rate=rate, size="320x240")
            result = copy(source, target)
            check(result.returncode == 0, f"{name} is written: {result.stderr}")
            row = ffprobe(target, ENTRIES)[0]
            check(row[:6] == [codec, "320", "240", "yuv420p", "tv", "bt709"], f"{name}: {row}")
            if name != "vfr.mp4":
                check(row[6] == ffprobe(source, ENTRIES)[0][6], f"{name}: {row[6]} per second")
            late = np.abs(frame_times(source) - frame_times(target)).max()
            check(late < 0.0015, f"{name}: times off by up to {late} s")  # MKV counts milliseconds
            before, after = decoded(source, 320, 240), decoded(target, 320, 240)
            mean = np.abs(before.astype(int) - after).mean()
            check(mean < 3, f"{name}: differs by {mean:.2f} on average")

        make_clip(path("odd.mkv"), "-vf", "format=yuv444p,crop=63:47", "-pix_fmt",
                  "yuv444p", "-c:v", "ffv1")
        check(copy(path("odd.mkv"), path("odd.mp4")).returncode == 0, "63x47 is written")
        size = ffprobe(path("odd.mp4"), "stream=width,height")[0]
        check(size == ["64", "48"], f"as {size}")

        before = set(os.listdir(folder))
        # Python ignores SIGXFSZ; its child does too.
        result = copy(path("source-a.mp4"), path("full.mp4"), restore_signals=False,
                      preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
        check(result.returncode == 1 and "full.mp4" in result.stderr, "the error names the file")
        check(set(os.listdir(folder)) == before,
              f"nothing is left where no room is: {result.returncode} {result.stderr}")
    return check.failed


if __name__ == "__main__":
    sys.exit(main())
