# Checks MODEL with the DEFINES, in the folder WHERE; it must be as EXPECTED: HOLDS or FAILS.

file(REMOVE_RECURSE ${WHERE})
file(MAKE_DIRECTORY ${WHERE})
set(defines)
foreach(each IN LISTS DEFINES)
  list(APPEND defines -D${each})
endforeach()

foreach(step IN ITEMS "${SPIN};${defines};-a;${MODEL}" "${CC};-w;-Og;-DSAFETY;-o;pan;pan.c")
  execute_process(COMMAND ${step} WORKING_DIRECTORY ${WHERE}
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${step}:\n${output}")
  endif()
endforeach()

execute_process(COMMAND ${WHERE}/pan -m1000000 -w22 WORKING_DIRECTORY ${WHERE}
  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
message("${output}")
if(output MATCHES "too small|search was aborted" OR NOT output MATCHES "errors: ([0-9]+)")
  message(FATAL_ERROR "the search has not been finished (${result})")
endif()
if(EXPECTED STREQUAL "HOLDS" AND NOT CMAKE_MATCH_1 STREQUAL "0")
  message(FATAL_ERROR "the model does not hold; see it with: spin -t -p ${defines} ${MODEL}")
elseif(EXPECTED STREQUAL "FAILS" AND CMAKE_MATCH_1 STREQUAL "0")
  message(FATAL_ERROR "the model holds although a part is missing: it checks too little")
endif()
