/* functions.c: finding and adding the items of the tree; sealing is in functions_seal.c. */
#include "convert/functions.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

int
pf_functions_init(struct pf_functions *f, struct pf_error *err)
{
	*f = (struct pf_functions){0};
	return pf_strings_init(&f->names, err);
}

void
pf_functions_forget_places(struct pf_functions *f)
{
	pf_index_release(&f->node_index);
	pf_index_release(&f->body_index);
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
	return pf_hash_pair((uint64_t)place.offset << 32 | place.discriminator, item);
}

static bool
same_place(struct pf_place a, struct pf_place b)
{
	return a.offset == b.offset && a.discriminator == b.discriminator;
}

static int
find_or_add_node(struct pf_functions *f, const struct pf_function_node *key, uint32_t *node,
    struct pf_error *err)
{
	uint32_t hash = pf_hash_pair(hash_place(key->parent, key->site), key->name);
	size_t at;
	int rc;

	for (uint32_t i = pf_index_first(&f->node_index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&f->node_index, hash, &at)) {
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
	rc = PF_GROW(f->nodes, f->node_capacity, f->node_count + 1, err);
	if (!rc)
		rc = pf_index_add(&f->node_index, hash, (uint32_t)f->node_count, err);
	if (rc)
		return rc;
	*node = (uint32_t)f->node_count;
	f->nodes[f->node_count++] = *key;
	return 0;
}

int
pf_functions_child(struct pf_functions *f, uint32_t parent, struct pf_place site, const char *name,
    uint32_t *node, struct pf_error *err)
{
	struct pf_function_node key = {.parent = parent, .site = site};
	int rc = pf_strings_add(&f->names, name, strlen(name), &key.name, err);

	return rc ? rc : find_or_add_node(f, &key, node, err);
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

	for (uint32_t i = pf_index_first(&f->body_index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&f->body_index, hash, &at)) {
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
		rc = pf_index_add(&f->body_index, hash, (uint32_t)f->body_count, err);
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
