#include "video/video_writer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "files/atomic_path.h"
#include "files/file_error.h"
#include "video/ffmpeg.h"

extern "C" {
#include <libavutil/opt.h>
}

namespace dfine::inline video {
namespace {

[[noreturn]] void fail(std::string_view action, const std::filesystem::path& file, int code) {
  if (code > AVERROR(4096) && code != AVERROR(EINVAL))
    throw_file_error(action, file, AVUNERROR(code));
  throw Error(ErrorCode::kWriteFailed,
              str_cat("cannot ", action, " ", printable(file), ": ", ffmpeg_reason(code)));
}

/// What holds for the whole file: visually lossless at a moderate size, and quick.
void choose_quality(AVCodecContext& encoder) {
  if (encoder.codec_id == AV_CODEC_ID_H264) {
    av_opt_set(encoder.priv_data, "preset", "veryfast", 0);
    av_opt_set(encoder.priv_data, "crf", "20", 0);
  } else {
    encoder.flags |= AV_CODEC_FLAG_QSCALE;
    encoder.global_quality = 3 * FF_QP2LAMBDA;
  }
}

}  // namespace

class VideoWriter::Encoding {
 public:
  Encoding(const std::filesystem::path& file, const VideoInfo& like, int threads)
      : file_(file),
        time_base_{like.time_base.num, like.time_base.den},
        frame_(av_frame_alloc()),
        packet_(av_packet_alloc()) {
    silence_ffmpeg();
    AVFormatContext* raw = nullptr;
    const std::string temporary = file_.path().native();
    check(avformat_alloc_output_context2(&raw, av_guess_format(nullptr, file.c_str(), nullptr),
                                         nullptr, file_url(temporary).c_str()));
    output_.reset(raw);
    open_encoder(like, threads);
    stream_ = avformat_new_stream(raw, nullptr);
    check(avcodec_parameters_from_context(stream_->codecpar, encoder_.get()));
    stream_->time_base = encoder_->time_base;
    stream_->avg_frame_rate = encoder_->framerate;
    stream_->sample_aspect_ratio = encoder_->sample_aspect_ratio;
    check(avio_open(&raw->pb, raw->url, AVIO_FLAG_WRITE));
    AVDictionary* options = nullptr;
    av_dict_set(&options, "movflags", "+faststart", 0);  // playable while it is loaded
    const int code = avformat_write_header(raw, &options);
    av_dict_free(&options);
    check(code);
    make_frame();
  }

  void write(const Image& image, int64_t time) {
    check(av_frame_make_writable(frame_.get()));
    convert(image);
    frame_->pts = std::max(av_rescale_q(time, time_base_, encoder_->time_base), last_ + 1);
    last_ = frame_->pts;
    encode(frame_.get());
  }

  void finish() {
    encode(nullptr);
    check(av_write_trailer(output_.get()));
    check(avio_closep(&output_->pb));
    file_.commit();
  }

 private:
  void check(int code) const {
    if (code < 0) fail("write the video", file_.target(), code);
  }

  void open_encoder(const VideoInfo& like, int threads) {
    const AVCodec* codec = avcodec_find_encoder_by_name("libx264");
    if (!codec) codec = avcodec_find_encoder(AV_CODEC_ID_MPEG4);
    if (!codec) fail("write the video", file_.target(), AVERROR_ENCODER_NOT_FOUND);
    encoder_.reset(avcodec_alloc_context3(codec));
    const AVRational rate = like.frame_rate.num > 0
                                ? AVRational{like.frame_rate.num, like.frame_rate.den}
                                : AVRational{25, 1};
    // MPEG-4 counts time in at most 65535 parts of a second.
    constexpr int kMostParts = 65535;
    const bool fits = codec->id == AV_CODEC_ID_H264 || time_base_.den <= kMostParts;
    encoder_->width = like.width + like.width % 2;
    encoder_->height = like.height + like.height % 2;
    encoder_->time_base = fits ? time_base_ : av_inv_q(rate);
    encoder_->framerate = rate;
    encoder_->sample_aspect_ratio = {like.pixel_aspect.num, like.pixel_aspect.den};
    encoder_->pix_fmt = AV_PIX_FMT_YUV420P;
    encoder_->color_range = AVCOL_RANGE_MPEG;
    encoder_->colorspace = AVCOL_SPC_BT709;
    encoder_->color_primaries = AVCOL_PRI_BT709;
    encoder_->color_trc = AVCOL_TRC_BT709;
    encoder_->thread_count = threads;
    if (output_->oformat->flags & AVFMT_GLOBALHEADER)
      encoder_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    choose_quality(*encoder_);
    check(avcodec_open2(encoder_.get(), codec, nullptr));
  }

