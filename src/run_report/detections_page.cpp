#include "run_report/detections_page.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <thread>

#include "analysis/details.h"
#include "core/error.h"
#include "core/log.h"
#include "core/printable.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "metrics/coco_json.h"
#include "metrics/match_files.h"
#include "metrics/summary.h"
#include "run_report/byte_columns.h"
#include "run_report/judged_detections.h"
#include "run_report/thumbnails.h"

namespace dfine::inline run_report {
namespace {

using Json = nlohmann::ordered_json;
using Column = std::vector<uint32_t>;

/// Boxes are drawn at a 4095th of their image's sides: all that is counted is counted here.
constexpr double kGrid = 4095;

/// Sizes that are not known become what holds all boxes.
std::vector<ImageSize> drawn_sizes(const ValidatedSet& set, const Inputs& in) {
  std::vector<ImageSize> sizes = set.sizes;
  std::vector<std::array<double, 2>> ends(sizes.size());
  const auto reach = [&](uint32_t image, const std::array<double, 4>& xywh) {
    if (image == kNoIndex) return;
    ends[image][0] = std::max(ends[image][0], xywh[0] + xywh[2]);
    ends[image][1] = std::max(ends[image][1], xywh[1] + xywh[3]);
  };
  for (size_t i = 0; i < in.truth.boxes.size(); ++i) reach(in.box_image[i], in.truth.boxes[i].xywh);
  for (size_t i = 0; i < in.detections.size(); ++i)
    reach(in.detection_image[i], in.detections[i].xywh);
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i].width > 0) continue;
    const auto side = [](double end) {
      return static_cast<int64_t>(std::clamp(std::ceil(end), 1.0, 1e6));
    };
    sizes[i] = {.height = side(ends[i][1]), .width = side(ends[i][0])};
  }
  return sizes;
}

struct BoxColumns {
  std::array<Column, 4> xywh;

  void add(const std::array<double, 4>& box, const ImageSize& size) {
    const auto place = [](double at, int64_t side) {
      const double part = at / static_cast<double>(side);
      return static_cast<uint32_t>(std::lround(std::clamp(part, 0.0, 1.0) * kGrid));
    };
    const uint32_t x = place(box[0], size.width), y = place(box[1], size.height);
    xywh[0].push_back(x);
    xywh[1].push_back(y);
    xywh[2].push_back(std::max(x, place(box[0] + box[2], size.width)) - x);
    xywh[3].push_back(std::max(y, place(box[1] + box[3], size.height)) - y);
  }
  void write(ByteColumns& out, const std::string& prefix) const {
    const char* const names = "xywh";
    for (size_t k = 0; k < 4; ++k) out.add(prefix + "_" + names[k], xywh[k]);
  }
};

/// Exact: scores that floats hold, as those of dfine-predict, as differences of their bits; others
/// as the bits of doubles.
void add_scores(ByteColumns& out, const Inputs& in, const std::vector<uint32_t>& order) {
  const auto score = [&](uint32_t i) { return in.detections[i].score; };
  const bool floats = std::ranges::all_of(order, [&](uint32_t i) {
    return !std::signbit(score(i)) && static_cast<double>(static_cast<float>(score(i))) == score(i);
  });
  Column high, low;
  uint32_t last = 0;
  for (const uint32_t i : order) {
    if (floats) {
      const auto bits = std::bit_cast<uint32_t>(static_cast<float>(score(i)));
      low.push_back(high.empty() && low.empty() ? bits : last - bits);
      last = bits;
    } else {
      const auto bits = std::bit_cast<uint64_t>(score(i));
      high.push_back(static_cast<uint32_t>(bits >> 32));
      low.push_back(static_cast<uint32_t>(bits));
    }
  }
  if (!floats) out.add("score_high", high);
  out.add("score", low);
}

