#include "data/packing/result.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"
#include "data/shards/entry_json.h"
#include "files/atomic_path.h"

namespace dfine::inline packing {
using enum ErrorCode;
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const BoxNotes& notes) {
  Json first = Json::array();
  for (const BoxNote& note : notes.first)
    first.push_back({{"file_name", note.file_name}, {"annotation_id", note.annotation_id}});
  return {{"count", notes.count}, {"first", std::move(first)}};
}

BoxNotes notes_from(const Json& json) {
  BoxNotes notes;
  for (const auto& note : json.at("first"))
    notes.add(note.at("file_name").get<std::string>(), note.at("annotation_id").get<int64_t>());
  notes.count = json.at("count").get<size_t>();
  return notes;
}

Json to_json(const PackCounts& counts) {
  Json classes = Json::array();
  for (const ClassCount& of_class : counts.classes)
    classes.push_back(
        {{"boxes", of_class.boxes}, {"crowds", of_class.crowds}, {"dropped", of_class.dropped}});
  return {{"empty_images", counts.empty_images},
          {"classes", std::move(classes)},
          {"missing_areas", counts.missing_areas},
          {"oriented", counts.oriented},
          {"resized", counts.resized},
          {"clipped", to_json(counts.clipped)},
          {"dropped", to_json(counts.dropped)},
          {"relative", counts.relative},
          {"crowded_images", counts.crowded_images},
          {"most_boxes", counts.most_boxes},
          {"most_boxes_in", counts.most_boxes_in}};
}

PackCounts counts_from(const Json& json) {
  PackCounts counts;
  counts.empty_images = json.at("empty_images").get<size_t>();
  for (const auto& of_class : json.at("classes"))
    counts.classes.push_back({of_class.at("boxes").get<size_t>(),
                              of_class.at("crowds").get<size_t>(),
                              of_class.at("dropped").get<size_t>()});
  counts.missing_areas = json.at("missing_areas").get<size_t>();
  counts.oriented = json.at("oriented").get<size_t>();
  counts.resized = json.at("resized").get<size_t>();
  counts.relative = json.at("relative").get<size_t>();
  counts.crowded_images = json.at("crowded_images").get<size_t>();
  counts.most_boxes = json.at("most_boxes").get<size_t>();
  counts.most_boxes_in = json.at("most_boxes_in").get<std::string>();
  counts.clipped = notes_from(json.at("clipped"));
  counts.dropped = notes_from(json.at("dropped"));
  return counts;
}

ReadPackResult parse(const Json& json) {
  ReadPackResult read;
  read.plan = json.at("plan").get<uint32_t>();
  for (const auto& set : json.at("sets")) {
    PackedSplit packed{set.at("name").get<std::string>(), {}, counts_from(set.at("counts"))};
    for (const auto& shard : set.at("shards"))
      packed.shards.push_back(shard_entry_from_json(shard));
    read.result.sets.push_back(std::move(packed));
  }
  for (const auto& problem : json.at("skipped"))
    read.result.skipped.push_back(
        {problem.at("message").get<std::string>(), problem.at("image").get<int64_t>()});
  return read;
}

}  // namespace

void PackResult::append(const PackResult& later) {
  for (size_t s = 0; s < sets.size(); ++s) {
    const PackedSplit& from = later.sets[s];
    sets[s].shards.insert(sets[s].shards.end(), from.shards.begin(), from.shards.end());
    sets[s].counts.append(from.counts);
  }
  skipped.insert(skipped.end(), later.skipped.begin(), later.skipped.end());
}

void write_pack_result(const std::filesystem::path& file, const PackResult& result, uint32_t plan) {
  Json sets = Json::array(), skipped = Json::array();
  for (const PackedSplit& set : result.sets) {
    Json shards = Json::array();
    for (const auto& shard : set.shards) shards.push_back(shard_entry_to_json(shard));
    sets.push_back(
        {{"name", set.name}, {"counts", to_json(set.counts)}, {"shards", std::move(shards)}});
  }
  for (const CocoProblem& problem : result.skipped)
    skipped.push_back({{"message", problem.message}, {"image", problem.image}});
  const Json json{{"plan", plan}, {"sets", std::move(sets)}, {"skipped", std::move(skipped)}};
  write_file_atomically(file, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

ReadPackResult read_pack_result(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw Error(kFileUnreadable, str_cat("cannot read ", file.string()));
  try {
    return parse(Json::parse(in));
  } catch (const Json::exception& e) {
    throw Error(kFileDamaged, str_cat(file.string(), " is damaged: ", e.what()));
  }
}

}  // namespace dfine::inline packing
