#include "image/tiff_stream.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "core/error.h"
#include "core/text.h"

namespace dfine::codecs {
using enum ErrorCode;
namespace {

/// What libtiff may allocate at once: a tile as it is stored, a row, its tables.
constexpr tmsize_t kMaxAllocation = 512 << 20;

using State = TiffStream::State;

State& state_of(thandle_t handle) {
  return *static_cast<State*>(handle);
}

tmsize_t on_read(thandle_t handle, void* out, tmsize_t size) {
  State& state = state_of(handle);
  const uint64_t left = state.at < state.file.size() ? state.file.size() - state.at : 0;
  const uint64_t count =
      std::min<uint64_t>(left, static_cast<uint64_t>(std::max<tmsize_t>(size, 0)));
  if (count > 0) std::memcpy(out, state.file.data() + state.at, count);
  state.at += count;
  return static_cast<tmsize_t>(count);
}

tmsize_t on_write(thandle_t, void*, tmsize_t) {
  return -1;
}

toff_t on_seek(thandle_t handle, toff_t offset, int whence) {
  State& state = state_of(handle);
  state.at = offset + (whence == SEEK_CUR ? state.at : whence == SEEK_END ? state.file.size() : 0);
  return state.at;
}

int on_close(thandle_t) {
  return 0;
}

toff_t on_size(thandle_t handle) {
  return state_of(handle).file.size();
}

int on_map(thandle_t handle, void** base, toff_t* size) {
  const Bytes file = state_of(handle).file;
  // Opened for reading, it is never written to.
  *base = const_cast<uint8_t*>(file.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  *size = file.size();
  return 1;
}

void on_unmap(thandle_t, void*, toff_t) {}

int on_error(TIFF*, void* state, const char*, const char* format, va_list values) {
  auto& error = static_cast<State*>(state)->error;
  std::vsnprintf(error.data(), error.size(), format, values);
  return 1;  // handled
}

int on_warning(TIFF*, void* state, const char*, const char* format, va_list values) {
  auto& warning = static_cast<State*>(state)->warning;
  if (warning[0] == 0) std::vsnprintf(warning.data(), warning.size(), format, values);
  return 1;
}

struct FreeOptions {
  void operator()(TIFFOpenOptions* options) const { TIFFOpenOptionsFree(options); }
};

}  // namespace

TiffStream::TiffStream(Bytes file) : state_{.file = file} {
  const std::unique_ptr<TIFFOpenOptions, FreeOptions> options(TIFFOpenOptionsAlloc());
  if (!options) throw Error(kOutOfMemory, "out of memory");
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kMaxAllocation);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), on_error, &state_);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), on_warning, &state_);
  tiff_.reset(TIFFClientOpenExt("", "r", &state_, on_read, on_write, on_seek, on_close, on_size,
                                on_map, on_unmap, options.get()));
  if (!tiff_)
    throw Error(kImageDamaged, str_cat("cannot read the header of the TIFF file: ", error()),
                "fetch the file again");
}

}  // namespace dfine::codecs