/// What the page needs to know of all boxes; box b stands at place_of[b].
std::vector<uint32_t> add_boxes(ByteColumns& out, const Inputs& in, const ImageLists& lists,
                                const Matches& matches, const JudgedDetections& judged,
                                const std::vector<ImageSize>& sizes) {
  std::vector<uint32_t> place_of(in.truth.boxes.size(), kNoIndex);
  std::vector<uint32_t> rank(in.detections.size(), 0);  // from 1
  for (size_t k = 0; k < judged.order.size(); ++k)
    rank[judged.order[k]] = static_cast<uint32_t>(k + 1);
  Column per_image, classes, counts, found;
  BoxColumns boxes;
  uint32_t next = 0;
  for (uint32_t image = 0; image < in.images; ++image) {
    per_image.push_back(static_cast<uint32_t>(lists.boxes(image).size()));
    for (const uint32_t box : lists.boxes(image)) {
      place_of[box] = next++;
      classes.push_back(in.box_class[box]);
      counts.push_back(matches.box_counts[box]);
      found.push_back(matches.found_by[box] == kNoIndex ? 0 : rank[matches.found_by[box]]);
      boxes.add(in.truth.boxes[box].xywh, sizes[image]);
    }
  }
  out.add("boxes", per_image);
  out.add("box_class", classes);
  out.add("box_counts", counts);
  out.add("box_found", found);
  boxes.write(out, "box");
  return place_of;
}

void add_detections(ByteColumns& out, const Inputs& in, const Matches& matches,
                    const JudgedDetections& judged, const std::vector<uint32_t>& place_of,
                    const std::vector<uint32_t>& first_box, const std::vector<ImageSize>& sizes) {
  add_scores(out, in, judged.order);
  Column images, classes, outcomes, candidates, places;
  BoxColumns boxes;
  for (size_t k = 0; k < judged.order.size(); ++k) {
    const uint32_t i = judged.order[k], image = in.detection_image[i];
    images.push_back(image);
    classes.push_back(in.detection_class[i]);
    const auto outcome = static_cast<uint32_t>(matches.detections[i].outcome);
    outcomes.push_back(outcome | static_cast<uint32_t>(judged.kinds[k]) << 2 |
                       static_cast<uint32_t>(judged.in_crowd[k]) << 5);
    boxes.add(in.detections[i].xywh, sizes[image]);
    candidates.push_back(judged.candidate_begin[k + 1] - judged.candidate_begin[k]);
    for (uint32_t c = judged.candidate_begin[k]; c < judged.candidate_begin[k + 1]; ++c)
      places.push_back(place_of[judged.candidates[c]] - first_box[image]);
  }
  out.add("image", images);
  out.add("class", classes);
  out.add("outcome", outcomes);
  out.add("candidates", candidates);
  out.add("candidate", places);
  boxes.write(out, "detection");
}

/// Images by errors at the threshold, most first.
std::vector<uint32_t> worst_images(const Inputs& in, const Matches& matches, double threshold) {
  std::vector<int64_t> errors(in.images, 0);
  for (size_t box = 0; box < matches.box_counts.size(); ++box) {
    if (matches.box_counts[box] == 0) continue;
    const uint32_t by = matches.found_by[box];
    if (by == kNoIndex || !(in.detections[by].score >= threshold)) ++errors[in.box_image[box]];
  }
  for (size_t i = 0; i < in.detections.size(); ++i)
    if (matches.detections[i].outcome == Outcome::kFalsePositive &&
        in.detections[i].score >= threshold)
      ++errors[in.detection_image[i]];
  std::vector<uint32_t> order(in.images);
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, [&](uint32_t a, uint32_t b) {
    return errors[a] != errors[b] ? errors[a] > errors[b] : a < b;
  });
  return order;
}

