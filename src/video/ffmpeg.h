#pragma once
// FFmpeg's C objects with owners, and its errors; only this folder includes it.
#include <filesystem>
#include <memory>
#include <string>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>
}

namespace dfine::inline video {

/// Deletes through a function that takes the pointer's address and clears it.
template <auto kFree>
struct FreeThrough {
  template <class T>
  void operator()(T* object) const {
    kFree(&object);
  }
};
struct FreeScaler {
  void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
};
struct FreeOutput {
  void operator()(AVFormatContext* output) const {
    avio_closep(&output->pb);
    avformat_free_context(output);
  }
};

using InputHandle = std::unique_ptr<AVFormatContext, FreeThrough<&avformat_close_input>>;
using OutputHandle = std::unique_ptr<AVFormatContext, FreeOutput>;
using CodecHandle = std::unique_ptr<AVCodecContext, FreeThrough<&avcodec_free_context>>;
using FrameHandle = std::unique_ptr<AVFrame, FreeThrough<&av_frame_free>>;
using PacketHandle = std::unique_ptr<AVPacket, FreeThrough<&av_packet_free>>;
using ScalerHandle = std::unique_ptr<SwsContext, FreeScaler>;

/// The file as FFmpeg takes it: never as the address of a network service.
std::string file_url(const std::filesystem::path& file);

/// FFmpeg's own words for one of its codes.
std::string ffmpeg_reason(int code);

/// Keeps FFmpeg from printing: what matters comes as an Error.
void silence_ffmpeg();

}  // namespace dfine::inline video
