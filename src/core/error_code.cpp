#include "core/error_code.h"

#include <array>
#include <cerrno>

namespace dfine {
namespace {

// In the order of the enumerators; tests/docs/text_test.py compares them.
constexpr std::array<std::string_view, 35> kNames{
    "usage",
    "unknown_key",
    "bad_value",
    "missing_key",
    "conflicting_settings",
    "file_missing",
    "file_unreadable",
    "file_exists",
    "write_failed",
    "disk_full",
    "file_damaged",
    "file_changed",
    "format_invalid",
    "version_mismatch",
    "record_invalid",
    "image_damaged",
    "image_unsupported",
    "dataset_too_small",
    "class_mismatch",
    "data_mismatch",
    "weights_mismatch",
    "weights_unsupported",
    "checkpoint_mismatch",
    "run_folder_busy",
    "not_finite",
    "too_many_skipped",
    "out_of_memory",
    "device_unavailable",
    "launch_invalid",
    "ranks_disagree",
    "communication_failed",
    "network_failed",
    "access_denied",
    "interrupted",
    "internal",
};
static_assert(kNames.size() == static_cast<size_t>(ErrorCode::kInternal) + 1);

}  // namespace

ErrorCode read_error_code(int error) {
  return error == ENOENT || error == ENOTDIR ? ErrorCode::kFileMissing : ErrorCode::kFileUnreadable;
}

ErrorCode write_error_code(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kDiskFull;
    case EEXIST:  // a file where a folder is needed
    case ENOTDIR:
    case EISDIR:  // a folder where a file is needed
      return ErrorCode::kFileExists;
    default:
      return ErrorCode::kWriteFailed;
  }
}

ExitCode exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
    case ErrorCode::kUnknownKey:
    case ErrorCode::kBadValue:
    case ErrorCode::kMissingKey:
    case ErrorCode::kConflictingSettings:
      return kExitUsage;
    default:
      return kExitFailed;
  }
}

std::string_view to_string(ErrorCode code) {
  return kNames.at(static_cast<size_t>(code));
}

}  // namespace dfine
