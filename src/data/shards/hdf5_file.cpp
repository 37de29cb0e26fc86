#include "data/shards/hdf5_file.h"

#include <hdf5.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline shards {
using enum ErrorCode;
namespace {

/// An HDF5 handle with the function that gives it back.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  explicit operator bool() const { return id_ >= 0; }
  operator hid_t() const { return id_; }  // NOLINT: as HDF5's own functions take it

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

hid_t file_type(Scalar type) {
  switch (type) {
    case Scalar::kU8:
      return H5T_STD_U8LE;
    case Scalar::kU32:
      return H5T_STD_U32LE;
    case Scalar::kU64:
      return H5T_STD_U64LE;
    case Scalar::kI32:
      return H5T_STD_I32LE;
    case Scalar::kI64:
      return H5T_STD_I64LE;
    case Scalar::kF32:
      return H5T_IEEE_F32LE;
    case Scalar::kF64:
      return H5T_IEEE_F64LE;
  }
  return -1;
}

hid_t memory_type(Scalar type) {
  switch (type) {
    case Scalar::kU8:
      return H5T_NATIVE_UINT8;
    case Scalar::kU32:
      return H5T_NATIVE_UINT32;
    case Scalar::kU64:
      return H5T_NATIVE_UINT64;
    case Scalar::kI32:
      return H5T_NATIVE_INT32;
    case Scalar::kI64:
      return H5T_NATIVE_INT64;
    case Scalar::kF32:
      return H5T_NATIVE_FLOAT;
    case Scalar::kF64:
      return H5T_NATIVE_DOUBLE;
  }
  return -1;
}

/// The library's own report of the last failure, innermost cause first: that is where "No space
/// left on device" stands.
std::string last_failure() {
  std::string text;
  const auto keep_first = [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
    auto& kept = *static_cast<std::string*>(out);
    if (kept.empty() && error->desc != nullptr) kept = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &text);
  const std::string mark =
      "error message = '";  // the sec2 driver's form, among times, sizes and addresses
  if (const size_t begin = text.find(mark); begin != std::string::npos) {
    const size_t from = begin + mark.size();
    text = text.substr(from, text.find('\'', from) - from);
  }
  return text;
}

Handle access_list() {
  // A file that could not be written out (disk full) stays open inside the library, whose clean-up
  // at exit then crashes (seen with 1.10.8). All else is closed here, so that none is needed. Has
  // effect before the library's first use, and none later.
  H5dont_atexit();
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // failures are reported through Error alone
  Handle list(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_libver_bounds(list, H5F_LIBVER_V18, H5F_LIBVER_LATEST);
  H5Pset_file_locking(list, 0, 1);
  H5Pset_fclose_degree(list, H5F_CLOSE_STRONG);
  return list;
}

/// A creation list without time stamps.
Handle creation_list(hid_t kind) {
  Handle list(H5Pcreate(kind), H5Pclose);
  H5Pset_obj_track_times(list, 0);
  return list;
}

Handle dataspace(size_t count, int columns) {
  if (columns == 1) {
    const hsize_t length = count;
    return {H5Screate_simple(1, &length, nullptr), H5Sclose};
  }
  const std::array<hsize_t, 2> shape{count / static_cast<size_t>(columns),
                                     static_cast<hsize_t>(columns)};
  return {H5Screate_simple(2, shape.data(), nullptr), H5Sclose};
}

Handle utf8_string(size_t length) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type, length);
  H5Tset_cset(type, H5T_CSET_UTF8);
  if (length != H5T_VARIABLE) H5Tset_strpad(type, H5T_STR_NULLPAD);
  return type;
}

}  // namespace

// --- writing
// -------------------------------------------------------------------------------------------------

Hdf5Writer::Hdf5Writer(std::filesystem::path path) : path_(std::move(path)) {
  const Handle access = access_list();
  const Handle create = creation_list(H5P_FILE_CREATE);
  file_ = H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, create, access);
  if (file_ < 0) fail("cannot create the file");
}

