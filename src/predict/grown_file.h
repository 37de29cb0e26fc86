#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "files/atomic_path.h"
#include "files/output_file.h"

namespace dfine::inline predict {

/// A file that appears whole at the end and is written in large pieces until then. Where a call
/// fails on a full disk it can be repeated.
class GrownFile {
 public:
  explicit GrownFile(const std::filesystem::path& target)
      : file_(target), out_(file_.path(), OutputFile::Mode::kTruncate, file_.target()) {}

  void append(std::string_view text) { pending_ += text; }
  /// Writes what was appended if that is much.
  void write_pieces() {
    if (pending_.size() >= kPiece) write();
  }
  void commit() {
    write();
    if (!std::exchange(closed_, true)) out_.close();
    file_.commit();
  }
  const std::filesystem::path& target() const { return file_.target(); }

 private:
  static constexpr size_t kPiece = size_t{1} << 20;

  void write() {
    if (pending_.empty()) return;
    out_.append_whole(pending_);
    pending_.clear();
  }

  AtomicFile file_;
  OutputFile out_;
  std::string pending_;
  bool closed_ = false;
};

}  // namespace dfine::inline predict
