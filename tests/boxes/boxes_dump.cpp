// boxes_dump: reads {"boxes": [[left, top, right, bottom, score, label], ...], "iou": X} from
// stdin and writes the places that nms() keeps. With {"tiles": [{"tile": [left, top, width,
// height], "boxes": [...]}]} it writes what merge_tiles() makes of them.
#include <iostream>
#include <nlohmann/json.hpp>

#include "boxes/merge_tiles.h"
#include "boxes/nms.h"

namespace dfine {
namespace {

using Json = nlohmann::json;

std::vector<ScoredBox> read_boxes(const Json& list) {
  std::vector<ScoredBox> boxes;
  for (const Json& b : list)
    boxes.push_back({{b[0].get<float>(), b[1].get<float>(), b[2].get<float>(), b[3].get<float>()},
                     b[4].get<float>(),
                     b[5].get<int64_t>()});
  return boxes;
}

Json answer(const Json& in) {
  if (in.contains("boxes")) return nms(read_boxes(in["boxes"]), in["iou"].get<double>());
  std::vector<TileDetections> tiles;
  for (const Json& t : in["tiles"]) {
    const auto r = t["tile"].get<std::array<int64_t, 4>>();
    tiles.push_back({{r[0], r[1], r[2], r[3]}, read_boxes(t["boxes"])});
  }
  Json out = Json::array();
  for (const ScoredBox& b : merge_tiles(tiles))
    out.push_back({b.xyxy[0], b.xyxy[1], b.xyxy[2], b.xyxy[3], b.score, b.label});
  return out;
}

}  // namespace
}  // namespace dfine

int main() {
  std::cout << dfine::answer(nlohmann::json::parse(std::cin)).dump() << "\n";
}
