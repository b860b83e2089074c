// cuBLAS for ggml: the machine's own where there is one, looked up when it is first needed, and
// kernels of ours where there is none. So the plugin needs nothing but the driver.

#include "gemm.hpp"

#include <cublas_v2.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <string>

struct cublasContext {
    cudaStream_t stream;
};

namespace {

using solofile::Matrices;
using solofile::Product;
using solofile::TILE;

constexpr int THREADS = 16;
constexpr int MAX_GRID_Z = 65535;

void * open_cublas() {
    const std::string name = "libcublas.so." + std::to_string(CUBLAS_VER_MAJOR);
    const char * home = std::getenv("CUDA_PATH");
    const std::string places[] = {
        name, (home ? std::string(home) : "/usr/local/cuda") + "/lib64/" + name};
    for (const std::string & place : places) {
        if (void * library = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL)) {
            return library;
        }
    }
    return nullptr;
}

// Returns cuBLAS' own function, or null where there is no cuBLAS.
template <typename Function> Function * own(const char * name, Function *) {
    static void * const library = open_cublas();
    return library ? reinterpret_cast<Function *>(dlsym(library, name)) : nullptr;
}

#define TEXT_OF(name) #name
#define NAME_OF(name) TEXT_OF(name)
#define PASS_ON(function, ...)                                                                     \
    static auto * const theirs = own(NAME_OF(function), &function);                                \
    if (theirs) {                                                                                  \
        return theirs(__VA_ARGS__);                                                                \
    }

template <typename A, typename B, typename C> __global__ void multiply(Product product) {
    const int row = (blockIdx.x * THREADS + threadIdx.x) * TILE;
    const int column = (blockIdx.y * THREADS + threadIdx.y) * TILE;
    if (row >= product.m || column >= product.n) {
        return;
    }
    for (int index = blockIdx.z; index < product.count; index += gridDim.z) {
        solofile::multiply_tile<A, B, C>(product, row, column, index);
    }
}

__global__ void solve(
    int m, int n, float alpha, const float * const * a, int lda, float * const * b, int ldb) {
    const int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row < m) {
        solofile::solve_row(a[blockIdx.y], lda, b[blockIdx.y], ldb, n, alpha, row);
    }
}

cublasStatus_t started() {
    return cudaGetLastError() == cudaSuccess ? CUBLAS_STATUS_SUCCESS
                                             : CUBLAS_STATUS_EXECUTION_FAILED;
}

template <typename A, typename B, typename C>
cublasStatus_t start(cublasHandle_t handle, const Product & product) {
    if (product.m <= 0 || product.n <= 0 || product.count <= 0) {
        return CUBLAS_STATUS_SUCCESS;
    }
    constexpr int covered = THREADS * TILE;
    const dim3 blocks(
        (product.m + covered - 1) / covered, (product.n + covered - 1) / covered,
        std::min(product.count, MAX_GRID_Z));
    multiply<A, B, C><<<blocks, dim3(THREADS, THREADS), 0, handle->stream>>>(product);
    return started();
}

cublasStatus_t start(
    cublasHandle_t handle, const Product & product, cudaDataType a, cudaDataType b, cudaDataType c) {
    if (a != b) {
        return CUBLAS_STATUS_NOT_SUPPORTED;
    }
    if (a == CUDA_R_32F && c == CUDA_R_32F) {
        return start<float, float, float>(handle, product);
    }
    if (a == CUDA_R_16F && c == CUDA_R_16F) {
        return start<half, half, half>(handle, product);
    }
    if (a == CUDA_R_16F && c == CUDA_R_32F) {
        return start<half, half, float>(handle, product);
    }
    if (a == CUDA_R_16BF && c == CUDA_R_16BF) {
        return start<nv_bfloat16, nv_bfloat16, nv_bfloat16>(handle, product);
    }
    if (a == CUDA_R_16BF && c == CUDA_R_32F) {
        return start<nv_bfloat16, nv_bfloat16, float>(handle, product);
    }
    return CUBLAS_STATUS_NOT_SUPPORTED;
}

float number(const void * value, cublasComputeType_t compute) {
    return compute == CUBLAS_COMPUTE_16F ? __half2float(*static_cast<const half *>(value))
                                         : *static_cast<const float *>(value);
}

Matrices strided(const void * first, int leading, cublasOperation_t op, long long stride = 0) {
    return {first, nullptr, stride, leading, op != CUBLAS_OP_N};
}

Matrices listed(const void * const * array, int leading, cublasOperation_t op) {
    return {nullptr, array, 0, leading, op != CUBLAS_OP_N};
}

}  // namespace

const char * cublasGetStatusString(cublasStatus_t status) {
    PASS_ON(cublasGetStatusString, status)
    switch (status) {
        case CUBLAS_STATUS_SUCCESS: return "success";
        case CUBLAS_STATUS_EXECUTION_FAILED: return "a kernel could not be started";
        case CUBLAS_STATUS_NOT_SUPPORTED: return "not supported without cuBLAS";
        default: return "unknown";
    }
}

