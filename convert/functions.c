/* functions.c: finding and adding the items of the tree; sealing is in functions_seal.c. */
#include "convert/functions.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

/* Items in the indexes from which on a new root begins a new generation: what fits into the cache. */
enum { GENERATION = 1 << 12 };

int
pf_functions_init(struct pf_functions *f, struct pf_error *err)
{
	*f = (struct pf_functions){.lookup.last = PF_NONE};
	return pf_strings_init(&f->names, err);
}

void
pf_functions_forget_places(struct pf_functions *f)
{
	pf_index_release(&f->lookup.nodes);
	pf_index_release(&f->lookup.bodies);
	pf_index_release(&f->lookup.root_names);
	free(f->lookup.roots);
	free(f->lookup.spans);
	f->lookup = (struct pf_function_lookup){.last = PF_NONE};
}

void
pf_functions_release(struct pf_functions *f)
{
	pf_functions_forget_places(f);
	pf_strings_release(&f->names);
	pf_index_release(&f->target_index);
	free(f->nodes);
	free(f->bodies);
	free(f->targets);
	free(f->children);
	*f = (struct pf_functions){0};
}

static uint32_t
hash_place(uint32_t item, struct pf_place place)
{
	return pf_hash_pair((uint64_t)place.offset << 16 | place.discriminator, item);
}

static uint32_t
hash_node(const struct pf_function_node *n)
{
	return pf_hash_pair(hash_place(n->parent, n->site), n->name);
}

static bool
same_place(struct pf_place a, struct pf_place b)
{
	return a.offset == b.offset && a.discriminator == b.discriminator;
}

static void
empty_index(struct pf_index *index)
{
	if (index->mask > 4 * GENERATION)
		pf_index_release(index);
	else
		pf_index_clear(index);
}

/*
 * Before a root is added. Where roots keep coming back (samples of many stacks),
 * entering them again costs more than large indexes do.
 */
static void
begin_generation(struct pf_functions *f)
{
	struct pf_function_lookup *l = &f->lookup;

	if (f->probes || l->nodes.count + l->bodies.count < GENERATION ||
	    l->renewed > f->node_count + f->body_count)
		return;
	empty_index(&l->nodes);
	empty_index(&l->bodies);
	l->generation++;
}

/* Enters the items of a root of an earlier generation once more; it is not the last one, so its spans have ended. */
static int
renew_root(struct pf_functions *f, struct pf_function_root *root, struct pf_error *err)
{
	struct pf_function_lookup *l = &f->lookup;
	int rc = 0;

	for (uint32_t s = root->span; !rc && s != PF_NONE; s = l->spans[s].before) {
		size_t node_end = l->spans[s + 1].first_node;
		size_t body_end = l->spans[s + 1].first_body;

		for (size_t i = l->spans[s].first_node; !rc && i < node_end; i++) {
			if (f->nodes[i].parent != PF_NONE)
				rc = pf_index_add(
				    &l->nodes, hash_node(&f->nodes[i]), (uint32_t)i, err);
		}
		for (size_t i = l->spans[s].first_body; !rc && i < body_end; i++)
			rc = pf_index_add(&l->bodies,
			    hash_place(f->bodies[i].node, f->bodies[i].place), (uint32_t)i, err);
		l->renewed += node_end - l->spans[s].first_node + body_end - l->spans[s].first_body;
	}
	root->generation = l->generation;
	return rc;
}

/* What is added from now on is this root's. */
static int
look_at(struct pf_functions *f, uint32_t number, struct pf_error *err)
{
	struct pf_function_lookup *l = &f->lookup;
	struct pf_function_root *root = &l->roots[number];
	int rc = 0;

	if (l->last == number)
		return 0;
	if (root->generation != l->generation)
		rc = renew_root(f, root, err);
	if (!rc)
		rc = PF_GROW(l->spans, l->span_capacity, l->span_count + 1, err);
	if (rc)
		return rc;
	l->spans[l->span_count] =
	    (struct pf_function_span){(uint32_t)f->node_count, (uint32_t)f->body_count, root->span};
	root->span = (uint32_t)l->span_count++;
	l->last = number;
	return 0;
}

static int
add_node(struct pf_functions *f, const struct pf_function_node *key, struct pf_error *err)
{
	int rc = PF_GROW(f->nodes, f->node_capacity, f->node_count + 1, err);

	if (!rc)
		f->nodes[f->node_count++] = *key;
	return rc;
}

/* A new root, not looked at yet. */
static int
add_root(
    struct pf_functions *f, const struct pf_function_node *key, uint32_t hash, struct pf_error *err)
{
	struct pf_function_lookup *l = &f->lookup;
	int rc = PF_GROW(l->roots, l->root_capacity, l->root_count + 1, err);

