/* report_json.h: parts of the JSON report that the provenance record has too. Each is a new object, NULL without memory. */
#ifndef PF_CONVERT_REPORT_JSON_H
#define PF_CONVERT_REPORT_JSON_H

#include <jansson.h>

#include "convert/convert_private.h"

json_t *pf_report_samples_json(const struct pf_report *r);
/* What one of advice.h's functions says of an output, as a string; NULL: out of memory. */
json_t *pf_report_advice_json(
    void (*advise)(struct pf_buffer *, const struct pf_convert *, const char *),
    const struct pf_convert *c, const char *output);
json_t *pf_report_checks_json(const struct pf_report *r);
json_t *pf_report_profile_json(const struct pf_convert *c);

#endif
