#include "weights/safetensors.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <tuple>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"
#include "files/atomic_path.h"
#include "files/output_file.h"

namespace dfine::inline weights {
using enum ErrorCode;
namespace {

static_assert(std::endian::native == std::endian::little,
              "safetensors files are little-endian and are copied byte for byte");

constexpr uint64_t kMaxHeader = 100'000'000;  // bytes; the library's own limit
const std::string kMetadata = "__metadata__";

struct NamedType {
  const char* name;
  at::ScalarType type;
};
// In the order in which the library lays out a file.
constexpr std::array<NamedType, 8> kTypes{{{"I64", at::kLong},
                                           {"F64", at::kDouble},
                                           {"F32", at::kFloat},
                                           {"I32", at::kInt},
                                           {"BF16", at::kBFloat16},
                                           {"F16", at::kHalf},
                                           {"U8", at::kByte},
                                           {"BOOL", at::kBool}}};

struct Entry {
  std::string name;
  at::ScalarType type{};
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;  // bytes, from the start of the data
};

struct Header {
  uint64_t data_start = 0;     // bytes, from the start of the file
  std::vector<Entry> entries;  // in the order of their data
  std::map<std::string, std::string> metadata;
};

const char* const kDamaged =
    "The file is damaged or was not written completely: copy or download it again.";

nlohmann::json parse_json(const std::string& text) {
  std::set<std::string> names;
  const auto refuse_duplicates = [&](int depth, nlohmann::json::parse_event_t event,
                                     nlohmann::json& parsed) {
    if (event == nlohmann::json::parse_event_t::key && depth == 1 &&
        !names.insert(parsed.get<std::string>()).second)
      throw Error(kFileDamaged, str_cat("the header lists ", parsed.get<std::string>(), " twice"),
                  kDamaged);
    return true;
  };
  try {
    return nlohmann::json::parse(text, refuse_duplicates);
  } catch (const nlohmann::json::exception& e) {
    throw Error(kFileDamaged, str_cat("the header is not JSON: ", e.what()), kDamaged);
  }
}

uint64_t unsigned_value(const nlohmann::json& value, const std::string& what) {
  if (!value.is_number_unsigned())
    throw Error(kFileDamaged,
                str_cat(what, " is ", value.dump(), ", not a whole number of at least 0"),
                kDamaged);
  return value.get<uint64_t>();
}

uint64_t checked_bytes(const Entry& entry) {
  uint64_t bytes = c10::elementSize(entry.type);
  for (const int64_t side : entry.shape)
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(side), &bytes))
      throw Error(kFileDamaged, "the shape is larger than any memory", kDamaged);
  return bytes;
}

