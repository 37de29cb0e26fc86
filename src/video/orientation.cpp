#include "video/orientation.h"

#include <array>

extern "C" {
#include <libavutil/display.h>
}

namespace dfine::inline video {
namespace {

const int32_t* display_matrix(const AVStream& stream) {
  constexpr size_t kSize = 9 * sizeof(int32_t);
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
  const AVPacketSideData* data =
      av_packet_side_data_get(stream.codecpar->coded_side_data, stream.codecpar->nb_coded_side_data,
                              AV_PKT_DATA_DISPLAYMATRIX);
  return data && data->size >= kSize ? reinterpret_cast<const int32_t*>(data->data) : nullptr;
#else
  size_t size = 0;
  const uint8_t* data = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
  return data && size >= kSize ? reinterpret_cast<const int32_t*>(data) : nullptr;
#endif
}

int sign(int32_t v) {
  return (v > 0) - (v < 0);
}

}  // namespace

int display_orientation(const AVStream& stream) {
  const int32_t* m = display_matrix(stream);
  if (!m) return 1;
  // libavutil/display.h: a pixel at (p, q) is shown at (m[0] p + m[3] q, m[1] p + m[4] q), y
  // downwards.
  const std::array<int, 4> turn{sign(m[0]), sign(m[3]), sign(m[1]), sign(m[4])};
  constexpr std::array<std::array<int, 4>, 8> kTurns{{{1, 0, 0, 1},     // 1: as stored
                                                      {-1, 0, 0, 1},    // 2: left and right
                                                      {-1, 0, 0, -1},   // 3: half a turn
                                                      {1, 0, 0, -1},    // 4: top and bottom
                                                      {0, 1, 1, 0},     // 5: transposed
                                                      {0, -1, 1, 0},    // 6: clockwise
                                                      {0, -1, -1, 0},   // 7: transversed
                                                      {0, 1, -1, 0}}};  // 8: counterclockwise
  for (size_t i = 0; i < kTurns.size(); ++i) {
    if (kTurns[i] == turn) return static_cast<int>(i) + 1;
  }
  return 1;
}

}  // namespace dfine::inline video
