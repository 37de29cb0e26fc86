#include <ATen/core/Dict.h>
#include <ATen/core/List.h>
#include <ATen/core/ivalue.h>
#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/serialization/unpickler.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <unordered_map>

#include "core/error.h"
#include "core/text.h"
#include "weights/pth.h"

namespace dfine::inline weights {
using enum ErrorCode;
namespace {

const char* const kDamaged =
    "The file is damaged or was not written completely: use another checkpoint.";

/// Bytes that each record really has; the pickle's claims are held against it.
using RecordSizes = std::unordered_map<const void*, size_t>;

void check_bounds(const Tensor& tensor, const RecordSizes& records) {
  if (tensor.numel() == 0) return;
  const auto record = records.find(tensor.storage().data());
  const size_t available = record == records.end() ? 0 : record->second;
  uint64_t last = static_cast<uint64_t>(tensor.storage_offset());
  bool overflow = tensor.storage_offset() < 0;
  for (int64_t d = 0; d < tensor.dim(); ++d) {
    uint64_t extent = 0;
    overflow |= tensor.size(d) < 0 || tensor.stride(d) < 0 ||
                __builtin_mul_overflow(static_cast<uint64_t>(tensor.size(d) - 1),
                                       static_cast<uint64_t>(tensor.stride(d)), &extent) ||
                __builtin_add_overflow(last, extent, &last);
  }
  if (overflow || last >= available / tensor.element_size())
    throw Error(kFileDamaged,
                str_cat("a tensor of shape ", tensor.sizes(), " lies outside of the ", available,
                        " bytes stored for it"),
                kDamaged);
}

PthValue to_value(const c10::IValue& value, const RecordSizes& records);

PthValue::List to_list(c10::ArrayRef<c10::IValue> items, const RecordSizes& records) {
  PthValue::List list;
  for (const c10::IValue& item : items) list.push_back(to_value(item, records));
  return list;
}

PthValue::Dict to_dict(const c10::IValue& value, const RecordSizes& records) {
  PthValue::Dict dict;
  for (const auto& item : value.toGenericDict()) {
    const c10::IValue& key = item.key();
    if (key.isString()) {
      const std::string& name = key.toStringRef();
      const ErrorContext at("in the entry ", name);
      dict[name] = to_value(item.value(), records);
    } else if (key.isInt()) {
      const ErrorContext at("in the entry ", key.toInt());
      dict[key.toInt()] = to_value(item.value(), records);
    } else {
      throw Error(kFormatInvalid,
                  str_cat("a dict key is ", key.tagKind(), ", neither text nor int"));
    }
  }
  return dict;
}

PthValue to_value(const c10::IValue& value, const RecordSizes& records) {
  if (value.isNone()) return {};
  if (value.isBool()) return value.toBool();
  if (value.isInt()) return value.toInt();
  if (value.isDouble()) return value.toDouble();
  if (value.isString()) return value.toStringRef();
  if (value.isTensor()) {
    check_bounds(value.toTensor(), records);
    return value.toTensor();
  }
  if (value.isList()) return to_list(value.toListRef(), records);
  if (value.isTuple()) return to_list(value.toTupleRef().elements(), records);
  if (value.isGenericDict()) return to_dict(value, records);
  throw Error(kFormatInvalid, str_cat("it holds a value of the kind ", value.tagKind(),
                                      ", which is not supported"));
}

PthValue::Dict read_archive(const std::string& path) {
  caffe2::serialize::PyTorchStreamReader archive(path);
  const auto [pickle, pickle_bytes] = archive.getRecord("data.pkl");
  RecordSizes records;
  size_t at = 0;
  const auto read = [&, &bytes = pickle, &size = pickle_bytes](char* to, size_t count) {
    count = std::min(count, size - at);
    std::memcpy(to, static_cast<const char*>(bytes.get()) + at, count);
    at += count;
    return count;
  };
  const auto read_record = [&](const std::string& name) {
    auto [bytes, size] = archive.getRecord("data/" + name);
    records[bytes.get()] = size;
    return std::move(bytes);
  };
  torch::jit::Unpickler unpickler(read, nullptr, nullptr, read_record, at::Device(at::kCPU));
  const c10::IValue content = unpickler.parse_ivalue();
  if (!content.isGenericDict())
    throw Error(kFormatInvalid, str_cat("it holds ", content.tagKind(), ", not a dict"));
  return to_dict(content, records);
}

}  // namespace

PthValue::Dict read_pth(const std::string& path) {
  const ErrorContext at("while reading ", path);
  if (!std::filesystem::exists(path)) throw Error(kFileMissing, "there is no such file");
  try {
    return read_archive(path);
  } catch (const c10::Error& e) {
    throw Error(kFileDamaged,
                str_cat("it cannot be read as a .pth file: ", e.what_without_backtrace()),
                kDamaged);
  }
}

}  // namespace dfine::inline weights
