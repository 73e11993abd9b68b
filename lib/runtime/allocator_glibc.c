/*
 * allocator_glibc.c: malloc_info(3) and mallinfo2(3).
 *
 * malloc_info prints each arena's free chunks by size, sums, and at the end the
 * sums of all arenas. Chunks in thread caches count as in use. The top chunk is
 * in the sum of free bytes ("rest") but in no size row.
 *
 * malloc_trim(0) gives back the whole pages inside free chunks, and the top of
 * the main arena. Where a chunk begins within a page is as good as random, so a
 * chunk of s >= 4096 bytes has s - 4096 bytes of whole pages on average, and a
 * smaller one none. Most rows are narrow, and their mean says enough. The row of
 * unsorted chunks can span all sizes: see wide_row(). Pages that are free and
 * already given back stay in the lists, so the sum is an upper bound where
 * malloc_trim ran before.
 *
 * Before that it joins the chunks of fast bins with their neighbours: what was
 * freed in small pieces may be whole pages then, see pf_glibc_join().
 */
#include "runtime/allocator.h"

#include <math.h>
#include <string.h>

#include "core/error.h"
#include "core/lines.h"
#include "core/number.h"

enum { PAGE = 4096, LEAST_CHUNK = 32, MOST_TAGS = 1 << 20 };

#define LIVE_TOGETHER \
	1.5 /* chunks of an object that stays: itself and what it has, which may be nothing */

/* The tags of a document, one at a time; attributes are read from the tag's inside. */
struct tags {
	struct pf_text rest, tag; /* tag: between "<" and ">" */
};

static bool
next_tag(struct tags *t)
{
	const char *open = pf_text_find(&t->rest, "<"), *close;

	if (!open)
		return false;
	t->rest.at = open + 1;
	close = pf_text_find(&t->rest, ">");
	if (!close) {
		pf_text_fail(&t->rest, "a tag does not end");
		return false;
	}
	t->tag = (struct pf_text){.at = t->rest.at, .end = close};
	t->rest.at = close + 1;
	return true;
}

/* The text of an attribute, empty where the tag has none of this name. */
static struct pf_text
attribute(const struct tags *t, const char *name)
{
	struct pf_text rest = t->tag, value = pf_text_of("", 0);

	(void)pf_text_word(&rest); /* the tag's own name */
	while (pf_text_blanks(&rest), pf_text_left(&rest)) {
		bool found = pf_text_skip(&rest, name) && pf_text_starts(&rest, "=");
		const char *quote = pf_text_find(&rest, "\""), *end;

		if (!quote)
			break;
		rest.at = quote + 1;
		end = pf_text_find(&rest, "\"");
		if (!end)
			break;
		value = (struct pf_text){.at = rest.at, .end = end};
		rest.at = end + 1;
		if (found)
			return value;
	}
	return pf_text_of("", 0);
}

static double
number(struct tags *t, const char *name)
{
	struct pf_text value = attribute(t, name);
	double n = pf_text_double(&value);

	if (value.failure || !(n >= 0) || isinf(n)) {
		pf_text_fail(&t->rest, "a number is missing or malformed");
		return 0;
	}
	return n;
}

static bool
has_value(const struct tags *t, const char *name, const char *value)
{
	struct pf_text text = attribute(t, name);

	return pf_text_equals(&text, value);
}

struct sums {
	double fast, rest,
	    listed; /* free bytes: fast bins; all others with the top; those in size rows */
	double fast_chunks;
	double pieces, piece_count,
	    piece_releasable; /* rows of chunks below a page, fast bins too */
	double chunks, releasable, system, most_system, most_free, main_top;
	double arenas;
	bool inside; /* an arena's element */
	bool whole;  /* the document ended */
};

static double
below_normal(double z)
{
	return 0.5 * erfc(-z / sqrt(2));
}

/*
 * The whole pages in `count` chunks of which only the mean and the greatest are
 * known: the mean of max(0, s - PAGE). Neighbours that are freed at random join
 * into chunks of exponential size: mean·exp(-PAGE / mean), too little where a
 * few are very big. A lognormal with this mean and this greatest of `count`
 * (whose expected quantile is z) has too much in its tail. Two thirds of the
 * first and a third of the second met what was measured after nine tenths of
 * 160,000 blocks of 32 B to 128 KiB had been freed, within 5 %.
 */
