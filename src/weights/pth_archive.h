#pragma once
// A .pth file: a zip archive with a pickle (weights/pickle.h) and one record of bytes per storage.
#include <memory>
#include <string>
#include <unordered_map>

#include <c10/core/Storage.h>

#include "tensor.h"
#include "weights/pickle.h"

namespace caffe2::serialize {
class PyTorchStreamReader;
}

namespace dfine::inline weights {

class PthArchive {
 public:
  /// Reads the pickle alone. Throws Error: no such file, damaged, or not such an archive.
  explicit PthArchive(std::string path);
  ~PthArchive();
  PthArchive(const PthArchive&) = delete;
  PthArchive& operator=(const PthArchive&) = delete;

  const PickleNode& root() const { return *pickle_.root; }

  /// The tensor, on the CPU. Tensors of one storage share it here too, and it is read once. Throws
  /// Error if the tensor lies outside of the bytes that the file has for it.
  Tensor read(const PickleTensor& tensor);

  /// The same without its data: on the meta device.
  Tensor shape(const PickleTensor& tensor);

 private:
  size_t record_bytes(const std::string& name);
  void check_bounds(const PickleTensor& tensor);
  const c10::Storage& storage(const PickleStorage& from);

  std::string path_;
  size_t file_bytes_, read_bytes_ = 0;
  std::unique_ptr<caffe2::serialize::PyTorchStreamReader> records_;
  Pickle pickle_;
  std::unordered_map<std::string, c10::Storage> storages_;
};

}  // namespace dfine::inline weights
