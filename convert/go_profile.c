/* go_profile.c: see go_profile.h. */
#include "convert/go_profile.h"

#include <stdlib.h>
#include <string.h>

#include <profuse/merge.h>

#include "convert/samples.h"
#include "core/error.h"
#include "core/memory.h"
#include "profile/stacks.h"
#include "symbol/binary.h"

struct work {
	const struct pf_stacks *s;
	struct pf_binary *binary;
	const enum pf_match *matches;
	struct pf_go_profile *g;
	struct pf_profile *p; /* of g */
	struct pf_index functions;
	struct pf_inline_chain chain;
};

/* One of a stack's innermost two locations, as it was added. */
struct place {
	uint32_t location; /* PF_NONE: it has a frame without a name */
	uint32_t above;    /* node: the frame of the caller; 0: none */
	size_t depth;      /* functions */
	const char *name;  /* of the outermost one so far; owned by the stacks or the binary */
	uint32_t name_id;  /* its string in the profile */
	bool sited;        /* one of those that call has line and start line */
};

bool
pf_go_stacks(const struct pf_stacks *s)
{
	/* where every stack of a Go program starts, but for the profiler's truncation */
	static const char *const names[] = {"runtime.goexit", "runtime.main", "runtime.mcall",
	    "runtime.systemstack", "runtime.mstart", "runtime.gcBgMarkWorker", "runtime.mallocgc"};
	bool found = false;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		found |= pf_strings_find(&s->strings, names[i], strlen(names[i])) != PF_NONE;
	return found;
}

/* Go's own assembly is in .s files, where its runtime is there too. */
static bool
is_go_file(const char *name)
{
	const char *end = strrchr(name, '.');

	return end && (strcmp(end, ".go") == 0 || strcmp(end, ".s") == 0);
}

bool
pf_go_stacks_mostly(const struct pf_stacks *s, size_t type)
{
	double of_go = 0, known = 0;

	if (!pf_go_stacks(s))
		return false;
	for (size_t i = 1; i < s->node_count; i++) {
		const struct pf_stack_frame *f = &s->frames[s->nodes[i].frame];
		double value = (double)s->values[i * s->type_count + type];

		if (f->kind != PF_FRAME_LINE || !f->filename)
			continue;
		known += value;
		of_go += is_go_file(pf_strings_get(&s->strings, f->filename)) ? value : 0;
	}
	return 2 * of_go >= known; /* where no file is named the runtime's functions say it */
}

void
pf_go_profile_release(struct pf_go_profile *g)
{
	pf_profile_free(g->profile);
	pf_function_values_release(&g->functions);
	*g = (struct pf_go_profile){0};
}

static int
intern_function(
    struct work *w, const char *name, int64_t start_line, uint32_t *id, struct pf_error *err)
{
	struct pf_profile *p = w->p;
	struct pf_function f = {.start_line = start_line};
	size_t at = 0;
	uint32_t hash;
	int rc = pf_strings_add(&p->strings, name, strlen(name), &f.name, err);

	if (rc)
		return rc;
	f.system_name = f.name;
	hash = pf_hash_pair(f.name, (uint64_t)start_line);
	for (*id = pf_index_first(&w->functions, hash, &at); *id != PF_NONE;
	    *id = pf_index_next(&w->functions, hash, &at)) {
		if (p->functions[*id].name == f.name && p->functions[*id].start_line == start_line)
			return 0;
	}
	*id = (uint32_t)p->function_count;
	rc = PF_GROW(p->functions, p->function_capacity, p->function_count + 1, err);
	if (!rc)
		rc = pf_index_add(&w->functions, hash, *id, err);
	if (!rc)
		p->functions[p->function_count++] = f;
	return rc;
}

/* The next function outwards of the location being added; the innermost of a leaf calls nothing. */
static int
add_line(struct work *w, struct place *place, bool leaf, const char *name, int64_t start_line,
    int64_t line, struct pf_error *err)
{
	struct pf_profile *p = w->p;
	bool calls = !leaf || place->depth > 0;
	uint32_t function;
	int rc;

	if (!name || !name[0]) {
		place->location = PF_NONE;
		return 0;
	}
	rc = intern_function(w, name, start_line, &function, err);
	if (!rc)
		rc = PF_GROW(p->lines, p->line_capacity, p->line_count + 1, err);
	if (rc)
		return rc;
	p->lines[p->line_count++] =
	    (struct pf_line){.function = function, .line = calls ? line : 0};
	place->depth++;
	place->name = name;
	place->name_id = p->functions[function].name;
	place->sited |= calls && line > 0 && start_line > 0;
	return 0;
}

/* A frame that was symbolized already, and all those whose code it was inlined into. */
static int
add_named(struct work *w, struct place *place, uint32_t node, bool leaf, struct pf_error *err)
{
	const struct pf_stacks *s = w->s;
	int rc = 0;

	for (bool more = true; !rc && more && node != 0; node = s->nodes[node].parent) {
		const struct pf_stack_frame *f = &s->frames[s->nodes[node].frame];

		if (f->kind != PF_FRAME_LINE)
			break;
		rc = add_line(w, place, leaf, pf_strings_get(&s->strings, f->function),
		    f->start_line, f->line, err);
		more = f->inlined;
	}
	place->above = node;
	return rc;
}