static double
wide_row(double total, double count, double greatest)
{
	double mean = total / count, log_n = log(count);
	double exponential = mean * exp(-PAGE / mean), lognormal = exponential;
	double z, left, sigma, mu, page = log(PAGE);

	if (count >= 20 && greatest > mean) {
		z = sqrt(2 * log_n - log(4 * 3.14159265358979 * log_n));
		left = z * z - 2 * log(greatest / mean);
		sigma = left > 0 ? z - sqrt(left) : z;
		mu = log(mean) - sigma * sigma / 2;
		lognormal = mean * below_normal((mu + sigma * sigma - page) / sigma) -
			    PAGE * below_normal((mu - page) / sigma);
	}
	return count * (exponential * 2 + lognormal) / 3;
}

static void
add_row(struct tags *t, struct sums *s)
{
	double total = number(t, "total"), count = number(t, "count");
	double least = number(t, "from"), greatest = number(t, "to");

	if (count <= 0 || total <= 0)
		return;
	s->listed += total;
	s->chunks += count;
	if (greatest > 4 * least && total / count < 16 * PAGE)
		s->releasable += wide_row(total, count, greatest);
	else if (total / count > PAGE)
		s->releasable += total - count * PAGE;
}

/*
 * Chunks in fast bins to one of the others. Where the others lie between them and what lives, there are nearly as many;
 * fewer lie somewhere by themselves, and join little.
 */
#define FAST_ENOUGH 0.75

/* Sizes outside of fast bins are told with a flag in them, a byte too much each, which counts where little lives. */
static void
add_joining(struct pf_glibc_fast *j, const struct sums *s, double top)
{
	double others = s->chunks - s->fast_chunks;

	if (!(s->fast_chunks > 0) || s->fast_chunks < FAST_ENOUGH * others)
		return;
	j->free_bytes += s->listed;
	j->fast_bytes += s->fast;
	j->fast_chunks += s->fast_chunks;
	j->other_chunks += others;
	j->found += s->releasable;
	j->in_use += fmax(0, s->system - s->listed - top + others);
}

void
pf_glibc_join(struct pf_allocator_stats *a, double live_size)
{
	const struct pf_glibc_fast *j = &a->fast;
	double chunks = j->fast_chunks + j->other_chunks,
	       fast_size = j->fast_bytes / j->fast_chunks;
	double fewest = fmax(1, j->other_chunks - j->fast_chunks), size = live_size;
	double others, live, most, likely, least;

	if (!(j->fast_chunks > 0) || !(fast_size > 0) || !(j->free_bytes > 0))
		return;
	/* Others may be several that were joined already: between their size and that of those in fast bins. */
	if (isnan(size))
		size = sqrt(fast_size * (j->free_bytes / chunks));
	live = fmax(fewest, fmin(chunks, j->in_use / fmax(size, LEAST_CHUNK)));
	most = fmax(fewest, fmin(chunks, j->in_use / fmin(size, fast_size)));
	others = a->releasable - j->joined - j->found;
	least = fmax(j->found, j->free_bytes - (isnan(live_size) ? most : live) * PAGE);
	likely = j->free_bytes * exp(-PAGE * fmax(fewest, live / LIVE_TOGETHER) / j->free_bytes);
	likely = fmax(likely, least);
	a->fast.joined = likely - j->found;
	a->releasable = others + likely;
	a->releasable_least = others + least;
	a->releasable_most = others + fmax(likely, j->free_bytes - fewest * PAGE);
	a->active = a->mapped - a->releasable;
}

/* The end of an arena: what is free but in no row is its top chunk. */
static void
end_arena(struct sums *s, struct sums *all, struct pf_glibc_fast *joining)
{
	double free = s->rest + s->fast, top = free > s->listed ? free - s->listed : 0;

	if (all->arenas == 0) {
		all->main_top = top;
		all->releasable += top;
	}
	add_joining(joining, s, top);
	all->arenas++;
	all->listed += s->listed;
	all->releasable += s->releasable;
	all->chunks += s->chunks;
	all->rest += s->rest;
	all->fast += s->fast;
	all->system += s->system;
	all->most_free = fmax(all->most_free, s->rest);
	if (s->system - s->rest > all->most_system)
		all->most_system = s->system - s->rest;
}

static void
read_tag(struct tags *t, struct sums *arena, struct sums *all, struct pf_allocator_stats *stats)
{
	if (pf_text_starts(&t->tag, "heap ")) {
		*arena = (struct sums){.inside = true};
	} else if (pf_text_starts(&t->tag, "/heap") && arena->inside) {
		end_arena(arena, all, &stats->fast);
		arena->inside = false;
	} else if (pf_text_starts(&t->tag, "/malloc")) {
		all->whole = true;
	} else if (arena->inside) {
		if (pf_text_starts(&t->tag, "size ") || pf_text_starts(&t->tag, "unsorted "))
			add_row(t, arena);
		else if (pf_text_starts(&t->tag, "total ") && has_value(t, "type", "rest"))
			arena->rest = number(t, "size");
		else if (pf_text_starts(&t->tag, "total ") && has_value(t, "type", "fast")) {
			arena->fast = number(t, "size");
			arena->fast_chunks = number(t, "count");
		} else if (pf_text_starts(&t->tag, "system ") && has_value(t, "type", "current"))
			arena->system = number(t, "size");
	} else if (pf_text_starts(&t->tag, "total ") && has_value(t, "type", "mmap")) {
		stats->mmapped = number(t, "size");
		stats->mmapped_chunks = number(t, "count");
	} else if (pf_text_starts(&t->tag, "system ") && has_value(t, "type", "max")) {
		stats->peak_committed = number(t, "size");
	}
}

