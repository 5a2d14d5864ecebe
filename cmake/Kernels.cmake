# Compilations of the trainer's matrix product for instruction sets beyond the compiler's default; which one runs is decided on
# the machine.
include_guard(GLOBAL)

function(lucifer_add_kernels target)
    if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$" OR MSVC)
        return()
    endif()
    set(dir ${CMAKE_CURRENT_SOURCE_DIR}/src/trainer)
    target_sources(${target} PRIVATE ${dir}/gemm-avx2.cpp ${dir}/gemm-avx512.cpp)
    target_compile_definitions(${target} PRIVATE LUCIFER_X86_KERNELS)
    set_source_files_properties(${dir}/gemm-avx2.cpp PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma;-fno-math-errno")
    set_source_files_properties(${dir}/gemm-avx512.cpp PROPERTIES COMPILE_OPTIONS "-mavx512f;-mfma;-fno-math-errno")
endfunction()
