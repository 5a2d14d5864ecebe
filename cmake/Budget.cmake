# Memory that libllama and our library take is charged to the budget of the work that takes it: see native/engine/budget.h. Linkers of
# Apple and Microsoft have no --wrap; there what libllama takes is not.
include_guard(GLOBAL)

set(LUCIFER_OPERATORS _Znwm _Znam _ZnwmRKSt9nothrow_t _ZdlPv _ZdlPvm _ZdaPv)

function(lucifer_charge_memory engine library)
    set(source ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../native/engine/budget.cpp)
    if(APPLE OR WIN32)
        target_sources(${library} PRIVATE ${source})
        return()
    endif()
    target_sources(${engine} PRIVATE ${source})
    set_property(SOURCE ${source} TARGET_DIRECTORY ${engine} PROPERTY COMPILE_DEFINITIONS LUCIFER_WRAPPED_OPERATORS)
    list(TRANSFORM LUCIFER_OPERATORS PREPEND LINKER:--wrap= OUTPUT_VARIABLE options)
    target_link_options(${engine} PRIVATE ${options})
    target_link_options(${library} PRIVATE ${options})
    target_sources(${library} PRIVATE ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../native/engine/charged-strings.cpp)
endfunction()
