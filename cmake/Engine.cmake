# What is linked into libllama itself, in the place of functions of llama.cpp: native/engine. Only linkers with --wrap can do that. The
# others come with C++ libraries whose std::regex does not overflow the stack: Apple's does not recurse, Microsoft's gives up with an error.
include_guard(GLOBAL)

set(LUCIFER_ENGINE_DIR ${CMAKE_CURRENT_LIST_DIR}/../native/engine)
set(LUCIFER_SPLIT_SOURCES categories.cpp expression.cpp matcher.cpp program.cpp split.cpp symbol-set.cpp)
list(TRANSFORM LUCIFER_SPLIT_SOURCES PREPEND ${LUCIFER_ENGINE_DIR}/)
# unicode_regex_split, as compilers with the Itanium ABI and libstdc++ name it
set(LUCIFER_SPLIT _Z19unicode_regex_splitRKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEERKSt6vectorIS4_SaIS4_EEb)

function(lucifer_wrap_engine)
    if(APPLE OR MSVC)
        return()
    endif()
    set(sources ${LUCIFER_SPLIT_SOURCES} ${LUCIFER_ENGINE_DIR}/wrap.cpp ${LUCIFER_ENGINE_DIR}/tensor-memory.cpp
        ${LUCIFER_ENGINE_DIR}/free-memory.cpp)
    target_sources(llama PRIVATE ${sources})
    # each compiled for itself, as llama.cpp's other sources beside its models are
    set_source_files_properties(${sources} TARGET_DIRECTORY llama PROPERTIES
        SKIP_UNITY_BUILD_INCLUSION ON COMPILE_OPTIONS -fvisibility=hidden)
    target_link_options(llama PRIVATE LINKER:--wrap=${LUCIFER_SPLIT} LINKER:--wrap=ggml_backend_alloc_ctx_tensors_from_buft)
endfunction()