static int
add_address(struct work *w, struct place *place, uint32_t node, bool leaf, struct pf_error *err)
{
	const struct pf_stack_frame *f = &w->s->frames[w->s->nodes[node].frame];
	const struct pf_symbol *symbol;
	uint64_t address;
	int rc;

	place->above = w->s->nodes[node].parent;
	if (!w->binary || !pf_match_address(f, w->matches, w->binary, &address)) {
		place->location = PF_NONE;
		return 0;
	}
	rc = pf_binary_inline_chain(w->binary, address, &w->chain, err);
	for (size_t i = 0; !rc && i < w->chain.count; i++) {
		const struct pf_inline_frame *frame = &w->chain.frames[i];
		rc = add_line(w, place, leaf, frame->function, frame->start_line, frame->line, err);
	}
	if (rc || w->chain.count)
		return rc;
	symbol = pf_binary_symbol_at(w->binary, address);
	return add_line(w, place, leaf, symbol ? symbol->name : NULL, 0, 0, err);
}

static int
add_place(struct work *w, struct place *place, uint32_t node, bool leaf, struct pf_error *err)
{
	struct pf_profile *p = w->p;
	bool named = w->s->frames[w->s->nodes[node].frame].kind == PF_FRAME_LINE;
	int rc = PF_GROW(p->locations, p->location_capacity, p->location_count + 1, err);

	*place = (struct place){.location = (uint32_t)p->location_count};
	if (!rc)
		rc = PF_GROW(p->line_starts, p->line_starts_capacity, p->location_count + 2, err);
	if (!rc)
		rc = (named ? add_named : add_address)(w, place, node, leaf, err);
	if (rc)
		return rc;
	p->locations[p->location_count++] = (struct pf_location){.mapping = PF_NONE};
	p->line_starts[p->location_count] = p->line_count;
	return 0;
}

static int
add_sample(
    struct work *w, const uint32_t *locations, size_t count, int64_t value, struct pf_error *err)
{
	struct pf_profile *p = w->p;
	size_t n = p->sample_count + 1;
	int rc = PF_GROW(p->frames, p->frame_capacity, p->frame_count + count, err);

	if (!rc)
		rc = PF_GROW(p->frame_starts, p->frame_starts_capacity, n + 1, err);
	if (!rc)
		rc = PF_GROW(p->label_starts, p->label_starts_capacity, n + 1, err);
	if (!rc)
		rc = PF_GROW(p->values, p->value_capacity, n, err);
	if (rc)
		return rc;
	memcpy(p->frames + p->frame_count, locations, count * sizeof *locations);
	p->frame_count += count;
	p->values[p->sample_count] = value;
	p->sample_count = n;
	p->frame_starts[n] = p->frame_count;
	p->label_starts[n] = 0;
	return 0;
}

static int
add_stack(struct work *w, uint32_t node, int64_t value, struct pf_error *err)
{
	struct pf_go_profile *g = w->g;
	const struct pf_stacks *s = w->s;
	struct place leaf, caller = {.location = PF_NONE};
	uint32_t locations[2];
	bool alone, known, sited;
	int rc = add_place(w, &leaf, node, true, err);

	alone = leaf.above == 0;
	if (!rc && !alone)
		rc = add_place(w, &caller, leaf.above, false, err);
	if (rc)
		return rc;
	known = leaf.location != PF_NONE && (alone || caller.location != PF_NONE);
	sited = leaf.sited || caller.sited;
	if (!known)
		g->unmapped += value;
	else if (alone && leaf.depth == 1)
		g->no_caller += value;
	else if (!sited)
		g->no_start_line += value;
	else
		g->used += value;
	if (leaf.location != PF_NONE)
		rc = pf_function_values_add(&g->functions,
		    &(struct pf_function_value){leaf.name, leaf.name_id, value, known && sited},
		    err);
	if (rc || !known || !sited)
		return rc;
	/* The compiler makes no edge of a place to itself: it is the same only while it is one location. */
	locations[0] = s->frames[s->nodes[node].frame].again ? caller.location : leaf.location;
	locations[1] = caller.location;
	return add_sample(w, locations, alone ? 1 : 2, value, err);
}

static int
add_stacks(struct work *w, size_t type, struct pf_error *err)
{
	const struct pf_stacks *s = w->s;
	int64_t *below;
	int rc = pf_stack_values(&below, s, type, err);

	if (rc)
		return rc;
	w->g->total = below[0];
	w->g->unmapped = s->values[type]; /* stacks without any frame */
	free(below);
	for (uint32_t i = 1; !rc && i < s->node_count; i++) {
		int64_t own = s->values[i * s->type_count + type];
		if (own)
			rc = add_stack(w, i, own, err);
	}
	pf_function_values_settle(&w->g->functions);
	return rc;
}

int
pf_go_profile_build(struct pf_go_profile *g, const struct pf_stacks *s, size_t type,
    struct pf_binary *binary, const enum pf_match *matches, struct pf_error *err)
{
	struct work w = {.s = s, .binary = binary, .matches = matches, .g = g};
	int rc;

	*g = (struct pf_go_profile){0};
	rc = pf_profile_new(&g->profile, err);
	w.p = g->profile;
	if (!rc)
		rc = PF_GROW(w.p->types, w.p->type_capacity, 1, err);
	if (!rc) {
		w.p->types[0] = (struct pf_value_type){0};
		w.p->type_count = 1;
		rc = add_stacks(&w, type, err);
	}
	pf_index_release(&w.functions);
	pf_inline_chain_release(&w.chain);
	return rc;
}

int
pf_go_profile_settle(struct pf_go_profile *g, struct pf_error *err)
{
	struct pf_profile *settled = NULL;
	struct pf_merge *merge;
	int rc = pf_merge_new(&merge, NULL, err);

	if (!rc)
		rc = pf_merge_add(merge, g->profile, "the merged stacks", err);
	if (!rc)
		rc = pf_merge_finish(merge, &settled, err);
	pf_merge_free(merge);
	if (rc)
		return rc;
	pf_profile_free(g->profile);
	g->profile = settled;
	for (size_t i = 0; i < settled->location_count; i++)
		settled->locations[i].address = i + 1;
	return 0;
}
