#pragma once
#include <filesystem>
#include <string_view>

namespace dfine::inline files {

/// Throws an Error of write_error_code(code), "cannot ACTION PATH: REASON" for the errno `code`.
/// Says what to do about it where that is known: disk full, quota, a limit on file sizes, a failing
/// disk, permissions, a wrong path.
[[noreturn]] void throw_file_error(std::string_view action, const std::filesystem::path& path,
                                   int code);

}  // namespace dfine::inline files
