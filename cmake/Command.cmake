# The command: a thin layer over libprofuse.
file(GLOB PROFUSE_CLI_SOURCES CONFIGURE_DEPENDS cli/*.c)
add_executable(profuse ${PROFUSE_CLI_SOURCES})
target_include_directories(profuse PRIVATE ${CMAKE_SOURCE_DIR}/lib ${CMAKE_SOURCE_DIR}/cli)
target_link_libraries(profuse PRIVATE profuse_flags profuse_static)
