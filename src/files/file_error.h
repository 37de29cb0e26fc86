#pragma once
#include <filesystem>
#include <string_view>

#include "core/error.h"

namespace dfine::inline files {

/// The disk is full, or the user's quota is used up.
class NoSpaceError : public Error {
 public:
  using Error::Error;
};

/// Throws Error, or NoSpaceError, "cannot ACTION PATH: REASON" for the errno `code`, with what to
/// do about it where that is known: disk full, quota, a limit on file sizes, a failing disk,
/// permissions, a wrong path.
[[noreturn]] void throw_file_error(std::string_view action, const std::filesystem::path& path,
                                   int code);

}  // namespace dfine::inline files
