/* places.c: see places.h. */
#include "convert/places.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

void
pf_place_finder_init(struct pf_place_finder *p, struct pf_functions *functions)
{
	*p = (struct pf_place_finder){.functions = functions};
}

void
pf_place_finder_release(struct pf_place_finder *p)
{
	free(p->name);
	*p = (struct pf_place_finder){0};
}

const char *
pf_place_canonical(struct pf_place_finder *p, const char *name, struct pf_error *err)
{
	size_t size = strlen(name) + 1;

	if (PF_GROW(p->name, p->name_capacity, size, err))
		return NULL;
	pf_canonical_name(name, p->name, p->name_capacity);
	return p->name;
}

bool
pf_frame_place(const struct pf_inline_frame *f, struct pf_place *place)
{
	if (!f->function || !f->line || !f->start_line)
		return false;
	place->offset = (uint16_t)(f->line - f->start_line);
	place->discriminator = (uint16_t)pf_discriminator_base(f->discriminator);
	return true;
}

/* The node of one level, below the levels already known. */
static int
enter_level(struct pf_place_finder *p, size_t level, const char *function, struct pf_place site,
    struct pf_error *err)
{
	struct pf_place_level *l = &p->levels[level];
	uint32_t parent = level ? p->levels[level - 1].node : PF_NONE;
	const char *name;
	int rc;

	if (level < p->depth && l->function == function && l->site.offset == site.offset &&
	    l->site.discriminator == site.discriminator)
		return 0;
	p->depth = level;
	name = pf_place_canonical(p, function, err);
	if (!name)
		return PF_ENOMEM;
	*l = (struct pf_place_level){.function = function, .site = site};
	rc = pf_functions_child(p->functions, parent, site, name, &l->node, err);
	if (!rc && l->node != PF_NONE)
		p->depth = level + 1;
	return rc;
}

/* The nodes of a chain's frames, all of which can be named. */
static int
enter_levels(struct pf_place_finder *p, const struct pf_inline_chain *chain, struct pf_error *err)
{
	struct pf_place site = {0, 0};
	size_t n = chain->count;
	int rc = 0;

	p->number = 0;
	for (size_t level = 0; !rc && level < n; level++) {
		const struct pf_inline_frame *f = &chain->frames[n - 1 - level];

		rc = enter_level(p, level, f->function, site, err);
		if (!rc && p->depth <= level)
			return 0; /* frozen functions: nothing known there */
		pf_frame_place(f, &site);
	}
	if (!rc) {
		p->chain = chain;
		p->number = chain->number;
	}
	return rc;
}

/* Whether the levels are those of a chain already: then so are all its frames but the innermost one's place. */
static bool
is_entered(const struct pf_place_finder *p, const struct pf_inline_chain *chain)
{
	return p->number && p->chain == chain && p->number == chain->number;
}

int
pf_place_find(struct pf_place_finder *p, const struct pf_inline_chain *chain, uint32_t *body,
    uint32_t *root, struct pf_error *err)
{
	struct pf_place innermost, outer;
	bool entered = is_entered(p, chain);
	size_t n = chain->count;
	int rc = 0;

	*body = *root = PF_NONE;
	if (n > PF_INLINE_MAX_DEPTH)
		p->deep_chains++;
	if (n == 0 || n > PF_INLINE_MAX_DEPTH || !pf_frame_place(&chain->frames[0], &innermost))
		return 0;
	for (size_t i = 1; !entered && i < n; i++) {
		if (!pf_frame_place(&chain->frames[i], &outer))
			return 0;
	}
	if (!entered)
		rc = enter_levels(p, chain, err);
	if (!rc && p->depth < n)
		return 0;
	if (!rc)
		rc = pf_functions_body(p->functions, p->levels[n - 1].node, innermost, body, err);
	if (!rc)
		*root = p->levels[0].node;
	return rc;
}
