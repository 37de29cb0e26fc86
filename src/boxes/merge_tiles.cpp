#include "boxes/merge_tiles.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>

namespace dfine::inline boxes {
namespace {

using Rect = std::array<float, 4>;  // left, top, right, bottom

constexpr float kAgree = 0.5F;        // IoU within the common pixels
constexpr float kCovered = 0.6F;      // of a part's area, in the box of its object
constexpr float kInexact = 0.05F;     // of an object's sides: boxes are not exact
constexpr float kCutMargin = 0.01F;   // of a tile's side: a box that ends there is cut
constexpr float kSmallInTile = 0.5F;  // of a tile's side: the tile alone decides on such objects

float area(const Rect& r) {
  return std::max(0.0F, r[2] - r[0]) * std::max(0.0F, r[3] - r[1]);
}

Rect common(const Rect& a, const Rect& b) {
  return {std::max(a[0], b[0]), std::max(a[1], b[1]), std::min(a[2], b[2]), std::min(a[3], b[3])};
}

Rect around(const Rect& a, const Rect& b) {
  return {std::min(a[0], b[0]), std::min(a[1], b[1]), std::max(a[2], b[2]), std::max(a[3], b[3])};
}

Rect rect_of(const Tile& tile) {
  const auto left = static_cast<float>(tile.left), top = static_cast<float>(tile.top);
  return {left, top, left + static_cast<float>(tile.width), top + static_cast<float>(tile.height)};
}

bool contains(const Rect& outer, const Rect& inner) {
  return outer[0] <= inner[0] && outer[1] <= inner[1] && outer[2] >= inner[2] &&
         outer[3] >= inner[3];
}

/// The part of a tile in which boxes are not cut: borders of the image cut nothing.
Rect uncut_part(const Rect& tile, const Rect& image) {
  Rect part = tile;
  for (size_t side = 0; side < 4; ++side) {
    const float margin = kCutMargin * (tile[side % 2 + 2] - tile[side % 2]);
    if (tile[side] == image[side])
      part[side] =
          side < 2 ? std::numeric_limits<float>::lowest() : std::numeric_limits<float>::max();
    else
      part[side] += side < 2 ? margin : -margin;
  }
  return part;
}

struct View {
  ScoredBox box;
  uint32_t tile = 0;
};

struct Pair {
  uint32_t a = 0, b = 0;  // views
  float agreement = 0;
};

/// What is one object: views, at most one of each tile.
struct Object {
  std::vector<uint32_t> views;  // by ascending tile
  ScoredBox box;
  bool cut = false;
};

class Merger {
 public:
  explicit Merger(std::span<const TileDetections> tiles) {
    for (const TileDetections& of_tile : tiles) tiles_.push_back(rect_of(of_tile.tile));
    Rect image = tiles_.front();
    for (const Rect& tile : tiles_) image = around(image, tile);
    has_whole_image_ = tiles_.size() > 1 && tiles_.front() == image;
    for (const Rect& tile : tiles_) uncut_.push_back(uncut_part(tile, image));
    for (uint32_t t = 0; t < tiles_.size(); ++t) {
      first_of_tile_.push_back(static_cast<uint32_t>(views_.size()));
      for (const ScoredBox& box : tiles[t].boxes) {
        if (is_whole_image(t) && a_tile_decides(box.xyxy)) continue;
        views_.push_back({box, t});
      }
    }
    first_of_tile_.push_back(static_cast<uint32_t>(views_.size()));
  }

  std::vector<ScoredBox> merge() {
    std::vector<Object> objects = join(agreeing_pairs());
    for (Object& object : objects) describe(object);
    drop_parts(objects);
    std::vector<ScoredBox> all;
    for (const Object& object : objects) all.push_back(object.box);
    std::ranges::stable_sort(all, std::greater<>(), &ScoredBox::score);
    return all;
  }

 private:
  bool is_whole_image(uint32_t tile) const { return tile == 0 && has_whole_image_; }

  /// Whether a tile sees all of a box, and at a scale that suits it better than the whole image's.
  bool a_tile_decides(const Rect& box) const {
    for (size_t t = 1; t < tiles_.size(); ++t) {
      const Rect& tile = tiles_[t];
      if (contains(uncut_[t], box) && box[2] - box[0] <= kSmallInTile * (tile[2] - tile[0]) &&
          box[3] - box[1] <= kSmallInTile * (tile[3] - tile[1]))
        return true;
    }
    return false;
  }

  /// The views of a tile that reach into `part`.
  std::vector<uint32_t> views_in(uint32_t tile, const Rect& part) const {
    std::vector<uint32_t> found;
    for (uint32_t v = first_of_tile_[tile]; v < first_of_tile_[tile + 1]; ++v)
      if (area(common(views_[v].box.xyxy, part)) > 0) found.push_back(v);
    return found;
  }

