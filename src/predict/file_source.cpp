#include "predict/file_source.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "image/decode.h"
#include "image/exif.h"
#include "image/orient.h"

namespace dfine::inline predict {
namespace {

std::vector<uint8_t> read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(read_error_code(errno), str_cat("cannot be opened: ", std::strerror(errno)));
  std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
  if (in.bad())
    throw Error(ErrorCode::kFileUnreadable, str_cat("cannot be read: ", std::strerror(errno)));
  return bytes;
}

/// Pictures that are there one by one, each an image file's bytes.
class StoredPictures : public PictureSource {
 public:
  StoredPictures(std::vector<PictureInfo> pictures, bool apply_exif)
      : pictures_(std::move(pictures)), apply_exif_(apply_exif) {}

  std::optional<Decode> next() override {
    if (next_ == pictures_.size()) return std::nullopt;
    return [this, i = next_++] { return decode(i); };
  }
  std::optional<int64_t> size() const override { return static_cast<int64_t>(pictures_.size()); }

 protected:
  /// Throws Error without the picture's name.
  virtual std::vector<uint8_t> read(size_t i) const = 0;
  const PictureInfo& info(size_t i) const { return pictures_[i]; }

 private:
  Picture decode(size_t i) const {
    Picture picture{.info = pictures_[i], .image = {}};
    try {
      const auto file = read(i);
      picture.image = decode_image(file);
      const int orientation = exif_orientation(file);
      picture.oriented = orientation != 1;
      if (picture.oriented && apply_exif_) picture.image = upright(picture.image, orientation);
    } catch (const Error& e) {
      picture.problem = e.message();
      picture.code = e.code();
    }
    return picture;
  }

  const std::vector<PictureInfo> pictures_;
  const bool apply_exif_;
  size_t next_ = 0;
};

class FileSource : public StoredPictures {
 public:
  using StoredPictures::StoredPictures;

 private:
  std::vector<uint8_t> read(size_t i) const override { return read_file(info(i).source); }
};

class PackSource : public StoredPictures {
 public:
  PackSource(PackedDataset pack, std::vector<PictureInfo> pictures)
      : StoredPictures(std::move(pictures), /*apply_exif=*/false), pack_(std::move(pack)) {}

 private:
  std::vector<uint8_t> read(size_t i) const override { return pack_.read_bytes(i); }

  const PackedDataset pack_;
};

}  // namespace

std::unique_ptr<PictureSource> file_source(std::vector<PictureInfo> files, bool apply_exif) {
  return std::make_unique<FileSource>(std::move(files), apply_exif);
}

std::unique_ptr<PictureSource> pack_source(PackedDataset pack, std::vector<PictureInfo> pictures) {
  return std::make_unique<PackSource>(std::move(pack), std::move(pictures));
}

}  // namespace dfine::inline predict
