# Every tests/unit/*_test.c is a cmocka program; every tests/integration/*.sh is run with the build
# folder as its argument. Tests that take over a few seconds say "# long" in their first five lines:
# the sanitizer runs leave those out (ctest -LE long).
find_library(CMOCKA_LIBRARY cmocka REQUIRED)

# The generated codec that our own reader and writer are held against.
find_program(PROTOC_C protoc-c REQUIRED)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)
set(ORACLE_DIR ${CMAKE_BINARY_DIR}/oracle)
file(MAKE_DIRECTORY ${ORACLE_DIR})
add_custom_command(OUTPUT ${ORACLE_DIR}/profile.pb-c.c ${ORACLE_DIR}/profile.pb-c.h
  COMMAND ${PROTOC_C} --c_out=${ORACLE_DIR} -I${CMAKE_SOURCE_DIR}/tests/support profile.proto
  DEPENDS tests/support/profile.proto VERBATIM)
add_library(profile_oracle STATIC ${ORACLE_DIR}/profile.pb-c.c)
target_include_directories(profile_oracle PUBLIC ${ORACLE_DIR})
target_link_libraries(profile_oracle PUBLIC PkgConfig::PROTOBUF_C)

file(GLOB PROFUSE_UNIT_TESTS CONFIGURE_DEPENDS tests/unit/*_test.c)
foreach(source ${PROFUSE_UNIT_TESTS})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/lib ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE profuse_flags profuse_static ${CMOCKA_LIBRARY})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY tests)
  add_test(NAME unit/${name} COMMAND ${name})
  set_tests_properties(unit/${name} PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77
    ENVIRONMENT "PROFUSE_SOURCE_DIR=${CMAKE_SOURCE_DIR};PROFUSE_BUILD_DIR=${CMAKE_BINARY_DIR}")
endforeach()

target_sources(options_test PRIVATE cli/options.c)
target_link_libraries(profile_encode_test PRIVATE profile_oracle)
foreach(name allocation_failure_test collect_allocation_test convert_allocation_test merge_steps_test bench_decide_test show_allocation_test tune_store_test
    store_allocation_test tune_allocation_test tune_search_test)
  target_sources(${name} PRIVATE tests/support/failing_malloc.c)
  target_link_options(${name} PRIVATE LINKER:--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free)
endforeach()

# The store's named places, at which its test ends the process.
target_link_options(store_crash_test PRIVATE LINKER:--wrap=pf_store_point)

# The program that the conversion's unit tests convert for.
add_executable(convert_shapes tests/data/convert/shapes.c)
target_compile_options(convert_shapes PRIVATE -O2 -g)
target_link_options(convert_shapes PRIVATE -Wl,--build-id)
set_target_properties(convert_shapes PROPERTIES OUTPUT_NAME shapes RUNTIME_OUTPUT_DIRECTORY tests/data)
add_dependencies(convert_allocation_test convert_shapes symbol_fixtures)
# Thousands of whole conversions: seconds as built for use, minutes under a sanitizer.
set_property(TEST unit/convert_allocation_test APPEND PROPERTY LABELS long)

# Fuzz targets: with PROFUSE_FUZZ (clang only) libFuzzer drives them for a few seconds from the seeds;
# otherwise the seeds are replayed.
option(PROFUSE_FUZZ "Link libFuzzer into the fuzz targets" OFF)
set(PROFUSE_FUZZ_SECONDS 10 CACHE STRING "How long ctest lets each fuzz target run; a profile format's, half of that")

# add_fuzz_target(SUBJECT SOURCE SECONDS DICTIONARIES SEEDS): dictionaries are names in tests/fuzz/dictionaries, joined
# to one; those that don't exist are left out.
function(add_fuzz_target subject source seconds dictionaries seeds)
  set(name ${subject}_fuzz)
  add_executable(${name} ${source})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/lib ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE profuse_flags profuse_static)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY tests)
  if(NOT PROFUSE_FUZZ)
    target_sources(${name} PRIVATE tests/fuzz/replay.c)
    add_test(NAME fuzz/${subject} COMMAND ${name} ${seeds})
    return()
  endif()
  set(words)
  foreach(dictionary ${dictionaries})
    set(path ${CMAKE_SOURCE_DIR}/tests/fuzz/dictionaries/${dictionary}.dict)
    if(EXISTS ${path})
      file(READ ${path} more)
      string(APPEND words "${more}")
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
    endif()
  endforeach()
  set(dictionary)
  if(words)
    set(dictionary -dict=${CMAKE_BINARY_DIR}/tests/${name}.dict)
    file(WRITE ${CMAKE_BINARY_DIR}/tests/${name}.dict "${words}")
  endif()
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  # What tests/perf/fuzz.sh starts it with.
  string(REPLACE ";" "\n" lines "${dictionary};${seeds}")
  file(WRITE ${CMAKE_BINARY_DIR}/tests/${name}.arguments "${lines}\n")
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/corpus/${subject})
  add_test(NAME fuzz/${subject} COMMAND ${name} -max_total_time=${seconds} -rss_limit_mb=1024 -malloc_limit_mb=128
    -print_final_stats=1
    ${dictionary} -artifact_prefix=${CMAKE_BINARY_DIR}/corpus/ ${CMAKE_BINARY_DIR}/corpus/${subject} ${seeds})
endfunction()

# The readers' own fixtures are the best seeds.
set(PROFUSE_PROFILE_SEEDS ${CMAKE_SOURCE_DIR}/tests/fuzz/seeds/profile ${CMAKE_SOURCE_DIR}/tests/fixtures/profiles)
file(GLOB PROFUSE_FUZZ_TARGETS CONFIGURE_DEPENDS tests/fuzz/*_fuzz.c)
foreach(source ${PROFUSE_FUZZ_TARGETS})
  get_filename_component(subject ${source} NAME_WE)
  string(REPLACE "_fuzz" "" subject ${subject})
  set(seeds ${CMAKE_SOURCE_DIR}/tests/fuzz/seeds/${subject})
  if(subject MATCHES "^(profile|merge)$")
    set(seeds ${PROFUSE_PROFILE_SEEDS})
  elseif(subject STREQUAL "runtime")
    set(seeds ${CMAKE_SOURCE_DIR}/tests/fixtures/runtime ${CMAKE_SOURCE_DIR}/tests/fixtures/tune/deadlock)
  endif()
  add_fuzz_target(${subject} ${source} ${PROFUSE_FUZZ_SECONDS} ${subject} "${seeds}")
endforeach()

# One for each reader of profiles, from the same source and seeds: each takes its own of them.
math(EXPR seconds "(${PROFUSE_FUZZ_SECONDS} + 1) / 2")
foreach(format proto cpu heap jemalloc counts goroutines threadz java contention)
  set(recogniser pf_${format}_recognise)
  set(dictionaries profile_${format} profile_maps)
  if(format STREQUAL "proto")
    set(recogniser NULL)
    set(dictionaries profile_proto)
  elseif(format MATCHES "^(goroutines|java)$") # no memory maps
    set(dictionaries profile_${format})
  endif()
  add_fuzz_target(profile_${format} tests/fuzz/profile_fuzz.c ${seconds} "${dictionaries}" "${PROFUSE_PROFILE_SEEDS}")
  target_compile_definitions(profile_${format}_fuzz PRIVATE RECOGNISER=${recogniser})
endforeach()

# Programs that integration tests and measurements drive.
file(GLOB PROFUSE_TEST_TOOLS CONFIGURE_DEPENDS tests/tools/*.c)
foreach(source ${PROFUSE_TEST_TOOLS})
  get_filename_component(name ${source} NAME_WE)
  add_executable(tool_${name} ${source})
  target_include_directories(tool_${name} PRIVATE ${CMAKE_SOURCE_DIR}/lib ${CMAKE_SOURCE_DIR})
  target_link_libraries(tool_${name} PRIVATE profuse_flags profuse_static)
  set_target_properties(tool_${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY tests/tools)
endforeach()

# Measured error rates of bench's verdicts: the whole table is `build/…/tests/stats/error_rates`.
foreach(name error_rates pairs_verdict)
  add_executable(${name} tests/stats/${name}.c)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/lib ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE profuse_flags profuse_static)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY tests/stats)
endforeach()
add_test(NAME stats/error_rates COMMAND error_rates --trials 10000 --check quick)
set_tests_properties(stats/error_rates PROPERTIES TIMEOUT 600 LABELS long)

# The same of the tuner's leak detector: the whole table is `build/…/tests/quality/leak_rates`.
add_executable(leak_rates tests/quality/tuner/leak_rates.c)
target_include_directories(leak_rates PRIVATE ${CMAKE_SOURCE_DIR}/lib ${CMAKE_SOURCE_DIR})
target_link_libraries(leak_rates PRIVATE profuse_flags profuse_static)
set_target_properties(leak_rates PROPERTIES RUNTIME_OUTPUT_DIRECTORY tests/quality)
add_test(NAME stats/leak_rates COMMAND leak_rates --series 100 --check)
set_tests_properties(stats/leak_rates PROPERTIES TIMEOUT 600 LABELS long)

# And of its search for settings, over recorded runs.
add_executable(search_rates tests/quality/tuner/search_rates.c)
target_include_directories(search_rates PRIVATE ${CMAKE_SOURCE_DIR}/lib ${CMAKE_SOURCE_DIR})
target_link_libraries(search_rates PRIVATE profuse_flags profuse_static)
set_target_properties(search_rates PROPERTIES RUNTIME_OUTPUT_DIRECTORY tests/quality)
add_test(NAME stats/search_rates COMMAND search_rates --searches 300 --check
  ${CMAKE_SOURCE_DIR}/tests/quality/tuner/records/go.json)
set_tests_properties(stats/search_rates PROPERTIES TIMEOUT 600 LABELS long)

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
