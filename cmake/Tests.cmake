# Every tests/unit/*_test.c is a cmocka program; every tests/integration/*.sh is run with the build
# folder as its argument. Tests that take over a few seconds say "# long" in their first five lines:
# the sanitizer runs leave those out (ctest -LE long).
find_library(CMOCKA_LIBRARY cmocka REQUIRED)

file(GLOB PROFUSE_UNIT_TESTS CONFIGURE_DEPENDS tests/unit/*_test.c)
foreach(source ${PROFUSE_UNIT_TESTS})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/lib ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE profuse_flags profuse_static ${CMOCKA_LIBRARY})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY tests)
  add_test(NAME unit/${name} COMMAND ${name})
  set_tests_properties(unit/${name} PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77
    ENVIRONMENT "PROFUSE_SOURCE_DIR=${CMAKE_SOURCE_DIR};PROFUSE_BUILD_DIR=${CMAKE_BINARY_DIR}")
endforeach()

file(GLOB PROFUSE_INTEGRATION_TESTS CONFIGURE_DEPENDS tests/integration/*.sh)
foreach(script ${PROFUSE_INTEGRATION_TESTS})
  get_filename_component(name ${script} NAME_WE)
  add_test(NAME integration/${name} COMMAND bash ${script} ${CMAKE_BINARY_DIR})
  set_tests_properties(integration/${name} PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77
    ENVIRONMENT "PROFUSE_SOURCE_DIR=${CMAKE_SOURCE_DIR};PROFUSE_BUILD_DIR=${CMAKE_BINARY_DIR}")
  file(STRINGS ${script} head LIMIT_COUNT 5 REGEX "^# long")
  if(head)
    set_property(TEST integration/${name} APPEND PROPERTY LABELS long)
  endif()
endforeach()

# Programs that integration tests run: each tests/tools/*.c becomes BUILD/tests/NAME.
file(GLOB PROFUSE_TEST_TOOLS CONFIGURE_DEPENDS tests/tools/*.c)
foreach(source ${PROFUSE_TEST_TOOLS})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE profuse_flags)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY tests)
endforeach()