/// {image: "data:..."} of the worst images that can be decoded.
Json pictures_json(const ValidatedSet& set, std::vector<uint32_t> worst, size_t most,
                   std::vector<ImageSize>& sizes, Json& problems, ThreadPool& pool) {
  Json pictures = Json::object();
  if (!set.read_image) return pictures;
  worst.resize(std::min(worst.size(), most));
  struct Made {
    Thumbnail thumbnail;
    std::string problem;
  };
  size_t unreadable = 0;
  constexpr size_t kAhead = 16;
  ordered_parallel(
      pool, worst.size(), kAhead,
      [&](size_t k) {
        try {
          return Made{thumbnail(set.read_image(worst[k])), {}};
        } catch (const Error& e) {
          return Made{{}, e.message()};
        }
      },
      [&](size_t k, const Made& made) {
        constexpr size_t kNamed = 5;
        const std::string name =
            worst[k] < set.truth.file_names.size() ? set.truth.file_names[worst[k]] : "";
        if (!made.problem.empty()) {
          if (++unreadable <= kNamed)
            problems.push_back(str_cat("no picture of ", printable(name), ": ", made.problem));
          return;
        }
        if (set.sizes[worst[k]].width == 0) sizes[worst[k]] = made.thumbnail.whole;
        pictures[std::to_string(worst[k])] = made.thumbnail.data;
      });
  if (unreadable > 0)
    problems.push_back(str_cat(counted(static_cast<long long>(unreadable), "image"),
                               " of the worst ones could not be read"));
  return pictures;
}

Json images_json(const ValidatedSet& set, const std::vector<ImageSize>& sizes) {
  Json images = Json::array();
  for (size_t i = 0; i < set.truth.image_ids.size(); ++i) {
    const bool named = i < set.truth.file_names.size() && !set.truth.file_names[i].empty();
    const std::string id = std::to_string(set.truth.image_ids[i]);
    images.push_back(
        {named ? set.truth.file_names[i] : "image " + id, sizes[i].width, sizes[i].height, id});
  }
  return images;
}

/// The analysis without what the page counts itself.
Json details_json(const Details& details) {
  Json json = to_json(details);
  json.erase("thresholds");
  json["overall"].erase("curve");
  json["confusion"].erase("counts");
  for (Json& of_class : json["classes"]) of_class.erase("curve");
  return json;
}

int workers(int threads) {
  if (threads <= 0) threads = static_cast<int>(std::thread::hardware_concurrency());
  return threads > 1 ? threads : 0;
}

}  // namespace

DetectionsPage detections_page(const ValidatedSet& set, const DetectionsOptions& options) {
  ResultNames names;
  std::vector<Detection> detections = read_coco_detections(options.predictions, &names);
  const std::string note = match_by_file_name(set.truth, names.files, detections,
                                              options.predictions.string(), set.name);
  if (!note.empty()) log::warn(note);
  const ErrorContext at("evaluating ", options.predictions.string(), " on ", set.name);
  const CocoEvaluation evaluation = evaluate_coco(set.truth, detections, options.threads);
  AnalysisOptions analysis;
  analysis.threads = options.threads;
  const Details details = analyse(set.truth, detections, analysis);

  ThreadPool pool(workers(options.threads));
  const MatchOptions& match = details.options.match;
  const Inputs in = make_inputs(set.truth, detections);
  const ImageLists lists(in);
  const Matches matches = match_detections(in, match, pool);
  const JudgedDetections judged =
      judge_detections(in, lists, matches, search_errors(in, lists), match, pool);

  DetectionsPage page;
  Json problems = Json::array();
  if (!note.empty()) problems.push_back(note);
  std::vector<ImageSize> sizes = drawn_sizes(set, in);
  const double threshold = details.pooled.best ? details.pooled.best->threshold : 0.5;
  Json pictures = pictures_json(set, worst_images(in, matches, threshold), options.pictures, sizes,
                                problems, pool);
  std::vector<uint32_t> first_box(in.images + 1, 0);
  for (uint32_t image = 0; image < in.images; ++image)
    first_box[image + 1] = first_box[image] + static_cast<uint32_t>(lists.boxes(image).size());
  ByteColumns columns;
  const auto place_of = add_boxes(columns, in, lists, matches, judged, sizes);
  add_detections(columns, in, matches, judged, place_of, first_box, sizes);
  page.columns = columns.text();
  page.json = Json{{"annotations", set.name},
                   {"predictions", options.predictions.string()},
                   {"threshold", threshold},
                   {"metrics", to_json(summarize(evaluation), summarize_classes(evaluation))},
                   {"details", details_json(details)},
                   {"grid", kGrid},
                   {"detections_given", detections.size()},
                   {"images", images_json(set, sizes)},
                   {"columns", columns.list()},
                   {"pictures", std::move(pictures)},
                   {"problems", std::move(problems)}};
  return page;
}

}  // namespace dfine::inline run_report
