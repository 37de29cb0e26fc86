#pragma once
#include <filesystem>
#include <memory>

#include "predict/picture.h"

namespace dfine::inline predict {

/// Where pictures go with what was detected in them: a file, a folder, the terminal.
///
/// One thread calls it. After an Error nothing more is asked of it, except where the disk is full
/// and another output made room: then the call is repeated.
class PredictionOutput {
 public:
  virtual ~PredictionOutput() = default;
  /// In the order of the source. Pictures that could not be read are not among them.
  virtual void add(const std::shared_ptr<const PredictedPicture>& picture) = 0;
  /// After the last picture, or where a signal stops the run: all that was added is complete then.
  /// Without this call, after an error elsewhere, only what is of use on its own stays.
  virtual void finish() = 0;
  /// The file or folder that it writes; empty: none worth telling.
  virtual std::filesystem::path place() const { return {}; }
  /// Removes something that matters less than other outputs. False: there is nothing.
  virtual bool make_room() { return false; }
};

}  // namespace dfine::inline predict
