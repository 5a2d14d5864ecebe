# What the library says about itself: build-info.h, from the pin, the source and the compiler.
include_guard(GLOBAL)

execute_process(COMMAND git -C ${LLAMA_CPP_SOURCE_DIR} rev-parse HEAD
    OUTPUT_VARIABLE LLAMA_CPP_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT LLAMA_CPP_COMMIT)
    set(LLAMA_CPP_COMMIT unknown)
endif()
get_directory_property(GGML_VERSION_BUILT DIRECTORY ${LLAMA_CPP_SOURCE_DIR}/ggml DEFINITION GGML_VERSION)

set(LUCIFER_BUILD_FLAGS "${CMAKE_BUILD_TYPE}")
foreach(option IN ITEMS LUCIFER_PORTABLE LUCIFER_SANITIZE)
    if(${option})
        string(APPEND LUCIFER_BUILD_FLAGS " ${option}")
    endif()
endforeach()
if(CMAKE_CUDA_ARCHITECTURES)
    string(APPEND LUCIFER_BUILD_FLAGS " CUDA_ARCHITECTURES=${CMAKE_CUDA_ARCHITECTURES}")
endif()

configure_file(${CMAKE_CURRENT_LIST_DIR}/build-info.h.in ${CMAKE_CURRENT_BINARY_DIR}/generated/build-info.h @ONLY)
