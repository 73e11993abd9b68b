/*
 * functions_seal.c: from the order of discovery to the order of writing.
 *
 * Bodies and targets are moved; nodes keep their numbers (a child's stays
 * greater than its parent's) and are listed in `children`, sorted by parent.
 */
#include "convert/functions.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

/* So many bodies are sorted without qsort's calls. */
enum { FEW = 16 };

/* Of a call by pointer a target is worth a comparison of its own from this share on: by probes, where each call has a place; */
#define LEAST_OF_PROBE .5
/* by lines, where all that is inlined under it is merged as well. */
#define LEAST_OF_LINE .9

/* qsort has no context argument; each comparison record carries what it needs. */
struct node_key {
	const char *name;
	uint64_t total;
	uint32_t parent, node;
	struct pf_place site;
};

struct target_key {
	const char *name;
	struct pf_call_target target;
};

static int
compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int
by_writing_order(const void *left, const void *right)
{
	const struct node_key *a = left, *b = right;
	int order = a->parent == PF_NONE ? compare_u64(b->total, a->total) : 0;

	if (!order)
		order = pf_compare_places(a->site, b->site);
	return order ? order : strcmp(a->name, b->name);
}

static int
by_place(const void *left, const void *right)
{
	const struct pf_body *a = left, *b = right;

	return pf_compare_places(a->place, b->place);
}

/* Most nodes have a few bodies, nearly in order as they are. */
static void
sort_few(struct pf_body *bodies, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct pf_body moved = bodies[i];
		size_t to = i;

		for (; to > 0 && pf_compare_places(bodies[to - 1].place, moved.place) > 0; to--)
			bodies[to] = bodies[to - 1];
		bodies[to] = moved;
	}
}

static int
by_body_and_count(const void *left, const void *right)
{
	const struct target_key *a = left, *b = right;
	int order = compare_u64(a->target.body, b->target.body);

	if (!order)
		order = compare_u64(b->target.count, a->target.count);
	return order ? order : strcmp(a->name, b->name);
}

/* Children come after their parents, so one pass from the end sums them. */
static void
sum_totals(struct pf_functions *f)
{
	for (size_t i = 0; i < f->body_count; i++) {
		struct pf_function_node *n = &f->nodes[f->bodies[i].node];
		n->total = pf_add_saturating(n->total, f->bodies[i].count);
	}
	for (size_t i = f->node_count; i-- > 0;) {
		uint32_t parent = f->nodes[i].parent;
		if (parent != PF_NONE)
			f->nodes[parent].total =
			    pf_add_saturating(f->nodes[parent].total, f->nodes[i].total);
	}
}

/* Sorts the roots, or the children of one node: `siblings`. Room for the keys of all is at `keys`. */
static void
sort_siblings(const struct pf_functions *f, uint32_t *siblings, size_t count, struct node_key *keys)
{
	for (size_t i = 0; i < count; i++) {
		const struct pf_function_node *n = &f->nodes[siblings[i]];
		keys[i] = (struct node_key){
		    pf_strings_get(&f->names, n->name), n->total, n->parent, siblings[i], n->site};
	}
	qsort(keys, count, sizeof *keys, by_writing_order);
	for (size_t i = 0; i < count; i++)
		siblings[i] = keys[i].node;
}

/* Lists the roots, then each node's children, in the order of the nodes; returns how many siblings there are at most. */
static size_t
list_children(struct pf_functions *f)
{
	size_t most, at;

	f->root_count = 0;
	for (size_t i = 0; i < f->node_count; i++) {
		if (f->nodes[i].parent == PF_NONE)
			f->root_count++;
		else
			f->nodes[f->nodes[i].parent].child_count++;
	}
	most = at = f->root_count;
	for (size_t i = 0; i < f->node_count; i++) {
		struct pf_function_node *n = &f->nodes[i];

		n->first_child = n->child_count ? (uint32_t)at : 0;
		most = n->child_count > most ? n->child_count : most;
		at += n->child_count;
		n->child_count = 0;
	}
	at = 0;
	for (size_t i = 0; i < f->node_count; i++) {
		uint32_t parent = f->nodes[i].parent;

		if (parent == PF_NONE)
			f->children[at++] = (uint32_t)i;
		else
			f->children[f->nodes[parent].first_child + f->nodes[parent].child_count++] =
			    (uint32_t)i;
	}
	return most;
}

static int
sort_nodes(struct pf_functions *f, struct pf_error *err)
{
	struct node_key *keys = NULL;
	int rc = PF_CALLOC(f->children, f->node_count, err);

	if (!rc)
		rc = PF_CALLOC(keys, list_children(f), err);
	if (rc)
		return rc;
	sort_siblings(f, f->children, f->root_count, keys);
	for (size_t i = 0; i < f->node_count; i++) {
		const struct pf_function_node *n = &f->nodes[i];

		if (n->child_count > 1)
			sort_siblings(f, &f->children[n->first_child], n->child_count, keys);
	}
	free(keys);
	return 0;
}

/*
 * Brings the bodies together by node, in the nodes' order, which are then told
 * where theirs are. In place, since a copy would be the largest thing there is:
 * a body in the wrong place changes with the one where its node's next one goes.
 */
