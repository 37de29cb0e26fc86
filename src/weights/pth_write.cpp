#include <ATen/core/Dict.h>
#include <ATen/core/List.h>
#include <ATen/core/ivalue.h>
#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/serialization/pickler.h>

#include <exception>
#include <unordered_map>

#include "core/text.h"
#include "files/atomic_path.h"
#include "files/output_file.h"
#include "weights/pth.h"

namespace dfine::inline weights {
namespace {

/// A CPU tensor with bytes of its own: the whole storage is written, and views of a larger one
/// would carry all of it.
Tensor own_bytes(const Tensor& tensor) {
  const Tensor here = tensor.detach().to(at::kCPU);
  const bool whole = here.is_non_overlapping_and_dense() && here.storage_offset() == 0 &&
                     here.storage().nbytes() == here.nbytes();
  return whole ? here : here.contiguous().clone();
}

class Converter {
 public:
  c10::IValue convert(const PthValue& value) { return std::visit(*this, value.variant()); }

  c10::IValue operator()(std::monostate) { return {}; }
  c10::IValue operator()(bool x) { return x; }
  c10::IValue operator()(int64_t x) { return x; }
  c10::IValue operator()(double x) { return x; }
  c10::IValue operator()(const std::string& x) { return x; }
  /// A tensor that stands in several places has one storage here, and the pickler writes a storage
  /// once.
  c10::IValue operator()(const Tensor& x) {
    Tensor& bytes = bytes_[x.unsafeGetTensorImpl()];
    if (!bytes.defined()) bytes = own_bytes(x);
    return bytes;
  }
  c10::IValue operator()(const PthValue::List& list) {
    c10::impl::GenericList out(c10::AnyType::get());
    for (const PthValue& item : list) out.push_back(convert(item));
    return out;
  }
  c10::IValue operator()(const PthValue::Dict& dict) {
    c10::impl::GenericDict out(c10::AnyType::get(), c10::AnyType::get());
    for (const auto& [key, item] : dict)
      out.insert(std::visit([](const auto& k) { return c10::IValue(k); }, key), convert(item));
    return out;
  }

 private:
  std::unordered_map<const c10::TensorImpl*, Tensor> bytes_;
};

}  // namespace

void write_pth(const std::string& path, const PthValue::Dict& content) {
  std::string pickle;
  // Type tags on lists and dicts (tag_aggregates) are TorchScript's own and refused by
  // weights_only.
  torch::jit::Pickler pickler([&](const char* bytes, size_t count) { pickle.append(bytes, count); },
                              nullptr, nullptr, nullptr, nullptr,
                              /*tag_aggregates=*/false);
  pickler.protocol();
  pickler.pushIValue(Converter().convert(content));
  pickler.stop();

  AtomicFile file(path);
  OutputFile out(file.path(), OutputFile::Mode::kTruncate, path);
  // The archive's destructor finishes the file, and ends the process when that fails. So it never
  // hears of a failure: what comes after one is dropped, and the error is thrown on after the
  // record.
  std::exception_ptr failure;
  const auto keep_failure = [&](const void* bytes, size_t count) -> size_t {
    try {
      if (!failure) out.write(bytes, count);
    } catch (...) {
      failure = std::current_exception();
    }
    return count;
  };
  const auto throw_failure = [&] {
    if (failure) std::rethrow_exception(failure);
  };
  caffe2::serialize::PyTorchStreamWriter archive(keep_failure);
  const auto add = [&](const std::string& name, const void* bytes, size_t count) {
    archive.writeRecord(name, bytes, count);
    throw_failure();
  };
  add("data.pkl", pickle.data(), pickle.size());
  add("byteorder", "little", 6);
  for (size_t i = 0; i < pickler.tensorData().size(); ++i) {
    const Tensor& tensor = pickler.tensorData()[i];
    add(str_cat("data/", i), tensor.storage().data(), tensor.storage().nbytes());
  }
  archive.writeEndOfFile();
  throw_failure();
  out.close();
  file.commit();
}

}  // namespace dfine::inline weights