	if (!rc)
		rc = pf_index_reserve(&l->root_names, err);
	if (!rc)
		rc = add_node(f, key, err);
	if (!rc)
		rc = pf_index_add(&l->root_names, hash, (uint32_t)l->root_count, err);
	if (rc)
		return rc;
	begin_generation(f);
	l->roots[l->root_count++] =
	    (struct pf_function_root){(uint32_t)f->node_count - 1, l->generation, PF_NONE};
	return 0;
}

static int
find_or_add_root(struct pf_functions *f, const struct pf_function_node *key, uint32_t *node,
    struct pf_error *err)
{
	struct pf_function_lookup *l = &f->lookup;
	uint32_t hash = hash_node(key), found;
	size_t at;
	int rc = 0;

	for (found = pf_index_first(&l->root_names, hash, &at); found != PF_NONE;
	    found = pf_index_next(&l->root_names, hash, &at)) {
		const struct pf_function_node *n = &f->nodes[l->roots[found].node];
		if (n->name == key->name && same_place(n->site, key->site))
			break;
	}
	*node = PF_NONE;
	if (found == PF_NONE && f->frozen)
		return 0;
	if (found == PF_NONE) {
		found = (uint32_t)l->root_count;
		rc = add_root(f, key, hash, err);
	}
	if (rc)
		return rc;
	*node = l->roots[found].node;
	return look_at(f, found, err);
}

static int
find_or_add_node(struct pf_functions *f, const struct pf_function_node *key, uint32_t *node,
    struct pf_error *err)
{
	uint32_t hash = hash_node(key);
	size_t at;
	int rc;

	for (uint32_t i = pf_index_first(&f->lookup.nodes, hash, &at); i != PF_NONE;
	    i = pf_index_next(&f->lookup.nodes, hash, &at)) {
		const struct pf_function_node *n = &f->nodes[i];
		if (n->parent == key->parent && n->name == key->name &&
		    same_place(n->site, key->site)) {
			*node = i;
			return 0;
		}
	}
	*node = PF_NONE;
	if (f->frozen)
		return 0;
	rc = pf_index_reserve(&f->lookup.nodes, err);
	if (!rc)
		rc = add_node(f, key, err);
	if (rc)
		return rc;
	*node = (uint32_t)f->node_count - 1;
	return pf_index_add(&f->lookup.nodes, hash, *node, err);
}

int
pf_functions_child(struct pf_functions *f, uint32_t parent, struct pf_place site, const char *name,
    uint32_t *node, struct pf_error *err)
{
	struct pf_function_node key = {.parent = parent, .site = site};
	int rc = pf_strings_add(&f->names, name, strlen(name), &key.name, err);

	if (rc)
		return rc;
	return parent == PF_NONE ? find_or_add_root(f, &key, node, err)
				 : find_or_add_node(f, &key, node, err);
}

int
pf_functions_root(struct pf_functions *f, const char *name, uint32_t *node, struct pf_error *err)
{
	return pf_functions_child(f, PF_NONE, (struct pf_place){0, 0}, name, node, err);
}

int
pf_functions_body(struct pf_functions *f, uint32_t node, struct pf_place place, uint32_t *body,
    struct pf_error *err)
{
	uint32_t hash = hash_place(node, place);
	size_t at;
	int rc;

	for (uint32_t i = pf_index_first(&f->lookup.bodies, hash, &at); i != PF_NONE;
	    i = pf_index_next(&f->lookup.bodies, hash, &at)) {
		if (f->bodies[i].node == node && same_place(f->bodies[i].place, place)) {
			*body = i;
			return 0;
		}
	}
	*body = PF_NONE;
	if (f->frozen)
		return 0;
	rc = PF_GROW(f->bodies, f->body_capacity, f->body_count + 1, err);
	if (!rc)
		rc = pf_index_add(&f->lookup.bodies, hash, (uint32_t)f->body_count, err);
	if (rc)
		return rc;
	*body = (uint32_t)f->body_count;
	f->bodies[f->body_count++] = (struct pf_body){.node = node, .place = place};
	return 0;
}

int
pf_functions_target(
    struct pf_functions *f, uint32_t body, const char *name, uint32_t *target, struct pf_error *err)
{
	uint32_t id, hash;
	size_t at;
	int rc = pf_strings_add(&f->names, name, strlen(name), &id, err);

	if (rc)
		return rc;
	hash = pf_hash_pair(body, id);
	for (uint32_t i = pf_index_first(&f->target_index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&f->target_index, hash, &at)) {
		if (f->targets[i].body == body && f->targets[i].name == id) {
			*target = i;
			return 0;
		}
	}
	*target = PF_NONE;
	if (f->frozen)
		return 0;
	rc = PF_GROW(f->targets, f->target_capacity, f->target_count + 1, err);
	if (!rc)
		rc = pf_index_add(&f->target_index, hash, (uint32_t)f->target_count, err);
	if (rc)
		return rc;
	*target = (uint32_t)f->target_count;
	f->targets[f->target_count++] = (struct pf_call_target){.body = body, .name = id};
	return 0;
}
