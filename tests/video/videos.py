"""Little videos by the program ffmpeg, and what the video layer makes of them."""
import os
import re
import subprocess

import numpy as np

PROBE = os.path.join(os.environ["DFINE_BINARY_DIR"], "video_probe")


def ffmpeg(*arguments, data=None):
    """Runs ffmpeg; returns its stdout."""
    return subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], input=data,
                          check=True, stdout=subprocess.PIPE).stdout


def make_clip(path, *options, size="96x64", rate="30000/1001", frames=40):
    """A moving test picture. Twelve frames between two that stand alone."""
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}", "-frames:v", frames, "-g", 12,
           "-pix_fmt", "yuv420p", *options, path)


def ffprobe(path, entries):
    """The values of `entries` of the first video stream, one list per line of ffprobe."""
    text = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", entries, "-of",
         "csv=p=0", path], check=True, stdout=subprocess.PIPE, text=True).stdout
    return [line.strip(",").split(",") for line in text.split()]


def frame_times(path):
    """Seconds of each frame since the first one, as ffprobe says."""
    times = np.array([float(line[0])
                      for line in ffprobe(path, "frame=best_effort_timestamp_time")])
    return times - times[0]


def decoded(path, width, height):
    """The frames as ffmpeg itself decodes them: [N, height, width, 3]."""
    raw = ffmpeg("-i", path, "-sws_flags", "bicubic+accurate_rnd+full_chroma_int", "-fps_mode",
                 "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)


class Read:
    """A file as VideoReader reads it."""

    def __init__(self, path, folder):
        out = os.path.join(folder, "frames.rgb")
        result = subprocess.run([PROBE, "read", path, out], capture_output=True, text=True,
                                check=False)
        lines = result.stdout.splitlines()
        self.stderr = result.stderr
        self.error = next((line.split()[1] for line in lines if line.startswith("error ")), None)
        self.damage = [line for line in lines if line.startswith("damage ")]
        self.times = np.array([float(m[1]) for m in re.finditer(r"^frame \d+ (\S+)$", result.stdout,
                                                               re.MULTILINE)])
        if self.error is None:
            numbers = list(map(int, lines[0].split()[1:]))
            self.width, self.height, self.rate, self.estimate = (numbers[0], numbers[1],
                                                                 tuple(numbers[2:4]), numbers[4])
            self.frames = np.fromfile(out, np.uint8).reshape(-1, self.height, self.width, 3)


class Checks:
    """Prints what is compared, and remembers whether all of it holds."""

    def __init__(self):
        self.failed = False

    def __call__(self, holds, text):
        print("ok  " if holds else "FAIL", text)
        self.failed |= not holds


def difference(a, b):
    """The largest of the absolute differences; 256 where the shapes differ."""
    return int(np.abs(a.astype(int) - b).max()) if a.shape == b.shape else 256
