# The command: a thin layer over libprofuse.
file(GLOB PROFUSE_CLI_SOURCES CONFIGURE_DEPENDS cli/*.c)
add_executable(profuse ${PROFUSE_CLI_SOURCES})
target_include_directories(profuse PRIVATE ${CMAKE_SOURCE_DIR}/lib ${CMAKE_SOURCE_DIR}/cli)
target_link_libraries(profuse PRIVATE profuse_flags profuse_static PkgConfig::JANSSON)

# The commands there are, for what is generated per command (man pages); cli/cmd_NAME.c each.
file(GLOB PROFUSE_COMMAND_SOURCES CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/cli cli/cmd_*.c)
string(REGEX REPLACE "cmd_([a-z]+)\\.c" "\\1" PROFUSE_COMMANDS "${PROFUSE_COMMAND_SOURCES}")
