# LUCIFER_BACKENDS: which of llama.cpp's backends are built, and what each needs. cpu and rpc always are.
include_guard(GLOBAL)

set(LUCIFER_BACKENDS "cpu;rpc" CACHE STRING "Backends besides cpu and rpc: cuda, metal, vulkan (comma or semicolon between)")
string(REPLACE "," ";" backends "${LUCIFER_BACKENDS}")
list(PREPEND backends cpu rpc)
list(REMOVE_DUPLICATES backends)

foreach(known IN ITEMS CUDA METAL VULKAN BLAS)
    set(GGML_${known} OFF)
endforeach()

foreach(backend IN LISTS backends)
    if(backend STREQUAL "cpu")
        set(GGML_CPU ON)
    elseif(backend STREQUAL "rpc")
        set(GGML_RPC ON)
    elseif(backend STREQUAL "cuda")
        find_package(CUDAToolkit QUIET)
        if(NOT CUDAToolkit_FOUND OR NOT CUDAToolkit_NVCC_EXECUTABLE)
            message(FATAL_ERROR "Backend cuda needs NVIDIA's CUDA toolkit (nvcc), 12 or later: install cuda-toolkit from NVIDIA's "
                "package repository (Debian's own: apt install nvidia-cuda-toolkit), and put its bin folder on the PATH.")
        endif()
        if(NOT TARGET CUDA::cublas OR NOT TARGET CUDA::cuda_driver)
            message(FATAL_ERROR "Backend cuda needs cuBLAS and the driver's stub (lib/stubs/libcuda.so), which this CUDA toolkit lacks: "
                "install libcublas-dev and cuda-driver-dev of the toolkit's version from NVIDIA's package repository.")
        endif()
        if(NOT CMAKE_CUDA_ARCHITECTURES AND NOT LUCIFER_PORTABLE AND NOT EXISTS /proc/driver/nvidia)
            message(FATAL_ERROR "Backend cuda on a machine without an NVIDIA GPU: name the architectures to build for, "
                "for example -DCMAKE_CUDA_ARCHITECTURES=90 (all that upstream supports: preset release).")
        endif()
        set(GGML_CUDA ON)
    elseif(backend STREQUAL "metal")
        if(NOT APPLE)
            message(FATAL_ERROR "Backend metal exists on macOS only.")
        endif()
        set(GGML_METAL ON)
        set(GGML_METAL_EMBED_LIBRARY ON)
    elseif(backend STREQUAL "vulkan")
        find_package(Vulkan QUIET COMPONENTS glslc)
        find_package(SPIRV-Headers QUIET)
        if(NOT Vulkan_FOUND OR NOT Vulkan_GLSLC_EXECUTABLE OR NOT SPIRV-Headers_FOUND)
            message(FATAL_ERROR "Backend vulkan needs Vulkan's headers, its loader, SPIR-V's headers and the shader compiler glslc: "
                "Debian: apt install libvulkan-dev spirv-headers glslc.")
        endif()
        set(GGML_VULKAN ON)
    else()
        message(FATAL_ERROR "Unknown backend '${backend}' in LUCIFER_BACKENDS=${LUCIFER_BACKENDS}: expected cpu, rpc, cuda, metal, vulkan")
    endif()
endforeach()

# Every backend a library of its own, loaded at run time if it can be: for a build that runs everywhere, and with a GPU backend,
# which linked in would stop everything where its driver is missing. Upstream then wants the CPU's backend once per
# instruction set level, of which the best is chosen at run time.
option(LUCIFER_PORTABLE "One build for every machine of this OS and architecture" OFF)
set(GGML_BACKEND_DL OFF)
set(GGML_NATIVE ON)
if(LUCIFER_PORTABLE OR GGML_CUDA OR GGML_METAL OR GGML_VULKAN)
    set(GGML_BACKEND_DL ON)
    set(GGML_NATIVE OFF)
endif()
set(GGML_CPU_ALL_VARIANTS ${GGML_BACKEND_DL})
list(JOIN backends "," LUCIFER_BACKENDS_BUILT)
