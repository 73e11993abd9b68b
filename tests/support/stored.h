/* stored.h: entries and bytes for tests of the store. */
#ifndef TESTS_STORED_H
#define TESTS_STORED_H

#include <profuse/store.h>
#include <stdio.h>

#include "support/unit.h"

#define SECOND INT64_C(1000000000)
#define HOUR (3600 * SECOND)
#define NOON (INT64_C(1700000000) * SECOND) /* some time */

/* What a test says of a profile; the rest is made up. */
struct stored {
	const char *service, *instance, *type, *build_id, *version, *trigger;
	int64_t start, duration, collected; /* collected 0: at the end of the window */
	const char *bytes;                  /* NULL: made of the others */
	size_t size;                        /* at least so many bytes */
};

static inline int
stored_append(struct pf_store *store, const struct stored *s, struct pf_store_entry *entry,
    bool *known, struct pf_error *err)
{
	struct pf_store_label labels[] = {{"instance", s->instance ? s->instance : "a:1"},
	    {"job", s->service ? s->service : "api"}, {"version", s->version ? s->version : "1"}};
	char text[256], *bytes;
	size_t size;
	int rc;

	*entry = (struct pf_store_entry){.start_nanos = s->start ? s->start : NOON,
	    .duration_nanos = s->duration,
	    .type = s->type ? s->type : "cpu",
	    .build_id = s->build_id ? s->build_id : "b1",
	    .trigger = s->trigger ? s->trigger : "",
	    .reason = s->trigger ? "it was asked for" : "",
	    .labels = labels,
	    .label_count = 3,
	    .sample_count = 7};
	entry->collected_nanos =
	    s->collected ? s->collected : entry->start_nanos + entry->duration_nanos;
	snprintf(text, sizeof text, "%s %s %s %s %lld %lld %s", labels[1].value, labels[0].value,
	    entry->type, entry->build_id, (long long)entry->start_nanos,
	    (long long)entry->duration_nanos, s->bytes ? s->bytes : "");
	size = strlen(text) > s->size ? strlen(text) : s->size;
	bytes = calloc(1, size);
	if (!bytes)
		return pf_error_nomem(err);
	memcpy(bytes, text, strlen(text));
	rc = pf_store_append(store, entry, bytes, size, known, err);
	entry->labels = NULL;
	entry->label_count = 0;
	free(bytes);
	return rc;
}

#define must(CALL)                                                                \
	do {                                                                      \
		struct pf_error *must_err = &err;                                 \
		int must_rc = (CALL);                                             \
		if (must_rc)                                                      \
			fail_msg("%s: %d %s", #CALL, must_rc, must_err->message); \
	} while (0)

#endif
