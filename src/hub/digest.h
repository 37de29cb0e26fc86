#pragma once
#include <filesystem>
#include <string>

namespace dfine::inline hub {

/// SHA-256 of a file in lower-case hexadecimal digits. Throws Error where it cannot be read.
std::string sha256_of(const std::filesystem::path& path);

/// The name that git has for a file's content: SHA-1 of "blob SIZE\0" and the content.
std::string git_blob_id(const std::filesystem::path& path);

}  // namespace dfine::inline hub
