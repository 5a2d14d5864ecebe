# llama.cpp's own programs, from the same source and on the same libraries as ours: what the golden tests compare with, on whatever
# CPU they run. Their parts are linked in, so that no library is added to those that are packed.
include_guard(GLOBAL)

function(lucifer_add_tools)
    set(BUILD_SHARED_LIBS OFF)
    foreach(tool IN LISTS ARGN)
        set(source ${LLAMA_CPP_SOURCE_DIR}/tools/${tool})
        if(NOT EXISTS ${source})
            set(source ${LLAMA_CPP_SOURCE_DIR}/tools/llama-${tool})
        endif()
        add_subdirectory(${source} llama.cpp/${tool} EXCLUDE_FROM_ALL)
        lucifer_adopt_targets(${source})
        add_custom_target(upstream-${tool} ALL DEPENDS llama-${tool})
    endforeach()
endfunction()

option(LUCIFER_BENCH_TOOLS "Also llama-bench, to measure against (src/test/gpu)" OFF)

if(NOT LUCIFER_SANITIZE)
    lucifer_add_tools(completion imatrix perplexity quantize tokenize)
    if(NOT GGML_BACKEND_DL) # it is linked to the CPU backend
        lucifer_add_tools(export-lora)
    endif()
endif()
if(LUCIFER_BENCH_TOOLS)
    lucifer_add_tools(bench)
endif()
