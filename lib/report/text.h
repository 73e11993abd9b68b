/* text.h: text from profiles, made safe for where it is written. */
#ifndef PF_REPORT_TEXT_H
#define PF_REPORT_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"

/*
 * Appends a JSON string, quotes included. Bytes that are no UTF-8 become U+FFFD;
 * "<", ">" and "&" become escapes, so that the string is harmless inside HTML's
 * script element, and so do the line separators that older JavaScript rejects.
 */
void pf_json_text(struct pf_buffer *out, const char *text);
/* The same of two texts joined. */
void pf_json_prefixed(struct pf_buffer *out, const char *prefix, const char *text);

/* Appends text for HTML's body, attributes or title. */
void pf_html_text(struct pf_buffer *out, const char *text);

/* "2026-11-23 17:44:37 UTC" of nanoseconds since the epoch. */
void pf_utc_text(char *out, size_t size, int64_t nanos);

#endif
