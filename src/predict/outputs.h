#pragma once
// The outputs of dfine-predict, one per form.
#include <filesystem>
#include <map>
#include <memory>
#include <vector>

#include "predict/prediction_output.h"
#include "video/video_reader.h"

namespace dfine::inline predict {

/// A COCO results file: a list of {image_id, file_name, category_id, category_name, bbox [x, y, w,
/// h], score}. There is no category_name where the class has no name; a frame has frame_index and
/// time (seconds) too. Written atomically. JSON is UTF-8: a byte of a name that is not UTF-8
/// becomes the four letters \xNN.
std::unique_ptr<PredictionOutput> coco_output(const std::filesystem::path& file);

/// JSON lines: one per picture, written as soon as it is done: {image_id, file_name, width, height,
/// detections}. A detection has the keys of a COCO result, without those of the picture. What is
/// there after an interruption, of whatever kind, is complete up to its last line.
std::unique_ptr<PredictionOutput> jsonl_output(std::filesystem::path file);

/// RFC 4180, with a header: file, class, score, x1, y1, x2, y2. Numbers read back exactly. Written
/// atomically.
std::unique_ptr<PredictionOutput> csv_output(const std::filesystem::path& file);

/// For each picture FOLDER/NAME.txt, without the extension of the picture: "class cx cy w h score",
/// the model's label and fractions of width and height. It is empty where nothing was found. The
/// second of two names that differ in their extension alone keeps it: a.png.txt. A frame has its
/// index behind its name: clip.mp4_17.txt.
std::unique_ptr<PredictionOutput> yolo_output(std::filesystem::path folder);

/// One line on stdout for each detection: file, label, score, x1 y1 x2 y2; names printable.
std::unique_ptr<PredictionOutput> text_output();

/// Each picture with its boxes, drawn and encoded on `threads`, in the file PictureInfo::drawn.
/// Where one cannot be written (disk full, ...) nothing more is drawn, and finish() throws. Its
/// make_room() removes the picture drawn last, and the folders below `top` that this leaves empty.
std::unique_ptr<PredictionOutput> drawn_output(const std::filesystem::path& top, int threads);

/// Frames with their boxes, in videos of the same length, rate and size: `videos` by
/// PictureInfo::drawn. Each is written atomically, without sound. After an interruption the one
/// under way holds the frames that were done.
std::unique_ptr<PredictionOutput> video_output(std::map<std::filesystem::path, VideoInfo> videos,
                                               int threads);

}  // namespace dfine::inline predict
