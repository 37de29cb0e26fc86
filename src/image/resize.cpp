#include "image/resize.h"

#include <cstring>
#include <optional>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "image/resize_kernels.h"
#include "image/resize_weights.h"

namespace dfine::inline image {
namespace {

/// One axis of a window: which outputs see the source at all, and from what they are made. Inputs
/// count from the window's edge; those in [begin, end) are the source's, the others are fill.
struct Axis {
  int offset;       // of the window's edge in the source
  int begin, end;   // inputs that the source has
  int outputs;      // of the whole window
  bool identity;    // as many outputs as inputs
  int from, to;     // outputs that see the source
  int first, last;  // inputs they are made from: [first, last)
  AxisWeights
      weights;  // of outputs [from, to), counting inputs from `first`; empty where `identity`

  Axis(int window_offset, int window_size, int source_size, int result_size)
      : offset(window_offset),
        begin(std::max(0, -window_offset)),
        end(std::min(window_size, source_size - window_offset)),
        outputs(result_size),
        identity(window_size == result_size) {
    from = first = begin;
    to = last = std::max(begin, end);
    if (identity || begin >= end) return;
    weights = triangle_weights(window_size, outputs);
    const auto sees_source = [&](int i) {
      return last_input(i) > begin && weights.first[static_cast<size_t>(i)] < end;
    };
    for (from = 0; !sees_source(from);) ++from;
    for (to = outputs; !sees_source(to - 1);) --to;
    first = weights.first[static_cast<size_t>(from)];
    last = last_input(to - 1);
    keep_outputs(weights, from, to, first);
  }

  bool empty() const { return begin >= end; }

 private:
  int last_input(int i) const {
    return weights.first[static_cast<size_t>(i)] + weights.count[static_cast<size_t>(i)];
  }
};

/// How a row's bytes lie: RGB pixels, or three rows of one channel each, mirrored or not.
enum class Layout { kPixels, kPlanes, kMirroredPlanes };

/// The rows of a window, resized along themselves when they are first asked for; keeps the latest
/// `kept` of them.
class ResizedRows {
 public:
  ResizedRows(const Image& source, const Axis& across, const Axis& down, uint8_t fill,
              Layout layout, const ResizeKernels& kernels)
      : source_(source),
        across_(across),
        down_(down),
        kernels_(kernels),
        planes_(layout != Layout::kPixels),
        flip_(layout == Layout::kMirroredPlanes),
        kept_(std::max(1, down.weights.stride)),
        next_(down.begin) {
    if (across.identity && !planes_) return;
    rows_.resize(row_bytes() * static_cast<size_t>(kept_));
    if (across.identity) return;
    if (planes_) blocks_.emplace(across.weights, flip_);
    read_ahead_ = kReadAhead + static_cast<size_t>(across.weights.stride) * 3;
    inside_ = across.first >= across.begin && across.last <= across.end;
    padded_.assign(static_cast<size_t>(across.last - across.first) * 3 + read_ahead_, fill);
  }

  size_t row_bytes() const { return static_cast<size_t>(across_.to - across_.from) * 3; }

  /// Outputs [from, to) of input row y, one that the source has; rows are asked for in rising
  /// order, going back by less than `kept`.
  const uint8_t* row(int y) {
    if (across_.identity && !planes_) return pixels(y, across_.begin);
    for (; next_ <= y; ++next_) resize(next_, rows_.data() + slot(next_));
    return rows_.data() + slot(y);
  }

 private:
  size_t slot(int y) const { return static_cast<size_t>(y % kept_) * row_bytes(); }
  const uint8_t* pixels(int y, int x) const {
    return source_.row(down_.offset + y) + static_cast<ptrdiff_t>(across_.offset + x) * 3;
  }

  void resize(int y, uint8_t* out) {
    if (!planes_) return kernels_.along_row(across_.weights, readable(y), out);
    const int width = across_.to - across_.from;
    const std::array<uint8_t*, 3> planes{out, out + width, out + ptrdiff_t{2} * width};
    if (across_.identity) return kernels_.to_planes(pixels(y, across_.begin), width, flip_, planes);
    kernels_.along_row_planes(*blocks_, readable(y), planes);
  }

  /// Inputs [first, last) of the row, with room behind them for the kernel to read.
  const uint8_t* readable(int y) {
    const uint8_t* const end = source_.pixels.data() + source_.pixels.size();
    if (inside_ && static_cast<size_t>(end - pixels(y, across_.last)) >= read_ahead_)
      return pixels(y, across_.first);
    const int from = std::max(across_.begin, across_.first),
              to = std::min(across_.end, across_.last);
    std::memcpy(padded_.data() + static_cast<size_t>(from - across_.first) * 3, pixels(y, from),
                static_cast<size_t>(to - from) * 3);
    return padded_.data();
  }

