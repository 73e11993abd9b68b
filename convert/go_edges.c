/* go_edges.c: see go_edges.h. The compiler's own reading is cmd/internal/pgo of Go's sources. */
#include "convert/go_edges.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/error.h"
#include "core/memory.h"
#include "profile/model.h"

enum { COUNTED_LOCATIONS = 2 };

/* Walks the functions of one sample's innermost locations, outermost first. */
struct walk {
	const struct pf_profile *p;
	const uint32_t *locations; /* leaf first */
	size_t left;               /* locations not entered yet */
	uint64_t first, line;      /* lines left of the one at hand: [first, line) */
	uint64_t caller;           /* line, plus one; 0: none yet */
	bool twice;                /* both locations are one */
};

static struct walk
walk_sample(const struct pf_profile *p, size_t sample)
{
	uint64_t first = p->frame_starts[sample], depth = p->frame_starts[sample + 1] - first;

	return (struct walk){.p = p,
	    .locations = p->frames + first,
	    .left = depth < COUNTED_LOCATIONS ? depth : COUNTED_LOCATIONS,
	    .twice = depth > 1 && p->frames[first] == p->frames[first + 1]};
}

/* The next line, plus one; 0 at the end. */
static uint64_t
next_line(struct walk *w)
{
	while (w->line == w->first) {
		if (w->left == 0)
			return 0;
		w->left--;
		w->first = w->p->line_starts[w->locations[w->left]];
		w->line = w->p->line_starts[w->locations[w->left] + 1];
	}
	return w->line--;
}

/* Of a sample with one location twice: whether an edge was not met in the first, and is none of a place to itself. */
static bool
is_new(const struct walk *w, size_t left_by_caller)
{
	uint32_t location = w->locations[0];

	return w->left > 0 ||
	       (left_by_caller > 0 &&
		   w->p->line_starts[location + 1] - w->p->line_starts[location] > 1);
}

/*
 * The next edge, without its weight; false at the end. Go's compiler makes none of a place to itself (a leaf at the address
 * that it was called from), and counts each once a sample: another one does not count.
 */
static bool
next_edge(struct walk *w, struct pf_go_edge *edge, bool *counts)
{
	const struct pf_profile *p = w->p;
	uint64_t caller = w->caller ? w->caller : next_line(w);
	size_t left = w->left;
	const struct pf_function *f;

	w->caller = caller ? next_line(w) : 0;
	if (!w->caller)
		return false;
	*counts = !w->twice || is_new(w, left);
	f = &p->functions[p->lines[caller - 1].function];
	*edge = (struct pf_go_edge){.caller = f->name,
	    .callee = p->functions[p->lines[w->caller - 1].function].name,
	    .offset = p->lines[caller - 1].line - f->start_line};
	return true;
}

static uint32_t
hash_edge(const struct pf_go_edge *e)
{
	return pf_hash_pair((uint64_t)e->caller << 32 | e->callee, (uint64_t)e->offset);
}

static bool
same_edge(const struct pf_go_edge *a, const struct pf_go_edge *b)
{
	return a->caller == b->caller && a->callee == b->callee && a->offset == b->offset;
}

static uint32_t
find_edge(const struct pf_index *index, const struct pf_go_edge *items, const struct pf_go_edge *e)
{
	uint32_t hash = hash_edge(e), i;
	size_t at = 0;

	for (i = pf_index_first(index, hash, &at); i != PF_NONE;
	    i = pf_index_next(index, hash, &at)) {
		if (same_edge(&items[i], e))
			break;
	}
	return i;
}

static int
add_weight(
    struct pf_go_edges *edges, const struct pf_go_edge *e, int64_t weight, struct pf_error *err)
{
	uint32_t i = find_edge(&edges->index, edges->items, e);
	int rc = 0;

	if (i == PF_NONE) {
		i = (uint32_t)edges->count;
		rc = PF_GROW(edges->items, edges->capacity, edges->count + 1, err);
		if (!rc)
			rc = pf_index_add(&edges->index, hash_edge(e), i, err);
		if (rc)
			return rc;
		edges->items[edges->count++] = *e;
	}
	if (__builtin_add_overflow(edges->items[i].weight, weight, &edges->items[i].weight))
		edges->items[i].weight = INT64_MAX;
	return 0;
}

