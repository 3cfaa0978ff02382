# How the project builds itself quickly. Nothing here reaches those who use the library.

# msgbus_compiled_together(<target> <files>): so many of its files at a time make one unit, where
# MSGBUS_UNITY is on.
function(msgbus_compiled_together target batch)
  set_target_properties(${target} PROPERTIES
    UNITY_BUILD ${MSGBUS_UNITY}
    UNITY_BUILD_BATCH_SIZE ${batch})
  if(MSGBUS_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ takes the files of a unit for headers, and their anonymous namespaces for a mistake.
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
  endif()
endfunction()

# msgbus_precompiled(<name> <header> <linked target>...): a header for targets that link at least
# the same; each takes it with msgbus_takes_precompiled(<target> <name>).
function(msgbus_precompiled name header)
  set(source "${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp")
  if(NOT EXISTS "${source}")
    file(WRITE "${source}" "// Nothing but its precompiled header is wanted.\n")
  endif()
  add_library(${name} OBJECT "${source}")
  msgbus_own_target(${name})
  target_link_libraries(${name} PRIVATE ${ARGN})
  target_precompile_headers(${name} PRIVATE ${header})
endfunction()

function(msgbus_takes_precompiled target name)
  target_precompile_headers(${target} REUSE_FROM ${name})
endfunction()

# msgbus_guides_fuzzers(<target>): its code says where it was, if there are fuzz targets. The tests
# do without: their code would take a third longer to compile.
function(msgbus_guides_fuzzers target)
  if(MSGBUS_BUILD_FUZZERS)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()
