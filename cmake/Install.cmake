# What a package ships: command, libraries, headers, CMake package, pkg-config files, man pages, completion.
include(CMakePackageConfigHelpers)

install(TARGETS profuse RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS profuse_shared EXPORT profuse
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} NAMELINK_SKIP COMPONENT runtime)
install(TARGETS profuse_shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} NAMELINK_ONLY COMPONENT development)
install(TARGETS profuse_static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/profuse DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(TARGET profuse_agent)
  install(TARGETS profuse_agent EXPORT profuse LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(TARGETS profuse_agent_static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  set_target_properties(profuse_agent PROPERTIES EXPORT_NAME agent)
endif()

set_target_properties(profuse_shared PROPERTIES EXPORT_NAME profuse)
install(EXPORT profuse NAMESPACE profuse:: FILE profuseTargets.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/profuse)
# Not where find_package would take the build folder for an installed package, of which it has no half.
set(PACKAGE_DIR ${CMAKE_BINARY_DIR}/package)
configure_package_config_file(cmake/profuseConfig.cmake.in ${PACKAGE_DIR}/profuseConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/profuse)
write_basic_package_version_file(${PACKAGE_DIR}/profuseConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PACKAGE_DIR}/profuseConfig.cmake ${PACKAGE_DIR}/profuseConfigVersion.cmake
  cmake/profuse_use_profile.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/profuse)

foreach(name profuse profuse-agent)
  configure_file(cmake/${name}.pc.in ${CMAKE_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

# Man pages and completion come out of the command's own option tables.
find_program(SCDOC scdoc REQUIRED)
set(MAN_DIR ${CMAKE_BINARY_DIR}/man)
file(MAKE_DIRECTORY ${MAN_DIR})
set(MAN_PAGES ${MAN_DIR}/profuse.1)
add_custom_command(OUTPUT ${MAN_DIR}/profuse.1
  COMMAND profuse help --man > ${MAN_DIR}/profuse.scd
  COMMAND ${SCDOC} < ${MAN_DIR}/profuse.scd > ${MAN_DIR}/profuse.1
  DEPENDS profuse VERBATIM)
foreach(command ${PROFUSE_COMMANDS})
  set(page ${MAN_DIR}/profuse-${command}.1)
  add_custom_command(OUTPUT ${page}
    COMMAND profuse help --man ${command} > ${MAN_DIR}/profuse-${command}.scd
    COMMAND ${SCDOC} < ${MAN_DIR}/profuse-${command}.scd > ${page}
    DEPENDS profuse VERBATIM)
  list(APPEND MAN_PAGES ${page})
endforeach()
add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/profuse.bash
  COMMAND profuse help --bash-completion > ${CMAKE_BINARY_DIR}/profuse.bash
  DEPENDS profuse VERBATIM)
add_custom_target(documentation ALL DEPENDS ${MAN_PAGES} ${CMAKE_BINARY_DIR}/profuse.bash)
install(FILES ${MAN_PAGES} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${CMAKE_BINARY_DIR}/profuse.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  RENAME profuse)
