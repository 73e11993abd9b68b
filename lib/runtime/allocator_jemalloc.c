/*
 * allocator_jemalloc.c: malloc_stats_print(…, "J"): jemalloc's statistics as JSON.
 *
 * What a purge on request (arena.<all>.purge) gives back are the dirty and muzzy
 * pages: resident is then active plus metadata. All of these are counted by what
 * was handed out, written or not; only the kernel knows what was written, and what
 * the two figures are apart by holds the metadata that never is (see below).
 *
 * Counters of mutexes have wrong names here from jemalloc 5.2 on (its change 1388;
 * mended in 2026): what is called num_wait are operations a second, num_spin_acq are
 * the waits, and how long they took is not told; the text has it.
 */
#include "runtime/allocator.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/number.h"

static double
number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

static void
read_settings(struct pf_allocator_stats *s, json_t *options)
{
	const char *key;
	json_t *value;

	json_object_foreach(options, key, value)
	{
		char name[64], text[64];

		if (snprintf(name, sizeof name, "opt.%s", key) >= (int)sizeof name)
			continue;
		if (json_is_string(value))
			snprintf(text, sizeof text, "%s", json_string_value(value));
		else if (json_is_boolean(value))
			snprintf(text, sizeof text, "%s", json_is_true(value) ? "true" : "false");
		else if (json_is_integer(value))
			snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
		else
			continue;
		pf_allocator_add_setting(s, name, text, strlen(text));
	}
}

static void
add_mutex(struct pf_allocator_stats *s, const json_t *mutex)
{
	double operations = pf_or_zero(number(mutex, "num_ops"));
	bool misnamed = strncmp(s->version, "5.2", 3) == 0 || strncmp(s->version, "5.3", 3) == 0;

	if (operations <= 0)
		return;
	s->locks = pf_or_zero(s->locks) + operations;
	s->lock_waits = pf_or_zero(s->lock_waits) +
			pf_or_zero(number(mutex, misnamed ? "num_spin_acq" : "num_wait"));
	if (!misnamed)
		s->lock_wait_seconds = pf_or_zero(s->lock_wait_seconds) +
				       pf_or_zero(number(mutex, "total_wait_time")) / 1e9;
}

static void
read_mutexes(struct pf_allocator_stats *s, const json_t *merged)
{
	const char *key;
	json_t *value;
	size_t i;

	json_object_foreach(json_object_get(merged, "mutexes"), key, value) add_mutex(s, value);
	json_array_foreach(json_object_get(merged, "bins"), i, value)
	    add_mutex(s, json_object_get(value, "mutex"));
}

/* The arenas that have threads or memory, and how uneven they are. */
static void
read_arenas(struct pf_allocator_stats *s, json_t *arenas)
{
	double most = 0, sum = 0, used = 0;
	const char *key;
	json_t *arena;

	json_object_foreach(arenas, key, arena)
	{
		double held;
		if (key[0] < '0' || key[0] > '9')
			continue;
		held = pf_or_zero(number(json_object_get(arena, "small"), "allocated")) +
		       pf_or_zero(number(json_object_get(arena, "large"), "allocated"));
		sum += held;
		used += held > 0 || pf_or_zero(number(arena, "nthreads")) > 0;
		most = held > most ? held : most;
	}
	if (sum > 0) {
		s->largest_arena_share = most / sum;
		s->arenas = used;
	}
}

static void
read_merged(struct pf_allocator_stats *s, const json_t *merged, double page)
{
	const json_t *small = json_object_get(merged, "small"),
		     *large = json_object_get(merged, "large");
	double dirty = number(merged, "pdirty"), muzzy = pf_or_zero(number(merged, "pmuzzy"));

	s->releasable = (dirty + muzzy) * page;
	s->thread_cached = number(merged, "tcache_bytes");
	s->threads = number(merged, "nthreads");
	s->uptime_seconds = number(merged, "uptime_ns") / 1e9;
	s->purges = number(merged, "dirty_npurge");
	s->purge_calls = number(merged, "dirty_nmadvise");
	s->allocations = number(small, "nmalloc") + number(large, "nmalloc");
	read_mutexes(s, merged);
}

/*
 * jemalloc 5 finds a page's extent in a radix tree of two levels over 48 bits of
 * address. With pages of 4 KiB a leaf is 2 MiB (2^18 elements of 8 bytes), covers
 * 1 GiB, and is written only where there are extents. Leaves come from the base of
 * the first arena: how many there are is bounded by its size, less over 512 KiB that
 * are always in it (640 in 5.3 on two processors), and by the address space in use.
 */
void
pf_jemalloc_find_unwritten(struct pf_allocator_stats *s, double base, double page)
{
	const double leaf = 2 << 20, others = 1 << 19, covers = 1 << 30, element = 8;
	double used = s->mapped + pf_or_zero(s->retained), leaves;

	if (s->version[0] < '5' || s->version[0] > '9' || page != 4096 || isnan(base) ||
	    isnan(used))
		return;
	leaves = fmin(floor((base - others) / leaf), ceil(used / covers) + 1);
	s->metadata_unwritten = fmax(0, leaves * leaf - used / page * element);
}

int
pf_jemalloc_json_parse(struct pf_allocator_stats *s, const char *name, const void *bytes,
    size_t size, struct pf_error *err)
{
	json_error_t why;
	json_t *root = json_loadb(bytes, size, JSON_DISABLE_EOF_CHECK, &why);
	const json_t *top = json_object_get(root, "jemalloc");
	const json_t *stats = json_object_get(top, "stats");
	json_t *arenas = json_object_get(top, "stats.arenas"), *first, *merged;
	double page = number(json_object_get(top, "arenas"), "page");

	if (!root || !json_is_object(stats)) {
		int rc = pf_error_set(err, PF_EINPUT, "%s: jemalloc's statistics: %s", name,
		    root ? "there is no \"jemalloc.stats\" in them" : why.text);
		json_decref(root);
		return rc;
	}
	if (json_is_string(json_object_get(top, "version")))
		snprintf(s->version, sizeof s->version, "%s",
		    json_string_value(json_object_get(top, "version")));
	s->in_use = number(stats, "allocated");
	s->active = number(stats, "active");
	s->metadata = number(stats, "metadata");
	s->resident = number(stats, "resident");
	s->mapped = number(stats, "mapped");
	s->retained = number(stats, "retained");
	s->arenas = number(json_object_get(top, "arenas"), "narenas");
	s->background_threads = number(json_object_get(stats, "background_thread"), "num_threads");
	read_settings(s, json_object_get(top, "opt"));
	read_arenas(s, arenas);
	first = json_object_get(arenas, "0");
	merged = json_object_get(arenas, "merged");
	if (!merged && json_object_size(arenas) == 1) /* the only one: jemalloc merges nothing */
		merged = first;
	read_merged(s, merged, isnan(page) ? 4096 : page);
	pf_jemalloc_find_unwritten(s, number(first ? first : merged, "base"), page);
	if (isnan(
		s->releasable)) /* without arenas ("Ja"): what is resident beyond what is needed */
		s->releasable = fmax(0, s->resident - s->active - s->metadata);
	json_decref(root);
	if (isnan(s->in_use) || isnan(s->resident))
		return pf_error_set(err, PF_EINPUT,
		    "%s: jemalloc's statistics have no allocated and resident bytes (was it built "
		    "without stats?)",
		    name);
	return 0;
}
