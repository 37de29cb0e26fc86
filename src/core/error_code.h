#pragma once
// What kind of error an Error is, for callers, scripts and tests: messages may change, these names
// do not. docs/errors.md says what to do about each.
#include <string_view>

namespace dfine {

enum class ErrorCode {
  kUsage,                // the command line
  kUnknownKey,           // a setting of no known name
  kBadValue,             // a setting that cannot have this value
  kMissingKey,           // a setting without a value
  kConflictingSettings,  // settings, or settings and data, that do not go together
  kFileMissing,          // there is nothing at the path
  kFileUnreadable,       // it is there and cannot be read: permissions, a folder, a failing disk
  kFileExists,           // an output that is there already, or a file where it needs a folder
  kWriteFailed,          // an output that cannot be written, for another reason than its size
  kDiskFull,             // no space, or the quota is used up
  kFileDamaged,          // cut short, edited, or its checksum is wrong
  kFileChanged,          // another program wrote it meanwhile
  kFormatInvalid,        // not in the format that is expected, such as broken JSON
  kVersionMismatch,      // of another version: a format, a library
  kRecordInvalid,        // a record of an annotation, label or results file
  kImageDamaged,         // an image file that breaks its format's rules
  kImageUnsupported,     // an image file of a kind that is not read
  kDatasetTooSmall,      // no, or too few, images, objects or classes
  kClassMismatch,        // classes of data, weights or results that differ
  kDataMismatch,         // files that do not belong together
  kWeightsMismatch,      // weights that are not those of the model
  kWeightsUnsupported,   // weights of a model that is not D-FINE, or of a type that is not read
  kCheckpointMismatch,   // a checkpoint that this run cannot continue from
  kRunFolderBusy,        // another job trains in the run folder, or has taken it over
  kNotFinite,            // infinite or NaN: a loss, a gradient, a prediction
  kTooManySkipped,       // more damaged records than allowed
  kOutOfMemory,          // of the GPU or the host
  kDeviceUnavailable,    // no GPU, or a build without CUDA
  kLaunchInvalid,        // ranks that were started in a way that does not work
  kRanksDisagree,        // ranks with different settings or data
  kCommunicationFailed,  // between ranks
  kNetworkFailed,        // the Hugging Face Hub, or a proxy on the way, gives no proper answer
  kAccessDenied,         // the Hub gives the model to nobody, or not to this user
  kInterrupted,          // by a signal
  kInternal,             // a mistake of the program
};

/// Of a file that cannot be read or written, for its errno.
ErrorCode read_error_code(int error);
ErrorCode write_error_code(int error);

/// Such as "unknown_key".
std::string_view to_string(ErrorCode code);

/// How programs end, but for signals. 75 (EX_TEMPFAIL of sysexits.h): stopped by request, run
/// again.
enum ExitCode { kExitDone = 0, kExitFailed = 1, kExitUsage = 2, kExitSaved = 75 };

/// Of a program that ends with this error: kExitUsage where the command line or a setting is wrong.
ExitCode exit_code(ErrorCode code);

}  // namespace dfine
