# Runs a program and judges it, for ctest:
#   cmake -DPROGRAM=... [-DINPUT=file] [-DOUTPUT_FILE=file] [-DOUTPUT_REGEX=regex]
#     -P run_program.cmake
# It passes if the program exits 0 and its standard output is the file's text (white space at the
# ends of lines aside) or matches the regular expression, where one is given.

cmake_minimum_required(VERSION 3.22)

set(input)
if(INPUT)
  set(input INPUT_FILE "${INPUT}")
endif()
execute_process(COMMAND "${PROGRAM}" ${input}
  OUTPUT_VARIABLE output ERROR_VARIABLE errors RESULT_VARIABLE result)
message(STATUS "standard output:\n${output}")
if(errors)
  message(STATUS "standard error:\n${errors}")
endif()

if(NOT result STREQUAL "0")
  message(FATAL_ERROR "${PROGRAM} ended with: ${result}")
endif()
if(OUTPUT_FILE)
  file(READ "${OUTPUT_FILE}" expected)
  foreach(text IN ITEMS output expected)
    string(REGEX REPLACE "[ \t\r]+\n" "\n" ${text} "${${text}}\n")
    string(STRIP "${${text}}" ${text})
  endforeach()
  if(NOT output STREQUAL expected)
    message(FATAL_ERROR "The output is not the one promised:\n${expected}\n")
  endif()
endif()
if(OUTPUT_REGEX AND NOT output MATCHES "${OUTPUT_REGEX}")
  message(FATAL_ERROR "The output does not match: ${OUTPUT_REGEX}")
endif()