struct named_edge {
	struct pf_go_edge edge;
	const char *caller, *callee;
};

static int
heaviest_first(const void *left, const void *right)
{
	const struct named_edge *a = left, *b = right;
	int order;

	if (a->edge.weight != b->edge.weight)
		return a->edge.weight < b->edge.weight ? 1 : -1;
	order = strcmp(a->caller, b->caller);
	if (!order)
		order = strcmp(a->callee, b->callee);
	return order ? order
		     : (a->edge.offset > b->edge.offset) - (a->edge.offset < b->edge.offset);
}

static int
sort_edges(struct pf_go_edges *edges, const struct pf_profile *p, struct pf_error *err)
{
	struct named_edge *named;
	int rc = PF_CALLOC(named, edges->count, err);

	if (rc || edges->count == 0)
		return rc;
	for (size_t i = 0; i < edges->count; i++)
		named[i] = (struct named_edge){edges->items[i],
		    pf_profile_string(p, edges->items[i].caller),
		    pf_profile_string(p, edges->items[i].callee)};
	qsort(named, edges->count, sizeof *named, heaviest_first);
	for (size_t i = 0; i < edges->count; i++)
		edges->items[i] = named[i].edge;
	free(named);
	return 0;
}

int
pf_go_edges_read(struct pf_go_edges *edges, const struct pf_profile *p, struct pf_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < p->sample_count; i++) {
		struct walk w = walk_sample(p, i);
		struct pf_go_edge e;
		bool counts;

		while (!rc && p->values[i] && next_edge(&w, &e, &counts))
			rc = counts ? add_weight(edges, &e, p->values[i], err) : 0;
	}
	pf_index_release(&edges->index);
	return rc ? rc : sort_edges(edges, p, err);
}

void
pf_go_edges_release(struct pf_go_edges *edges)
{
	free(edges->items);
	pf_index_release(&edges->index);
	*edges = (struct pf_go_edges){0};
}

double
pf_go_edges_weight(const struct pf_go_edges *edges)
{
	double sum = 0;

	for (size_t i = 0; i < edges->count; i++)
		sum += (double)edges->items[i].weight;
	return sum;
}

/* An index over the heaviest edges that hold so much of the weight. */
static int
index_heaviest(struct pf_index *kept, const struct pf_go_edges *edges, double percent,
    uint64_t most, struct pf_error *err)
{
	double weight = pf_go_edges_weight(edges) * percent / 100, sum = 0;
	int rc = 0;

	for (size_t i = 0; !rc && i < edges->count && i < most && sum < weight; i++) {
		sum += (double)edges->items[i].weight;
		rc = pf_index_add(kept, hash_edge(&edges->items[i]), (uint32_t)i, err);
	}
	return rc;
}

/* The samples that trimming leaves: their locations, leaf first, and values. */
struct remains {
	struct pf_profile *p; /* whose tables get shortened locations */
	uint32_t *frames;
	uint64_t *starts;
	int64_t *values;
	size_t frame_count, frame_capacity, count, start_capacity, value_capacity;
};

static void
release_remains(struct remains *r)
{
	free(r->frames);
	free(r->starts);
	free(r->values);
}

/* Functions [from, to] of a location, counted from the outermost; `end`: the last of them calls nothing. */
static int
cut_location(struct remains *r, uint32_t location, uint64_t from, uint64_t to, bool end,
    struct pf_error *err)
{
	struct pf_profile *p = r->p;
	uint64_t first = p->line_starts[location], size = p->line_starts[location + 1] - first;
	uint64_t count = to - from + 1;
	int rc = PF_GROW(r->frames, r->frame_capacity, r->frame_count + 1, err);

	if (!rc && count < size) {
		rc = PF_GROW(p->lines, p->line_capacity, p->line_count + count, err);
		if (!rc)
			rc =
			    PF_GROW(p->locations, p->location_capacity, p->location_count + 1, err);
		if (!rc)
			rc = PF_GROW(
			    p->line_starts, p->line_starts_capacity, p->location_count + 2, err);
		if (rc)
			return rc;
		memcpy(p->lines + p->line_count, p->lines + first + size - 1 - to,
		    count * sizeof *p->lines);
		if (end)
			p->lines[p->line_count].line = 0;
		p->line_count += count;
		p->locations[p->location_count] = p->locations[location];
		location = (uint32_t)p->location_count++;
		p->line_starts[p->location_count] = p->line_count;
	}
	if (!rc)
		r->frames[r->frame_count++] = location;
	return rc;
}

