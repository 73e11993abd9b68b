/* select.h: which samples a report shows. */
#ifndef PF_REPORT_SELECT_H
#define PF_REPORT_SELECT_H

#include <regex.h>

#include "report/view.h"

/* Compiles a POSIX extended expression; `what` says in messages where it came from. PF_EUSAGE, PF_ENOMEM. */
int pf_view_compile(regex_t *regex, const char *expression, const char *what, struct pf_error *err);

/* Fills kept, kept_count and is_base from the options. PF_EUSAGE for a bad expression; PF_ENOMEM. */
int pf_view_select(struct pf_view *r, struct pf_error *err);

#endif
