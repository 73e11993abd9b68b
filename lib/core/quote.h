/* quote.h: text that others read back: JSON strings. */
#ifndef PF_CORE_QUOTE_H
#define PF_CORE_QUOTE_H

#include "core/buffer.h"

/* Appends a JSON string, quotes included (RFC 8259); bytes that are no UTF-8 become U+FFFD. */
void pf_quote_json(struct pf_buffer *b, const char *bytes, size_t size);

#endif
