#pragma once
// The official recipes, tests/golden/recipes.json, and the shipped files that go with them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

namespace dfine {

inline std::string from_source(const std::string& path) {
  return std::string(std::getenv("DFINE_SOURCE_DIR")) + "/" + path;
}

inline nlohmann::json golden(const std::string& name) {
  std::ifstream in(from_source("tests/golden/" + name));
  return nlohmann::json::parse(in);
}

/// One shipped recipe: configs/FOLDER/SIZE.toml.
struct RecipeFile {
  std::string folder, size;

  std::string path() const { return from_source("configs/" + folder + "/" + size + ".toml"); }
  nlohmann::json golden() const {
    return dfine::golden("recipes.json").at("recipes").at(folder).at(size);
  }
};

inline std::ostream& operator<<(std::ostream& out, const RecipeFile& file) {
  return out << file.folder << "/" << file.size;
}

inline std::vector<RecipeFile> recipe_files(const std::vector<std::string>& folders) {
  std::vector<RecipeFile> all;
  for (const std::string& folder : folders)
    for (const char* size : {"n", "s", "m", "l", "x"}) all.push_back({folder, size});
  return all;
}

inline std::string test_name(const testing::TestParamInfo<RecipeFile>& info) {
  return info.param.folder + "_" + info.param.size;
}

}  // namespace dfine
