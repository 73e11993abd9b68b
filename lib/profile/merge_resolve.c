/*
 * merge_resolve.c: the locations that samples at hand need, looked up together.
 *
 * A location is found by what it holds, and so is each function and each string
 * behind it: several places in memory that nobody has touched for a while. One
 * after the other, most of the work would be waiting. So they are taken in
 * groups, strings first, and what a step over the group will read is asked for
 * by the step before.
 */
#include "profile/merge.h"

#include "core/error.h"
#include "core/memory.h"

enum { GROUP = 32 };

static int
push(struct merge_list *list, uint32_t item, struct pf_error *err)
{
	int rc = PF_GROW(list->items, list->capacity, list->count + 1, err);

	if (!rc)
		list->items[list->count++] = item;
	return rc;
}

/* Puts an item on the list unless it is known or on it already. */
static inline int
want(uint32_t *known, struct merge_list *list, uint32_t item, struct pf_error *err)
{
	if (known[item] != PF_NONE)
		return 0;
	known[item] = MERGE_PENDING;
	return push(list, item, err);
}

/* The functions of the locations, then the strings of those. */
static int
want_more(struct merge_source *s, struct pf_error *err)
{
	const struct pf_profile *p = s->p;
	int rc = 0;

	s->wanted_functions.count = s->wanted_strings.count = 0;
	for (size_t i = 0; !rc && i < s->wanted_locations.count; i++) {
		uint32_t location = s->wanted_locations.items[i];
		for (uint64_t j = p->line_starts[location]; !rc && j < p->line_starts[location + 1];
		    j++)
			rc = want(s->functions, &s->wanted_functions, p->lines[j].function, err);
	}
	for (size_t i = 0; !rc && i < s->wanted_functions.count; i++) {
		const struct pf_function *f = &p->functions[s->wanted_functions.items[i]];
		rc = want(s->strings, &s->wanted_strings, f->name, err);
		if (!rc)
			rc = want(s->strings, &s->wanted_strings, f->system_name, err);
		if (!rc)
			rc = want(s->strings, &s->wanted_strings, f->filename, err);
	}
	return rc;
}

/* The item that an index will propose first, or PF_NONE: good enough to fetch memory by. */
static uint32_t
candidate(const struct pf_index *ix, uint32_t hash)
{
	size_t at = 0;

	return pf_index_first(ix, hash, &at);
}

static void
fetch_strings(const struct pf_strings *sum, const uint32_t *hashes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t item = candidate(&sum->index, hashes[i]);
		if (item != PF_NONE)
			__builtin_prefetch(&sum->starts[item]);
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t item = candidate(&sum->index, hashes[i]);
		if (item != PF_NONE)
			__builtin_prefetch(sum->blob + sum->starts[item]);
	}
}

static int
resolve_strings(struct pf_merge *m, const uint32_t *items, size_t count, struct pf_error *err)
{
	const struct pf_strings *from = &m->source.p->strings;
	struct pf_strings *sum = &m->sum->strings;
	uint32_t hashes[GROUP];
	int rc = 0;

	for (size_t i = 0; i < count; i++) {
		hashes[i] =
		    pf_hash_bytes(pf_strings_get(from, items[i]), pf_strings_size(from, items[i]));
		pf_index_fetch(&sum->index, hashes[i]);
	}
	fetch_strings(sum, hashes, count);
	for (size_t i = 0; !rc && i < count; i++)
		rc = pf_strings_add_hashed(sum, pf_strings_get(from, items[i]),
		    pf_strings_size(from, items[i]), hashes[i], &m->source.strings[items[i]], err);
	return rc;
}

static int
resolve_functions(struct pf_merge *m, const uint32_t *items, size_t count, struct pf_error *err)
{
	const struct merge_source *s = &m->source;
	struct pf_function functions[GROUP];
	uint32_t hashes[GROUP];
	int rc = 0;

	for (size_t i = 0; i < count; i++) {
		const struct pf_function *f = &s->p->functions[items[i]];
		functions[i] = (struct pf_function){
		    .name = s->strings[f->name],
		    .system_name = s->strings[f->system_name],
		    .filename = s->strings[f->filename],
		    .start_line = f->start_line,
		};
		hashes[i] = pf_merge_function_hash(&functions[i]);
		pf_index_fetch(&m->function_index, hashes[i]);
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t item = candidate(&m->function_index, hashes[i]);
		if (item != PF_NONE)
			__builtin_prefetch(&m->sum->functions[item]);
	}
	for (size_t i = 0; !rc && i < count; i++)
		rc = pf_merge_intern_function(
		    m, &functions[i], hashes[i], &s->functions[items[i]], err);
	return rc;
}