cublasStatus_t cublasCreate(cublasHandle_t * handle) {
    PASS_ON(cublasCreate, handle)
    *handle = new cublasContext{};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy(cublasHandle_t handle) {
    PASS_ON(cublasDestroy, handle)
    delete handle;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
    PASS_ON(cublasSetStream, handle, stream)
    handle->stream = stream;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
    PASS_ON(cublasSetMathMode, handle, mode)
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void * workspace, size_t size) {
    PASS_ON(cublasSetWorkspace, handle, workspace, size)
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSgemm(
    cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,
    const float * alpha, const float * a, int lda, const float * b, int ldb,
    const float * beta, float * c, int ldc) {
    PASS_ON(cublasSgemm, handle, op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
    return start<float, float, float>(
        handle, {m, n, k, 1, *alpha, *beta, strided(a, lda, op_a), strided(b, ldb, op_b),
                 strided(c, ldc, CUBLAS_OP_N)});
}

cublasStatus_t cublasSgemmBatched(
    cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,
    const float * alpha, const float * const a[], int lda, const float * const b[], int ldb,
    const float * beta, float * const c[], int ldc, int count) {
    PASS_ON(
        cublasSgemmBatched, handle, op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, count)
    const auto list = [](const void * array) { return static_cast<const void * const *>(array); };
    return start<float, float, float>(
        handle, {m, n, k, count, *alpha, *beta, listed(list(a), lda, op_a),
                 listed(list(b), ldb, op_b), listed(list(c), ldc, CUBLAS_OP_N)});
}

cublasStatus_t cublasSgemmStridedBatched(
    cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,
    const float * alpha, const float * a, int lda, long long stride_a,
    const float * b, int ldb, long long stride_b,
    const float * beta, float * c, int ldc, long long stride_c, int count) {
    PASS_ON(
        cublasSgemmStridedBatched, handle, op_a, op_b, m, n, k, alpha, a, lda, stride_a, b, ldb,
        stride_b, beta, c, ldc, stride_c, count)
    return start<float, float, float>(
        handle, {m, n, k, count, *alpha, *beta, strided(a, lda, op_a, stride_a),
                 strided(b, ldb, op_b, stride_b), strided(c, ldc, CUBLAS_OP_N, stride_c)});
}

cublasStatus_t cublasGemmEx(
    cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,
    const void * alpha, const void * a, cudaDataType type_a, int lda,
    const void * b, cudaDataType type_b, int ldb,
    const void * beta, void * c, cudaDataType type_c, int ldc,
    cublasComputeType_t compute, cublasGemmAlgo_t algorithm) {
    PASS_ON(
        cublasGemmEx, handle, op_a, op_b, m, n, k, alpha, a, type_a, lda, b, type_b, ldb, beta, c,
        type_c, ldc, compute, algorithm)
    const Product product = {
        m, n, k, 1, number(alpha, compute), number(beta, compute), strided(a, lda, op_a),
        strided(b, ldb, op_b), strided(c, ldc, CUBLAS_OP_N)};
    return start(handle, product, type_a, type_b, type_c);
}

cublasStatus_t cublasGemmBatchedEx(
    cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,
    const void * alpha, const void * const a[], cudaDataType type_a, int lda,
    const void * const b[], cudaDataType type_b, int ldb,
    const void * beta, void * const c[], cudaDataType type_c, int ldc, int count,
    cublasComputeType_t compute, cublasGemmAlgo_t algorithm) {
    PASS_ON(
        cublasGemmBatchedEx, handle, op_a, op_b, m, n, k, alpha, a, type_a, lda, b, type_b, ldb,
        beta, c, type_c, ldc, count, compute, algorithm)
    const Product product = {
        m, n, k, count, number(alpha, compute), number(beta, compute), listed(a, lda, op_a),
        listed(b, ldb, op_b), listed(c, ldc, CUBLAS_OP_N)};
    return start(handle, product, type_a, type_b, type_c);
}

cublasStatus_t cublasGemmStridedBatchedEx(
    cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,
    const void * alpha, const void * a, cudaDataType type_a, int lda, long long stride_a,
    const void * b, cudaDataType type_b, int ldb, long long stride_b,
    const void * beta, void * c, cudaDataType type_c, int ldc, long long stride_c, int count,
    cublasComputeType_t compute, cublasGemmAlgo_t algorithm) {
    PASS_ON(
        cublasGemmStridedBatchedEx, handle, op_a, op_b, m, n, k, alpha, a, type_a, lda, stride_a, b,
        type_b, ldb, stride_b, beta, c, type_c, ldc, stride_c, count, compute, algorithm)
    const Product product = {
        m, n, k, count, number(alpha, compute), number(beta, compute),
        strided(a, lda, op_a, stride_a), strided(b, ldb, op_b, stride_b),
        strided(c, ldc, CUBLAS_OP_N, stride_c)};
    return start(handle, product, type_a, type_b, type_c);
}

cublasStatus_t cublasStrsmBatched(
    cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t fill, cublasOperation_t op,
    cublasDiagType_t diagonal, int m, int n, const float * alpha,
    const float * const a[], int lda, float * const b[], int ldb, int count) {
    PASS_ON(
        cublasStrsmBatched, handle, side, fill, op, diagonal, m, n, alpha, a, lda, b, ldb, count)
    if (side != CUBLAS_SIDE_RIGHT || fill != CUBLAS_FILL_MODE_UPPER || op != CUBLAS_OP_N ||
        diagonal != CUBLAS_DIAG_NON_UNIT || count > MAX_GRID_Z) {
        return CUBLAS_STATUS_NOT_SUPPORTED;
    }
    if (m <= 0 || n <= 0 || count <= 0) {
        return CUBLAS_STATUS_SUCCESS;
    }
    constexpr int threads = THREADS * THREADS;
    solve<<<dim3((m + threads - 1) / threads, count), threads, 0, handle->stream>>>(
        m, n, *alpha, a, lda, b, ldb);
    return started();
}
