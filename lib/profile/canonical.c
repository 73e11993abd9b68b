/*
 * canonical.c: see canonical.h.
 *
 * From the bottom up: once strings are numbered in the order of their bytes,
 * comparing positions compares strings; once functions and mappings are sorted,
 * comparing their positions compares them, and so on up to the samples. Each
 * table is sorted as a permutation and then gathered, one table at a time.
 */
#include "profile/canonical.h"

#include <stdlib.h>
#include <string.h>

#include "core/compare.h"
#include "core/error.h"
#include "core/memory.h"
#include "profile/order_samples.h"

/* An item before and after; PF_NONE in `renumbered` where it is not kept. */
struct order {
	uint32_t *items;      /* owned; the kept items in their new order */
	uint32_t *renumbered; /* owned; old position to new */
	size_t count;
};

struct canon {
	struct pf_profile *p;
	const uint64_t *votes;
	struct order strings, mappings, functions, locations, sets;
};

static void
release(struct order *o)
{
	free(o->items);
	free(o->renumbered);
	*o = (struct order){0};
}

/* Nothing kept yet. */
static int
begin(struct order *o, size_t count, struct pf_error *err)
{
	int rc = PF_CALLOC(o->items, count, err);

	if (!rc)
		rc = PF_CALLOC(o->renumbered, count, err);
	if (!rc)
		memset(o->renumbered, 0xff, count * sizeof *o->renumbered);
	return rc;
}

static void
keep(struct order *o, uint32_t item)
{
	if (item != PF_NONE && o->renumbered[item] == PF_NONE) {
		o->renumbered[item] = 0;
		o->items[o->count++] = item;
	}
}

static void
sort(struct order *o, int (*compare)(const void *, const void *, void *), void *data)
{
	if (o->count)
		qsort_r(o->items, o->count, sizeof *o->items, compare, data);
	for (size_t i = 0; i < o->count; i++)
		o->renumbered[o->items[i]] = (uint32_t)i;
}

static uint32_t
new_position(const struct order *o, uint32_t item)
{
	return item == PF_NONE ? PF_NONE : o->renumbered[item];
}

/* Marks the locations and the label sets of samples: all of them, unless samples have gone. */
static void
keep_used(struct canon *c)
{
	const struct pf_packed_samples *s = c->p->packed;

	for (uint32_t i = 0; !s->has_dropped && i < c->p->location_count; i++)
		keep(&c->locations, i);
	for (uint32_t i = 0; !s->has_dropped && i < s->set_count; i++)
		keep(&c->sets, i);
	for (size_t i = 0; s->has_dropped && i < s->size; i = pf_packed_samples_next(s, i)) {
		struct pf_packed_frames f = pf_packed_frames(s, s->words + i);
		while (f.at < f.end)
			keep(&c->locations, pf_packed_varint(&f.at) - 1);
		keep(&c->sets, pf_packed_varint(&f.at));
	}
}

/* Marks what samples reach: locations, then their functions and mappings. */
static void
keep_reached(struct canon *c)
{
	const struct pf_profile *p = c->p;
	uint32_t main_mapping = 0;

	keep_used(c);
	for (size_t i = 0; i < c->locations.count; i++) {
		uint32_t location = c->locations.items[i];
		keep(&c->mappings, p->locations[location].mapping);
		for (uint64_t j = p->line_starts[location]; j < p->line_starts[location + 1]; j++)
			keep(&c->functions, p->lines[j].function);
	}
	for (uint32_t i = 1; c->votes && i < p->mapping_count; i++) {
		if (c->votes[i] > c->votes[main_mapping])
			main_mapping = i;
	}
	for (uint32_t i = 0; i < p->mapping_count; i++) {
		if (c->votes ? c->votes[i] == c->votes[main_mapping] && c->votes[i] : i == 0)
			keep(&c->mappings, i);
	}
}

static void
keep_type(struct canon *c, const struct pf_value_type *type)
{
	keep(&c->strings, type->type);
	keep(&c->strings, type->unit);
}

