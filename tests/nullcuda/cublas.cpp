// cuBLAS: what must be answered, and the products of matrices, whose memory is looked at.
#include <cublas_v2.h>

#include "devices.h"
#include "memory.h"
#include "record.h"

namespace {

bool ours(const char* function, const void* a, const void* b, const void* c) {
  const int device = null::current_device();
  return null::belongs_to(device, a, function) && null::belongs_to(device, b, function) &&
         null::belongs_to(device, c, function);
}

}  // namespace

#define PRODUCT(function, a, b, c) \
  NULL_CALL("cublas", function);   \
  return ours(#function, a, b, c) ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED

extern "C" {

cublasStatus_t cublasGetMathMode(cublasHandle_t, cublasMath_t* mode) {
  *mode = CUBLAS_DEFAULT_MATH;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetPointerMode_v2(cublasHandle_t, cublasPointerMode_t* mode) {
  *mode = CUBLAS_POINTER_MODE_HOST;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSgemm_v2(cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int, int,
                              const float*, const float* a, int, const float* b, int, const float*,
                              float* c, int) {
  PRODUCT(cublasSgemm_v2, a, b, c);
}

cublasStatus_t cublasSgemmStridedBatched(cublasHandle_t, cublasOperation_t, cublasOperation_t, int,
                                         int, int, const float*, const float* a, int, long long,
                                         const float* b, int, long long, const float*, float* c,
                                         int, long long, int) {
  PRODUCT(cublasSgemmStridedBatched, a, b, c);
}

cublasStatus_t cublasGemmEx(cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int, int,
                            const void*, const void* a, cudaDataType, int, const void* b,
                            cudaDataType, int, const void*, void* c, cudaDataType, int,
                            cublasComputeType_t, cublasGemmAlgo_t) {
  PRODUCT(cublasGemmEx, a, b, c);
}

cublasStatus_t cublasGemmStridedBatchedEx(cublasHandle_t, cublasOperation_t, cublasOperation_t, int,
                                          int, int, const void*, const void* a, cudaDataType, int,
                                          long long, const void* b, cudaDataType, int, long long,
                                          const void*, void* c, cudaDataType, int, long long, int,
                                          cublasComputeType_t, cublasGemmAlgo_t) {
  PRODUCT(cublasGemmStridedBatchedEx, a, b, c);
}

}  // extern "C"
