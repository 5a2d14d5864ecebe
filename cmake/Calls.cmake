# Functions of llama.cpp's template engine call us where they are entered: see native/src/calls.h. Those that can recurse; of the others
# gcc leaves out what takes next to no time, and destructors, which must not throw.
include_guard(GLOBAL)

set(LUCIFER_UNWATCHED_FILES jinja/utils.h jinja/string.h jinja/lexer bits/ ext/ /array /functional /initializer_list /istream /map /new /optional
    /ostream /sstream /string_view /tuple /typeinfo /utility)
set(LUCIFER_UNWATCHED_FUNCTIONS is_val mk_val cast_val is_stmt cast_stmt is_none is_undefined is_numeric is_immutable ::type get_ ensure_ count
    context:: operator value_hasher value_equ hasher hash_update insert has_key ::at push_ value_bool_t:: value_float_t:: value_int_t::
    value_none_t:: value_string_t:: value_undefined_t::
    value_array_t::value_ value_tuple_t::value_ value_object_t::value_ value_func_t::value_ value_kwarg_t::value_ ~)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    list(JOIN LUCIFER_UNWATCHED_FILES "," files)
    list(JOIN LUCIFER_UNWATCHED_FUNCTIONS "," functions)
    set(LUCIFER_WATCH_CALLS -finstrument-functions -finstrument-functions-exclude-file-list=${files}
        -finstrument-functions-exclude-function-list=${functions})
elseif(NOT MSVC)
    set(LUCIFER_WATCH_CALLS -finstrument-functions-after-inlining)
endif()

function(lucifer_watch_calls)
    set(sources caps lexer parser runtime string value)
    list(TRANSFORM sources REPLACE "(.+)" "${LLAMA_CPP_SOURCE_DIR}/common/jinja/\\1.cpp")
    set_source_files_properties(${sources} TARGET_DIRECTORY llama-common PROPERTIES COMPILE_OPTIONS "${LUCIFER_WATCH_CALLS}")
    # includes the engine's headers: what is inline in them is in both, and the linker takes one
    set_source_files_properties(src/builtins.cpp PROPERTIES COMPILE_OPTIONS "${LUCIFER_WATCH_CALLS}")
endfunction()
