/* flatten.c: see flatten.h. In place: bodies are most of the memory, and change only whose they are. */
#include "convert/flatten.h"

#include <stdlib.h>

#include "core/memory.h"

struct work {
	struct pf_functions *f;
	uint32_t *root;    /* by node: the node that becomes its function's record */
	uint64_t *entries; /* by node: of its copy */
};

/* A function's own root, or the first of its copies. */
static int
find_roots(struct work *w, struct pf_error *err)
{
	struct pf_functions *f = w->f;
	uint32_t *next = NULL; /* by name: behind the root */
	int rc = PF_CALLOC(next, f->names.count, err);

	for (size_t i = 0; !rc && i < f->node_count; i++) {
		if (f->nodes[i].parent == PF_NONE)
			next[f->nodes[i].name] = (uint32_t)i + 1;
	}
	for (size_t i = 0; !rc && i < f->node_count; i++) {
		uint32_t *at = &next[f->nodes[i].name];

		*at = *at ? *at : (uint32_t)i + 1;
		w->root[i] = *at - 1;
	}
	free(next);
	return rc;
}

/* The body at a place of a node: one of its own from `from` on, or the last one added. */
static int
find_or_add_body(struct pf_functions *f, uint32_t node, struct pf_place place, uint32_t *from,
    uint32_t *body, struct pf_error *err)
{
	const struct pf_function_node *n = &f->nodes[node];
	uint32_t end = n->first_body + n->body_count;
	const struct pf_body *last = f->body_count ? &f->bodies[f->body_count - 1] : NULL;
	int rc;

	while (*from < end && pf_compare_places(f->bodies[*from].place, place) < 0)
		++*from;
	*body = *from;
	if (*from < end && pf_compare_places(f->bodies[*from].place, place) == 0)
		return 0;
	*body = (uint32_t)f->body_count - 1;
	if (last && last->node == node && pf_compare_places(last->place, place) == 0)
		return 0;
	rc = PF_GROW(f->bodies, f->body_capacity, f->body_count + 1, err);
	if (rc)
		return rc;
	*body = (uint32_t)f->body_count;
	f->bodies[f->body_count++] = (struct pf_body){.node = node, .place = place};
	return 0;
}

static int
add_target(
    struct pf_functions *f, uint32_t body, uint32_t name, uint64_t count, struct pf_error *err)
{
	int rc = PF_GROW(f->targets, f->target_capacity, f->target_count + 1, err);

	if (!rc)
		f->targets[f->target_count++] =
		    (struct pf_call_target){.body = body, .name = name, .count = count};
	return rc;
}

/* What was inlined into a node was called there. Children and bodies are in the order of their places. */
static int
add_calls(struct work *w, uint32_t node, struct pf_error *err)
{
	struct pf_functions *f = w->f;
	uint32_t from = f->nodes[node].first_body, body;
	int rc = 0;

	for (uint32_t i = 0; !rc && i < f->nodes[node].child_count; i++) {
		uint32_t child = f->children[f->nodes[node].first_child + i];
		uint64_t count = w->entries[child];

		rc = find_or_add_body(f, node, f->nodes[child].site, &from, &body, err);
		if (rc)
			break;
		if (f->bodies[body].count < count)
			f->bodies[body].count = count;
		rc = add_target(f, body, f->nodes[child].name, count, err);
	}
	return rc;
}

/* Gives the copies' entries to the roots. */
static void
add_heads(struct work *w)
{
	struct pf_functions *f = w->f;

	for (size_t i = 0; i < f->node_count; i++) {
		struct pf_function_node *root = &f->nodes[w->root[i]];

		if (f->nodes[i].parent == PF_NONE)
			continue;
		root->head = pf_add_saturating(root->head, w->entries[i]);
		root->checksum = root->checksum ? root->checksum : f->nodes[i].checksum;
	}
}

/* Leaves the roots alone, with all bodies, as if they had been found so. */
static void
keep_roots(struct work *w)
{
	struct pf_functions *f = w->f;
	size_t kept = 0;

	for (size_t i = 0; i < f->body_count; i++) {
		f->bodies[i].node = w->root[f->bodies[i].node];
		f->bodies[i].first_target = f->bodies[i].target_count = 0;
	}
	for (size_t i = 0; i < f->node_count; i++) {
		const struct pf_function_node *n = &f->nodes[i];

		if (w->root[i] != i)
			continue;
		w->root[i] = (uint32_t)kept;
		f->nodes[kept++] = (struct pf_function_node){
		    .parent = PF_NONE, .name = n->name, .head = n->head, .checksum = n->checksum};
	}
	for (size_t i = 0; i < f->body_count; i++)
		f->bodies[i].node = w->root[f->bodies[i].node];
	f->node_count = kept;
	free(f->children);
	f->children = NULL;
	f->sealed = false;
}

int
pf_functions_flatten(struct pf_functions *f, struct pf_error *err)
{
	struct work w = {.f = f};
	int rc = PF_CALLOC(w.root, f->node_count, err);

	if (!rc)
		rc = PF_CALLOC(w.entries, f->node_count, err);
	if (!rc)
		rc = find_roots(&w, err);
	for (size_t i = 0; !rc && i < f->node_count; i++)
		w.entries[i] = pf_functions_first_count(f, (uint32_t)i);
	for (uint32_t i = 0; !rc && i < f->node_count; i++)
		rc = add_calls(&w, i, err);
	if (!rc) {
		add_heads(&w);
		keep_roots(&w);
		rc = pf_functions_seal(f, err);
	}
	free(w.root);
	free(w.entries);
	return rc;
}
