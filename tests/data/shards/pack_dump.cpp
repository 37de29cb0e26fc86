// Prints a pack as the reader sees it, as a COCO annotation file; with a second argument the image
// files are written into that folder.
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "data/shards/dataset.h"

int main(int argc, char** argv) {
  using Json = nlohmann::ordered_json;
  try {
    const auto set = dfine::PackedDataset::open(argv[1]);
    Json images = Json::array(), annotations = Json::array(), categories = Json::array();
    for (const auto& category : set.categories())
      categories.push_back({{"id", category.id}, {"name", category.name}});
    for (size_t i = 0; i < set.size(); ++i) {
      const auto image = set.image(i);
      images.push_back({{"id", image.id},
                        {"file_name", image.file_name},
                        {"width", image.width},
                        {"height", image.height},
                        {"shard", image.shard}});
      for (const auto& box : set.evaluation_boxes(i)) {
        annotations.push_back({{"id", box.annotation_id},
                               {"image_id", image.id},
                               {"category_id", set.categories()[static_cast<size_t>(box.label)].id},
                               {"bbox", box.xywh},
                               {"area", box.area},
                               {"iscrowd", box.iscrowd ? 1 : 0},
                               {"trains", box.trains()}});
      }
      if (argc > 2) {
        const auto bytes = set.read_bytes(i);
        std::ofstream(std::string(argv[2]) + "/" + std::to_string(image.id), std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
      }
    }
    std::cout << Json{{"images", images}, {"annotations", annotations}, {"categories", categories}}
              << '\n';
    return 0;
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
