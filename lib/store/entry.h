/*
 * entry.h: what is known of a profile, as bytes.
 *
 * The header of a stored record is a message in protobuf's wire format, its
 * fields listed in entry.c and in docs/store.md. Unknown fields are skipped, so
 * that older readers read newer stores.
 */
#ifndef PF_STORE_ENTRY_H
#define PF_STORE_ENTRY_H

#include <profuse/store.h>

#include "core/buffer.h"

enum { PF_STORE_HEADER_MAX = 1 << 20, PF_STORE_TRACES_MAX = 65536 };

/* An entry together with the memory that its strings and labels lie in. A zeroed struct is empty. */
struct pf_store_parsed {
	struct pf_store_entry entry;
	struct pf_buffer text;         /* NUL-terminated strings */
	struct pf_store_label *labels; /* owned */
	size_t label_capacity;
	uint64_t *traces; /* owned */
	size_t trace_capacity;
};

/* Appends the message to `out`; check out->failed afterwards. */
void pf_store_entry_encode(struct pf_buffer *out, const struct pf_store_entry *entry);

/*
 * Decodes into `parsed`, whose memory is reused. PF_EINPUT names `name`; what is
 * left then is not to be read.
 */
int pf_store_entry_decode(struct pf_store_parsed *parsed, const char *name, const void *bytes,
    size_t size, struct pf_error *err);
void pf_store_parsed_release(struct pf_store_parsed *parsed);

/* Where a segment with this entry belongs: hours since the epoch, and 0-255 by build id (else service). */
int64_t pf_store_hour(const struct pf_store_entry *entry);
unsigned pf_store_bucket(const struct pf_store_entry *entry);

/* The id in hexadecimal, NUL-terminated: 65 bytes. */
void pf_store_hex(char *hex, const uint8_t id[PF_STORE_ID_SIZE]);

#endif
