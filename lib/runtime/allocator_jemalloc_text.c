/*
 * allocator_jemalloc_text.c: malloc_stats_print() without options: jemalloc's statistics for people.
 *
 * It has what JSON has not: how long locks were waited for (see allocator_jemalloc.c). Its tables are read
 * by the right ends of their headings, for numbers that are wide run into each other.
 */
#include "runtime/allocator.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/lines.h"
#include "core/number.h"

/* Columns of a table that has mutexes in its rows. */
enum { OPERATIONS, WAITS, WAITED, COLUMNS };

struct columns {
	struct column {
		size_t begin, end; /* characters of the line */
	} at[COLUMNS];
	bool known;
};

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
	/* "opt.background_thread: false (background_thread: true)": as it began, and as it is now. */
	if (strcmp(name, "opt.background_thread") == 0)
		s->background_threads = pf_text_find(&t, "(background_thread: true)") != NULL;
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
	s->releasable = pf_or_zero(s->releasable) + pages * page;
	if (dirty) {
		s->purges = sweeps + pf_or_zero(s->purges);
		s->purge_calls = calls + pf_or_zero(s->purge_calls);
	}
}

/* "… n_lock_ops (#/sec)  n_waiting (#/sec) …": where the columns end, and those before them. */
static bool
read_heading(struct columns *c, struct pf_text line)
{
	static const char *const headings[COLUMNS] = {"n_lock_ops", "n_waiting", "total_wait_ns"};
	struct columns found = {.known = true};

	for (size_t i = 0; i < COLUMNS; i++) {
		const char *at = pf_text_find(&line, headings[i]), *before = at;

		if (!at)
			return false;
		while (before > line.at && before[-1] == ' ')
			before--;
		found.at[i].begin = (size_t)(before - line.at);
		found.at[i].end = (size_t)(at - line.at) + strlen(headings[i]);
	}
	*c = found;
	return true;
}

/* The number that ends where its column does: with the heading before it as far left as it may reach. */
static bool
read_cell(struct pf_text line, const struct column *c, double *value)
{
	struct pf_text cell = line;

	if (pf_text_left(&line) < c->end)
		return false;
	cell.end = line.at + c->end;
	cell.at = cell.end;
	while (cell.at > line.at + c->begin && cell.at[-1] >= '0' && cell.at[-1] <= '9')
		cell.at--;
	*value = pf_text_double(&cell);
	return !cell.failure && cell.at == cell.end;
}

/* A mutex of the arenas', or of a class of sizes: only rows have a number in each of the columns. */
static void
read_mutex(struct pf_allocator_stats *s, const struct columns *c, struct pf_text line)
{
	double cells[COLUMNS];

	for (size_t i = 0; i < COLUMNS; i++) {
		if (!read_cell(line, &c->at[i], &cells[i]))
			return;
	}
	s->locks = cells[OPERATIONS] + pf_or_zero(s->locks);
	s->lock_waits = cells[WAITS] + pf_or_zero(s->lock_waits);
	s->lock_wait_seconds = cells[WAITED] / 1e9 + pf_or_zero(s->lock_wait_seconds);
}

/* What is told of all arenas together, or of each in turn: where there is only one, nothing is merged. */
struct arenas {
	bool merged; /* they are: nothing of single ones counts */
	bool inside; /* up to the next table of extents */
	struct columns columns;
	double base; /* of the first, or of all */
};

static void
read_arenas(struct pf_allocator_stats *s, struct arenas *a, struct pf_text line, double page)
{
	struct pf_text t = pf_text_trimmed(line);
	double cached;

	if (pf_text_starts(&t, "Merged arenas stats:"))
		*a = (struct arenas){.merged = true, .inside = true, .base = NAN};
	else if (pf_text_starts(&t, "arenas["))
		*a = (struct arenas){.merged = a->merged, .inside = !a->merged, .base = a->base};
	else if (a->columns.known && pf_text_starts(&t, "large:")) /* after the small ones' bins */
		a->inside = false;
	if (!a->inside || read_heading(&a->columns, line))
		return;
	if (a->columns.known) {
		read_mutex(s, &a->columns, line);
		return;
	}
	read_decaying(s, t, page);
	if (pf_text_starts(&t, "uptime:") && number_after(t, "uptime:", &s->uptime_seconds))
		s->uptime_seconds /= 1e9;
	if (pf_text_starts(&t, "tcache_bytes:") && number_after(t, "tcache_bytes:", &cached))
		s->thread_cached = cached + pf_or_zero(s->thread_cached);
	if (pf_text_starts(&t, "base:") && isnan(a->base))
		(void)number_after(t, "base:", &a->base);
}

static void
read_totals(struct pf_allocator_stats *s, struct pf_text t, double *page)
{
	if (pf_text_skip(&t, "Version: \""))
		snprintf(s->version, sizeof s->version, "%.*s",
		    (int)(pf_text_left(&t) > 1 && pf_text_left(&t) < 64 ? pf_text_left(&t) - 1 : 0),
		    t.at);
	(void)number_after(t, "Page size: ", page);
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
}

int
pf_jemalloc_text_parse(struct pf_allocator_stats *s, const char *name, const void *bytes,
    size_t size, struct pf_error *err)
{
	struct arenas arenas = {.base = NAN};
	struct pf_lines lines;
	double page = 4096;
	bool whole = false;

	pf_lines_init(&lines, name, bytes, size);
	while (pf_lines_next(&lines)) {
		read_totals(s, pf_text_trimmed(lines.line), &page);
		read_arenas(s, &arenas, lines.line, page);
		whole |= pf_text_find(&lines.line, "End jemalloc statistics") != NULL;
	}
	if (isnan(s->in_use) || isnan(s->resident) || !whole)
		return pf_error_set(err, PF_EINPUT,
		    "%s: jemalloc's statistics are cut off: they go from \"Begin\" to \"End "
		    "jemalloc statistics\"",
		    name);
	if (isnan(s->releasable))
		s->releasable = fmax(0, s->resident - s->active - s->metadata);
	pf_jemalloc_find_unwritten(s, arenas.base, page);
	return 0;
}
