#include "video/video_reader.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "image/orient.h"
#include "video/ffmpeg.h"
#include "video/orientation.h"
#include "video/rgb_frames.h"

namespace dfine::inline video {
namespace {

Fraction fraction(AVRational r) {
  return r.num > 0 && r.den > 0 ? Fraction{r.num, r.den} : Fraction{};
}

InputHandle open(const std::filesystem::path& file) {
  silence_ffmpeg();
  std::error_code failed;
  if (!std::filesystem::exists(file, failed))
    throw Error(ErrorCode::kFileMissing, str_cat(printable(file), " does not exist"));
  AVDictionary* options = nullptr;
  av_dict_set(&options, "protocol_whitelist", "file", 0);  // playlists must not reach the network
  AVFormatContext* raw = nullptr;
  const int code = avformat_open_input(&raw, file_url(file).c_str(), nullptr, &options);
  av_dict_free(&options);
  InputHandle input(raw);
  if (code < 0) {
    throw Error(code == AVERROR(EACCES) ? ErrorCode::kFileUnreadable : ErrorCode::kImageDamaged,
                str_cat("cannot open the video ", printable(file), ": ", ffmpeg_reason(code)),
                "A recording that was interrupted may lack its index. `ffprobe` says more.");
  }
  avformat_find_stream_info(raw, nullptr);
  return input;
}

/// The stream with the pictures; a cover in a sound file is none.
AVStream& picture_stream(AVFormatContext& input, const std::filesystem::path& file) {
  const int index = av_find_best_stream(&input, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  if (index < 0 || input.streams[index]->disposition & AV_DISPOSITION_ATTACHED_PIC) {
    throw Error(ErrorCode::kImageUnsupported,
                str_cat(printable(file), " has no video stream, only ",
                        counted(input.nb_streams, "other stream")),
                "A file with sound alone cannot be used.");
  }
  return *input.streams[index];
}

CodecHandle open_decoder(const AVStream& stream, const std::filesystem::path& file, int threads) {
  const AVCodec* codec = avcodec_find_decoder(stream.codecpar->codec_id);
  if (!codec) {
    throw Error(ErrorCode::kImageUnsupported,
                str_cat("no decoder for the video ", printable(file), ": ",
                        avcodec_get_name(stream.codecpar->codec_id)),
                "Convert it with `ffmpeg -i IN out.mp4`.");
  }
  CodecHandle decoder(avcodec_alloc_context3(codec));
  avcodec_parameters_to_context(decoder.get(), stream.codecpar);
  decoder->thread_count = threads;
  decoder->pkt_timebase = stream.time_base;
  if (const int code = avcodec_open2(decoder.get(), codec, nullptr); code < 0) {
    throw Error(ErrorCode::kImageDamaged,
                str_cat("cannot decode the video ", printable(file), ": ", ffmpeg_reason(code)));
  }
  return decoder;
}

}  // namespace

class VideoReader::Decoding {
 public:
  Decoding(const std::filesystem::path& file, int threads)
      : file_(file),
        input_(open(file)),
        stream_(picture_stream(*input_, file)),
        decoder_(open_decoder(stream_, file, threads)),
        orientation_(display_orientation(stream_)),
        packet_(av_packet_alloc()),
        frame_(av_frame_alloc()) {
    for (unsigned i = 0; i < input_->nb_streams; ++i)
      if (input_->streams[i] != &stream_) input_->streams[i]->discard = AVDISCARD_ALL;
    const bool turned = orientation_ >= 5;
    AVRational aspect = av_guess_sample_aspect_ratio(input_.get(), &stream_, nullptr);
    if (turned) std::swap(aspect.num, aspect.den);
    info.width = turned ? decoder_->height : decoder_->width;
    info.height = turned ? decoder_->width : decoder_->height;
    info.frame_rate = fraction(av_guess_frame_rate(input_.get(), &stream_, nullptr));
    info.time_base = fraction(stream_.time_base);
    info.pixel_aspect = fraction(aspect);
    info.frames = frame_estimate();
  }

  std::optional<VideoFrame> next() {
    while (true) {
      const int code = avcodec_receive_frame(decoder_.get(), frame_.get());
      if (code == 0) return take_frame();
      if (code == AVERROR_EOF) return end();
      if (code == AVERROR(EAGAIN)) {
        feed();
      } else {
        note(ffmpeg_reason(code));
      }
    }
  }

