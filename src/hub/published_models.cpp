#include "hub/published_models.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/nearest.h"

namespace dfine::inline hub {
namespace {

constexpr const char* kCoco = "COCO, 80 classes";
constexpr const char* kObjects365 = "Objects365, 366 rows of classes";
constexpr const char* kBoth = "Objects365, then COCO, 80 classes";

// As the pages under https://huggingface.co/ustc-community list them. There are no Objects365
// weights of N.
constexpr std::array<PublishedModel, 13> kModels{{
    {"dfine-n-coco", "ustc-community/dfine-nano-coco", "ustc-community/dfine_n_coco", 'n', kCoco},
    {"dfine-s-coco", "ustc-community/dfine-small-coco", "ustc-community/dfine_s_coco", 's', kCoco},
    {"dfine-m-coco", "ustc-community/dfine-medium-coco", "ustc-community/dfine_m_coco", 'm', kCoco},
    {"dfine-l-coco", "ustc-community/dfine-large-coco", "ustc-community/dfine_l_coco", 'l', kCoco},
    {"dfine-x-coco", "ustc-community/dfine-xlarge-coco", "ustc-community/dfine_x_coco", 'x', kCoco},
    {"dfine-s-obj365", "ustc-community/dfine-small-obj365", "ustc-community/dfine_s_obj365", 's',
     kObjects365},
    {"dfine-m-obj365", "ustc-community/dfine-medium-obj365", "ustc-community/dfine_m_obj365", 'm',
     kObjects365},
    {"dfine-l-obj365", "ustc-community/dfine-large-obj365", "ustc-community/dfine_l_obj365", 'l',
     kObjects365},
    {"dfine-x-obj365", "ustc-community/dfine-xlarge-obj365", "ustc-community/dfine_x_obj365", 'x',
     kObjects365},
    {"dfine-s-obj2coco", "ustc-community/dfine-small-obj2coco", "ustc-community/dfine_s_obj2coco",
     's', kBoth},
    {"dfine-m-obj2coco", "ustc-community/dfine-medium-obj2coco", "ustc-community/dfine_m_obj2coco",
     'm', kBoth},
    {"dfine-l-obj2coco", "ustc-community/dfine-large-obj2coco-e25",
     "ustc-community/dfine_l_obj2coco_e25", 'l', kBoth},
    {"dfine-x-obj2coco", "ustc-community/dfine-xlarge-obj2coco", "ustc-community/dfine_x_obj2coco",
     'x', kBoth},
}};

/// "dfine-s-obj365" of dfine_s_obj365 and dfine-small-obj365.
std::string normal_form(std::string name) {
  name = plain_name(std::move(name));
  std::ranges::replace(name, '_', '-');
  constexpr std::array<std::pair<const char*, const char*>, 5> kWords{{{"-nano-", "-n-"},
                                                                       {"-small-", "-s-"},
                                                                       {"-medium-", "-m-"},
                                                                       {"-xlarge-", "-x-"},
                                                                       {"-large-", "-l-"}}};
  for (const auto& [word, letter] : kWords) {
    if (const size_t at = name.find(word); at != std::string::npos)
      name.replace(at, std::string(word).size(), letter);
  }
  if (name.ends_with("-obj2coco-e25")) name.resize(name.size() - 4);
  return name;
}

}  // namespace

std::span<const PublishedModel> published_models() {
  return kModels;
}

const PublishedModel* find_short_name(const std::string& name) {
  const std::string normal = normal_form(name);
  const auto found = std::ranges::find_if(
      kModels, [&](const PublishedModel& model) { return model.short_name == normal; });
  return found != kModels.end() ? &*found : nullptr;
}

const PublishedModel* find_older_name(const std::string& repository) {
  const auto found = std::ranges::find_if(
      kModels, [&](const PublishedModel& model) { return model.older == repository; });
  return found != kModels.end() ? &*found : nullptr;
}

std::vector<std::string> similar_short_names(const std::string& name) {
  std::vector<std::string> known;
  for (const PublishedModel& model : kModels) known.emplace_back(model.short_name);
  const std::string normal = normal_form(name);
  return nearest_names(normal, known, tolerated_edits(normal.size()));
}

}  // namespace dfine::inline hub
