# Every lib/report/page/*.{css,html,js} becomes an array in libprofuse, found by its name (lib/report/page.h).
file(GLOB PAGE_FILES CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/lib/report/page
  lib/report/page/*.css lib/report/page/*.html lib/report/page/*.js)
set(PAGE_DIR ${CMAKE_BINARY_DIR}/page)
set(PAGE_EXTERNS "")
set(PAGE_ROWS "")
foreach(file ${PAGE_FILES})
  string(REGEX REPLACE "[^a-z0-9]" "_" symbol "pf_page_${file}")
  add_custom_command(OUTPUT ${PAGE_DIR}/${file}.c
    COMMAND ${CMAKE_COMMAND} -DINPUT=${CMAKE_SOURCE_DIR}/lib/report/page/${file}
      -DOUTPUT=${PAGE_DIR}/${file}.c -DNAME=${symbol} -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS lib/report/page/${file} cmake/embed.cmake VERBATIM)
  list(APPEND PROFUSE_SOURCES ${PAGE_DIR}/${file}.c)
  string(APPEND PAGE_EXTERNS "extern const unsigned char ${symbol}[];\nextern const size_t ${symbol}_size;\n")
  string(APPEND PAGE_ROWS "\t{\"${file}\", ${symbol}, &${symbol}_size},\n")
endforeach()
file(CONFIGURE OUTPUT ${PAGE_DIR}/table.c CONTENT "/* Made by cmake/Pages.cmake. */
#include \"report/page.h\"

${PAGE_EXTERNS}
const struct pf_page_file pf_page_files[] = {
${PAGE_ROWS}\t{NULL, NULL, NULL},
};
" @ONLY)
list(APPEND PROFUSE_SOURCES ${PAGE_DIR}/table.c)