Hdf5Writer::~Hdf5Writer() {
  if (bytes_ >= 0) H5Dclose(bytes_);
  if (file_ >= 0) H5Fclose(file_);
}

void Hdf5Writer::fail(const std::string& what) const {
  const std::string cause = last_failure();
  const bool full = cause.find("No space left") != std::string::npos ||
                    cause.find("too large") != std::string::npos ||
                    cause.find("quota") != std::string::npos;
  throw Error(full ? kDiskFull : kWriteFailed,
              str_cat(path_.string(), ": ", what, cause.empty() ? "" : ": ", cause),
              full ? "free some space there or choose another place" : "");
}

void Hdf5Writer::group(const char* name) {
  const Handle create = creation_list(H5P_GROUP_CREATE);
  const Handle made(H5Gcreate2(file_, name, H5P_DEFAULT, create, H5P_DEFAULT), H5Gclose);
  if (!made) fail(str_cat("cannot create ", name));
}

void Hdf5Writer::write_dataset(const char* name, Scalar type, const void* values, size_t count,
                               int columns) {
  const Handle space = dataspace(count, columns);
  const Handle create = creation_list(H5P_DATASET_CREATE);
  const Handle set(
      H5Dcreate2(file_, name, file_type(type), space, H5P_DEFAULT, create, H5P_DEFAULT), H5Dclose);
  if (!set ||
      (count > 0 && H5Dwrite(set, memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0))
    fail(str_cat("cannot write ", name));
}

void Hdf5Writer::write_strings(const char* name, const StringArena& values) {
  size_t longest = 1;
  for (size_t i = 0; i < values.size(); ++i) longest = std::max(longest, values[i].size());
  std::vector<char> padded(values.size() * longest);
  for (size_t i = 0; i < values.size(); ++i)
    std::copy(values[i].begin(), values[i].end(), padded.data() + i * longest);
  const Handle type = utf8_string(longest);
  const Handle space = dataspace(values.size(), 1);
  const Handle create = creation_list(H5P_DATASET_CREATE);
  const Handle set(H5Dcreate2(file_, name, type, space, H5P_DEFAULT, create, H5P_DEFAULT),
                   H5Dclose);
  if (!set ||
      (!padded.empty() && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, padded.data()) < 0))
    fail(str_cat("cannot write ", name));
}

void Hdf5Writer::write_attribute(const char* name, Scalar type, const void* values, size_t count,
                                 bool single) {
  const Handle space = single ? Handle(H5Screate(H5S_SCALAR), H5Sclose) : dataspace(count, 1);
  const Handle made(H5Acreate2(file_, name, file_type(type), space, H5P_DEFAULT, H5P_DEFAULT),
                    H5Aclose);
  if (!made || H5Awrite(made, memory_type(type), values) < 0)
    fail(str_cat("cannot write attribute ", name));
}

