/*
 * allocator_texts.c: the texts for people of jemalloc, gperftools and mimalloc.
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

/* The number right behind a key anywhere in the line. */
static bool
number_after(struct pf_text line, const char *key, double *value)
{
	const char *at = pf_text_find(&line, key);

	if (!at)
		return false;
	line.at = at + strlen(key);
	*value = pf_text_double(&line);
	return !line.failure && *value >= 0;
}

static void
read_jemalloc_setting(struct pf_allocator_stats *s, struct pf_text t)
{
	char name[64];
	const char *colon;
	struct pf_text value;

	t = pf_text_trimmed(t);
	colon = pf_text_find(&t, ":");
	if (!pf_text_starts(&t, "opt.") || !colon || (size_t)(colon - t.at) >= sizeof name)
		return;
	snprintf(name, sizeof name, "%.*s", (int)(colon - t.at), t.at);
	t.at = colon + 1;
	value = pf_text_word(&t);
	if (pf_text_left(&value) > 2 && *value.at == '"')
		value = (struct pf_text){.at = value.at + 1, .end = value.end - 1};
	pf_allocator_add_setting(s, name, value.at, pf_text_left(&value));
}

/* "   dirty:     N/A   26776      23      782    18375": decaying, then npages. */
static void
read_decaying(struct pf_allocator_stats *s, struct pf_text t, double page)
{
	bool dirty = pf_text_skip(&t, "dirty:");
	double pages, sweeps, calls;

	if (!dirty && !pf_text_skip(&t, "muzzy:"))
		return;
	(void)pf_text_word(&t); /* the time, or N/A */
	pages = pf_text_double(&t);
	sweeps = pf_text_double(&t);
	calls = pf_text_double(&t);
	if (t.failure)
		return;
	s->releasable = (isnan(s->releasable) ? 0 : s->releasable) + pages * page;
	if (dirty) {
		s->purges = sweeps + (isnan(s->purges) ? 0 : s->purges);
		s->purge_calls = calls + (isnan(s->purge_calls) ? 0 : s->purge_calls);
	}
}

/* A line of all arenas together, or of each in turn: where there is only one, nothing is merged. */
static void
read_arena_line(struct pf_allocator_stats *s, struct pf_text t, double page, double *base)
{
	double cached;

	read_decaying(s, t, page);
	if (pf_text_starts(&t, "tcache_bytes:") && number_after(t, "tcache_bytes:", &cached))
		s->thread_cached = cached + (isnan(s->thread_cached) ? 0 : s->thread_cached);
	if (pf_text_starts(&t, "base:") && isnan(*base)) /* of the first arena, or of all */
		(void)number_after(t, "base:", base);
}

int
pf_jemalloc_text_parse(struct pf_allocator_stats *s, const char *name, const void *bytes,
    size_t size, struct pf_error *err)
{
	struct pf_lines lines;
	double page = 4096, base = NAN;
	bool merged = false, inside = false, whole = false;

	pf_lines_init(&lines, name, bytes, size);
	while (pf_lines_next(&lines)) {
		struct pf_text t = pf_text_trimmed(lines.line);

		if (pf_text_skip(&t, "Version: \""))
			snprintf(s->version, sizeof s->version, "%.*s",
			    (int)(pf_text_left(&t) > 1 && pf_text_left(&t) < 64
				      ? pf_text_left(&t) - 1
				      : 0),
			    t.at);
		(void)number_after(t, "Page size: ", &page);
		if (pf_text_starts(&t, "Arenas: "))
			(void)number_after(t, "Arenas: ", &s->arenas);
		if (pf_text_starts(&t, "Allocated: ")) {
			(void)number_after(t, "Allocated: ", &s->in_use);
			(void)number_after(t, "active: ", &s->active);
			(void)number_after(t, "metadata: ", &s->metadata);
			(void)number_after(t, "resident: ", &s->resident);
			(void)number_after(t, "mapped: ", &s->mapped);
			(void)number_after(t, "retained: ", &s->retained);
		}
		read_jemalloc_setting(s, t);
		if (pf_text_starts(&t, "Merged arenas stats:"))
			merged = inside = true;
		else if (pf_text_starts(&t, "arenas["))
			inside = !merged;
		else if (pf_text_starts(&t, "bins:"))
			inside = false;
		if (inside)
			read_arena_line(s, t, page, &base);
		whole |= pf_text_find(&t, "End jemalloc statistics") != NULL;
	}
	if (isnan(s->in_use) || isnan(s->resident) || !whole)
		return pf_error_set(err, PF_EINPUT,
		    "%s: jemalloc's statistics are cut off: they go from \"Begin\" to \"End "
		    "jemalloc "
		    "statistics\"",
		    name);
	if (isnan(s->releasable))
		s->releasable = fmax(0, s->resident - s->active - s->metadata);
	pf_jemalloc_find_unwritten(s, base, page);
	return 0;
}

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
	s->central_cached = (isnan(s->central_cached) ? 0 : s->central_cached) +
			    (isnan(s->free_bytes) ? 0 : s->free_bytes);
	s->free_bytes = NAN;
	s->active = s->resident - s->releasable - (isnan(s->metadata) ? 0 : s->metadata);
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
