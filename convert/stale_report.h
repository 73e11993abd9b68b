/* stale_report.h: a comparison with a newer build in words and as JSON (docs/convert.md). */
#ifndef PF_CONVERT_STALE_REPORT_H
#define PF_CONVERT_STALE_REPORT_H

#include <jansson.h>

#include "convert/stale.h"
#include "core/buffer.h"

/* `newer`: the binary that was compared with. The text names the functions that lose most, C++'s by
 * their short names; the JSON keeps the linkage names. */
void pf_stale_text(
    struct pf_buffer *b, const struct pf_staleness *s, const struct pf_binary *newer);
/* A new object; NULL without memory, or with names that are no UTF-8. */
json_t *pf_stale_json(const struct pf_staleness *s, const struct pf_binary *newer);

#endif