static void
keep_header_strings(struct canon *c)
{
	const struct pf_profile *p = c->p;

	keep(&c->strings, 0);
	for (size_t i = 0; i < p->type_count; i++)
		keep_type(c, &p->types[i]);
	keep_type(c, &p->period_type);
	keep(&c->strings, p->default_type);
	keep(&c->strings, p->drop_frames);
	keep(&c->strings, p->keep_frames);
	keep(&c->strings, p->doc_url);
	for (size_t i = 0; i < p->comment_count; i++)
		keep(&c->strings, p->comments[i]);
}

static void
keep_label_strings(struct canon *c)
{
	const struct pf_packed_samples *s = c->p->packed;

	for (size_t i = 0; i < c->sets.count; i++) {
		uint64_t j = s->label_starts[c->sets.items[i]];
		for (; j < s->label_starts[c->sets.items[i] + 1]; j++) {
			keep(&c->strings, s->labels[j].key);
			keep(&c->strings, s->labels[j].string);
			keep(&c->strings, s->labels[j].unit);
		}
	}
}

static void
keep_strings(struct canon *c)
{
	const struct pf_profile *p = c->p;

	keep_header_strings(c);
	for (size_t i = 0; i < c->mappings.count; i++) {
		keep(&c->strings, p->mappings[c->mappings.items[i]].filename);
		keep(&c->strings, p->mappings[c->mappings.items[i]].build_id);
	}
	for (size_t i = 0; i < c->functions.count; i++) {
		const struct pf_function *f = &p->functions[c->functions.items[i]];
		keep(&c->strings, f->name);
		keep(&c->strings, f->system_name);
		keep(&c->strings, f->filename);
	}
	keep_label_strings(c);
}

static int
compare_strings(const void *a, const void *b, void *data)
{
	const struct pf_strings *s = data;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	size_t n = pf_strings_size(s, x), m = pf_strings_size(s, y);
	int order = memcmp(pf_strings_get(s, x), pf_strings_get(s, y), n < m ? n : m);

	return order ? order : n < m ? -1 : n > m;
}

static void
renumber_type(const struct canon *c, struct pf_value_type *type)
{
	type->type = new_position(&c->strings, type->type);
	type->unit = new_position(&c->strings, type->unit);
}

static void
renumber_header_strings(struct canon *c)
{
	struct pf_profile *p = c->p;
	const struct order *s = &c->strings;

	for (size_t i = 0; i < p->type_count; i++)
		renumber_type(c, &p->types[i]);
	renumber_type(c, &p->period_type);
	p->default_type = new_position(s, p->default_type);
	p->drop_frames = new_position(s, p->drop_frames);
	p->keep_frames = new_position(s, p->keep_frames);
	p->doc_url = new_position(s, p->doc_url);
	for (size_t i = 0; i < p->comment_count; i++)
		p->comments[i] = new_position(s, p->comments[i]);
}

/* Labels within a set stand in the order of their strings, too. */
static void
renumber_labels(const struct order *strings, struct pf_packed_samples *s)
{
	for (size_t i = 0; i < s->label_count; i++) {
		struct pf_label *l = &s->labels[i];
		l->key = new_position(strings, l->key);
		l->string = new_position(strings, l->string);
		l->unit = new_position(strings, l->unit);
	}
	for (size_t i = 0; i < s->set_count; i++) {
		size_t count = (size_t)(s->label_starts[i + 1] - s->label_starts[i]);
		if (count > 1)
			qsort(s->labels + s->label_starts[i], count, sizeof *s->labels,
			    pf_compare_labels);
	}
}

static void
renumber_strings(struct canon *c)
{
	struct pf_profile *p = c->p;
	const struct order *s = &c->strings;

	renumber_header_strings(c);
	for (size_t i = 0; i < c->mappings.count; i++) {
		struct pf_mapping *m = &p->mappings[c->mappings.items[i]];
		m->filename = new_position(s, m->filename);
		m->build_id = new_position(s, m->build_id);
	}
	for (size_t i = 0; i < c->functions.count; i++) {
		struct pf_function *f = &p->functions[c->functions.items[i]];
		f->name = new_position(s, f->name);
		f->system_name = new_position(s, f->system_name);
		f->filename = new_position(s, f->filename);
	}
	renumber_labels(s, p->packed);
}

