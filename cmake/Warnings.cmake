# The warning set of our own targets; every warning is an error.
include_guard(GLOBAL)

add_library(lucifer_warnings INTERFACE)
target_compile_options(lucifer_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wcast-qual -Wpointer-arith -Werror
    $<IF:$<CXX_COMPILER_ID:GNU>,-Wshadow=local,-Wshadow> # a constructor parameter may have its member's name
    $<$<COMPILE_LANGUAGE:CXX>:-Wmissing-declarations -Wnon-virtual-dtor -Woverloaded-virtual>
    $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes -Wstrict-prototypes>)
