# LUCIFER_SANITIZE: AddressSanitizer and UndefinedBehaviorSanitizer in our code and in llama.cpp's, for the C++ tests.
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
