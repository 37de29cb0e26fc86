#pragma once
// The run of dfine-predict: pictures are decoded on some threads and go through the network in
// batches. Other threads draw and encode them at the same time.
#include <cstdint>
#include <functional>
#include <vector>

#include "predict/detector.h"
#include "predict/input_images.h"
#include "predict/output_group.h"
#include "predict/picture_source.h"
#include "predict/prepared_picture.h"

namespace dfine::inline predict {

struct PipelineOptions {
  WindowOptions windows;
  int64_t batch = 1;  // windows of pictures that go through the network together
  int threads = 1;    // that decode and resize
};

/// The detections of a picture, from the boxes that the network found in each of its windows.
using MakePredictions = std::function<std::vector<Prediction>(
    const PreparedPicture& picture, const std::vector<std::vector<ScoredBox>>& found)>;

struct PipelineReport {
  int64_t pictures = 0;  // that the source gave, unreadable ones too
  int64_t detections = 0;
  int64_t oriented = 0;              // pictures with an EXIF orientation other than upright
  std::vector<FileNote> unreadable;  // in the order of the source
  int stopped_by = 0;                // the signal that ended the run early; 0: none
};

/// Gives every picture that can be read to `outputs`, in the order of `source`, and finishes them.
/// The batch changes the last digits of scores and boxes alone. A stop signal
/// (core/stop_request.h) ends it after the batch that is under way; pictures that are not complete
/// then are dropped.
PipelineReport run_pipeline(PictureSource& source, Detector& detector, const MakePredictions& make,
                            OutputGroup& outputs, const PipelineOptions& options);

}  // namespace dfine::inline predict
