# The warnings of the project's own targets. They are never handed on to those who use the library.

set(MSGBUS_WARNINGS -Wall -Wextra -Wpedantic -Wconversion -Wshadow)

function(msgbus_own_target target)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
    target_compile_options(${target} PRIVATE ${MSGBUS_WARNINGS})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
      # Its -O3 warns of "text" + std::string, whatever the text (GCC bug 105651).
      # It also takes the two operators of Asio's coroutine frames for a mismatched pair, wherever
      # it inlines only one of them.
      target_compile_options(${target} PRIVATE -Wno-restrict -Wno-mismatched-new-delete)
    endif()
    if(MSGBUS_WERROR)
      target_compile_options(${target} PRIVATE -Werror)
    endif()
  endif()
endfunction()
