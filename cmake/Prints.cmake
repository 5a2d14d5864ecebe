# What llama.cpp's libraries print goes to their logger: see native/src/prints.c. Linkers of Apple and Microsoft have no --wrap; there
# such prints stay on stderr.
include_guard(GLOBAL)

set(LUCIFER_PRINTS printf vprintf puts putchar fprintf vfprintf fputs fputc fwrite perror __printf_chk __fprintf_chk __vfprintf_chk)

function(lucifer_catch_prints target)
    if(NOT APPLE AND NOT MSVC)
        target_sources(${target} PRIVATE ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../native/src/prints.c)
        list(TRANSFORM LUCIFER_PRINTS PREPEND LINKER:--wrap= OUTPUT_VARIABLE options)
        target_link_options(${target} PRIVATE ${options})
    endif()
endfunction()
