#pragma once
// TensorBoard's event files: records of protocol buffers (tensorflow/core/util/event.proto and
// framework/summary.proto), each with its length and checksums (tensorflow/core/lib/io,
// TFRecord).
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/proto_message.h"
#include "files/output_file.h"
#include "image/image.h"

namespace dfine::inline run {

/// Never ends a run: where the disk is full or fails, it warns once and writes nothing more.
class TensorBoard {
 public:
  /// Begins a file in `folder`, which is made if missing. What earlier files there have beyond
  /// `step` is done again: TensorBoard then hides it.
  TensorBoard(const std::filesystem::path& folder, int64_t step);

  /// Values by tag, such as "loss/loss_vfl". Those that are not finite are not written.
  void scalars(int64_t step, const std::vector<std::pair<std::string, double>>& values);
  /// How many of `values`, all in [0, 1], lie in each of 50 equal parts.
  void histogram(int64_t step, const std::string& tag, std::span<const double> values);
  void picture(int64_t step, const std::string& tag, const Image& image);

 private:
  void write_summary(int64_t step, const ProtoMessage& summary);
  void write_event(const ProtoMessage& event);

  std::filesystem::path path_;
  std::optional<OutputFile> out_;
};

}  // namespace dfine::inline run
