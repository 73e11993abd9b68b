/* anchors.c: what both kinds of anchors share; see anchors.h. */
#include "convert/anchors.h"

#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"

int
pf_anchors_find(struct pf_anchors *a, const struct pf_program_code *code, struct pf_error *err)
{
	int rc = PF_GROW(a->calls, a->call_capacity, code->count, err);

	a->count = 0;
	for (size_t i = 0; !rc && i < code->count; i++)
		a->calls[i] = PF_NONE;
	if (rc)
		return rc;
	return a->by_probes ? pf_anchors_find_probes(a, code, err)
			    : pf_anchors_find_lines(a, code, err);
}

void
pf_anchors_release(struct pf_anchors *a)
{
	pf_place_finder_release(&a->finder);
	pf_inline_chain_release(&a->lines.chain);
	pf_probes_release(&a->probes.probes);
	free(a->probes.nodes);
	free(a->items);
	free(a->calls);
	*a = (struct pf_anchors){0};
}
