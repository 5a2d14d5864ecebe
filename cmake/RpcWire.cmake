# The client in ggml-rpc waits with limits and outlives its servers: see native/src/rpc-wire.cpp. Linkers of Apple and Microsoft have no
# --wrap; there a server that fails ends the process.
include_guard(GLOBAL)

function(lucifer_guard_rpc target)
    if(NOT APPLE AND NOT MSVC)
        target_sources(${target} PRIVATE ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../native/src/rpc-wire.cpp)
        target_link_options(${target} PRIVATE LINKER:--wrap=connect LINKER:--wrap=send LINKER:--wrap=recv LINKER:--wrap=close)
    endif()
endfunction()