/* A run of kept edges: functions [from, to] of a sample, counted from the outermost that is read. */
static int
keep_run(struct remains *r, size_t sample, uint64_t from, uint64_t to, struct pf_error *err)
{
	const struct pf_profile *p = r->p;
	const uint32_t *locations = p->frames + p->frame_starts[sample];
	uint64_t depth = p->frame_starts[sample + 1] - p->frame_starts[sample];
	uint64_t outer = depth > 1 ? p->line_starts[locations[1] + 1] - p->line_starts[locations[1]]
				   : 0; /* functions of the caller's location */
	int rc = 0;

	if (to >= outer)
		rc = cut_location(
		    r, locations[0], from > outer ? from - outer : 0, to - outer, true, err);
	if (!rc && from < outer)
		rc = cut_location(
		    r, locations[1], from, to < outer ? to : outer - 1, to < outer, err);
	if (!rc)
		rc = PF_GROW(r->starts, r->start_capacity, r->count + 2, err);
	if (!rc)
		rc = PF_GROW(r->values, r->value_capacity, r->count + 1, err);
	if (rc)
		return rc;
	r->values[r->count++] = p->values[sample];
	r->starts[r->count] = r->frame_count;
	return 0;
}

static int
keep_sample(struct remains *r, size_t sample, const struct pf_go_edges *edges,
    const struct pf_index *kept, struct pf_error *err)
{
	struct walk w = walk_sample(r->p, sample);
	struct pf_go_edge e;
	uint64_t from = 0, at = 0;
	bool counts;
	int rc = 0;

	for (; !rc && next_edge(&w, &e, &counts); at++) {
		if (find_edge(kept, edges->items, &e) != PF_NONE)
			continue;
		if (at > from)
			rc = keep_run(r, sample, from, at, err);
		from = at + 1;
	}
	return rc || at == from ? rc : keep_run(r, sample, from, at, err);
}

static int
put_remains(struct pf_profile *p, struct remains *r, struct pf_error *err)
{
	int rc = PF_GROW(p->label_starts, p->label_starts_capacity, r->count + 1, err);

	if (rc)
		return rc;
	memset(p->label_starts, 0, (r->count + 1) * sizeof *p->label_starts);
	free(p->frames);
	free(p->frame_starts);
	free(p->values);
	p->frames = r->frames;
	p->frame_count = r->frame_count;
	p->frame_capacity = r->frame_capacity;
	p->frame_starts = r->starts;
	p->frame_starts_capacity = r->start_capacity;
	p->values = r->values;
	p->value_capacity = r->value_capacity;
	p->sample_count = r->count;
	*r = (struct remains){0};
	return 0;
}

int
pf_go_edges_trim(const struct pf_go_edges *edges, struct pf_profile *p, double percent,
    uint64_t most, struct pf_error *err)
{
	struct pf_index kept = {0};
	struct remains r = {.p = p};
	int rc = PF_GROW(r.starts, r.start_capacity, 1, err);

	if (!rc) {
		r.starts[0] = 0;
		rc = index_heaviest(&kept, edges, percent, most, err);
	}
	for (size_t i = 0; !rc && i < p->sample_count; i++)
		rc = keep_sample(&r, i, edges, &kept, err);
	if (!rc)
		rc = put_remains(p, &r, err);
	release_remains(&r);
	pf_index_release(&kept);
	return rc;
}

void
pf_go_edges_print(
    const struct pf_go_edges *edges, const struct pf_profile *p, struct pf_buffer *out)
{
	pf_buffer_string(out, "GO PREPROFILE V1\n");
	for (size_t i = 0; i < edges->count; i++) {
		const struct pf_go_edge *e = &edges->items[i];

		pf_buffer_printf(out, "%s\n%s\n%" PRId64 " %" PRId64 "\n",
		    pf_profile_string(p, e->caller), pf_profile_string(p, e->callee), e->offset,
		    e->weight);
	}
}
