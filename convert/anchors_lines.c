/* anchors_lines.c: anchors from the line table; see anchors.h. */
#include <stdlib.h>

#include "convert/anchors.h"
#include "convert/attribute.h"
#include "core/error.h"
#include "core/memory.h"

void
pf_anchors_release(struct pf_anchors *a)
{
	free(a->items);
	free(a->calls);
	*a = (struct pf_anchors){0};
}

int
pf_anchors_lines(struct pf_anchors *out, struct pf_functions *functions, const struct pf_program *p,
    const struct pf_line_source *lines, struct pf_error *err)
{
	struct pf_place_finder finder;
	struct pf_inline_chain chain = {.without_files = true};
	uint32_t root;
	int rc;

	*out = (struct pf_anchors){0};
	pf_place_finder_init(&finder, functions);
	rc = PF_CALLOC(out->calls, p->instruction_count, err);
	if (!rc)
		rc = PF_GROW(out->items, out->capacity, p->instruction_count, err);
	for (uint32_t i = 0; !rc && i < p->instruction_count; i++) {
		rc = lines->chain(lines->context, p->instructions[i].address, &chain, err);
		if (!rc)
			rc = pf_place_find(&finder, &chain, &out->calls[i], &root, err);
		if (!rc && out->calls[i] != PF_NONE)
			out->items[out->count++] = (struct pf_anchor){i, out->calls[i],
			    pf_discriminator_duplication(chain.frames[0].discriminator)};
	}
	out->far_lines = finder.far_lines;
	out->deep_chains = finder.deep_chains;
	pf_place_finder_release(&finder);
	pf_inline_chain_release(&chain);
	return rc;
}
