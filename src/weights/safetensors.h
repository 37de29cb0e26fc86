#pragma once
// The safetensors file format (https://huggingface.co/docs/safetensors): u64 header length, JSON
// header, then the tensors' bytes.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tensor.h"

namespace dfine::inline weights {

/// All tensors of the file by name: dense, contiguous, on the CPU, each with memory of its own.
/// Types F64 F32 F16 BF16 I64 I32 U8 BOOL. The header is checked in full before anything is read:
/// types, shapes, sizes, holes and overlaps, the file's length. An Error names the file and the
/// tensor.
std::map<std::string, Tensor> read_safetensors(const std::string& path);

/// The tensors' shapes alone, without reading their data.
std::map<std::string, std::vector<int64_t>> read_safetensors_shapes(const std::string& path);

/// The file's free text entries (`__metadata__`); empty if it has none.
std::map<std::string, std::string> read_safetensors_metadata(const std::string& path);

/// Writes `tensors` (any device and strides) as the safetensors library lays them out: widest type
/// first, then by name, header padded to 8 bytes. So the same content gives the same bytes. The
/// file appears at once and complete, or not at all.
void write_safetensors(const std::string& path, const std::map<std::string, Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

}  // namespace dfine::inline weights