  VideoInfo info;
  std::vector<std::string> damage;

 private:
  int64_t frame_estimate() const {
    if (stream_.nb_frames > 0) return stream_.nb_frames;
    if (info.frame_rate.num == 0 || input_->duration <= 0) return 0;
    return std::llround(static_cast<double>(input_->duration) / AV_TIME_BASE * info.frame_rate.num /
                        info.frame_rate.den);
  }

  /// Hands the decoder the next packet of the stream, or its end.
  void feed() {
    int code = 0;
    while ((code = av_read_frame(input_.get(), packet_.get())) >= 0 &&
           packet_->stream_index != stream_.index)
      av_packet_unref(packet_.get());
    if (code < 0) {
      if (code != AVERROR_EOF) note(ffmpeg_reason(code));
      avcodec_send_packet(decoder_.get(), nullptr);
      return;
    }
    if (packet_->flags & AV_PKT_FLAG_CORRUPT) note("cut off, or marked as damaged");
    code = avcodec_send_packet(decoder_.get(), packet_.get());
    av_packet_unref(packet_.get());
    if (code < 0 && code != AVERROR(EAGAIN)) note(ffmpeg_reason(code));
  }

  VideoFrame take_frame() {
    if (frame_->decode_error_flags || frame_->flags & AV_FRAME_FLAG_CORRUPT)
      note("damaged, and patched by the decoder");
    VideoFrame out;
    out.index = count_++;
    out.time = time_of(*frame_);
    out.seconds = static_cast<double>(out.time) * info.time_base.num / info.time_base.den;
    try {
      out.image = rgb_.convert(*frame_);
    } catch (Error& e) {
      throw e.add_context(str_cat("in frame ", out.index, " of ", printable(file_)));
    }
    if (orientation_ != 1) out.image = upright(out.image, orientation_);
    av_frame_unref(frame_.get());
    return out;
  }

  /// Raw streams have no times: their frames follow at the frame rate.
  int64_t time_of(const AVFrame& frame) {
    const AVRational rate{info.frame_rate.num, info.frame_rate.den};
    int64_t time =
        last_ +
        std::max<int64_t>(1, rate.num ? av_rescale_q(1, av_inv_q(rate), stream_.time_base) : 1);
    if (frame.best_effort_timestamp != AV_NOPTS_VALUE) {
      if (first_ == AV_NOPTS_VALUE) first_ = frame.best_effort_timestamp;
      time = std::max(frame.best_effort_timestamp - first_, last_ + 1);
    } else if (count_ == 1) {
      time = 0;
    }
    return last_ = time;
  }

  std::optional<VideoFrame> end() {
    if (count_ == 0) {
      throw Error(ErrorCode::kImageDamaged,
                  str_cat("not one frame of ", printable(file_), " can be decoded",
                          damage.empty() ? "" : ": " + damage.front()));
    }
    if (stream_.nb_frames > count_ && !std::exchange(ended_, true)) {
      damage.push_back(str_cat("the video ends after ", counted(count_, "frame"), " of ",
                               with_commas(stream_.nb_frames)));
    }
    return std::nullopt;
  }

  void note(const std::string& reason) {
    const double seconds = static_cast<double>(last_) * info.time_base.num / info.time_base.den;
    damage.push_back(
        str_cat("frame ", count_, " (", fixed(std::max(seconds, 0.0), 2), " s): ", reason));
  }

  std::filesystem::path file_;
  InputHandle input_;
  AVStream& stream_;
  CodecHandle decoder_;
  int orientation_;
  PacketHandle packet_;
  FrameHandle frame_;
  RgbFrames rgb_;
  int64_t count_ = 0, first_ = AV_NOPTS_VALUE, last_ = -1;
  bool ended_ = false;
};

VideoReader::VideoReader(const std::filesystem::path& file, int threads)
    : decoding_(std::make_unique<Decoding>(file, threads)) {}
VideoReader::~VideoReader() = default;
const VideoInfo& VideoReader::info() const {
  return decoding_->info;
}
std::optional<VideoFrame> VideoReader::read() {
  return decoding_->next();
}
const std::vector<std::string>& VideoReader::damage() const {
  return decoding_->damage;
}

}  // namespace dfine::inline video
