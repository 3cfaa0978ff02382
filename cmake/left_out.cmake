# What a build leaves out, and why: said while configuring, and kept in
# build/<preset>/left_out.txt for tools/test, so that a passing run never looks more complete than
# it was.

set_property(GLOBAL PROPERTY MSGBUS_LEFT_OUT "")

function(msgbus_left_out what why)
  message(STATUS "msgbus: left out ${what}: ${why}")
  set_property(GLOBAL APPEND_STRING PROPERTY MSGBUS_LEFT_OUT "${what}: ${why}\n")
endfunction()

function(msgbus_report_left_out)
  get_property(text GLOBAL PROPERTY MSGBUS_LEFT_OUT)
  file(WRITE "${PROJECT_BINARY_DIR}/left_out.txt" "${text}")
endfunction()
