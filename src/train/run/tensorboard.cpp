#include "train/run/tensorboard.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "core/crc32c.h"
#include "core/error.h"
#include "core/host_name.h"
#include "core/log.h"
#include "core/printable.h"
#include "core/text.h"
#include "image/encode.h"

namespace dfine::inline run {
namespace {

// Field numbers of the messages.
namespace event {
enum : int { kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7 };
}
namespace summary {
enum : int { kValue = 1 };
}
namespace value {
enum : int { kTag = 1, kSimpleValue = 2, kImage = 4, kHistogram = 5 };
}
namespace picture {
enum : int { kHeight = 1, kWidth = 2, kColourSpace = 3, kEncoded = 4 };
}
namespace histogram {
enum : int { kMin = 1, kMax = 2, kCount = 3, kSum = 4, kSquares = 5, kLimits = 6, kBuckets = 7 };
}
constexpr int64_t kRgb = 3, kSessionStart = 1;

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string little_endian(uint64_t number, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(number >> (8 * i));
  return text;
}

/// TFRecord's: rotated, so that a checksum of data that has checksums in it stays good.
std::string masked_crc(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes);
  return little_endian(((crc >> 15) | (crc << 17)) + 0xa282ead8U, 4);
}

}  // namespace

TensorBoard::TensorBoard(const std::filesystem::path& folder, int64_t step) {
  const auto seconds = static_cast<long long>(wall_time());
  path_ = folder / str_cat("events.out.tfevents.", seconds, ".", host_name(), ".", ::getpid());
  try {
    std::filesystem::create_directories(folder);
    out_.emplace(path_);
  } catch (const std::exception& e) {
    log::warn(str_cat("no file for TensorBoard is written: ", e.what()));
    return;
  }
  ProtoMessage version;
  version.text(event::kFileVersion, "brain.Event:2");
  write_event(version);
  ProtoMessage session, start;
  session.integer(1, kSessionStart);
  start.integer(event::kStep, step + 1);
  start.message(event::kSessionLog, session);
  write_event(start);
}

void TensorBoard::scalars(int64_t step, const std::vector<std::pair<std::string, double>>& values) {
  ProtoMessage all;
  for (const auto& [tag, number] : values) {
    if (!std::isfinite(number)) continue;
    ProtoMessage one;
    one.text(value::kTag, tag);
    one.number(value::kSimpleValue, static_cast<float>(number));
    all.message(summary::kValue, one);
  }
  write_summary(step, all);
}

void TensorBoard::histogram(int64_t step, const std::string& tag, std::span<const double> values) {
  constexpr size_t kParts = 50;
  std::array<double, kParts> counts{};
  double sum = 0, squares = 0;
  for (const double v : values) {
    ++counts[std::min(static_cast<size_t>(v * kParts), kParts - 1)];
    sum += v;
    squares += v * v;
  }
  std::string limits, buckets;
  for (size_t i = 0; i < kParts; ++i) {
    limits += ProtoMessage::double_bytes(static_cast<double>(i + 1) / kParts);
    buckets += ProtoMessage::double_bytes(counts[i]);
  }
  ProtoMessage numbers, one, all;
  numbers.double_number(histogram::kMin, values.empty() ? 0 : *std::ranges::min_element(values));
  numbers.double_number(histogram::kMax, values.empty() ? 0 : *std::ranges::max_element(values));
  numbers.double_number(histogram::kCount, static_cast<double>(values.size()));
  numbers.double_number(histogram::kSum, sum);
  numbers.double_number(histogram::kSquares, squares);
  numbers.text(histogram::kLimits, limits);
  numbers.text(histogram::kBuckets, buckets);
  one.text(value::kTag, tag);
  one.message(value::kHistogram, numbers);
  all.message(summary::kValue, one);
  write_summary(step, all);
}

void TensorBoard::picture(int64_t step, const std::string& tag, const Image& image) {
  const auto jpeg = encode_jpeg(image);
  ProtoMessage encoded, one, all;
  encoded.integer(picture::kHeight, image.height);
  encoded.integer(picture::kWidth, image.width);
  encoded.integer(picture::kColourSpace, kRgb);
  encoded.text(picture::kEncoded, {reinterpret_cast<const char*>(jpeg.data()), jpeg.size()});
  one.text(value::kTag, tag);
  one.message(value::kImage, encoded);
  all.message(summary::kValue, one);
  write_summary(step, all);
}

void TensorBoard::write_summary(int64_t step, const ProtoMessage& all) {
  ProtoMessage event;
  event.integer(event::kStep, step);
  event.message(event::kSummary, all);
  write_event(event);
}

void TensorBoard::write_event(const ProtoMessage& event) {
  if (!out_) return;
  ProtoMessage timed = event;
  timed.double_number(event::kWallTime, wall_time());
  const std::string& bytes = timed.bytes();
  const std::string length = little_endian(bytes.size(), 8);
  try {
    out_->append_whole(length + masked_crc(length) + bytes + masked_crc(bytes));
  } catch (const Error& e) {
    log::warn(str_cat("nothing more is written to ", printable(path_), ": ", e.message()));
    out_.reset();
  }
}

}  // namespace dfine::inline run
