// The C++ library has the members of strings and string streams compiled, and they take their memory there, where it is charged to
// nobody. The linker prefers these.

#include <sstream>
#include <string>

template class std::basic_string<char>;
template class std::basic_stringbuf<char>;
template class std::basic_istringstream<char>;
template class std::basic_ostringstream<char>;
template class std::basic_stringstream<char>;
