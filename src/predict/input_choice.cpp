#include "predict/input_choice.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "data/formats/image_check.h"
#include "data/shards/dataset.h"
#include "data/shards/manifest.h"
#include "predict/annotated_ids.h"
#include "predict/drawn_pictures.h"
#include "predict/file_source.h"

namespace dfine::inline predict {
namespace fs = std::filesystem;
namespace {

/// Other programs write a manifest.json too; a pack has shards beside it.
bool is_pack(const fs::path& folder) {
  std::error_code failed;
  return fs::exists(folder / kManifestName, failed) &&
         fs::exists(folder / "shard-00000.h5", failed);
}

/// The image id of each file. Files that the annotations do not list leave `listing`.
std::vector<int64_t> annotated_image_ids(ImageListing& listing, const fs::path& annotations,
                                         const AnnotatedIds& annotated) {
  std::vector<int64_t> ids;
  std::vector<ImageFile> listed;
  for (ImageFile& file : listing.images) {
    const auto found = annotated.images.find(file.name);
    if (found == annotated.images.end()) {
      listing.skipped.push_back({file.path, "not in " + printable(annotations)});
    } else {
      ids.push_back(found->second);
      listed.push_back(std::move(file));
    }
  }
  if (listed.empty())
    throw Error(ErrorCode::kDataMismatch,
                str_cat(printable(annotations), " lists none of the ",
                        counted(static_cast<int64_t>(listing.images.size()), "image"),
                        ", such as \"", printable(listing.skipped.back().path), "\""),
                "drop --annotations, or give the images as the file names them");
  listing.images = std::move(listed);
  return ids;
}

std::vector<PictureInfo> pictures_of(const std::vector<ImageFile>& files,
                                     const std::vector<int64_t>& ids, const fs::path& drawn) {
  const auto drawn_as =
      drawn.empty() ? std::vector<fs::path>(files.size()) : drawn_pictures(files, drawn);
  std::vector<PictureInfo> pictures;
  for (size_t i = 0; i < files.size(); ++i)
    pictures.push_back(
        {.id = ids[i], .name = files[i].name, .source = files[i].path, .drawn = drawn_as[i]});
  return pictures;
}

ChosenInput from_pack(const InputOptions& options) {
  const fs::path& folder = options.images.front();
  if (options.images.size() > 1 || !options.annotations.empty())
    throw UsageError(
        str_cat(printable(folder), " is a pack, which has ids for its images and categories"),
        options.annotations.empty() ? "give nothing else to --images" : "drop --annotations");
  PackedDataset pack = PackedDataset::open(folder);
  std::vector<ImageFile> names;
  std::vector<int64_t> ids;
  for (size_t i = 0; i < pack.size(); ++i) {
    const ErrorContext at("in ", [&] { return pack.describe(i); });
    const PackedImage image = pack.image(i);
    resolve_image_path(options.drawn, image.file_name);  // results have the same names
    names.push_back({{}, std::string(image.file_name)});
    ids.push_back(image.id);
  }
  auto pictures = pictures_of(names, ids, options.drawn);
  for (size_t i = 0; i < pack.size(); ++i) pictures[i].source = pack.describe(i);
  ChosenInput input{.source = nullptr,
                    .videos = {},
                    .unreadable = {},
                    .skipped = {},
                    .ids_from = folder.string(),
                    .categories = pack.categories(),
                    .stored_because = "boxes of a pack are in stored pixels, as in training"};
  input.source = pack_source(std::move(pack), std::move(pictures));
  return input;
}

/// Nothing where `listing` has images alone.
std::optional<ChosenInput> from_videos(ImageListing& listing, const InputOptions& options) {
  const auto is_one = [](const ImageFile& file) { return is_video(file.path); };
  const auto count = std::ranges::count_if(listing.images, is_one);
  if (count == 0) return std::nullopt;
  if (count < std::ssize(listing.images))
    throw UsageError("--images has videos and images",
                     "give videos to one run, and images to another");
  if (!options.annotations.empty() || !options.exif)
    throw UsageError(str_cat(options.exif ? "--annotations" : "--no-exif", " is not for videos"));
  ChosenInput input{.source = nullptr,
                    .videos = {},
                    .unreadable = std::move(listing.unreadable),
                    .skipped = std::move(listing.skipped),
                    .ids_from = {},
                    .categories = {},
                    .stored_because = {}};
  input.videos = open_videos(listing.images, input.unreadable);
  if (!options.drawn.empty()) {
    std::vector<ImageFile> names;
    for (const InputVideo& video : input.videos) names.push_back({video.path, video.name});
    const auto drawn = drawn_pictures(names, options.drawn, /*videos=*/true);
    for (size_t i = 0; i < drawn.size(); ++i) input.videos[i].drawn = drawn[i];
  }
  input.source = video_source(input.videos, options.threads);
  return input;
}

std::string reason_for_stored_pixels(const InputOptions& options) {
  if (!options.exif) return "--no-exif";
  return options.annotations.empty()
             ? ""
             : "with --annotations boxes are in stored pixels, as in training";
}

}  // namespace

ChosenInput choose_input(const InputOptions& options) {
  for (const fs::path& path : options.images)
    if (is_pack(path)) return from_pack(options);
  ImageListing listing = collect_images(options.images);
  if (auto videos = from_videos(listing, options)) return std::move(*videos);
  std::vector<int64_t> ids(listing.images.size());
  std::iota(ids.begin(), ids.end(), 1);
  AnnotatedIds annotated;
  if (!options.annotations.empty()) {
    annotated = read_annotated_ids(options.annotations);
    ids = annotated_image_ids(listing, options.annotations, annotated);
  }
  ChosenInput input{.source = nullptr,
                    .videos = {},
                    .unreadable = std::move(listing.unreadable),
                    .skipped = std::move(listing.skipped),
                    .ids_from = options.annotations.string(),
                    .categories = std::move(annotated.categories),
                    .stored_because = reason_for_stored_pixels(options)};
  input.source =
      file_source(pictures_of(listing.images, ids, options.drawn), input.stored_because.empty());
  return input;
}

}  // namespace dfine::inline predict
