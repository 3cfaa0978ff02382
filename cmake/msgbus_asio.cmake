# Finds standalone Asio and gives the target msgbus::asio; without Asio there is no such target.
# Packagers ship no CMake files for it. Used by the build and by the installed package.

# Makes the target for Asio's headers in this folder.
function(msgbus_add_asio include_dir)
  add_library(msgbus::asio INTERFACE IMPORTED GLOBAL)
  set_target_properties(msgbus::asio PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${include_dir}"
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${include_dir}")
  # Clang has no coroutines with Asio before 1.28 without ASIO_HAS_...; later versions know. Whether
  # Asio 1.22 uses std::aligned_alloc depends on what is included before it, and then what one file
  # allocates another one frees in the wrong way.
  target_compile_definitions(msgbus::asio INTERFACE
    ASIO_STANDALONE ASIO_NO_DEPRECATED ASIO_HAS_CO_AWAIT ASIO_HAS_STD_COROUTINE
    ASIO_DISABLE_STD_ALIGNED_ALLOC)
endfunction()

if(NOT TARGET msgbus::asio)
  find_path(MSGBUS_ASIO_INCLUDE_DIR asio/awaitable.hpp)
  mark_as_advanced(MSGBUS_ASIO_INCLUDE_DIR)
  if(MSGBUS_ASIO_INCLUDE_DIR)
    msgbus_add_asio("${MSGBUS_ASIO_INCLUDE_DIR}")
  endif()
endif()
