/*
 * labels.h: a target's labels as the catalog keeps them: a JSON object of
 * strings, ordered by name, so that equal sets are equal texts and SQLite's
 * functions can look into them.
 */
#ifndef PF_STORE_LABELS_H
#define PF_STORE_LABELS_H

#include <profuse/store.h>

#include "core/buffer.h"

/* Appends the object and a NUL. */
void pf_labels_write(struct pf_buffer *json, const struct pf_store_entry *entry);

/* A set that was read. A zeroed struct is empty. */
struct pf_labels {
	struct pf_store_label *items; /* owned */
	size_t count, capacity;
	struct pf_buffer text; /* what their strings lie in */
};

/* Reads what pf_labels_write() wrote, in place of what was there. PF_EINPUT: it is something else. */
int pf_labels_read(struct pf_labels *labels, const char *json, struct pf_error *err);
void pf_labels_release(struct pf_labels *labels);

#endif
