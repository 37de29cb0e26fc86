#include "image/resize.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/text.h"
#include "image/resize_kernels.h"
#include "image/resize_weights.h"

namespace dfine {
namespace {

/// The rows of a picture, resized along themselves when they are first asked for; keeps the latest `kept` of them.
class ResizedRows {
 public:
  ResizedRows(const Image& source, int width, int kept, const ResizeKernels& kernels)
      : source_(source), kernels_(kernels), width_(width), kept_(kept) {
    if (identity()) return;
    axis_ = triangle_weights(source.width, width);
    read_ahead_ = kReadAhead + static_cast<size_t>(axis_.stride) * 3;
    rows_.resize(row_bytes() * static_cast<size_t>(kept));
    padded_.resize(source.row_bytes() + read_ahead_);
  }

  bool identity() const { return width_ == source_.width; }

  /// Row y; rows are asked for in rising order, going back by less than `kept`.
  const uint8_t* row(int y) {
    if (identity()) return source_.row(y);
    for (; next_ <= y; ++next_) write_row(next_, rows_.data() + slot(next_));
    return rows_.data() + slot(y);
  }

  void write_row(int y, uint8_t* out) {
    if (identity()) {
      std::memcpy(out, source_.row(y), row_bytes());
      return;
    }
    const uint8_t* in = source_.row(y);
    if (static_cast<size_t>(source_.height - y - 1) * source_.row_bytes() < read_ahead_) {
      std::memcpy(padded_.data(), in, source_.row_bytes());
      in = padded_.data();
    }
    kernels_.along_row(axis_, in, out);
  }

 private:
  size_t row_bytes() const { return static_cast<size_t>(width_) * 3; }
  size_t slot(int y) const { return static_cast<size_t>(y % kept_) * row_bytes(); }

  const Image& source_;
  const ResizeKernels& kernels_;
  int width_, kept_;
  AxisWeights axis_;
  size_t read_ahead_ = 0;
  int next_ = 0;
  std::vector<uint8_t> rows_;    // [kept, width, 3]
  std::vector<uint8_t> padded_;  // a row near the end of the picture, with room behind it for the kernel to read
};

/// Produces the rows of the resized picture in order: `target(y)` says where row y goes, `done(y)` that it is there.
template <class Target, class Done>
void resize_rows(const Image& source, int width, int height, const ResizeKernels& kernels, Target target, Done done) {
  if (source.width < 1 || source.height < 1 || width < 1 || height < 1) {
    throw Error(cat("cannot resize a picture of ", source.width, " x ", source.height, " pixels to ", width, " x ", height));
  }
  if (height == source.height) {
    ResizedRows rows(source, width, 1, kernels);
    for (int y = 0; y < height; ++y) {
      rows.write_row(y, target(y));
      done(y);
    }
    return;
  }
  const AxisWeights axis = triangle_weights(source.height, height);
  ResizedRows rows(source, width, axis.stride, kernels);
  std::vector<const uint8_t*> inputs(static_cast<size_t>(axis.stride));
  for (int y = 0; y < height; ++y) {
    const int first = axis.first[static_cast<size_t>(y)], count = axis.count[static_cast<size_t>(y)];
    for (int k = 0; k < count; ++k) inputs[static_cast<size_t>(k)] = rows.row(first + k);
    if (count % 2 == 1) inputs[static_cast<size_t>(count)] = inputs[static_cast<size_t>(count) - 1];  // its weight is zero
    kernels.across_rows(inputs.data(), axis.weight(y), count + count % 2, axis.precision, static_cast<size_t>(width) * 3, target(y));
    done(y);
  }
}

}  // namespace

Image resize_antialias(const Image& source, int width, int height) {
  Image out(std::max(width, 0), std::max(height, 0));
  resize_rows(
      source, width, height, best_resize_kernels(), [&](int y) { return out.row(y); }, [](int) {});
  return out;
}

void resize_antialias_chw(const Image& source, int width, int height, bool flip, uint8_t* out) {
  const ResizeKernels& kernels = best_resize_kernels();
  const size_t row = static_cast<size_t>(std::max(width, 0)), plane = row * static_cast<size_t>(std::max(height, 0));
  std::vector<uint8_t> interleaved(row * 3);
  resize_rows(
      source, width, height, kernels, [&](int) { return interleaved.data(); },
      [&](int y) { kernels.to_planes(interleaved.data(), width, flip, plane, out + static_cast<size_t>(y) * row); });
}

}  // namespace dfine
