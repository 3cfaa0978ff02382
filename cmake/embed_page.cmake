# Writes a source that holds the files of the monitor's page:
#   cmake -DPAGE=<folder> -DFILES=<name>,<name>... -DOUTPUT=<file> -P embed_page.cmake
#
# As numbers, since compilers limit the length of texts.

string(REPLACE "," ";" files "${FILES}")
set(arrays)
set(entries)
set(index 0)
foreach(file IN LISTS files)
  string(REGEX MATCH "[^.]*$" suffix "${file}")
  if(suffix STREQUAL "html")
    set(type "text/html; charset=utf-8")
  elseif(suffix STREQUAL "css")
    set(type "text/css; charset=utf-8")
  elseif(suffix STREQUAL "js")
    set(type "text/javascript; charset=utf-8")
  elseif(suffix STREQUAL "svg")
    set(type "image/svg+xml")
  else()
    message(FATAL_ERROR "cmake/embed_page.cmake: what is ${file}?")
  endif()
  file(READ "${PAGE}/${file}" bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n"
    bytes "${bytes}")
  string(APPEND arrays "constexpr unsigned char file_${index}[] = {\n${bytes}0};\n\n")
  string(APPEND entries "      {\"/${file}\", \"${type}\", text(file_${index})},\n")
  math(EXPR index "${index} + 1")
endforeach()

file(WRITE "${OUTPUT}.new" "// Made by cmake/embed_page.cmake.

#include \"monitor/server.hpp\"

#include <cstddef>

namespace msgbus::monitoring {

namespace {

${arrays}// Each ends with one byte more, since no array is empty.
template <std::size_t N>
std::string_view text(const unsigned char (&bytes)[N]) {
  return {reinterpret_cast<const char*>(bytes), N - 1};
}

}  // namespace

const std::vector<page_file>& page_files() {
  static const std::vector<page_file> all{
${entries}  };
  return all;
}

}  // namespace msgbus::monitoring
")
file(COPY_FILE "${OUTPUT}.new" "${OUTPUT}" ONLY_IF_DIFFERENT)
