# Small programs that the tests of lib/symbol take apart, in the shapes that compilers and linkers
# give them. Without clang-19 (and lld for two of them) those tests skip.
set(SYMBOL_FIXTURES ${CMAKE_BINARY_DIR}/tests/fixtures)
file(MAKE_DIRECTORY ${SYMBOL_FIXTURES})
find_program(FIXTURE_CLANG clang-19)
find_program(FIXTURE_GCC gcc)
find_program(FIXTURE_LLD ld.lld-19)
find_program(FIXTURE_STRIP strip)
set(PROFILE_FLAGS -O2 -gmlt -fdebug-info-for-profiling)

# symbol_fixture(NAME SOURCE COMPILER FLAG...)
set(SYMBOL_FIXTURE_FILES "")
function(symbol_fixture name source compiler)
  add_custom_command(OUTPUT ${SYMBOL_FIXTURES}/${name}
    COMMAND ${compiler} ${ARGN} ${CMAKE_SOURCE_DIR}/tests/fixtures/symbol/${source} -o ${SYMBOL_FIXTURES}/${name}
    DEPENDS ${CMAKE_SOURCE_DIR}/tests/fixtures/symbol/${source} VERBATIM)
  set(SYMBOL_FIXTURE_FILES ${SYMBOL_FIXTURE_FILES} ${SYMBOL_FIXTURES}/${name} PARENT_SCOPE)
endfunction()

if(FIXTURE_CLANG AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  set(second -Wl,--section-start=second=0x900000)
  set(id -Wl,--build-id=0x00112233445566778899aabbccddeeff)
  symbol_fixture(inline-pie inline.c ${FIXTURE_CLANG} ${PROFILE_FLAGS} ${id} -pie -fPIE)
  symbol_fixture(inline-fixed inline.c ${FIXTURE_CLANG} ${PROFILE_FLAGS} ${id} -no-pie -fno-pie ${second})
  symbol_fixture(inline-dwarf4 inline.c ${FIXTURE_CLANG} ${PROFILE_FLAGS} -gdwarf-4)
  symbol_fixture(inline-zlib inline.c ${FIXTURE_CLANG} ${PROFILE_FLAGS} -gz=zlib)
  symbol_fixture(inline-probe inline.c ${FIXTURE_CLANG} ${PROFILE_FLAGS} -fpseudo-probe-for-profiling)
  symbol_fixture(inline-bare inline.c ${FIXTURE_CLANG} -O2 ${id})
  symbol_fixture(flow-pie flow.c ${FIXTURE_CLANG} -O2 -pie -fPIE)
  symbol_fixture(flow-fixed flow.c ${FIXTURE_CLANG} -O2 -no-pie -fno-pie)
  symbol_fixture(flow-large flow.c ${FIXTURE_CLANG} -O2 -mcmodel=large -pie -fPIE)
  symbol_fixture(flow-large-fixed flow.c ${FIXTURE_CLANG} -O2 -mcmodel=large -no-pie -fno-pie)
  symbol_fixture(flow-sections flow.c ${FIXTURE_CLANG} -O2 -pie -fPIE -fbasic-block-sections=all)
  if(FIXTURE_LLD)
    symbol_fixture(inline-lld inline.c ${FIXTURE_CLANG} ${PROFILE_FLAGS} -fuse-ld=lld -Wl,--no-rosegment
      -ffunction-sections -Wl,--gc-sections)
  endif()
  if(FIXTURE_GCC)
    symbol_fixture(flow-gcc flow.c ${FIXTURE_GCC} -O2 -pie -fPIE)
    symbol_fixture(flow-gcc-fixed flow.c ${FIXTURE_GCC} -O2 -no-pie -fno-pie)
    symbol_fixture(flow-gcc-large flow.c ${FIXTURE_GCC} -O2 -mcmodel=large -pie -fPIE)
    symbol_fixture(flow-gcc-large-fixed flow.c ${FIXTURE_GCC} -O2 -mcmodel=large -no-pie -fno-pie)
  endif()
  find_program(FIXTURE_OBJCOPY llvm-objcopy-19)
  if(FIXTURE_OBJCOPY)
    add_custom_command(OUTPUT ${SYMBOL_FIXTURES}/inline-zstd
      COMMAND ${FIXTURE_OBJCOPY} --compress-debug-sections=zstd inline-pie inline-zstd
      DEPENDS ${SYMBOL_FIXTURES}/inline-pie WORKING_DIRECTORY ${SYMBOL_FIXTURES} VERBATIM)
    list(APPEND SYMBOL_FIXTURE_FILES ${SYMBOL_FIXTURES}/inline-zstd)
  endif()
  find_program(FIXTURE_DWZ dwz)
  if(FIXTURE_DWZ)
    add_custom_command(OUTPUT ${SYMBOL_FIXTURES}/inline-dwz ${SYMBOL_FIXTURES}/inline-dwz.common
      COMMAND ${FIXTURE_CLANG} -O2 -g -gdwarf-4 ${CMAKE_SOURCE_DIR}/tests/fixtures/symbol/inline.c -o inline-dwz
      COMMAND ${CMAKE_COMMAND} -E copy inline-dwz inline-dwz.other
      COMMAND ${FIXTURE_DWZ} -m inline-dwz.common inline-dwz inline-dwz.other
      DEPENDS ${CMAKE_SOURCE_DIR}/tests/fixtures/symbol/inline.c WORKING_DIRECTORY ${SYMBOL_FIXTURES} VERBATIM)
    list(APPEND SYMBOL_FIXTURE_FILES ${SYMBOL_FIXTURES}/inline-dwz)
  endif()
  add_custom_command(OUTPUT ${SYMBOL_FIXTURES}/inline-split
    COMMAND ${FIXTURE_CLANG} -O2 -g -gsplit-dwarf -c ${CMAKE_SOURCE_DIR}/tests/fixtures/symbol/inline.c -o split.o
    COMMAND ${FIXTURE_CLANG} split.o -o inline-split
    DEPENDS ${CMAKE_SOURCE_DIR}/tests/fixtures/symbol/inline.c WORKING_DIRECTORY ${SYMBOL_FIXTURES} VERBATIM)
  list(APPEND SYMBOL_FIXTURE_FILES ${SYMBOL_FIXTURES}/inline-split)
  if(FIXTURE_STRIP)
    add_custom_command(OUTPUT ${SYMBOL_FIXTURES}/linked ${SYMBOL_FIXTURES}/linked.debug
      COMMAND objcopy --only-keep-debug inline-pie linked.debug
      COMMAND ${FIXTURE_STRIP} -o linked inline-pie
      COMMAND objcopy --add-gnu-debuglink=linked.debug linked
      DEPENDS ${SYMBOL_FIXTURES}/inline-pie WORKING_DIRECTORY ${SYMBOL_FIXTURES} VERBATIM)
    list(APPEND SYMBOL_FIXTURE_FILES ${SYMBOL_FIXTURES}/linked)
  endif()
endif()
add_custom_target(symbol_fixtures ALL DEPENDS ${SYMBOL_FIXTURE_FILES})