static int
order_strings(struct canon *c, struct pf_error *err)
{
	struct pf_profile *p = c->p;
	struct pf_strings sorted;
	int rc = begin(&c->strings, p->strings.count, err);

	if (rc)
		return rc;
	keep_strings(c);
	sort(&c->strings, compare_strings, &p->strings);
	rc = pf_strings_init(&sorted, err);
	for (size_t i = 0; !rc && i < c->strings.count; i++) {
		uint32_t from = c->strings.items[i], to;
		rc = pf_strings_add(&sorted, pf_strings_get(&p->strings, from),
		    pf_strings_size(&p->strings, from), &to, err);
	}
	if (rc) {
		pf_strings_release(&sorted);
		return rc;
	}
	renumber_strings(c);
	pf_strings_release(&p->strings);
	p->strings = sorted;
	return 0;
}

static int
compare_mappings(const void *a, const void *b, void *data)
{
	const struct canon *c = data;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	const struct pf_mapping *x = &c->p->mappings[i], *y = &c->p->mappings[j];

	PF_COMPARE(x->filename, y->filename);
	PF_COMPARE(x->build_id, y->build_id);
	PF_COMPARE(x->offset, y->offset);
	PF_COMPARE(x->limit - x->start, y->limit - y->start);
	PF_COMPARE(x->start, y->start);
	PF_COMPARE(i, j);
	return 0;
}

/* Moves the main binary to the front: of those with most votes the first in order. */
static void
main_mapping_first(struct canon *c)
{
	struct order *o = &c->mappings;
	size_t best = 0;
	uint32_t item;

	if (!o->count)
		return;
	for (size_t i = 1; i < o->count; i++) {
		if (c->votes ? c->votes[o->items[i]] > c->votes[o->items[best]] : !o->items[i])
			best = i;
	}
	item = o->items[best];
	memmove(o->items + 1, o->items, best * sizeof *o->items);
	o->items[0] = item;
	for (size_t i = 0; i < o->count; i++)
		o->renumbered[o->items[i]] = (uint32_t)i;
}

static int
compare_functions(const void *a, const void *b, void *data)
{
	const struct pf_profile *p = data;
	const struct pf_function *x = &p->functions[*(const uint32_t *)a];
	const struct pf_function *y = &p->functions[*(const uint32_t *)b];

	PF_COMPARE(x->name, y->name);
	PF_COMPARE(x->system_name, y->system_name);
	PF_COMPARE(x->filename, y->filename);
	PF_COMPARE(x->start_line, y->start_line);
	return 0;
}

/* The kept rows of a table in their new order. */
static int
gather(void **table, size_t size, const struct order *o, struct pf_error *err)
{
	char *moved, *old = *table;
	int rc = pf_calloc((void **)&moved, o->count, size, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < o->count; i++)
		memcpy(moved + i * size, old + o->items[i] * size, size);
	free(old);
	*table = moved;
	return 0;
}

static int
order_mappings_and_functions(struct canon *c, struct pf_error *err)
{
	struct pf_profile *p = c->p;
	int rc;

	sort(&c->mappings, compare_mappings, c);
	main_mapping_first(c);
	sort(&c->functions, compare_functions, p);
	for (size_t i = 0; i < c->locations.count; i++) {
		uint32_t *mapping = &p->locations[c->locations.items[i]].mapping;
		*mapping = new_position(&c->mappings, *mapping);
	}
	for (size_t i = 0; i < p->line_count; i++)
		p->lines[i].function = new_position(&c->functions, p->lines[i].function);
	rc = gather((void **)&p->mappings, sizeof *p->mappings, &c->mappings, err);
	if (!rc) {
		p->mapping_count = p->mapping_capacity = c->mappings.count;
		rc = gather((void **)&p->functions, sizeof *p->functions, &c->functions, err);
	}
	if (!rc)
		p->function_count = p->function_capacity = c->functions.count;
	return rc;
}

