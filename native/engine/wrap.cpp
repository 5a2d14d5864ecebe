// Puts our split in the place of llama.cpp's: the linker's --wrap, see cmake/Engine.cmake, sends the calls to the function here, and calls
// of the original by its other name to llama.cpp's.

#include "split.h"

#define SPLIT "_Z19unicode_regex_splitRKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEERKSt6vectorIS4_SaIS4_EEb"

lucifer::engine::splitter original_split __asm__("__real_" SPLIT);
lucifer::engine::splitter wrapped_split __asm__("__wrap_" SPLIT);

std::vector<std::string> wrapped_split(const std::string & text, const std::vector<std::string> & expressions, bool byte_encode) {
    return lucifer::engine::split(text, expressions, byte_encode, original_split);
}
