/* traces.c: see traces.h. */
#include "store/traces.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/memory.h"
#include "store/entry.h"

const char *const pf_trace_keys[] = {"trace_id", "traceid", "trace id", "trace.id", "traceID",
    "span_id", "spanid", "span id", "span.id", "spanID", NULL};

bool
pf_trace_key(const char *key)
{
	for (size_t i = 0; pf_trace_keys[i]; i++) {
		if (strcasecmp(key, pf_trace_keys[i]) == 0)
			return true;
	}
	return false;
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static size_t
distinct(uint64_t *hashes, size_t count)
{
	size_t kept = 0;

	if (count)
		qsort(hashes, count, sizeof *hashes, by_value);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || hashes[i] != hashes[i - 1])
			hashes[kept++] = hashes[i];
	}
	return kept;
}

/* What is known of a string: whether it is a trace's key, and whether it is an id. */
enum { KEY = 1, NO_KEY = 2, IS_ID = 4 };

static void
mark_ids(const struct pf_profile *p, uint8_t *strings)
{
	for (size_t i = 0; i < p->label_count; i++) {
		const struct pf_label *l = &p->labels[i];
		if (!(strings[l->key] & (KEY | NO_KEY)))
			strings[l->key] |=
			    pf_trace_key(pf_profile_string(p, l->key)) ? KEY : NO_KEY;
		if (l->string && strings[l->key] & KEY)
			strings[l->string] |= IS_ID;
	}
}

int
pf_trace_hashes(const struct pf_profile *p, uint64_t **hashes, size_t *count, bool *complete,
    struct pf_error *err)
{
	size_t capacity = 0;
	uint8_t *strings;
	int rc = PF_CALLOC(strings, p->strings.count, err);

	*hashes = NULL;
	*count = 0;
	if (!rc)
		mark_ids(p, strings);
	for (uint32_t i = 1; !rc && i < p->strings.count; i++) {
		if (!(strings[i] & IS_ID))
			continue;
		rc = PF_GROW(*hashes, capacity, *count + 1, err);
		if (!rc)
			(*hashes)[(*count)++] = pf_store_trace_hash(pf_profile_string(p, i));
	}
	free(strings);
	if (rc) {
		free(*hashes);
		*hashes = NULL;
		*count = 0;
		return rc;
	}
	*count = distinct(*hashes, *count);
	*complete = *count <= PF_STORE_TRACES_MAX;
	*count = *complete ? *count : PF_STORE_TRACES_MAX;
	return 0;
}

static bool
has_trace(const struct pf_profile *p, size_t sample, const void *id)
{
	for (uint64_t i = p->label_starts[sample]; i < p->label_starts[sample + 1]; i++) {
		const struct pf_label *l = &p->labels[i];
		if (l->string && strcasecmp(pf_profile_string(p, l->string), id) == 0 &&
		    pf_trace_key(pf_profile_string(p, l->key)))
			return true;
	}
	return false;
}

/* Moves a run of a flat array down to where the kept ones end. */
static uint64_t
keep_run(void *items, size_t size, uint64_t from, uint64_t to, uint64_t kept)
{
	char *bytes = items;

	memmove(bytes + kept * size, bytes + from * size, (size_t)(to - from) * size);
	return kept + (to - from);
}

/* Leaves the samples that `keeps` says to keep. */
static void
compact(struct pf_profile *p, bool (*keeps)(const struct pf_profile *p, size_t i, const void *data),
    const void *data)
{
	uint64_t frames = 0, labels = 0;
	size_t kept = 0;

	for (size_t i = 0; i < p->sample_count; i++) {
		uint64_t frame = p->frame_starts[i], frame_end = p->frame_starts[i + 1],
			 label = p->label_starts[i], label_end = p->label_starts[i + 1];
		if (!keeps(p, i, data))
			continue;
		p->frame_starts[kept] = frames;
		p->label_starts[kept] = labels;
		frames = keep_run(p->frames, sizeof *p->frames, frame, frame_end, frames);
		labels = keep_run(p->labels, sizeof *p->labels, label, label_end, labels);
		keep_run(p->values, sizeof *p->values, i * p->type_count, (i + 1) * p->type_count,
		    kept * p->type_count);
		kept++;
	}
	p->frame_starts[kept] = frames;
	p->label_starts[kept] = labels;
	p->sample_count = kept;
	p->frame_count = (size_t)frames;
	p->label_count = (size_t)labels;
}

static bool
fits(const struct pf_profile *p, size_t sample, const void *filters)
{
	return pf_label_filters_match(filters, p, sample);
}

void
pf_samples_keep_trace(struct pf_profile *p, const char *id)
{
	compact(p, has_trace, id);
}

void
pf_samples_keep_labelled(struct pf_profile *p, const struct pf_label_filters *filters)
{
	compact(p, fits, filters);
}
