#pragma once
#include <filesystem>
#include <string>

namespace dfine::inline files {

/// ".jpg" of "a/B.JPG".
std::string lower_extension(const std::filesystem::path& path);

}  // namespace dfine::inline files
