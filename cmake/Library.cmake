# libprofuse, static and shared, from one set of objects.
file(GLOB PROFUSE_SOURCES CONFIGURE_DEPENDS
  lib/*/*.c collect/*.c convert/*.c tuner/*.c bench/*.c)
# Attaching to processes unwinds copied stacks as the agent does.
list(APPEND PROFUSE_SOURCES collect/agent/cfi.c collect/agent/cfi_run.c collect/agent/cfi_expression.c collect/agent/unwind.c)
# Nobody asks errno about a square root, and several at once cannot set it. The sweep asks for the processor as it runs.
set_source_files_properties(convert/inference_sweep.c convert/inference_sweep_avx2.c PROPERTIES COMPILE_OPTIONS "-fno-math-errno;-Wno-psabi")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set_property(SOURCE convert/inference_sweep_avx2.c APPEND PROPERTY COMPILE_OPTIONS -mavx2)
endif()
include(cmake/Pages.cmake)
add_library(profuse_objects OBJECT ${PROFUSE_SOURCES})
target_include_directories(profuse_objects PUBLIC ${CMAKE_SOURCE_DIR}/include PRIVATE ${CMAKE_SOURCE_DIR}/lib ${CMAKE_SOURCE_DIR})
target_link_libraries(profuse_objects PRIVATE profuse_flags
  PkgConfig::ZSTD PkgConfig::CAPSTONE PkgConfig::JANSSON PkgConfig::DEFLATE PkgConfig::ISAL
  PkgConfig::SQLITE PkgConfig::YAML
  PkgConfig::PCRE2 PkgConfig::MICROHTTPD ZLIB::ZLIB CURL::libcurl)

set(PROFUSE_LIBRARIES PkgConfig::ZSTD PkgConfig::CAPSTONE PkgConfig::JANSSON
  PkgConfig::DEFLATE PkgConfig::ISAL PkgConfig::SQLITE PkgConfig::YAML
  PkgConfig::PCRE2 PkgConfig::MICROHTTPD ZLIB::ZLIB CURL::libcurl ${HTTP_PARSER_LIBRARY} Threads::Threads m)

add_library(profuse_static STATIC $<TARGET_OBJECTS:profuse_objects>)
set_target_properties(profuse_static PROPERTIES OUTPUT_NAME profuse)
add_library(profuse_shared SHARED $<TARGET_OBJECTS:profuse_objects>)
set_target_properties(profuse_shared PROPERTIES OUTPUT_NAME profuse
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
  LINK_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/profuse.map)
target_link_options(profuse_shared PRIVATE LINKER:--version-script=${CMAKE_SOURCE_DIR}/cmake/profuse.map LINKER:-z,defs)
foreach(target profuse_static profuse_shared)
  target_include_directories(${target} INTERFACE
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()
target_link_libraries(profuse_shared PRIVATE ${PROFUSE_LIBRARIES})
target_link_libraries(profuse_static INTERFACE ${PROFUSE_LIBRARIES})
if(PROFUSE_SANITIZE)
  # A sanitizer's runtime is the executable's to link: undefined references stay open here.
  set_target_properties(profuse_shared PROPERTIES LINK_OPTIONS "LINKER:--version-script=${CMAKE_SOURCE_DIR}/cmake/profuse.map")
endif()