void Hdf5Writer::attribute(const char* name, const std::vector<std::string>& values) {
  std::vector<const char*> pointers;
  for (const auto& value : values) pointers.push_back(value.c_str());
  const Handle type = utf8_string(H5T_VARIABLE);
  const Handle space = dataspace(values.size(), 1);
  const Handle made(H5Acreate2(file_, name, type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  if (!made || H5Awrite(made, type, pointers.data()) < 0)
    fail(str_cat("cannot write attribute ", name));
}

uint64_t Hdf5Writer::reserve_bytes(const char* name, uint64_t size) {
  const Handle space = dataspace(size, 1);
  const Handle create = creation_list(H5P_DATASET_CREATE);
  H5Pset_layout(create, H5D_CONTIGUOUS);
  H5Pset_alloc_time(create, H5D_ALLOC_TIME_EARLY);
  H5Pset_fill_time(create, H5D_FILL_TIME_NEVER);
  bytes_ = H5Dcreate2(file_, name, H5T_STD_U8LE, space, H5P_DEFAULT, create, H5P_DEFAULT);
  if (bytes_ < 0) fail(str_cat("cannot create ", name));
  bytes_size_ = size;
  const haddr_t offset = H5Dget_offset(bytes_);
  if (offset == HADDR_UNDEF) fail(str_cat("cannot set aside the place for ", name));
  return offset;
}

void Hdf5Writer::write_bytes(uint64_t offset, std::span<const uint8_t> bytes) {
  if (bytes.empty()) return;
  const hsize_t begin = offset, count = bytes.size();
  const Handle memory = dataspace(bytes.size(), 1);
  const Handle file = dataspace(bytes_size_, 1);
  if (H5Sselect_hyperslab(file, H5S_SELECT_SET, &begin, nullptr, &count, nullptr) < 0 ||
      H5Dwrite(bytes_, H5T_NATIVE_UINT8, memory, file, H5P_DEFAULT, bytes.data()) < 0) {
    fail("cannot write the image bytes");
  }
}

void Hdf5Writer::close() {
  if (bytes_ >= 0 && H5Dclose(std::exchange(bytes_, -1)) < 0) fail("cannot write the image bytes");
  if (H5Fflush(file_, H5F_SCOPE_GLOBAL) < 0) fail("cannot write the file");
  if (H5Fclose(std::exchange(file_, -1)) < 0) fail("cannot write the file");
}

// --- reading
// -------------------------------------------------------------------------------------------------

Hdf5Reader::Hdf5Reader(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code failed;
  file_size_ = std::filesystem::file_size(path_, failed);
  if (failed)
    throw Error(read_error_code(failed.value()),
                str_cat("cannot read ", path_.string(), ": ", failed.message()));
  const Handle access = access_list();
  file_ = H5Fopen(path_.c_str(), H5F_ACC_RDONLY, access);
  if (file_ < 0) fail("is no HDF5 file, or a damaged one");
}

Hdf5Reader::~Hdf5Reader() {
  if (file_ >= 0) H5Fclose(file_);
}

void Hdf5Reader::fail(const std::string& what) const {
  const std::string cause = last_failure();
  throw Error(kFileDamaged, str_cat(path_.string(), " ", what, cause.empty() ? "" : ": ", cause));
}

namespace {

bool has_type(hid_t found, Scalar expected) {
  return H5Tget_class(found) == H5Tget_class(file_type(expected)) &&
         H5Tget_size(found) == H5Tget_size(file_type(expected)) &&
         (H5Tget_class(found) != H5T_INTEGER ||
          H5Tget_sign(found) == H5Tget_sign(file_type(expected)));
}

}  // namespace

size_t Hdf5Reader::dataset_size(const char* name, Scalar type, int columns) const {
  const Handle set(H5Dopen2(file_, name, H5P_DEFAULT), H5Dclose);
  if (!set) fail(str_cat("has no readable dataset ", name));
  const Handle found(H5Dget_type(set), H5Tclose);
  const Handle space(H5Dget_space(set), H5Sclose);
  std::array<hsize_t, 2> shape{0, 1};
  const int rank = H5Sget_simple_extent_ndims(space);
  if (!found || !space || rank != (columns == 1 ? 1 : 2) ||
      H5Sget_simple_extent_dims(space, shape.data(), nullptr) < 0 ||
      shape[1] != static_cast<hsize_t>(columns) || !has_type(found, type)) {
    fail(str_cat("has a dataset ", name, " of another type or shape than this format's"));
  }
  if (shape[0] > file_size_ / H5Tget_size(found) / shape[1])
    fail(str_cat("has a dataset ", name, " larger than the file"));
  return shape[0] * shape[1];
}

void Hdf5Reader::read_dataset(const char* name, Scalar type, void* values, size_t count) const {
  const Handle set(H5Dopen2(file_, name, H5P_DEFAULT), H5Dclose);
  if (count > 0 && H5Dread(set, memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
    fail(str_cat("has an unreadable dataset ", name));
}

Hdf5Reader::StringRegion Hdf5Reader::string_region(const char* name) const {
  const Handle set(H5Dopen2(file_, name, H5P_DEFAULT), H5Dclose);
  if (!set) fail(str_cat("has no readable dataset ", name));
  const Handle type(H5Dget_type(set), H5Tclose);
  const Handle space(H5Dget_space(set), H5Sclose);
  hsize_t count = 0;
  if (!type || H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) != 0 ||
      H5Sget_simple_extent_ndims(space) != 1 ||
      H5Sget_simple_extent_dims(space, &count, nullptr) < 0) {
    fail(str_cat("has a dataset ", name, " that is not a list of fixed-length strings"));
  }
  const size_t length = H5Tget_size(type);
  if (count > file_size_ / length) fail(str_cat("has a dataset ", name, " larger than the file"));
  return {region_of(name, count * length), length};
}

StringArena Hdf5Reader::read_strings(const char* name) const {
  const StringRegion region = string_region(name);
  const Handle set(H5Dopen2(file_, name, H5P_DEFAULT), H5Dclose);
  const Handle type(H5Dget_type(set), H5Tclose);
  std::vector<char> padded(region.size);
  if (!padded.empty() && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, padded.data()) < 0)
    fail(str_cat("has an unreadable dataset ", name));
  StringArena names;
  for (size_t at = 0; at < padded.size(); at += region.length)
    names.add({&padded[at], ::strnlen(&padded[at], region.length)});
  return names;
}

size_t Hdf5Reader::attribute_size(const char* name) const {
  const Handle attribute(H5Aopen(file_, name, H5P_DEFAULT), H5Aclose);
  if (!attribute) fail(str_cat("has no attribute ", name));
  const Handle space(H5Aget_space(attribute), H5Sclose);
  const hssize_t count = space ? H5Sget_simple_extent_npoints(space) : -1;
  if (count < 0 || static_cast<uint64_t>(count) > file_size_)
    fail(str_cat("has an unreadable attribute ", name));
  return static_cast<size_t>(count);
}

void Hdf5Reader::read_attribute(const char* name, Scalar type, void* values, size_t count,
                                bool single) const {
  if (single && attribute_size(name) != count)
    fail(str_cat("has an attribute ", name, " that is not a single value"));
  const Handle attribute(H5Aopen(file_, name, H5P_DEFAULT), H5Aclose);
  const Handle found(attribute ? H5Aget_type(attribute) : -1, H5Tclose);
  if (!found || !has_type(found, type))
    fail(str_cat("has an attribute ", name, " of another type than this format's"));
  if (count > 0 && H5Aread(attribute, memory_type(type), values) < 0)
    fail(str_cat("has an unreadable attribute ", name));
}

std::vector<std::string> Hdf5Reader::attribute_strings(const char* name) const {
  std::vector<char*> pointers(attribute_size(name), nullptr);
  const Handle attribute(H5Aopen(file_, name, H5P_DEFAULT), H5Aclose);
  const Handle found(H5Aget_type(attribute), H5Tclose);
  const Handle space(H5Aget_space(attribute), H5Sclose);
  const Handle type = utf8_string(H5T_VARIABLE);
  if (!found || H5Tget_class(found) != H5T_STRING || H5Tis_variable_str(found) <= 0 ||
      H5Aread(attribute, type, pointers.data()) < 0) {
    fail(str_cat("has an attribute ", name, " that is not a readable list of strings"));
  }
  std::vector<std::string> values;
  for (const char* text : pointers) values.emplace_back(text == nullptr ? "" : text);
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, pointers.data());
  return values;
}

Hdf5Reader::Region Hdf5Reader::region_of(const char* name, uint64_t size) const {
  if (size == 0) return {};
  const Handle set(H5Dopen2(file_, name, H5P_DEFAULT), H5Dclose);
  const Handle create(H5Dget_create_plist(set), H5Pclose);
  if (!create || H5Pget_layout(create) != H5D_CONTIGUOUS)
    fail(str_cat("has a dataset ", name, " that is not contiguous"));
  const haddr_t offset = H5Dget_offset(set);
  if (offset == HADDR_UNDEF || offset > file_size_ || size > file_size_ - offset)
    fail(str_cat("ends before the end of its dataset ", name));
  return {offset, size};
}

}  // namespace dfine::inline shards