/* The lines of a location, in terms of the sum, behind those at hand. */
static int
translate_lines(struct merge_source *s, uint32_t location, struct pf_error *err)
{
	const struct pf_profile *p = s->p;
	uint64_t first = p->line_starts[location], end = p->line_starts[location + 1];
	int rc =
	    PF_GROW(s->lines, s->line_capacity, s->line_count + (size_t)(end - first) + 1, err);

	for (; !rc && first < end; first++) {
		s->lines[s->line_count] = p->lines[first];
		s->lines[s->line_count++].function = s->functions[p->lines[first].function];
	}
	return rc;
}

/* Asks for what comparing with the candidates will read: first what tells where their lines are. */
static void
fetch_locations(const struct pf_merge *m, const uint32_t *hashes, size_t count)
{
	const struct pf_profile *sum = m->sum;

	for (size_t i = 0; i < count; i++) {
		uint32_t item = candidate(&m->location_index, hashes[i]);
		if (item == PF_NONE)
			continue;
		__builtin_prefetch(&sum->locations[item]);
		__builtin_prefetch(&sum->line_starts[item]);
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t item = candidate(&m->location_index, hashes[i]);
		if (item != PF_NONE && sum->lines)
			__builtin_prefetch(&sum->lines[sum->line_starts[item]]);
	}
}

static int
resolve_locations(struct pf_merge *m, const uint32_t *items, size_t count, struct pf_error *err)
{
	struct merge_source *s = &m->source;
	struct pf_location locations[GROUP];
	uint32_t hashes[GROUP];
	size_t starts[GROUP + 1] = {0};
	int rc = 0;

	s->line_count = 0;
	for (size_t i = 0; !rc && i < count; i++) {
		rc = pf_merge_place(m, items[i], &locations[i], err);
		if (!rc)
			rc = translate_lines(s, items[i], err);
		starts[i + 1] = s->line_count;
		hashes[i] = rc ? 0
			       : pf_merge_location_hash(&locations[i], s->lines + starts[i],
				     starts[i + 1] - starts[i]);
		pf_index_fetch(&m->location_index, hashes[i]);
	}
	if (!rc)
		fetch_locations(m, hashes, count);
	for (size_t i = 0; !rc && i < count; i++)
		rc = pf_merge_intern_location(m, &locations[i], s->lines + starts[i],
		    starts[i + 1] - starts[i], hashes[i], &s->locations[items[i]], err);
	return rc;
}

static int
in_groups(struct pf_merge *m, const struct merge_list *list,
    int (*resolve)(struct pf_merge *, const uint32_t *, size_t, struct pf_error *),
    struct pf_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < list->count; i += GROUP)
		rc = resolve(
		    m, list->items + i, list->count - i < GROUP ? list->count - i : GROUP, err);
	return rc;
}

int
pf_merge_want_location(struct pf_merge *m, uint32_t location, struct pf_error *err)
{
	return want(m->source.locations, &m->source.wanted_locations, location, err);
}

int
pf_merge_resolve(struct pf_merge *m, struct pf_error *err)
{
	struct merge_source *s = &m->source;
	int rc = want_more(s, err);

	if (!rc)
		rc = in_groups(m, &s->wanted_strings, resolve_strings, err);
	if (!rc)
		rc = in_groups(m, &s->wanted_functions, resolve_functions, err);
	if (!rc)
		rc = in_groups(m, &s->wanted_locations, resolve_locations, err);
	for (size_t i = 0; !rc && i < s->wanted_locations.count; i++) {
		uint32_t location = s->wanted_locations.items[i];
		s->ids[location] = pf_packed_id_of(s->locations[location]);
	}
	s->wanted_locations.count = 0;
	return rc;
}