static int
compare_lines(const struct pf_profile *p, uint32_t a, uint32_t b)
{
	uint64_t n = p->line_starts[a + 1] - p->line_starts[a];
	uint64_t m = p->line_starts[b + 1] - p->line_starts[b];

	for (uint64_t i = 0; i < n && i < m; i++) {
		const struct pf_line *x = &p->lines[p->line_starts[a] + i];
		const struct pf_line *y = &p->lines[p->line_starts[b] + i];
		PF_COMPARE(x->function, y->function);
		PF_COMPARE(x->line, y->line);
		PF_COMPARE(x->column, y->column);
	}
	PF_COMPARE(n, m);
	return 0;
}

static int
compare_locations(const void *a, const void *b, void *data)
{
	const struct pf_profile *p = data;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	const struct pf_location *x = &p->locations[i], *y = &p->locations[j];

	PF_COMPARE(x->mapping, y->mapping);
	PF_COMPARE(x->address, y->address);
	PF_COMPARE(x->folded, y->folded);
	return compare_lines(p, i, j);
}

static int
gather_lines(struct canon *c, struct pf_error *err)
{
	struct pf_profile *p = c->p;
	struct pf_line *lines = NULL;
	uint64_t *starts;
	int rc = PF_CALLOC(starts, c->locations.count + 1, err);

	if (!rc)
		rc = PF_CALLOC(lines, p->line_count, err);
	if (rc) {
		free(starts);
		return rc;
	}
	for (size_t i = 0; i < c->locations.count; i++) {
		uint64_t first = p->line_starts[c->locations.items[i]];
		uint64_t end = p->line_starts[c->locations.items[i] + 1];

		starts[i + 1] = starts[i];
		for (uint64_t j = first; j < end; j++)
			lines[starts[i + 1]++] = p->lines[j];
	}
	p->line_count = (size_t)starts[c->locations.count];
	free(p->lines);
	free(p->line_starts);
	p->lines = lines;
	p->line_starts = starts;
	p->line_capacity = p->line_count;
	p->line_starts_capacity = c->locations.count + 1;
	return 0;
}

static int
order_locations(struct canon *c, struct pf_error *err)
{
	struct pf_profile *p = c->p;
	int rc;

	sort(&c->locations, compare_locations, p);
	rc = gather_lines(c, err);
	if (!rc)
		rc = gather((void **)&p->locations, sizeof *p->locations, &c->locations, err);
	if (rc)
		return rc;
	p->packed->location_count = p->location_count;
	p->packed->locations = c->locations.renumbered;
	c->locations.renumbered = NULL;
	p->location_count = p->location_capacity = c->locations.count;
	return 0;
}

static int
compare_positions(const void *a, const void *b)
{
	PF_COMPARE(*(const uint32_t *)a, *(const uint32_t *)b);
	return 0;
}

int
pf_profile_canonicalize(struct pf_profile *p, const uint64_t *votes, struct pf_error *err)
{
	struct canon c = {.p = p, .votes = votes};
	int rc = begin(&c.mappings, p->mapping_count, err);

	if (!rc)
		rc = begin(&c.functions, p->function_count, err);
	if (!rc)
		rc = begin(&c.locations, p->location_count, err);
	if (!rc)
		rc = begin(&c.sets, p->packed->set_count, err);
	if (!rc) {
		keep_reached(&c);
		rc = order_strings(&c, err);
	}
	release(&c.strings);
	release(&c.sets);
	if (!rc)
		rc = order_mappings_and_functions(&c, err);
	if (!rc)
		rc = order_locations(&c, err);
	release(&c.mappings);
	release(&c.functions);
	release(&c.locations);
	if (!rc && p->comment_count)
		qsort(p->comments, p->comment_count, sizeof *p->comments, compare_positions);
	return rc;
}
