# libprofuse, static and shared, from one set of objects.
file(GLOB PROFUSE_SOURCES CONFIGURE_DEPENDS
  lib/*/*.c collect/*.c convert/*.c tuner/*.c bench/*.c)
# The parts of a flame graph's page, as arrays.
foreach(part css html js)
  add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/page_${part}.c
    COMMAND ${CMAKE_COMMAND} -DINPUT=${CMAKE_SOURCE_DIR}/lib/report/page/flame.${part}
      -DOUTPUT=${CMAKE_BINARY_DIR}/page_${part}.c -DNAME=pf_page_${part} -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS lib/report/page/flame.${part} cmake/embed.cmake VERBATIM)
  list(APPEND PROFUSE_SOURCES ${CMAKE_BINARY_DIR}/page_${part}.c)
endforeach()
add_library(profuse_objects OBJECT ${PROFUSE_SOURCES})
target_include_directories(profuse_objects PUBLIC ${CMAKE_SOURCE_DIR}/include PRIVATE ${CMAKE_SOURCE_DIR}/lib ${CMAKE_SOURCE_DIR})
target_link_libraries(profuse_objects PRIVATE profuse_flags
  PkgConfig::LIBELF PkgConfig::LIBDW PkgConfig::CAPSTONE PkgConfig::JANSSON PkgConfig::DEFLATE PkgConfig::ISAL
  ZLIB::ZLIB CURL::libcurl)

set(PROFUSE_LIBRARIES PkgConfig::LIBDW PkgConfig::LIBELF PkgConfig::CAPSTONE PkgConfig::JANSSON
  PkgConfig::DEFLATE PkgConfig::ISAL ZLIB::ZLIB CURL::libcurl ${HTTP_PARSER_LIBRARY} Threads::Threads m)

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
