# libprofuse-agent: a guest in other people's processes: libc only, nothing exported but its API.
#
# The shared and the static library are made of one relocatable object in which every symbol but the
# API is local (the agent's copies of core/ never meet libprofuse's, nor its libdeflate the host's),
# and never instrumented: a sanitizer's runtime could not be preloaded into an unchanged program.
# Unit tests link profuse_agent_objects, which are compiled like everything else.
file(GLOB PROFUSE_AGENT_SOURCES CONFIGURE_DEPENDS collect/agent/*.c)
list(APPEND PROFUSE_AGENT_SOURCES lib/core/buffer.c lib/core/cursor.c lib/core/error.c
  lib/core/index.c lib/core/memory.c lib/core/wire.c)
include(CheckLanguage)
find_library(DEFLATE_STATIC libdeflate.a REQUIRED)

function(profuse_agent_compile target)
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/lib
    PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>)
  target_include_directories(${target} PRIVATE ${DEFLATE_INCLUDE_DIRS})
  target_link_libraries(${target} PRIVATE profuse_flags)
endfunction()

add_library(profuse_agent_guest OBJECT ${PROFUSE_AGENT_SOURCES})
profuse_agent_compile(profuse_agent_guest)
set_target_properties(profuse_agent_guest PROPERTIES COMPILE_OPTIONS "")
target_compile_options(profuse_agent_guest PRIVATE -fno-omit-frame-pointer)
file(GLOB hooks collect/agent/hook_*.c) # a few instructions each: not one more
set_source_files_properties(${hooks} PROPERTIES COMPILE_OPTIONS -fomit-frame-pointer)

# The functions that stand in front of the host's (hook_*.c) are in the shared library alone: an archive
# would define malloc in whatever program it is linked into. All others allocate by own_memory.c.
function(profuse_agent_join name exclude)
  set(joined ${CMAKE_BINARY_DIR}/${name}.o)
  set(guests ${CMAKE_BINARY_DIR}/${name}-guests.o)
  set(in_front "agent/(hook_.*|next|own_memory)\\.c")
  set(objects $<FILTER:$<TARGET_OBJECTS:profuse_agent_guest>,EXCLUDE,${exclude}>)
  add_custom_command(OUTPUT ${joined}
    COMMAND ${CMAKE_LINKER} -r -o ${guests} $<FILTER:${objects},EXCLUDE,${in_front}> ${DEFLATE_STATIC}
    COMMAND ${CMAKE_OBJCOPY} --redefine-sym malloc=pf_own_malloc --redefine-sym calloc=pf_own_calloc
      --redefine-sym realloc=pf_own_realloc --redefine-sym free=pf_own_free ${guests}
    COMMAND ${CMAKE_LINKER} -r -o ${joined} ${guests} $<FILTER:${objects},INCLUDE,${in_front}>
    COMMAND ${CMAKE_OBJCOPY} --keep-global-symbols=${CMAKE_SOURCE_DIR}/cmake/agent-exports.txt ${joined}
    DEPENDS profuse_agent_guest $<TARGET_OBJECTS:profuse_agent_guest> ${DEFLATE_STATIC}
      ${CMAKE_SOURCE_DIR}/cmake/agent-exports.txt
    COMMAND_EXPAND_LISTS VERBATIM COMMENT "Joining the agent's objects: ${name}")
  set_source_files_properties(${joined} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
endfunction()
profuse_agent_join(profuse-agent "^$")
profuse_agent_join(profuse-agent-plain "agent/(hook_.*|next)\\.c")

add_library(profuse_agent SHARED ${CMAKE_BINARY_DIR}/profuse-agent.o)
add_library(profuse_agent_static STATIC ${CMAKE_BINARY_DIR}/profuse-agent-plain.o)
foreach(target profuse_agent profuse_agent_static)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME profuse-agent LINKER_LANGUAGE C
    COMPILE_OPTIONS "" LINK_OPTIONS "")
  target_include_directories(${target} INTERFACE
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()
target_link_options(profuse_agent PRIVATE LINKER:-z,defs LINKER:-z,nodelete LINKER:-z,now)

# Without the constructor and the hooks, which would be at work in every test.
list(FILTER PROFUSE_AGENT_SOURCES EXCLUDE REGEX "agent/(agent|hook_.*|next)\\.c$")
add_library(profuse_agent_objects OBJECT EXCLUDE_FROM_ALL ${PROFUSE_AGENT_SOURCES})
profuse_agent_compile(profuse_agent_objects)

# What the agent's tests need: its objects in every tests/unit/agent_*_test.c and
# tests/fuzz/agent_*_fuzz.c, and host programs.
function(profuse_agent_unit_tests)
  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/agent_*_test.c
    ${CMAKE_SOURCE_DIR}/tests/fuzz/agent_*_fuzz.c)
  foreach(source ${tests})
    get_filename_component(name ${source} NAME_WE)
    target_link_libraries(${name} PRIVATE profuse_agent_objects)
  endforeach()
  target_sources(agent_allocation_test PRIVATE tests/support/failing_malloc.c)
  target_link_options(agent_allocation_test PRIVATE
    LINKER:--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free)
  target_link_options(agent_plugins_test PRIVATE LINKER:--wrap=pf_modules_follow)
  foreach(test agent_modules_test agent_plugins_test)
    add_dependencies(${test} agent_plugin_a agent_plugin_b)
  endforeach()
endfunction()

# A host program, unchanged and uninstrumented, that the tests run with the agent.
function(profuse_agent_host name)
  add_executable(${name} ${ARGN})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY tests/agent COMPILE_OPTIONS ""
    LINK_OPTIONS "" C_EXTENSIONS ON)
  target_compile_options(${name} PRIVATE -O2 -g)
  target_link_libraries(${name} PRIVATE profuse_flags Threads::Threads)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/include
    ${CMAKE_SOURCE_DIR}/lib)
endfunction()

if(BUILD_TESTING)
  pkg_check_modules(LIBELF REQUIRED IMPORTED_TARGET libelf) # agent_dump takes names from it
  cmake_language(DEFER CALL profuse_agent_unit_tests)
  profuse_agent_host(agent_dump tests/agent/dump.c lib/core/cursor.c lib/core/error.c)
  target_link_libraries(agent_dump PRIVATE PkgConfig::LIBELF ZLIB::ZLIB)
  profuse_agent_host(agent_deep tests/agent/deep.c)
  target_compile_options(agent_deep PRIVATE -fomit-frame-pointer)
  profuse_agent_host(agent_deep_fp tests/agent/deep.c)
  target_compile_options(agent_deep_fp PRIVATE -fno-omit-frame-pointer)
  profuse_agent_host(agent_deep_big tests/agent/deep.c) # beyond the copy: 36 frames of 1.6 KiB
  target_compile_options(agent_deep_big PRIVATE -fno-omit-frame-pointer)
  target_compile_definitions(agent_deep_big PRIVATE ROOM=200)
  profuse_agent_host(agent_host_process tests/agent/host_process.c)
  profuse_agent_host(agent_host_signals tests/agent/host_signals.c)
  profuse_agent_host(agent_host_threads tests/agent/host_threads.c)
  profuse_agent_host(agent_host_steps tests/agent/host_steps.c)
  profuse_agent_host(agent_host_heap tests/agent/host_heap.c)
  profuse_agent_host(agent_host_heap_fixed tests/agent/host_heap.c)
  target_compile_options(agent_host_heap_fixed PRIVATE -fno-pie)
  target_link_options(agent_host_heap_fixed PRIVATE -no-pie)
  profuse_agent_host(agent_host_locks tests/agent/host_locks.c)
  profuse_agent_host(agent_host_turns tests/agent/host_turns.c)
  profuse_agent_host(agent_host_inside tests/agent/host_inside.c)
  profuse_agent_host(agent_host_calls tests/agent/host_calls.c)
  target_compile_options(agent_host_calls PRIVATE -fomit-frame-pointer)
  profuse_agent_host(agent_host_calls_fp tests/agent/host_calls.c)
  target_compile_options(agent_host_calls_fp PRIVATE -fno-omit-frame-pointer)
  profuse_agent_host(agent_host_peers tests/agent/host_peers.c)
  check_language(CXX)
  if(CMAKE_CXX_COMPILER)
    enable_language(CXX)
    add_executable(agent_host_new tests/agent/host_new.cc)
    set_target_properties(agent_host_new PROPERTIES RUNTIME_OUTPUT_DIRECTORY tests/agent CXX_STANDARD 17
      COMPILE_OPTIONS "-O2;-g;-Wno-alloc-size-larger-than" LINK_OPTIONS "")
    target_link_libraries(agent_host_new PRIVATE Threads::Threads)
  endif()
  foreach(letter a b)
    add_library(agent_plugin_${letter} MODULE tests/agent/plugin.c)
    set_target_properties(agent_plugin_${letter} PROPERTIES LIBRARY_OUTPUT_DIRECTORY tests/agent
      PREFIX "" COMPILE_OPTIONS "" LINK_OPTIONS "" C_EXTENSIONS ON)
    target_include_directories(agent_plugin_${letter} PRIVATE ${CMAKE_SOURCE_DIR})
    target_compile_options(agent_plugin_${letter} PRIVATE -O2 -g -fno-plt) # every address has a name
    target_compile_definitions(agent_plugin_${letter} PRIVATE _GNU_SOURCE)
  endforeach()
  target_compile_definitions(agent_plugin_b PRIVATE FILLER=777)
  foreach(name plugin_thread allocator)
    add_library(agent_${name} MODULE tests/agent/${name}.c)
    set_target_properties(agent_${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY tests/agent
      PREFIX "" COMPILE_OPTIONS "-O2;-g" LINK_OPTIONS "" C_EXTENSIONS ON)
    target_compile_definitions(agent_${name} PRIVATE _GNU_SOURCE)
    target_link_libraries(agent_${name} PRIVATE Threads::Threads)
  endforeach()
  profuse_agent_host(agent_overhead tests/agent/overhead.c)
  target_link_libraries(agent_overhead PRIVATE m)
  profuse_agent_host(agent_overhead_hooks tests/agent/overhead_hooks.c)
endif()
