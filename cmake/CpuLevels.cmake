# ggml's CPU backend for the lowest level of x86-64, beside that for this machine: the tests run on both. Not part of what is packed;
# made by the target cpu-baseline (native/levels), not by a plain build. A build with a library for each level has it already.
include_guard(GLOBAL)

if(NOT GGML_BACKEND_DL AND NOT LUCIFER_SANITIZE AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
    include(ExternalProject)
    set(off)
    foreach(feature IN ITEMS NATIVE SSE42 AVX AVX2 F16C FMA BMI2 OPENMP CCACHE)
        list(APPEND off -DGGML_${feature}=OFF)
    endforeach()
    foreach(part IN ITEMS COMMON TOOLS TESTS EXAMPLES SERVER APP)
        list(APPEND off -DLLAMA_BUILD_${part}=OFF)
    endforeach()
    ExternalProject_Add(cpu-baseline
        SOURCE_DIR ${LLAMA_CPP_SOURCE_DIR}
        BINARY_DIR ${CMAKE_BINARY_DIR}/cpu-baseline
        PREFIX ${CMAKE_BINARY_DIR}/cpu-baseline-steps
        CMAKE_ARGS ${off} -DBUILD_SHARED_LIBS=ON -DLLAMA_OPENSSL=OFF -DCMAKE_PLATFORM_NO_VERSIONED_SONAME=ON -DCMAKE_BUILD_TYPE=${CMAKE_BUILD_TYPE}
            -DCMAKE_C_FLAGS=${CMAKE_C_FLAGS} -DCMAKE_CXX_FLAGS=${CMAKE_CXX_FLAGS}
            -DCMAKE_C_COMPILER=${CMAKE_C_COMPILER} -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}
            -DCMAKE_C_COMPILER_LAUNCHER=${CMAKE_C_COMPILER_LAUNCHER} -DCMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER}
            -DCMAKE_BUILD_WITH_INSTALL_RPATH=ON -DCMAKE_INSTALL_RPATH=$ORIGIN
        BUILD_COMMAND ${CMAKE_COMMAND} --build <BINARY_DIR> --target ggml-cpu
        INSTALL_COMMAND ""
        BUILD_ALWAYS ON
        EXCLUDE_FROM_ALL ON)
endif()