  /// Views of two tiles that agree in the pixels that both see, best first.
  std::vector<Pair> agreeing_pairs() const {
    std::vector<Pair> pairs;
    for (uint32_t s = 0; s < tiles_.size(); ++s) {
      for (uint32_t t = s + 1; t < tiles_.size(); ++t) {
        const Rect both = common(tiles_[s], tiles_[t]);
        if (area(both) <= 0) continue;
        const auto others = views_in(t, both);
        for (const uint32_t a : views_in(s, both)) {
          const Rect seen = common(views_[a].box.xyxy, both);
          for (const uint32_t b : others) {
            if (views_[a].box.label != views_[b].box.label) continue;
            const Rect other = common(views_[b].box.xyxy, both);
            const float shared = area(common(seen, other));
            const float agreement = shared / (area(seen) + area(other) - shared);
            if (agreement >= kAgree) pairs.push_back({a, b, agreement});
          }
        }
      }
    }
    std::ranges::stable_sort(pairs, std::greater<>(), &Pair::agreement);
    return pairs;
  }

  bool share_a_tile(const Object& a, const Object& b) const {
    auto i = a.views.begin();
    auto j = b.views.begin();
    while (i != a.views.end() && j != b.views.end()) {
      const uint32_t s = views_[*i].tile, t = views_[*j].tile;
      if (s == t) return true;
      s < t ? ++i : ++j;
    }
    return false;
  }

  std::vector<Object> join(std::vector<Pair> pairs) const {
    std::vector<Object> objects(views_.size());
    std::vector<uint32_t> object_of(views_.size());
    std::iota(object_of.begin(), object_of.end(), 0);
    for (uint32_t v = 0; v < views_.size(); ++v) objects[v].views = {v};
    const auto join_pair = [&](const Pair& pair, bool only_new) {
      Object& into = objects[object_of[pair.a]];
      Object& from = objects[object_of[pair.b]];
      if (only_new && from.views.size() > 1) return;
      if (share_a_tile(into, from)) return;  // as an object does with itself
      const auto middle = static_cast<std::ptrdiff_t>(into.views.size());
      for (const uint32_t v : from.views) object_of[v] = object_of[pair.a];
      into.views.insert(into.views.end(), from.views.begin(), from.views.end());
      std::ranges::inplace_merge(into.views, into.views.begin() + middle);
      from.views.clear();
    };
    // Tile by tile: each adds views to the objects of those before. So two objects that look the
    // same do not become three where three tiles overlap.
    std::ranges::stable_sort(pairs, {}, [&](const Pair& pair) { return views_[pair.b].tile; });
    for (const Pair& pair : pairs) join_pair(pair, true);
    // Then objects that a later tile has shown to be one.
    std::ranges::stable_sort(pairs, std::greater<>(), &Pair::agreement);
    for (const Pair& pair : pairs) join_pair(pair, false);
    std::erase_if(objects, [](const Object& object) { return object.views.empty(); });
    return objects;
  }

  /// Whether a tile's border has cut a view of an object that fills `all`.
  bool is_cut(const View& view, const Rect& all) const {
    const Rect& uncut = uncut_[view.tile];
    for (size_t side = 0; side < 4; ++side) {
      const float beyond = side < 2 ? uncut[side] - all[side] : all[side] - uncut[side];
      const float own =
          side < 2 ? uncut[side] - view.box.xyxy[side] : view.box.xyxy[side] - uncut[side];
      if (own > 0 || beyond > kInexact * (all[side % 2 + 2] - all[side % 2])) return true;
    }
    return false;
  }

  /// Box and score, from its views.
  void describe(Object& object) const {
    object.box = views_[object.views.front()].box;
    for (const uint32_t v : object.views) {
      object.box.xyxy = around(object.box.xyxy, views_[v].box.xyxy);
      object.box.score = std::max(object.box.score, views_[v].box.score);
    }
    const View* best = nullptr;
    const auto rank = [&](const View& v) {
      return std::pair(!is_whole_image(v.tile), v.box.score);
    };
    for (const uint32_t v : object.views) {
      const View& view = views_[v];
      if (!is_cut(view, object.box.xyxy) && (best == nullptr || rank(view) > rank(*best)))
        best = &view;
    }
    if (best != nullptr) object.box = best->box;
    object.cut = best == nullptr;
  }

  bool is_part_of(const Object& part, const Object& object) const {
    if (part.box.label != object.box.label || share_a_tile(part, object)) return false;
    Rect grown = object.box.xyxy;
    for (size_t side = 0; side < 4; ++side) {
      const float more = kInexact * (object.box.xyxy[side % 2 + 2] - object.box.xyxy[side % 2]);
      grown[side] += side < 2 ? -more : more;
    }
    return area(common(part.box.xyxy, grown)) >= kCovered * area(part.box.xyxy);
  }

  /// Objects that are a cut part of a larger one go.
  void drop_parts(std::vector<Object>& objects) const {
    std::ranges::stable_sort(objects, std::greater<>(),
                             [](const Object& object) { return area(object.box.xyxy); });
    std::vector<Object> kept;
    for (Object& object : objects) {
      if (object.cut && std::ranges::any_of(
                            kept, [&](const Object& larger) { return is_part_of(object, larger); }))
        continue;
      kept.push_back(std::move(object));
    }
    objects = std::move(kept);
  }

  std::vector<Rect> tiles_, uncut_;
  std::vector<View> views_;  // by tile
  std::vector<uint32_t> first_of_tile_;
  bool has_whole_image_ = false;
};

}  // namespace

std::vector<ScoredBox> merge_tiles(std::span<const TileDetections> tiles) {
  if (tiles.empty()) return {};
  return Merger(tiles).merge();
}

}  // namespace dfine::inline boxes
