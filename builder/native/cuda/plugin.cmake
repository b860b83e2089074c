# What the CUDA plugin is linked with, read where llama.cpp's ggml begins. Only the driver's library
# stays outside: cmake links the static CUDA runtime by itself, and cublas.cu is in cuBLAS' place.
set(folder ${CMAKE_CURRENT_LIST_DIR})

add_library(CUDA::cudart INTERFACE IMPORTED GLOBAL)
add_library(CUDA::cublas INTERFACE IMPORTED GLOBAL)

add_library(solofile-cuda SHARED ${folder}/libcuda.c)
set_target_properties(solofile-cuda PROPERTIES OUTPUT_NAME cuda SOVERSION 1)
add_library(CUDA::cuda_driver ALIAS solofile-cuda)

# NVIDIA's compiler takes the paths in its messages from the compiler below it.
set(flags $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-g0,-ffile-prefix-map=${CMAKE_SOURCE_DIR}=llama.cpp>)
cmake_language(DEFER CALL target_sources ggml-cuda PRIVATE ${folder}/cublas.cu)
cmake_language(DEFER CALL target_compile_options ggml-cuda PRIVATE ${flags})
