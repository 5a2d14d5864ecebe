# LUCIFER_SANITIZE: AddressSanitizer and UndefinedBehaviorSanitizer in our code and in llama.cpp's, for the C++ tests.
# LUCIFER_FUZZ: AddressSanitizer and libFuzzer's marks in both, for native/fuzz; clang only.
include_guard(GLOBAL)

option(LUCIFER_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
add_library(lucifer_sanitizers INTERFACE)
if(LUCIFER_SANITIZE)
    foreach(library IN ITEMS LLAMA GGML)
        set(${library}_SANITIZE_ADDRESS ON)
        set(${library}_SANITIZE_UNDEFINED ON)
    endforeach()
    target_compile_options(lucifer_sanitizers INTERFACE -fsanitize=address,undefined -fno-omit-frame-pointer
        $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>) # GCC sees one in the C++ library's own <regex>
    target_link_options(lucifer_sanitizers INTERFACE -fsanitize=address,undefined)
endif()

option(LUCIFER_FUZZ "Build with AddressSanitizer and what libFuzzer counts" OFF)
if(LUCIFER_FUZZ)
    if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "LUCIFER_FUZZ needs clang, which brings libFuzzer: native/fuzz/run.sh configures it")
    endif()
    add_compile_options(-fsanitize=address,fuzzer-no-link -fno-omit-frame-pointer)
    add_link_options(-fsanitize=address)
    target_compile_options(lucifer_warnings INTERFACE -Wno-error) # the code is kept free of those of the compiler that builds it
endif()