static void
gather_bodies(struct pf_functions *f)
{
	uint32_t at = 0;

	for (size_t i = 0; i < f->body_count; i++)
		f->nodes[f->bodies[i].node].body_count++;
	for (size_t i = 0; i < f->node_count; i++) {
		struct pf_function_node *n = &f->nodes[i];

		n->first_body = at;
		at += n->body_count;
		n->body_count = 0;
	}
	for (size_t i = 0; i < f->node_count; i++) {
		struct pf_function_node *n = &f->nodes[i];
		size_t end = i + 1 < f->node_count ? n[1].first_body : f->body_count;

		while (n->first_body + n->body_count < end) {
			struct pf_body *wrong = &f->bodies[n->first_body + n->body_count];
			struct pf_function_node *to = &f->nodes[wrong->node];
			struct pf_body *right = &f->bodies[to->first_body + to->body_count++];
			struct pf_body moved = *wrong;

			*wrong = *right;
			*right = moved;
		}
	}
}

/* Makes the bodies of one place of a node one; moved[old number], which is in first_target, becomes the new number. */
static void
merge_bodies(struct pf_functions *f, uint32_t *moved)
{
	uint32_t kept = 0;

	for (size_t i = 0; i < f->node_count; i++) {
		struct pf_function_node *n = &f->nodes[i];
		uint32_t at = n->first_body, end = at + n->body_count;

		n->first_body = kept;
		for (; at < end; at++) {
			struct pf_body body = f->bodies[at];
			struct pf_body *last = kept > n->first_body ? &f->bodies[kept - 1] : NULL;

			if (last && pf_compare_places(last->place, body.place) == 0)
				last->count = pf_add_saturating(last->count, body.count);
			else
				f->bodies[kept++] = body;
			moved[body.first_target] = kept - 1;
			f->bodies[kept - 1].first_target = 0;
		}
		n->body_count = kept - n->first_body;
	}
	f->body_count = kept;
}

/* Sorts the bodies by node and place, each place once; moved[old number] becomes the new number. */
static void
sort_bodies(struct pf_functions *f, uint32_t *moved)
{
	for (size_t i = 0; i < f->body_count; i++)
		f->bodies[i].first_target = (uint32_t)i;
	gather_bodies(f);
	for (size_t i = 0; i < f->node_count; i++) {
		struct pf_function_node *n = &f->nodes[i];

		if (n->body_count < 2)
			continue;
		if (n->body_count <= FEW)
			sort_few(&f->bodies[n->first_body], n->body_count);
		else
			qsort(
			    &f->bodies[n->first_body], n->body_count, sizeof *f->bodies, by_place);
	}
	merge_bodies(f, moved);
}

static int
by_body_and_name(const void *left, const void *right)
{
	const struct target_key *a = left, *b = right;
	int order = compare_u64(a->target.body, b->target.body);

	return order ? order : compare_u64(a->target.name, b->target.name);
}

/* Makes the targets of one name of a body one; returns how many are left. */
static size_t
merge_targets(struct target_key *keys, size_t count)
{
	size_t kept = 0;

	if (count)
		qsort(keys, count, sizeof *keys, by_body_and_name);
	for (size_t i = 0; i < count; i++) {
		struct target_key *last = kept ? &keys[kept - 1] : NULL;

		if (last && by_body_and_name(last, &keys[i]) == 0)
			last->target.count =
			    pf_add_saturating(last->target.count, keys[i].target.count);
		else
			keys[kept++] = keys[i];
	}
	return kept;
}

/*
 * Keeps of each call by pointer the target that takes so much of it or more; returns how many are left. clang compares with
 * each target that it is given and inlines it: of a call with many, none of them common, that costs more than it brings.
 */
static size_t
keep_dominant(struct target_key *keys, size_t count, double least)
{
	size_t kept = 0;

	for (size_t i = 0, end; i < count; i = end) {
		uint64_t all = 0;

		for (end = i; end < count && keys[end].target.body == keys[i].target.body; end++)
			all = pf_add_saturating(all, keys[end].target.count);
		if ((double)keys[i].target.count >= least * (double)all)
			keys[kept++] = keys[i];
	}
	return kept;
}

static void
sort_targets(struct pf_functions *f, const uint32_t *moved, struct target_key *keys)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->target_count; i++) {
		struct pf_call_target t = f->targets[i];
		t.body = moved[t.body];
		if (t.count)
			keys[kept++] = (struct target_key){pf_strings_get(&f->names, t.name), t};
	}
	kept = merge_targets(keys, kept);
	if (kept)
		qsort(keys, kept, sizeof *keys, by_body_and_count);
	kept = keep_dominant(keys, kept, f->probes ? LEAST_OF_PROBE : LEAST_OF_LINE);
	for (size_t i = 0; i < kept; i++) {
		struct pf_body *b = &f->bodies[keys[i].target.body];
		f->targets[i] = keys[i].target;
		if (b->target_count++ == 0)
			b->first_target = (uint32_t)i;
	}
	f->target_count = kept;
}

/* LLVM's own estimate, getHeadSamplesEstimate(). */
uint64_t
pf_functions_first_count(const struct pf_functions *f, uint32_t node)
{
	const struct pf_function_node *n = &f->nodes[node];
	const struct pf_body *body = n->body_count ? &f->bodies[n->first_body] : NULL;

	if (n->child_count) {
		uint32_t child = f->children[n->first_child];
		if (!body || f->nodes[child].site.offset < body->place.offset)
			return pf_functions_first_count(f, child);
	}
	return body ? body->count : 0;
}

int
pf_functions_seal(struct pf_functions *f, struct pf_error *err)
{
	uint32_t *moved = NULL;
	struct target_key *keys = NULL;
	int rc;

	sum_totals(f);
	rc = sort_nodes(f, err);
	if (!rc)
		rc = PF_CALLOC(moved, f->body_count, err);
	if (!rc)
		rc = PF_CALLOC(keys, f->target_count, err);
	if (!rc) {
		sort_bodies(f, moved);
		sort_targets(f, moved, keys);
		f->sealed = true;
	}
	free(moved);
	free(keys);
	return rc;
}