  void make_frame() {
    frame_->format = encoder_->pix_fmt;
    frame_->width = encoder_->width;
    frame_->height = encoder_->height;
    frame_->color_range = encoder_->color_range;
    frame_->colorspace = encoder_->colorspace;
    check(av_frame_get_buffer(frame_.get(), 0));
  }

  void convert(const Image& image) {
    const Image* source = &image;
    const bool padded = image.width % 2 + image.height % 2 > 0 &&
                        image.width + image.width % 2 == encoder_->width &&
                        image.height + image.height % 2 == encoder_->height;
    if (padded) {
      pad(image);
      source = &padded_;
    }
    scaler_.reset(sws_getCachedContext(scaler_.release(), source->width, source->height,
                                       AV_PIX_FMT_RGB24, frame_->width, frame_->height,
                                       encoder_->pix_fmt, SWS_BICUBIC | SWS_ACCURATE_RND, nullptr,
                                       nullptr, nullptr));
    if (!scaler_) check(AVERROR(ENOMEM));
    constexpr int kNone = 0, kOne = 1 << 16;  // fixed point: no change of brightness, contrast
    sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(SWS_CS_DEFAULT), /*srcRange=*/1,
                             sws_getCoefficients(SWS_CS_ITU709), /*dstRange=*/0, kNone, kOne, kOne);
    const uint8_t* const rows[4] = {source->pixels.data()};
    const int strides[4] = {static_cast<int>(source->row_bytes())};
    sws_scale(scaler_.get(), rows, strides, 0, source->height, frame_->data, frame_->linesize);
  }

  /// 4:2:0 has one colour for 2 x 2 pixels.
  void pad(const Image& image) {
    padded_.reshape(encoder_->width, encoder_->height);
    for (int y = 0; y < padded_.height; ++y) {
      const uint8_t* from = image.row(std::min(y, image.height - 1));
      uint8_t* to = padded_.row(y);
      std::copy_n(from, image.row_bytes(), to);
      if (image.width < padded_.width)
        std::copy_n(from + image.row_bytes() - 3, 3, to + image.row_bytes());
    }
  }

  /// `frame`: null at the end.
  void encode(const AVFrame* frame) {
    check(avcodec_send_frame(encoder_.get(), frame));
    while (true) {
      const int code = avcodec_receive_packet(encoder_.get(), packet_.get());
      if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
      check(code);
      if (packet_->duration == 0)
        packet_->duration = av_rescale_q(1, av_inv_q(encoder_->framerate), encoder_->time_base);
      av_packet_rescale_ts(packet_.get(), encoder_->time_base, stream_->time_base);
      packet_->stream_index = stream_->index;
      check(av_interleaved_write_frame(output_.get(), packet_.get()));
    }
  }

  AtomicFile file_;
  AVRational time_base_;
  OutputHandle output_;
  CodecHandle encoder_;
  AVStream* stream_ = nullptr;
  FrameHandle frame_;
  PacketHandle packet_;
  ScalerHandle scaler_;
  Image padded_;
  int64_t last_ = -1;
};

VideoWriter::VideoWriter(const std::filesystem::path& file, const VideoInfo& like, int threads)
    : encoding_(std::make_unique<Encoding>(file, like, threads)) {}
VideoWriter::~VideoWriter() = default;
void VideoWriter::write(const Image& image, int64_t time) {
  encoding_->write(image, time);
}
void VideoWriter::finish() {
  encoding_->finish();
}

}  // namespace dfine::inline video
