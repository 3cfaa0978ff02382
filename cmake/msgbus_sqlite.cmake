# Finds SQLite with its wrapper SQLiteCpp, and gives the target msgbus::sqlite; without them there
# is no such target. Used by the build and by the installed package.

# Makes the target.
function(msgbus_add_sqlite)
  add_library(msgbus::sqlite INTERFACE IMPORTED GLOBAL)
  set_target_properties(msgbus::sqlite PROPERTIES
    INTERFACE_LINK_LIBRARIES "SQLiteCpp;SQLite::SQLite3")
endfunction()

if(NOT TARGET msgbus::sqlite)
  find_package(SQLite3 3.35 QUIET)
  if(SQLite3_FOUND)
    find_package(SQLiteCpp CONFIG QUIET)
    if(SQLiteCpp_FOUND)
      msgbus_add_sqlite()
    endif()
  endif()
endif()
