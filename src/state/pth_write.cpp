#include <ATen/core/Dict.h>
#include <ATen/core/List.h>
#include <ATen/core/ivalue.h>
#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/serialization/pickler.h>

#include <fstream>
#include <unordered_map>

#include "core/atomic_path.h"
#include "core/error.h"
#include "core/text.h"
#include "state/pth.h"

namespace dfine {
namespace {

/// A CPU tensor with bytes of its own: the whole storage is written, and views of a larger one would carry all of it.
Tensor own_bytes(const Tensor& tensor) {
  const Tensor here = tensor.detach().to(at::kCPU);
  const bool whole = here.is_non_overlapping_and_dense() && here.storage_offset() == 0 && here.storage().nbytes() == here.nbytes();
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
  /// A tensor that stands in several places has one storage here, and the pickler writes a storage once.
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
  with_context(
      [&] {
        AtomicFile file(path);
        std::ofstream out(file.path(), std::ios::binary);
        const auto write = [&](const void* bytes, size_t count) -> size_t {
          out.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(count));
          if (!out) throw Error("the file cannot be written", "Check the free space and the rights of its folder.");
          return count;
        };
        std::string pickle;
        // Type tags on lists and dicts (tag_aggregates) are TorchScript's own and refused by weights_only.
        torch::jit::Pickler pickler([&](const char* bytes, size_t count) { pickle.append(bytes, count); }, nullptr, nullptr, nullptr,
                                    nullptr,
                                    /*tag_aggregates=*/false);
        pickler.protocol();
        pickler.pushIValue(Converter().convert(content));
        pickler.stop();
        caffe2::serialize::PyTorchStreamWriter archive(write);
        archive.writeRecord("data.pkl", pickle.data(), pickle.size());
        archive.writeRecord("byteorder", "little", 6);
        for (size_t i = 0; i < pickler.tensorData().size(); ++i) {
          const Tensor& tensor = pickler.tensorData()[i];
          archive.writeRecord(cat("data/", i), tensor.storage().data(), tensor.storage().nbytes());
        }
        archive.writeEndOfFile();
        out.close();
        if (!out) throw Error("the file cannot be written", "Check the free space and the rights of its folder.");
        file.commit();
      },
      [&] { return "while writing " + path; });
}

}  // namespace dfine
