#include "weights/pth_archive.h"

#include <ATen/ops/empty.h>
#include <caffe2/serialize/inline_container.h>

#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline weights {
using enum ErrorCode;
namespace fs = std::filesystem;
namespace {

const char* const kDamaged =
    "The file is damaged or was not written completely: use another checkpoint.";

// The tensors' bytes are not in it: of a checkpoint it has 2 MB.
constexpr size_t kMaxPickle = size_t{16} << 20;

/// What LibTorch throws becomes an Error.
template <class Do>
auto translated(Do apply) {
  try {
    return apply();
  } catch (const c10::Error& e) {
    throw Error(kFileDamaged,
                str_cat("it cannot be read as a .pth file: ", e.what_without_backtrace()),
                kDamaged);
  }
}

/// Of an existing file.
size_t size_of(const std::string& path) {
  if (!fs::exists(path)) throw Error(kFileMissing, "there is no such file");
  if (!fs::is_regular_file(path)) throw Error(kFormatInvalid, "it is not a file");
  return fs::file_size(path);
}

c10::ScalarType scalar_type(StorageType type) {
  switch (type) {
    case StorageType::kFloat:
      return c10::kFloat;
    case StorageType::kDouble:
      return c10::kDouble;
    case StorageType::kHalf:
      return c10::kHalf;
    case StorageType::kBFloat16:
      return c10::kBFloat16;
    case StorageType::kLong:
      return c10::kLong;
    case StorageType::kInt:
      return c10::kInt;
    case StorageType::kShort:
      return c10::kShort;
    case StorageType::kChar:
      return c10::kChar;
    case StorageType::kByte:
      return c10::kByte;
    case StorageType::kBool:
      return c10::kBool;
  }
  throw Error(kInternal, "a storage type without a name");
}

void refuse_old_format(const std::string& path) {
  std::string start(2, '\0');
  std::ifstream(path, std::ios::binary).read(start.data(), 2);
  if (start == "\x80\x02")
    throw Error(kFormatInvalid, "it is in the format of PyTorch before 1.6",
                "Open it in a newer PyTorch, and save it again with torch.save.");
}

}  // namespace

PthArchive::PthArchive(std::string path) : path_(std::move(path)), file_bytes_(size_of(path_)) {
  refuse_old_format(path_);
  translated([&] {
    records_ = std::make_unique<caffe2::serialize::PyTorchStreamReader>(path_);
    if (records_->hasRecord("byteorder") && record_bytes("byteorder") < 16) {
      const auto [order, size] = records_->getRecord("byteorder");
      if (std::string_view(static_cast<const char*>(order.get()), size) != "little")
        throw Error(kFormatInvalid, "its numbers are not in little-endian byte order",
                    "Load it with torch.load on this computer, and save it again.");
    }
    if (record_bytes("data.pkl") > kMaxPickle)
      throw Error(kFormatInvalid, str_cat("its pickle has more than ", kMaxPickle, " bytes"),
                  "This is no checkpoint of a detector. Do not open it with other programs.");
    const auto [bytes, size] = records_->getRecord("data.pkl");
    pickle_ = parse_pickle({static_cast<const char*>(bytes.get()), size});
  });
}

PthArchive::~PthArchive() = default;

/// Records are stored as they are: one that claims more bytes than the file has is compressed, or
/// false.
size_t PthArchive::record_bytes(const std::string& name) {
  const size_t bytes = translated([&] { return records_->getRecordSize(name); });
  if (bytes > file_bytes_)
    throw Error(
        kFileDamaged,
        str_cat("its record ", name, " would have ", bytes, " bytes, the file has ", file_bytes_),
        kDamaged);
  return bytes;
}

void PthArchive::check_bounds(const PickleTensor& tensor) {
  const size_t available = record_bytes("data/" + tensor.storage->record);
  auto last = static_cast<uint64_t>(tensor.offset);
  bool wrong = tensor.offset < 0, empty = false;
  for (size_t d = 0; d < tensor.sizes.size(); ++d) {
    wrong |= tensor.sizes[d] < 0 || tensor.strides[d] < 0;
    empty |= tensor.sizes[d] == 0;
  }
  for (size_t d = 0; d < tensor.sizes.size() && !empty; ++d) {
    uint64_t extent = 0;
    wrong |= __builtin_mul_overflow(static_cast<uint64_t>(tensor.sizes[d] - 1),
                                    static_cast<uint64_t>(tensor.strides[d]), &extent) ||
             __builtin_add_overflow(last, extent, &last);
  }
  // Strides of 0 repeat bytes: no weights have them, and a small file could fill the memory.
  uint64_t elements = 1;
  for (const int64_t size : tensor.sizes)
    wrong |= __builtin_mul_overflow(elements, static_cast<uint64_t>(size), &elements);
  const size_t room = available / c10::elementSize(scalar_type(tensor.storage->type));
  if (wrong || (!empty && (last >= room || elements > room)))
    throw Error(kFileDamaged,
                str_cat("a tensor of shape ", at::IntArrayRef(tensor.sizes),
                        " lies outside of the ", available, " bytes stored for it"),
                kDamaged);
}

const c10::Storage& PthArchive::storage(const PickleStorage& from) {
  const auto found = storages_.find(from.record);
  if (found != storages_.end()) return found->second;
  // Records of a hostile archive may lie over each other.
  read_bytes_ += record_bytes("data/" + from.record);
  if (read_bytes_ > file_bytes_)
    throw Error(kFileDamaged, "its records have more bytes than the file", kDamaged);
  auto [bytes, size] = translated([&] { return records_->getRecord("data/" + from.record); });
  return storages_
      .emplace(from.record, c10::Storage(c10::Storage::use_byte_size_t(), size, std::move(bytes)))
      .first->second;
}

Tensor PthArchive::read(const PickleTensor& tensor) {
  check_bounds(tensor);
  return translated([&] {
    return at::empty({0}, at::TensorOptions(scalar_type(tensor.storage->type)))
        .set_(storage(*tensor.storage), tensor.offset, tensor.sizes, tensor.strides);
  });
}

Tensor PthArchive::shape(const PickleTensor& tensor) {
  check_bounds(tensor);
  return translated([&] {
    return at::empty(tensor.sizes,
                     at::TensorOptions(scalar_type(tensor.storage->type)).device(at::kMeta));
  });
}

}  // namespace dfine::inline weights
