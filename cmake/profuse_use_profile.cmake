# profuse_use_profile(TARGET... PROFILE FILE [CONFIGS CONFIG...] [PROBES] [REQUIRED] [REPORT_STALENESS] [MAX_AGE_DAYS N])
#
# Builds targets with a profile that `profuse convert` made, and so that the next one can be made of them:
#
#   find_package(profuse REQUIRED)
#   add_executable(service main.c)
#   profuse_use_profile(service PROFILE ${CMAKE_SOURCE_DIR}/profiles/service.prof)
#
# In the configurations CONFIGS (default: Release, RelWithDebInfo, MinSizeRel) sources are compiled with line tables
# and, where FILE exists, optimised with it; objects are made anew when its content changes. Other configurations are left
# alone, whatever becomes of FILE; so is a build of no configuration (CMAKE_BUILD_TYPE is empty, or None and not in CONFIGS), with a warning. With
# link-time optimisation (CMake's INTERPROCEDURAL_OPTIMIZATION, or -flto in the flags) the linker gets the
# profile too. Nothing is added for compilers other than clang, with a warning.
#
#   PROBES            build with pseudo-probes; implied by a profile that was made from them. Paths of the targets' sources
#                     are made relative to the project's folder in __FILE__ and what names of static functions
#                     are made of, so that a profile fits wherever the next build is
#   REQUIRED          a missing FILE, another compiler than clang, or a build of no configuration, is an error; else it
#                     is a warning, and without FILE the build is the one to profile
#   REPORT_STALENESS  clang says for each source how many call sites of the profile no longer fit
#   MAX_AGE_DAYS      warn about profiles older than this; default 30, 0: never
#
# FILE.json, as `profuse convert --provenance` writes it, is read where it exists: it says when the profile was taken,
# and that it belongs to FILE. Languages: C, C++, Objective-C and Objective-C++.

# How a problem is told: an error with REQUIRED.
function(_profuse_complain required text)
  if(required)
    message(FATAL_ERROR "profuse_use_profile: ${text}")
  endif()
  message(WARNING "profuse_use_profile: ${text}")
endfunction()

# Whether a profile was made from pseudo-probes, and whether static functions have unique names in it. The file says so
# itself: of the former a build without probes drops it all, without the latter nothing of these functions fits. In LLVM's
# text it is the functions' checksums and the names, in extbinary flags of the sections of functions' metadata and of names
# (of the table of sections, 32 bytes each, type and flags first).
function(_profuse_read_kind probes_variable unique_variable profile)
  set(of_probes FALSE)
  set(unique FALSE)
  file(READ "${profile}" magic LIMIT 10 HEX)
  if(magic STREQUAL "84e4d0b1f4c994a85367")
    file(READ "${profile}" sections OFFSET 18 LIMIT 512 HEX)
    string(REGEX MATCHALL "................................................................" sections "${sections}")
    foreach(section IN LISTS sections)
      if(section MATCHES "^0500000000000000.........[13579bdf]")
        set(of_probes TRUE)
      elseif(section MATCHES "^0200000000000000.........[4567cdef]")
        set(unique TRUE)
      endif()
    endforeach()
  else()
    file(STRINGS "${profile}" checksums LIMIT_COUNT 1 REGEX "^ *!CFGChecksum: ")
    file(STRINGS "${profile}" names LIMIT_COUNT 1 REGEX "\\.__uniq\\.[0-9]")
    if(checksums)
      set(of_probes TRUE)
    endif()
    if(names)
      set(unique TRUE)
    endif()
  endif()
  set(${probes_variable} ${of_probes} PARENT_SCOPE)
  set(${unique_variable} ${unique} PARENT_SCOPE)
endfunction()

# Reads FILE.json: warnings about what does not belong together or is old.
function(_profuse_read_record profile max_age_days)
  set(record "${profile}.json")
  if(NOT EXISTS "${record}")
    return()
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${record}")
  file(READ "${record}" text)
  string(JSON schema ERROR_VARIABLE error GET "${text}" schema)
  if(error OR NOT schema STREQUAL "profuse.provenance.v1")
    message(WARNING "profuse_use_profile: ${record} is no record of `profuse convert --provenance`")
    return()
  endif()
  string(JSON recorded ERROR_VARIABLE error GET "${text}" output sha256)
  file(SHA256 "${profile}" digest)
  if(NOT recorded STREQUAL digest)
    message(WARNING "profuse_use_profile: ${record} is the record of another profile than ${profile}: convert anew")
  endif()
  string(JSON nanos ERROR_VARIABLE error GET "${text}" time_range last_nanos)
  string(TIMESTAMP now "%s" UTC)
  if(NOT error AND nanos GREATER 0 AND max_age_days GREATER 0)
    math(EXPR days "(${now} - ${nanos} / 1000000000) / 86400")
    if(days GREATER max_age_days)
      message(WARNING "profuse_use_profile: ${profile} was taken ${days} days ago: profile today's service")
    endif()
  endif()
endfunction()

