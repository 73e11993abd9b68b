/* anchors_lines.c: anchors from the line table; see anchors.h. */
#include "convert/anchors.h"
#include "convert/attribute.h"
#include "core/error.h"
#include "core/memory.h"

void
pf_anchors_by_lines(
    struct pf_anchors *a, struct pf_functions *functions, const struct pf_line_source *source)
{
	*a = (struct pf_anchors){.functions = functions,
	    .lines = {.source = source, .chain.without_files = true, .body = PF_NONE}};
	pf_place_finder_init(&a->finder, functions);
}

static bool
is_discriminated(const struct pf_inline_chain *chain)
{
	for (size_t i = 0; i < chain->count; i++) {
		if (chain->frames[i].discriminator)
			return true;
	}
	return false;
}

/* Neighbours mostly share a line: a chain is asked for once for all of them. */
static int
find_body(struct pf_anchors *a, uint64_t address, struct pf_error *err)
{
	struct pf_anchor_lines *l = &a->lines;
	uint64_t deep_chains = a->finder.deep_chains;
	uint32_t root;
	int rc = 0;

	if (address >= l->chain.until) {
		rc = l->source->chain(l->source->context, address, &l->chain, err);
		if (!rc)
			rc = pf_place_find(&a->finder, &l->chain, &l->body, &root, err);
		a->chains++;
		a->discriminated += !rc && is_discriminated(&l->chain);
		l->deep_chain = a->finder.deep_chains > deep_chains;
	}
	a->deep_chains += l->deep_chain;
	return rc;
}

int
pf_anchors_find_lines(
    struct pf_anchors *a, const struct pf_program_code *code, struct pf_error *err)
{
	int rc = PF_GROW(a->items, a->capacity, code->count, err);

	for (uint32_t i = 0; !rc && i < code->count; i++) {
		rc = find_body(a, code->instructions[i].address, err);
		a->calls[i] = a->lines.body;
		if (!rc && a->lines.body != PF_NONE)
			a->items[a->count++] = (struct pf_anchor){i, a->lines.body,
			    pf_discriminator_duplication(a->lines.chain.frames[0].discriminator)};
	}
	return rc;
}