  const Image& source_;
  const Axis& across_;
  const Axis& down_;
  const ResizeKernels& kernels_;
  bool planes_, flip_;
  int kept_;
  bool inside_ = false;
  size_t read_ahead_ = 0;
  int next_;
  std::optional<AxisBlocks> blocks_;  // of rows that become planes
  std::vector<uint8_t> rows_;         // [kept], each of row_bytes()
  std::vector<uint8_t> padded_;       // a row that the kernel cannot read in place; fill around it
};

/// Produces the rows of the result that see the source, in order and only as far as they do.
/// `target(y)` says where row y goes: its row_bytes(), in as many equal parts as it gives pointers.
template <class Target>
void resize_rows(ResizedRows& rows, const Axis& down, uint8_t fill, const ResizeKernels& kernels,
                 Target target) {
  const size_t parts = target(down.from).size(), bytes = rows.row_bytes() / parts;
  if (down.identity) {
    for (int y = down.from; y < down.to; ++y) {
      const uint8_t* part = rows.row(y);
      for (uint8_t* const out : target(y)) {
        std::memcpy(out, part, bytes);
        part += bytes;
      }
    }
    return;
  }
  const AxisWeights& axis = down.weights;
  const std::vector<uint8_t> outside(rows.row_bytes(), fill);
  std::vector<const uint8_t*> inputs(static_cast<size_t>(axis.stride));
  for (int y = down.from; y < down.to; ++y) {
    const auto i = static_cast<size_t>(y - down.from);
    const int count = axis.count[i];
    for (int k = 0; k < count; ++k) {
      const int input = down.first + axis.first[i] + k;
      inputs[static_cast<size_t>(k)] =
          input >= down.begin && input < down.end ? rows.row(input) : outside.data();
    }
    const int even = count + count % 2;
    if (count % 2 == 1)
      inputs[static_cast<size_t>(count)] =
          inputs[static_cast<size_t>(count) - 1];  // its weight is zero
    for (uint8_t* const out : target(y)) {
      kernels.across_rows(inputs.data(), axis.weight(static_cast<int>(i)), even, axis.precision,
                          bytes, out);
      for (int k = 0; k < even; ++k) inputs[static_cast<size_t>(k)] += bytes;
    }
  }
}

void check_sizes(const Image& source, const Window& window, int width, int height) {
  if (source.width < 1 || source.height < 1 || window.empty() || width < 1 || height < 1) {
    throw Error(ErrorCode::kInternal, str_cat("cannot resize ", window.width, " x ", window.height,
                                              " pixels of a picture of ", source.width, " x ",
                                              source.height, " to ", width, " x ", height));
  }
}

}  // namespace

Image resize_antialias(const Image& source, int width, int height) {
  check_sizes(source, {0, 0, source.width, source.height}, width, height);
  const Axis across(0, source.width, source.width, width),
      down(0, source.height, source.height, height);
  Image out(width, height);
  const ResizeKernels& kernels = best_resize_kernels();
  ResizedRows rows(source, across, down, 0, Layout::kPixels, kernels);
  resize_rows(rows, down, 0, kernels, [&](int y) { return std::array{out.row(y)}; });
  return out;
}

void resize_antialias_chw(const Image& source, int width, int height, bool flip, uint8_t* out) {
  resize_window_chw(source,
                    {.window = {0, 0, source.width, source.height},
                     .width = width,
                     .height = height,
                     .flip = flip},
                    out);
}

void resize_window_chw(const Image& source, const WindowResize& how, uint8_t* out) {
  check_sizes(source, how.window, how.width, how.height);
  const Axis across(how.window.left, how.window.width, source.width, how.width);
  const Axis down(how.window.top, how.window.height, source.height, how.height);
  const size_t row = static_cast<size_t>(how.width), plane = row * static_cast<size_t>(how.height);
  if (across.empty() || down.empty()) {
    std::memset(out, how.fill, 3 * plane);
    return;
  }
  const auto fill_rows = [&](int from, int to) {
    for (size_t p = 0; p < 3; ++p)
      std::memset(out + p * plane + static_cast<size_t>(from) * row, how.fill,
                  static_cast<size_t>(to - from) * row);
  };
  fill_rows(0, down.from);
  fill_rows(down.to, how.height);

  const ResizeKernels& kernels = best_resize_kernels();
  const int seen = across.to - across.from, left = how.flip ? how.width - across.to : across.from,
            right = how.width - left - seen;
  ResizedRows rows(source, across, down, how.fill,
                   how.flip ? Layout::kMirroredPlanes : Layout::kPlanes, kernels);
  resize_rows(rows, down, how.fill, kernels, [&](int y) {
    std::array<uint8_t*, 3> planes;
    for (size_t p = 0; p < 3; ++p) {
      uint8_t* const target = out + p * plane + static_cast<size_t>(y) * row;
      std::memset(target, how.fill, static_cast<size_t>(left));
      std::memset(target + left + seen, how.fill, static_cast<size_t>(right));
      planes[how.channels[p]] = target + left;
    }
    return planes;
  });
}

}  // namespace dfine::inline image
