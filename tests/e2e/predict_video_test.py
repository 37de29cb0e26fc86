"""dfine-predict on videos: the frames' detections are those of the same frames as images. The drawn
video has the frames, times and size of the video.
"""
import json
import os
import subprocess
import sys

from predict_test import trained_weights

from common import BCCD, Workspace, run, says


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments], check=True)


def frame_times(path):
    out = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
         "frame=best_effort_timestamp_time,width,height", "-of", "json", path],
        check=True, stdout=subprocess.PIPE).stdout
    return [(float(frame["best_effort_timestamp_time"]), frame["width"], frame["height"])
            for frame in json.loads(out)["frames"]]


def lines(folder):
    with open(os.path.join(folder, "predictions.jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def main():
    with Workspace() as ws:
        weights = trained_weights(ws)
        for name, options in [("a.mkv", ["-c:v", "ffv1", "-pix_fmt", "bgr0"]),  # without loss
                              ("b.avi", ["-c:v", "mpeg4"])]:
            ffmpeg("-framerate", "5", "-pattern_type", "glob", "-i",
                   os.path.join(BCCD, "images", "BloodImage_0000*.jpg"), "-frames:v", "6", "-vf",
                   "scale=320:240", *options, ws(name))
        os.makedirs(ws("frames"))
        ffmpeg("-i", ws("a.mkv"), ws("frames", "%05d.png"))
        options = ["--weights", weights, "--threshold", "0", "--device", "cpu"]

        run("dfine-predict", *options, "--images", ws("a.mkv"), ws("b.avi"), "--output", ws("out"))
        run("dfine-predict", *options, "--images", ws("frames"), "--output", ws("images"))
        found, expected = lines(ws("out")), lines(ws("images"))
        times = frame_times(ws("a.mkv"))
        assert [line["image_id"] for line in found] == list(range(1, 13)), found
        assert [line["file_name"] for line in found] == ["a.mkv"] * 6 + ["b.avi"] * 6
        for i, (ours, image) in enumerate(zip(found, expected)):
            assert ours["detections"] == image["detections"], i
            assert ours["frame_index"] == i and abs(ours["time"] - times[i][0]) < 1e-6, ours
        with open(ws("out", "predictions.json"), encoding="utf-8") as file:
            assert {p["frame_index"] for p in json.load(file)} == set(range(6))
        assert frame_times(ws("out", "a.mkv")) == times
        assert len(frame_times(ws("out", "b.avi.mp4"))) == 6
        assert sorted(os.listdir(ws("out"))) == ["a.mkv", "b.avi.mp4", "predictions.json",
                                                 "predictions.jsonl"]

        # Half a video: its frames, and an error at the end that names it.
        ffmpeg("-i", ws("b.avi"), "-c:v", "mpeg4", "-movflags", "+faststart", ws("whole.mp4"))
        with open(ws("whole.mp4"), "rb") as file:
            whole = file.read()
        with open(ws("cut.mp4"), "wb") as file:
            file.write(whole[:len(whole) * 2 // 3])
        says(run("dfine-predict", *options, "--images", ws("cut.mp4"), "--output", ws("cut"),
                 expect=1), ws("cut.mp4"))
        assert 0 < len(lines(ws("cut"))) < 6
        assert len(frame_times(ws("cut", "cut.mp4"))) == len(lines(ws("cut")))

        # Neither the video itself, nor videos among images.
        says(run("dfine-predict", *options, "--images", ws("a.mkv"), "--output", ws(), expect=2),
             ws("a.mkv"), "--output")
        says(run("dfine-predict", *options, "--images", ws("a.mkv"), ws("frames"), expect=2),
             "--images")


if __name__ == "__main__":
    sys.exit(main())