Entry parse_entry(const std::string& name, const nlohmann::json& value) {
  if (!value.is_object() || !value.contains("dtype") || !value.contains("shape") ||
      !value.contains("data_offsets"))
    throw Error(kFileDamaged, "the header entry lacks dtype, shape or data_offsets", kDamaged);
  Entry entry;
  entry.name = name;
  const auto& dtype = value["dtype"];
  const auto* known = std::find_if(kTypes.begin(), kTypes.end(),
                                   [&](const NamedType& t) { return dtype == t.name; });
  if (known == kTypes.end())
    throw Error(kWeightsUnsupported, str_cat("dtype ", dtype.dump(), " is not supported"),
                "Convert the tensor to one of F64 F32 F16 BF16 I64 I32 U8 BOOL.");
  entry.type = known->type;
  if (!value["shape"].is_array()) throw Error(kFileDamaged, "shape is not a list", kDamaged);
  for (const auto& side : value["shape"]) {
    const uint64_t n = unsigned_value(side, "a side of shape");
    if (n > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
      throw Error(kFileDamaged, "the shape is larger than any memory", kDamaged);
    entry.shape.push_back(static_cast<int64_t>(n));
  }
  const auto& offsets = value["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2)
    throw Error(kFileDamaged, "data_offsets is not a pair", kDamaged);
  entry.begin = unsigned_value(offsets[0], "data_offsets[0]");
  entry.end = unsigned_value(offsets[1], "data_offsets[1]");
  const uint64_t bytes = checked_bytes(entry);
  if (entry.end < entry.begin || entry.end - entry.begin != bytes)
    throw Error(kFileDamaged,
                str_cat("data_offsets [", entry.begin, ", ", entry.end, "] do not span the ", bytes,
                        " bytes that dtype and shape ask for"),
                kDamaged);
  return entry;
}

void check_layout(const Header& header, uint64_t data_bytes) {
  uint64_t at = 0;
  const Entry* before = nullptr;
  for (const Entry& entry : header.entries) {
    if (entry.begin != at)
      throw Error(kFileDamaged,
                  str_cat("tensor ", entry.name, " starts at byte ", entry.begin,
                          entry.begin < at ? ", inside of " : ", leaving a hole after ",
                          before ? before->name : "the header", " which ends at byte ", at),
                  kDamaged);
    if (entry.end > data_bytes)
      throw Error(kFileDamaged,
                  str_cat("tensor ", entry.name, " ends at byte ", entry.end,
                          " of the data, but the file holds only ", data_bytes),
                  kDamaged);
    at = entry.end;
    before = &entry;
  }
  if (at != data_bytes)
    throw Error(
        kFileDamaged,
        str_cat("the tensors end at byte ", at, " of the data, but the file holds ", data_bytes),
        kDamaged);
}

Header read_header(std::ifstream& in, uint64_t file_bytes) {
  uint64_t length = 0;
  if (file_bytes < sizeof length || !in.read(reinterpret_cast<char*>(&length), sizeof length))
    throw Error(kFileDamaged,
                str_cat("the file has ", file_bytes, " bytes, too few for a safetensors header"),
                kDamaged);
  if (length > kMaxHeader)
    throw Error(kFormatInvalid,
                str_cat("the header claims ", length, " bytes: this is not a safetensors file"));
  if (length > file_bytes - sizeof length)
    throw Error(kFileDamaged,
                str_cat("the header claims ", length, " bytes, but the file has only ", file_bytes),
                kDamaged);
  std::string text(length, '\0');
  if (!in.read(text.data(), static_cast<std::streamsize>(length)))
    throw Error(kFileDamaged, "the header cannot be read", kDamaged);
  const nlohmann::json json = parse_json(text);
  if (!json.is_object()) throw Error(kFileDamaged, "the header is not a JSON object", kDamaged);
  Header header;
  header.data_start = sizeof length + length;
  for (const auto& [name, value] : json.items()) {
    if (name != kMetadata) {
      const ErrorContext at("in the header entry of tensor ", name);
      header.entries.push_back(parse_entry(name, value));
      continue;
    }
    if (!value.is_object()) throw Error(kFileDamaged, "__metadata__ is not an object", kDamaged);
    for (const auto& [key, text_value] : value.items()) {
      if (!text_value.is_string())
        throw Error(kFileDamaged, str_cat("__metadata__ entry ", key, " is not text"), kDamaged);
      header.metadata[key] = text_value.get<std::string>();
    }
  }
  std::sort(header.entries.begin(), header.entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  check_layout(header, file_bytes - header.data_start);
  return header;
}

/// Opens `path`, reads its header and hands both to `use`; errors get the file's name.
template <class Use>
auto open_and(const std::string& path, Use use) {
  const ErrorContext at("while reading ", path);
  std::error_code failed;
  const uint64_t bytes = std::filesystem::file_size(path, failed);
  if (failed)
    throw Error(read_error_code(failed.value()),
                failed.message());  // also of a pipe, which to open may wait for ever
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(kFileUnreadable, "the file cannot be opened");
  const Header header = read_header(in, bytes);
  return use(in, header);
}

std::string header_text(const std::vector<Entry>& entries,
                        const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (!metadata.empty()) json[kMetadata] = metadata;
  for (const Entry& entry : entries) {
    const auto* type = std::find_if(kTypes.begin(), kTypes.end(),
                                    [&](const NamedType& t) { return t.type == entry.type; });
    json[entry.name] = {
        {"dtype", type->name}, {"shape", entry.shape}, {"data_offsets", {entry.begin, entry.end}}};
  }
  std::string text = json.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

std::vector<Entry> lay_out(const std::map<std::string, Tensor>& tensors) {
  std::vector<Entry> entries;
  uint64_t at = 0;
  for (const NamedType& type : kTypes) {
    for (const auto& [name, tensor] : tensors) {
      if (tensor.scalar_type() != type.type) continue;
      entries.push_back({name, type.type, tensor.sizes().vec(), at, at + tensor.nbytes()});
      at = entries.back().end;
    }
  }
  return entries;
}

void check_writable(const std::string& path, const std::map<std::string, Tensor>& tensors) {
  const ErrorContext at("while writing ", path);
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.defined()) throw Error(kInternal, str_cat("tensor ", name, " is undefined"));
    if (name == kMetadata)
      throw Error(kInternal, str_cat("no tensor can have the name ", kMetadata));
    if (std::none_of(kTypes.begin(), kTypes.end(),
                     [&](const NamedType& t) { return t.type == tensor.scalar_type(); }))
      throw Error(kInternal,
                  str_cat("tensor ", name, " is of type ", c10::toString(tensor.scalar_type()),
                          ", which is not supported"));
  }
}

}  // namespace

std::map<std::string, Tensor> read_safetensors(const std::string& path) {
  return open_and(path, [](std::ifstream& in, const Header& header) {
    std::map<std::string, Tensor> tensors;
    for (const Entry& entry : header.entries) {
      Tensor tensor = at::empty(entry.shape, at::TensorOptions().dtype(entry.type));
      in.seekg(static_cast<std::streamoff>(header.data_start + entry.begin));
      if (!in.read(static_cast<char*>(tensor.mutable_data_ptr()),
                   static_cast<std::streamsize>(tensor.nbytes())))
        throw Error(kFileDamaged, str_cat("tensor ", entry.name, " cannot be read"), kDamaged);
      tensors.emplace(entry.name, std::move(tensor));
    }
    return tensors;
  });
}

std::map<std::string, std::vector<int64_t>> read_safetensors_shapes(const std::string& path) {
  return open_and(path, [](std::ifstream&, const Header& header) {
    std::map<std::string, std::vector<int64_t>> shapes;
    for (const Entry& entry : header.entries) shapes.emplace(entry.name, entry.shape);
    return shapes;
  });
}

std::map<std::string, std::string> read_safetensors_metadata(const std::string& path) {
  return open_and(path, [](std::ifstream&, const Header& header) { return header.metadata; });
}

void write_safetensors(const std::string& path, const std::map<std::string, Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  check_writable(path, tensors);
  const std::vector<Entry> entries = lay_out(tensors);
  const std::string header = header_text(entries, metadata);
  const uint64_t length = header.size();
  AtomicFile file(path);
  OutputFile out(file.path(), OutputFile::Mode::kTruncate, path);
  out.write(&length, sizeof length);
  out.write(header);
  for (const Entry& entry : entries) {
    const Tensor tensor = tensors.at(entry.name).detach().to(at::kCPU).contiguous();
    out.write(tensor.const_data_ptr(), tensor.nbytes());
  }
  out.close();
  file.commit();
}

}  // namespace dfine::inline weights
