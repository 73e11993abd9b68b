/*
 * allocator_texts.c: the texts for people of gperftools and mimalloc.
 *
 * gperftools' ReleaseFreeMemory() gives back the page heap's free list and
 * nothing of the caches. mimalloc does not say how much of what it has
 * committed is free: nothing can be said about a release.
 */
#include "runtime/allocator.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/lines.h"
#include "core/number.h"

struct row {
	const char *says;
	size_t offset;
};
#define AT(MEMBER) offsetof(struct pf_allocator_stats, MEMBER)

/* "MALLOC: +     50995200 (   48.6 MiB) Bytes in page heap freelist" */
int
pf_tcmalloc_parse(struct pf_allocator_stats *s, const char *name, const void *bytes, size_t size,
    struct pf_error *err)
{
	static const struct row rows[] = {
	    {"Bytes in use by application", AT(in_use)},
	    {"Bytes in page heap freelist", AT(releasable)},
	    {"Bytes in central cache freelist", AT(central_cached)},
	    {"Bytes in transfer cache freelist", AT(free_bytes)},
	    {"Bytes in thread cache freelists", AT(thread_cached)},
	    {"Bytes in malloc metadata", AT(metadata)},
	    {"Actual memory used (physical + swap)", AT(resident)},
	    {"Bytes released to OS (aka unmapped)", AT(retained)},
	    {"Virtual address space used", AT(mapped)},
	    {"Thread heaps in use", AT(threads)},
	};
	struct pf_lines lines;

	pf_lines_init(&lines, name, bytes, size);
	while (pf_lines_next(&lines)) {
		struct pf_text t = pf_text_trimmed(lines.line);

		if (!pf_text_skip(&t, "MALLOC:"))
			continue;
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
			struct pf_text rest = t;
			if (!pf_text_find(&rest, rows[i].says))
				continue;
			pf_text_blanks(&rest);
			(void)(pf_text_skip(&rest, "+") || pf_text_skip(&rest, "="));
			*(double *)(void *)((char *)s + rows[i].offset) = pf_text_double(&rest);
			if (rest.failure)
				return pf_lines_check(&lines, &rest, err);
		}
	}
	if (isnan(s->in_use) || isnan(s->resident) || isnan(s->releasable))
		return pf_error_set(err, PF_EINPUT,
		    "%s: gperftools' statistics are cut off: in use, page heap or total is missing",
		    name);
	s->central_cached = pf_or_zero(s->central_cached) + pf_or_zero(s->free_bytes);
	s->free_bytes = NAN;
	s->active = s->resident - s->releasable - pf_or_zero(s->metadata);
	return 0;
}

/* "161.5 MiB", "5.0 Ki", "0" */
static double
read_scaled(struct pf_text *t)
{
	static const char *const prefixes[] = {"Ki", "Mi", "Gi", "Ti"};
	double value = pf_text_double(t), factor = 1;

	pf_text_blanks(t);
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		factor *= 1024;
		if (pf_text_skip(t, prefixes[i])) {
			(void)pf_text_skip(t, "B");
			return value * factor;
		}
	}
	(void)pf_text_skip(t, "B");
	return value;
}

/* " committed:  233.1 MiB  508.2 MiB  346.6 MiB  161.5 MiB": peak, total, freed, current */
int
pf_mimalloc_parse(struct pf_allocator_stats *s, const char *name, const void *bytes, size_t size,
    struct pf_error *err)
{
	struct pf_lines lines;

	pf_lines_init(&lines, name, bytes, size);
	while (pf_lines_next(&lines)) {
		struct pf_text t = pf_text_trimmed(lines.line);
		bool reserved = pf_text_skip(&t, "reserved:");
		double peak, current;

		if (!reserved && !pf_text_skip(&t, "committed:"))
			continue;
		peak = read_scaled(&t);
		(void)read_scaled(&t);
		(void)read_scaled(&t);
		current = read_scaled(&t);
		if (t.failure)
			return pf_lines_check(&lines, &t, err);
		if (reserved) {
			s->mapped = current;
		} else {
			s->resident = current;
			s->peak_committed = peak;
		}
	}
	if (isnan(s->resident))
		return pf_error_set(
		    err, PF_EINPUT, "%s: mimalloc's statistics have no committed memory", name);
	return 0;
}
