// cuDNN: its graph interface on descriptors that keep what they are given. There is one engine for
// everything, and it needs no workspace.
#include <cudnn.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "devices.h"
#include "memory.h"
#include "record.h"

namespace {

struct Value {
  int64_t count = 0;
  std::vector<char> bytes;
};

/// Never destroyed: plans refer to graphs that the caller has destroyed by then.
struct Descriptor {
  cudnnBackendDescriptorType_t type;
  std::map<int, Value> values;
};

Descriptor* to_descriptor(cudnnBackendDescriptor_t handle) {
  return reinterpret_cast<Descriptor*>(handle);
}

size_t size_of(cudnnBackendAttributeType_t type) {
  switch (type) {
    case CUDNN_TYPE_BOOLEAN:
    case CUDNN_TYPE_CHAR:
      return 1;
    case CUDNN_TYPE_HANDLE:
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_DOUBLE:
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_BACKEND_DESCRIPTOR:
      return 8;
    case CUDNN_TYPE_FRACTION:
      return 16;
    default:
      return 4;
  }
}

void set(Descriptor& of, cudnnBackendAttributeName_t attribute, cudnnBackendAttributeType_t type,
         int64_t count, const void* data) {
  const auto* bytes = static_cast<const char*>(data);
  of.values[attribute] = {count, {bytes, bytes + size_of(type) * static_cast<size_t>(count)}};
}

/// The pointer kept as `attribute`, or null.
Descriptor* child(const Descriptor* of, cudnnBackendAttributeName_t attribute) {
  if (of == nullptr) return nullptr;
  const auto found = of->values.find(attribute);
  if (found == of->values.end() || found->second.bytes.size() < sizeof(void*)) return nullptr;
  Descriptor* kept = nullptr;
  std::memcpy(&kept, found->second.bytes.data(), sizeof kept);
  return kept;
}

/// The heuristics' only result, a configuration with an engine of our own.
void answer_with_engine(const Descriptor& heuristics, Descriptor& configuration) {
  auto* graph = child(&heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
  auto* engine = new Descriptor{CUDNN_BACKEND_ENGINE_DESCRIPTOR, {}};
  set(*engine, CUDNN_ATTR_ENGINE_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &graph);
  set(configuration, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &engine);
}

std::string operation_of(const Descriptor* plan) {
  const Descriptor* engine =
      child(child(plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG), CUDNN_ATTR_ENGINECFG_ENGINE);
  const Descriptor* operation =
      child(child(engine, CUDNN_ATTR_ENGINE_OPERATION_GRAPH), CUDNN_ATTR_OPERATIONGRAPH_OPS);
  if (operation == nullptr) return "unknown";
  switch (operation->type) {
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
      return "convolution";
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR:
      return "convolution's weight gradient";
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
      return "convolution's input gradient";
    default:  // attention and its gradient, among others
      return "operation " + std::to_string(operation->type);
  }
}

/// All tensors of an execution must lie on the device.
bool tensors_are_ours(const Descriptor* pack) {
  const auto found = pack->values.find(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
  if (found == pack->values.end()) return true;
  std::vector<void*> tensors(static_cast<size_t>(found->second.count));
  std::memcpy(tensors.data(), found->second.bytes.data(), found->second.bytes.size());
  // A graph's scalars are given by a host pointer; a tensor of another device is what is looked
  // for.
  return std::all_of(tensors.begin(), tensors.end(), [](const void* tensor) {
    const null::Place place = null::place_of(tensor);
    return place.kind != null::Kind::kDevice ||
           null::belongs_to(null::current_device(), tensor, "cudnnBackendExecute");
  });
}

template <class Result>
cudnnStatus_t one_algorithm(decltype(Result::algo) algorithm, int* found, Result* results) {
  *results = {};
  results->algo = algorithm;
  results->status = CUDNN_STATUS_SUCCESS;
  results->mathType = CUDNN_TENSOR_OP_MATH;
  results->determinism = CUDNN_DETERMINISTIC;
  *found = 1;
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace

extern "C" {

size_t cudnnGetVersion() {
  return 92600;
}

size_t cudnnGetCudartVersion() {
  return 13020;
}

const char* cudnnGetErrorString(cudnnStatus_t status) {
  return status == CUDNN_STATUS_SUCCESS ? "no error" : "error of the null device";
}

void cudnnGetLastErrorString(char* text, size_t size) {
  if (size > 0) *text = 0;
}

cudnnStatus_t cudnnGetStream(cudnnHandle_t, cudaStream_t* stream) {
  *stream = nullptr;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type,
                                           cudnnBackendDescriptor_t* made) {
  NULL_CALL("cudnn", cudnnBackendCreateDescriptor);
  *made = reinterpret_cast<cudnnBackendDescriptor_t>(new Descriptor{type, {}});
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t) {
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t) {
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t handle,
                                       cudnnBackendAttributeName_t attribute,
                                       cudnnBackendAttributeType_t type, int64_t count,
                                       const void* data) {
  set(*to_descriptor(handle), attribute, type, count, data);
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t handle,
                                       cudnnBackendAttributeName_t attribute,
                                       cudnnBackendAttributeType_t type, int64_t room,
                                       int64_t* count, void* data) {
  const Descriptor& of = *to_descriptor(handle);
  const bool wanted = room > 0 && data != nullptr;
  int64_t ignored = 0;
  int64_t& found = count != nullptr ? *count : ignored;
  switch (attribute) {
    case CUDNN_ATTR_ENGINEHEUR_RESULTS:  // the caller passes a descriptor to fill
      found = 1;
      if (wanted) answer_with_engine(of, **static_cast<Descriptor**>(data));
      return CUDNN_STATUS_SUCCESS;
    case CUDNN_ATTR_ENGINECFG_ENGINE:  // here too
      found = 1;
      if (wanted)
        if (const Descriptor* engine = child(&of, attribute))
          (*static_cast<Descriptor**>(data))->values = engine->values;
      return CUDNN_STATUS_SUCCESS;
    case CUDNN_ATTR_ENGINE_GLOBAL_INDEX:
    case CUDNN_ATTR_ENGINECFG_SHARED_MEMORY_USED:  // left unset it is the largest, and refused
    case CUDNN_ATTR_ENGINECFG_WORKSPACE_SIZE:
    case CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE:
      found = 1;
      if (wanted) std::memset(data, 0, size_of(type));
      return CUDNN_STATUS_SUCCESS;
    case CUDNN_ATTR_ENGINECFG_KNOB_CHOICES:
    case CUDNN_ATTR_ENGINE_KNOB_INFO:
    case CUDNN_ATTR_ENGINE_NUMERICAL_NOTE:
    case CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE:
      found = 0;
      return CUDNN_STATUS_SUCCESS;
    default:
      break;
  }
  const auto kept = of.values.find(attribute);
  found = kept != of.values.end() ? kept->second.count : 0;
  if (wanted && found > 0)
    std::memcpy(data, kept->second.bytes.data(),
                std::min(kept->second.bytes.size(), size_of(type) * static_cast<size_t>(room)));
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t, cudnnBackendDescriptor_t plan,
                                  cudnnBackendDescriptor_t pack) {
  NULL_CALL("cudnn", cudnnBackendExecute);
  null::count("cudnn", operation_of(to_descriptor(plan)));
  return tensors_are_ours(to_descriptor(pack)) ? CUDNN_STATUS_SUCCESS
                                               : CUDNN_STATUS_EXECUTION_FAILED;
}

// The older interface, with TORCH_CUDNN_V8_API_DISABLED=1.

cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(cudnnHandle_t, const cudnnTensorDescriptor_t,
                                                     const cudnnFilterDescriptor_t,
                                                     const cudnnConvolutionDescriptor_t,
                                                     const cudnnTensorDescriptor_t, const int,
                                                     int* found,
                                                     cudnnConvolutionFwdAlgoPerf_t* results) {
  return one_algorithm(CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, found, results);
}

cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(
    cudnnHandle_t, const cudnnFilterDescriptor_t, const cudnnTensorDescriptor_t,
    const cudnnConvolutionDescriptor_t, const cudnnTensorDescriptor_t, const int, int* found,
    cudnnConvolutionBwdDataAlgoPerf_t* results) {
  return one_algorithm(CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, found, results);
}

cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm_v7(
    cudnnHandle_t, const cudnnTensorDescriptor_t, const cudnnTensorDescriptor_t,
    const cudnnConvolutionDescriptor_t, const cudnnFilterDescriptor_t, const int, int* found,
    cudnnConvolutionBwdFilterAlgoPerf_t* results) {
  return one_algorithm(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, found, results);
}

// Left unset, the sizes would be what the stack held.

cudnnStatus_t cudnnGetBatchNormalizationForwardTrainingExWorkspaceSize(
    cudnnHandle_t, cudnnBatchNormMode_t, cudnnBatchNormOps_t, const cudnnTensorDescriptor_t,
    const cudnnTensorDescriptor_t, const cudnnTensorDescriptor_t, const cudnnTensorDescriptor_t,
    const cudnnActivationDescriptor_t, size_t* size) {
  *size = 0;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetBatchNormalizationBackwardExWorkspaceSize(
    cudnnHandle_t, cudnnBatchNormMode_t, cudnnBatchNormOps_t, const cudnnTensorDescriptor_t,
    const cudnnTensorDescriptor_t, const cudnnTensorDescriptor_t, const cudnnTensorDescriptor_t,
    const cudnnTensorDescriptor_t, const cudnnTensorDescriptor_t, const cudnnActivationDescriptor_t,
    size_t* size) {
  *size = 0;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetBatchNormalizationTrainingExReserveSpaceSize(
    cudnnHandle_t, cudnnBatchNormMode_t, cudnnBatchNormOps_t, const cudnnActivationDescriptor_t,
    const cudnnTensorDescriptor_t, size_t* size) {
  *size = 0;
  return CUDNN_STATUS_SUCCESS;
}

}  // extern "C"