# Complains about compilers that take no sample profiles, of the languages that the targets' sources are in.
function(_profuse_check_compilers variable required)
  set(${variable} TRUE PARENT_SCOPE)
  foreach(target IN LISTS ARGN)
    get_target_property(sources ${target} SOURCES)
    foreach(source IN LISTS sources)
      set(language NOTFOUND)
      if(NOT source MATCHES "\\$<")
        get_source_file_property(language "${source}" TARGET_DIRECTORY ${target} LANGUAGE)
      endif()
      if(language MATCHES "^(C|CXX|OBJC|OBJCXX)$" AND NOT CMAKE_${language}_COMPILER_ID MATCHES "Clang")
        _profuse_complain("${required}" "clang builds with sample profiles, ${CMAKE_${language}_COMPILER} does not: \
nothing is changed (CMAKE_${language}_COMPILER=clang-19?)")
        set(${variable} FALSE PARENT_SCOPE)
        return()
      endif()
    endforeach()
  endforeach()
endfunction()

# Whether any configuration of this build is one of CONFIGS. Complains about a build of none: CONFIGS can't name it, and it
# has no optimisation of CMake's.
function(_profuse_check_config variable required configs)
  get_property(several GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  string(TOUPPER "${configs}" names) # as $<CONFIG:...> compares
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  if(several OR type IN_LIST names)
    set(${variable} TRUE PARENT_SCOPE)
    return()
  endif()
  set(${variable} FALSE PARENT_SCOPE)
  if(type AND NOT type STREQUAL "NONE")
    return()
  endif()
  _profuse_complain("${required}" "CMAKE_BUILD_TYPE is \"${CMAKE_BUILD_TYPE}\", none of ${configs}: nothing is changed \
(-DCMAKE_BUILD_TYPE=Release? Where the flags are your own: -DCMAKE_BUILD_TYPE=None and CONFIGS None)")
endfunction()

# Static functions of builds with pseudo-probes get names of their own by a hash of their file's path, which the next
# checkout may have elsewhere: options that make the paths of these targets' sources relative to the project's folder.
# clang takes the last that fits.
function(_profuse_map_paths variable)
  set(outside)
  foreach(target IN LISTS ARGN)
    get_target_property(sources ${target} SOURCES)
    get_target_property(base ${target} SOURCE_DIR)
    foreach(source IN LISTS sources)
      if(NOT source MATCHES "\\$<")
        cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY "${base}" NORMALIZE)
        cmake_path(GET source PARENT_PATH folder)
        cmake_path(IS_PREFIX CMAKE_SOURCE_DIR "${folder}" in_source)
        cmake_path(IS_PREFIX CMAKE_BINARY_DIR "${folder}" in_binary)
        if(NOT in_source AND NOT in_binary)
          list(APPEND outside "${folder}")
        endif()
      endif()
    endforeach()
  endforeach()
  list(REMOVE_DUPLICATES outside)
  set(options)
  foreach(folder IN LISTS outside)
    file(RELATIVE_PATH relative "${CMAKE_SOURCE_DIR}" "${folder}")
    list(APPEND options "-fmacro-prefix-map=${folder}/=${relative}/")
  endforeach()
  list(APPEND options "-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=" "-fmacro-prefix-map=${CMAKE_BINARY_DIR}/=")
  set(${variable} "${options}" PARENT_SCOPE)
endfunction()

# A file that changes when the profile's content does, and not when only its date does.
function(_profuse_stamp variable profile)
  string(SHA256 name "${profile}")
  string(SUBSTRING "${name}" 0 16 name)
  set(stamp "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/profuse-${name}.stamp")
  file(SHA256 "${profile}" digest)
  file(CONFIGURE OUTPUT "${stamp}" CONTENT "${digest}\n") # written only where it differs
  set(${variable} "${stamp}" PARENT_SCOPE)
endfunction()

# Objects of these targets depend on the profile, by its stamp.
function(_profuse_depend target stamp)
  get_target_property(sources ${target} SOURCES)
  foreach(source IN LISTS sources)
    if(NOT source MATCHES "\\$<")
      set_property(SOURCE "${source}" TARGET_DIRECTORY ${target} APPEND PROPERTY OBJECT_DEPENDS "${stamp}")
    endif()
  endforeach()
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS "${stamp}")
endfunction()

# Whether a target is built with link-time optimisation in any of these configurations.
function(_profuse_has_lto variable target configs)
  get_target_property(lto ${target} INTERPROCEDURAL_OPTIMIZATION)
  get_target_property(options ${target} COMPILE_OPTIONS)
  set(flags "${CMAKE_C_FLAGS} ${CMAKE_CXX_FLAGS} ${options}")
  foreach(config IN LISTS configs)
    string(TOUPPER ${config} config)
    get_target_property(of_config ${target} INTERPROCEDURAL_OPTIMIZATION_${config})
    if(of_config)
      set(lto TRUE)
    endif()
    string(APPEND flags " ${CMAKE_C_FLAGS_${config}} ${CMAKE_CXX_FLAGS_${config}}")
  endforeach()
  if(lto OR flags MATCHES "-flto")
    set(${variable} TRUE PARENT_SCOPE)
  else()
    set(${variable} FALSE PARENT_SCOPE)
  endif()