int
pf_malloc_info_parse(struct pf_allocator_stats *stats, const char *name, const void *bytes,
    size_t size, struct pf_error *err)
{
	struct tags t = {.rest = pf_text_of(bytes, size)};
	struct sums arena = {0}, all = {0};
	double held;

	stats->mmapped = stats->mmapped_chunks = 0;
	while (next_tag(&t) && !t.rest.failure)
		read_tag(&t, &arena, &all, stats);
	if (t.rest.failure)
		return pf_error_set(err, PF_EINPUT, "%s: malloc_info: %s", name, t.rest.failure);
	if (!all.whole || arena.inside || !all.arenas)
		return pf_error_set(err, PF_EINPUT,
		    "%s: malloc_info output that is cut off: no </malloc> at its end", name);
	stats->arenas = all.arenas;
	stats->mapped = all.system + stats->mmapped;
	stats->free_bytes = all.rest + all.fast;
	stats->free_chunks = all.chunks;
	stats->top_bytes = all.main_top;
	stats->in_use = stats->mapped > stats->free_bytes ? stats->mapped - stats->free_bytes : 0;
	stats->releasable = all.releasable;
	stats->active = stats->mapped - all.releasable;
	pf_glibc_join(stats, NAN);
	held = stats->in_use - stats->mmapped;
	stats->largest_free = all.most_free;
	stats->largest_arena_share = held > 0 ? fmin(all.most_system / held, 1) : NAN;
	return 0;
}

/* "name value" or "name: value" or "name = value", one a line. */
int
pf_mallinfo2_parse(struct pf_allocator_stats *stats, const char *name, const void *bytes,
    size_t size, struct pf_error *err)
{
	static const char *const names[] = {"arena", "hblks", "hblkhd", "uordblks", "fordblks",
	    "keepcost", "ordblks", "smblks", "fsmblks"};
	double values[sizeof names / sizeof *names];
	struct pf_lines lines;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		values[i] = NAN;
	pf_lines_init(&lines, name, bytes, size);
	while (pf_lines_next_content(&lines)) {
		struct pf_text t = pf_text_trimmed(lines.line);
		for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
			struct pf_text rest = t;
			if (!pf_text_skip(&rest, names[i]) ||
			    (rest.at < rest.end &&
				memchr("abcdefghijklmnopqrstuvwxyz", *rest.at, 26)))
				continue;
			while (rest.at < rest.end && memchr(" \t:=", *rest.at, 4))
				rest.at++;
			values[i] = pf_text_double(&rest);
			if (rest.failure || values[i] < 0)
				return pf_lines_error(&lines, "a size was expected", err);
		}
	}
	if (isnan(values[0]) || isnan(values[3]) || isnan(values[4]))
		return pf_error_set(
		    err, PF_EINPUT, "%s: mallinfo2 without arena, uordblks and fordblks", name);
	stats->mmapped = pf_or_zero(values[2]);
	stats->mmapped_chunks = values[1];
	stats->mapped = values[0] + stats->mmapped;
	stats->in_use = values[3] + stats->mmapped;
	stats->free_bytes = values[4];
	stats->free_chunks = values[6];
	stats->top_bytes = values[5];
	/* Without sizes: as if all chunks but those of fast bins were of one size. */
	if (values[6] > 0 && (values[4] - pf_or_zero(values[8])) / values[6] > PAGE)
		stats->releasable = values[4] - pf_or_zero(values[8]) - values[6] * PAGE;
	else
		stats->releasable = pf_or_zero(values[5]);
	if (values[7] > 0 && values[7] >= FAST_ENOUGH * values[6] && values[8] > 0) {
		double top = fmin(pf_or_zero(values[5]), values[4]);

		stats->fast = (struct pf_glibc_fast){.free_bytes = values[4] - top,
		    .fast_bytes = values[8],
		    .fast_chunks = values[7],
		    .other_chunks = fmax(0, values[6] - 1), /* the top is one */
		    .found = fmax(0, stats->releasable - top),
		    .in_use = values[3]};
		pf_glibc_join(stats, NAN);
	}
	return 0;
}
