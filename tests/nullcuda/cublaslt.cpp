// cuBLASLt: one algorithm is always found.
#include <cublasLt.h>

#include "devices.h"
#include "memory.h"
#include "record.h"

extern "C" {

size_t cublasLtGetVersion() {
  return 130401;
}

/// The results stay as the caller cleared them. Their size differs between versions of the header.
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                              cublasLtMatmulPreference_t, int,
                                              cublasLtMatmulHeuristicResult_t[], int* found) {
  NULL_CALL("cublasLt", cublasLtMatmulAlgoGetHeuristic);
  *found = 1;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t, const void*, const void* a,
                              cublasLtMatrixLayout_t, const void* b, cublasLtMatrixLayout_t,
                              const void*, const void* c, cublasLtMatrixLayout_t, void* d,
                              cublasLtMatrixLayout_t, const cublasLtMatmulAlgo_t*, void*, size_t,
                              cudaStream_t) {
  NULL_CALL("cublasLt", cublasLtMatmul);
  const int device = null::current_device();
  for (const void* memory : {a, b, c, static_cast<const void*>(d)})
    if (!null::belongs_to(device, memory, "cublasLtMatmul")) return CUBLAS_STATUS_EXECUTION_FAILED;
  return CUBLAS_STATUS_SUCCESS;
}

}  // extern "C"