endfunction()

# A target that compiles something, with one profile: of two clang would read the last one only.
function(_profuse_check_target target profile)
  get_target_property(type ${target} TYPE)
  get_target_property(imported ${target} IMPORTED)
  get_target_property(alias ${target} ALIASED_TARGET)
  if(type MATCHES "INTERFACE_LIBRARY|UTILITY" OR imported OR alias)
    message(FATAL_ERROR "profuse_use_profile: ${target} compiles nothing of its own: name the targets whose sources \
the profile is of")
  endif()
  get_target_property(other ${target} PROFUSE_PROFILE)
  if(other AND NOT other STREQUAL profile)
    message(FATAL_ERROR "profuse_use_profile: ${target} has ${other} already, and would have ${profile} too: one \
profile a target; profiles of several runs are summed by profuse convert")
  endif()
  set_property(TARGET ${target} PROPERTY PROFUSE_PROFILE "${profile}")
endfunction()

function(profuse_use_profile)
  cmake_parse_arguments(PARSE_ARGV 0 arg "PROBES;REQUIRED;REPORT_STALENESS" "PROFILE;MAX_AGE_DAYS" "CONFIGS")
  if(NOT arg_UNPARSED_ARGUMENTS OR NOT arg_PROFILE)
    message(FATAL_ERROR "profuse_use_profile(TARGET... PROFILE FILE ...): a target and a profile are needed")
  endif()
  if(NOT arg_CONFIGS)
    set(arg_CONFIGS Release RelWithDebInfo MinSizeRel)
  endif()
  if(NOT DEFINED arg_MAX_AGE_DAYS)
    set(arg_MAX_AGE_DAYS 30)
  endif()
  get_filename_component(profile "${arg_PROFILE}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")

  foreach(target IN LISTS arg_UNPARSED_ARGUMENTS)
    if(NOT TARGET ${target})
      message(FATAL_ERROR "profuse_use_profile: there is no target ${target}")
    endif()
    _profuse_check_target(${target} "${profile}")
  endforeach()
  _profuse_check_config(concerned "${arg_REQUIRED}" "${arg_CONFIGS}")
  if(NOT concerned) # nothing to be said of a profile that is not used
    return()
  endif()
  _profuse_check_compilers(clang "${arg_REQUIRED}" ${arg_UNPARSED_ARGUMENTS})
  if(NOT clang)
    return()
  endif()

  set(use FALSE)
  set(of_probes FALSE)
  set(unique_names FALSE)
  file(GLOB found CONFIGURE_DEPENDS "${profile}" "${profile}.json") # looks again at every build: it may appear
  if(EXISTS "${profile}")
    set(use TRUE)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${profile}")
    _profuse_read_record("${profile}" "${arg_MAX_AGE_DAYS}")
    _profuse_read_kind(of_probes unique_names "${profile}")
    _profuse_stamp(stamp "${profile}")
  else()
    _profuse_complain("${arg_REQUIRED}" "${profile} is not there: ${arg_UNPARSED_ARGUMENTS} will be built to be \
profiled, not with a profile (`profuse convert --binary` makes it)")
  endif()

  set(compile -gmlt -fdebug-info-for-profiling)
  if(arg_PROBES OR of_probes)
    _profuse_map_paths(maps ${arg_UNPARSED_ARGUMENTS})
    list(APPEND compile -fpseudo-probe-for-profiling ${maps})
  elseif(unique_names) # by lines, of a build with them
    _profuse_map_paths(maps ${arg_UNPARSED_ARGUMENTS})
    list(APPEND compile -funique-internal-linkage-names ${maps})
  endif()
  if(use)
    set(options)
    if(NOT of_probes) # with probes clang needs no more
      set(options -sample-profile-use-profi -enable-ext-tsp-block-placement)
    endif()
    # With link-time optimisation the linker compiles.
    list(TRANSFORM options PREPEND "LINKER:-plugin-opt=" OUTPUT_VARIABLE link)
    list(APPEND compile "-fprofile-sample-use=${profile}")
    foreach(option IN LISTS options)
      list(APPEND compile "SHELL:-mllvm ${option}")
    endforeach()
    if(arg_REPORT_STALENESS)
      list(APPEND compile "SHELL:-mllvm -report-profile-staleness")
    endif()
  endif()
  list(JOIN arg_CONFIGS "," configs)
  foreach(target IN LISTS arg_UNPARSED_ARGUMENTS)
    target_compile_options(${target} PRIVATE
      "$<$<AND:$<CONFIG:${configs}>,$<COMPILE_LANGUAGE:C,CXX,OBJC,OBJCXX>>:${compile}>")
    _profuse_has_lto(lto ${target} "${arg_CONFIGS}")
    if(use AND lto)
      target_link_options(${target} PRIVATE "$<$<CONFIG:${configs}>:-fprofile-sample-use=${profile};${link}>")
    endif()
    if(use)
      _profuse_depend(${target} "${stamp}")
    endif()
  endforeach()
endfunction()
