/* page.h: the parts of a flame graph's page (page/flame.*), which the build turns into arrays. */
#ifndef PF_REPORT_PAGE_H
#define PF_REPORT_PAGE_H

#include <stddef.h>

extern const unsigned char pf_page_css[], pf_page_html[], pf_page_js[];
extern const size_t pf_page_css_size, pf_page_html_size, pf_page_js_size;

#endif
