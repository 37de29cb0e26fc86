#pragma once
#include <cstdint>
#include <functional>
#include <optional>

#include "predict/picture.h"

namespace dfine::inline predict {

/// Where pictures come from: files, a pack, a video.
class PictureSource {
 public:
  /// Reads and decodes one picture. It may be called in any thread, also after the source has given
  /// others, but once. Throws nothing because of the picture: see Picture::problem.
  using Decode = std::function<Picture()>;

  virtual ~PictureSource() = default;
  /// The next picture in order, or nothing after the last. One thread calls it, other than the one
  /// that works with the pictures: a video may decode here. What it throws ends the run.
  virtual std::optional<Decode> next() = 0;
  /// How many pictures there are, or are likely to be; nothing where that is not known. Any thread
  /// may call it.
  virtual std::optional<int64_t> size() const = 0;
};

}  // namespace dfine::inline predict
