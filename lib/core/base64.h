/* base64.h: bytes as text (RFC 4648, the standard alphabet, padded), and back. */
#ifndef PF_CORE_BASE64_H
#define PF_CORE_BASE64_H

#include "core/buffer.h"

void pf_base64_encode(struct pf_buffer *out, const void *bytes, size_t size);

/* Appends the bytes that `size` characters stand for. PF_EINPUT where they are no base64; PF_ENOMEM. */
int pf_base64_decode(struct pf_buffer *out, const char *text, size_t size, struct pf_error *err);

#endif
