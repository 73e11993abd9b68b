/* allocator.c: which format a text is in; see allocator.h. */
#include "runtime/allocator.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/lines.h"

enum { SNIFFED = 1 << 12 };

const char *
pf_allocator_name(enum pf_allocator allocator)
{
	static const char *const names[PF_ALLOCATORS] = {
	    "unknown", "glibc", "jemalloc", "tcmalloc", "mimalloc", "go"};

	return names[allocator];
}

void
pf_allocator_stats_init(struct pf_allocator_stats *s)
{
	double *first = &s->in_use, *last = &s->largest_arena_share;

	*s = (struct pf_allocator_stats){0};
	for (double *at = first; at <= last; at++)
		*at = NAN;
}

const char *
pf_allocator_setting(const struct pf_allocator_stats *s, const char *name)
{
	for (size_t i = 0; i < s->setting_count; i++) {
		if (strcmp(s->settings[i].name, name) == 0)
			return s->settings[i].value;
	}
	return NULL;
}

void
pf_allocator_add_setting(
    struct pf_allocator_stats *s, const char *name, const char *value, size_t value_size)
{
	struct pf_allocator_setting *setting = &s->settings[s->setting_count];

	if (s->setting_count == PF_MOST_SETTINGS || strlen(name) >= sizeof setting->name ||
	    value_size >= sizeof setting->value)
		return;
	snprintf(setting->name, sizeof setting->name, "%s", name);
	snprintf(setting->value, sizeof setting->value, "%.*s", (int)value_size, value);
	s->setting_count++;
}

struct format {
	enum pf_allocator allocator;
	const char *mark; /* in the first bytes */
	pf_allocator_reader *read;
};

static const struct format formats[] = {
    {PF_ALLOCATOR_GLIBC, "<malloc version=", pf_malloc_info_parse},
    {PF_ALLOCATOR_JEMALLOC, "{\"jemalloc\":", pf_jemalloc_json_parse},
    {PF_ALLOCATOR_JEMALLOC, "\"jemalloc\": {", pf_jemalloc_json_parse},
    {PF_ALLOCATOR_JEMALLOC, "Begin jemalloc statistics", pf_jemalloc_text_parse},
    {PF_ALLOCATOR_TCMALLOC, "MALLOC: ", pf_tcmalloc_parse},
    {PF_ALLOCATOR_MIMALLOC, "committed:", pf_mimalloc_parse},
    {PF_ALLOCATOR_GLIBC, "uordblks", pf_mallinfo2_parse},
};

static const struct format *
find_format(const void *bytes, size_t size)
{
	struct pf_text t = pf_text_of(bytes, size < SNIFFED ? size : SNIFFED);

	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		if (pf_text_find(&t, formats[i].mark))
			return &formats[i];
	}
	return NULL;
}

enum pf_allocator
pf_allocator_recognise(const void *bytes, size_t size)
{
	const struct format *f = find_format(bytes, size);

	return f ? f->allocator : PF_ALLOCATOR_UNKNOWN;
}

int
pf_allocator_parse(struct pf_allocator_stats *s, const char *name, const void *bytes, size_t size,
    struct pf_error *err)
{
	const struct format *f = find_format(bytes, size);

	pf_allocator_stats_init(s);
	if (!f)
		return pf_error_set(err, PF_EINPUT,
		    "%s: no allocator's statistics: malloc_info, mallinfo2, jemalloc, gperftools "
		    "and mimalloc are read",
		    name);
	s->allocator = f->allocator;
	return f->read(s, name, bytes, size, err);
}
