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

struct work {
	const struct pf_line_source *lines;
	struct pf_place_finder finder;
	struct pf_inline_chain chain; /* the last one asked for, good up to chain.until */
	uint32_t body;                /* that it stands for; PF_NONE: for none */
	bool far_line, deep_chain;    /* why not */
};

/* Neighbours mostly share a line: a chain is asked for once for all of them. */
static int
find_body(struct work *w, uint64_t address, struct pf_error *err)
{
	uint64_t far_lines = w->finder.far_lines, deep_chains = w->finder.deep_chains;
	uint32_t root;
	int rc;

	if (address < w->chain.until) {
		w->finder.far_lines += w->far_line;
		w->finder.deep_chains += w->deep_chain;
		return 0;
	}
	rc = w->lines->chain(w->lines->context, address, &w->chain, err);
	if (!rc)
		rc = pf_place_find(&w->finder, &w->chain, &w->body, &root, err);
	w->far_line = w->finder.far_lines > far_lines;
	w->deep_chain = w->finder.deep_chains > deep_chains;
	return rc;
}

int
pf_anchors_lines(struct pf_anchors *out, struct pf_functions *functions, const struct pf_program *p,
    const struct pf_line_source *lines, struct pf_error *err)
{
	struct work w = {.lines = lines, .chain.without_files = true, .body = PF_NONE};
	int rc;

	*out = (struct pf_anchors){0};
	pf_place_finder_init(&w.finder, functions);
	rc = PF_CALLOC(out->calls, p->instruction_count, err);
	if (!rc)
		rc = PF_GROW(out->items, out->capacity, p->instruction_count, err);
	for (uint32_t i = 0; !rc && i < p->instruction_count; i++) {
		rc = find_body(&w, p->instructions[i].address, err);
		out->calls[i] = w.body;
		if (!rc && w.body != PF_NONE)
			out->items[out->count++] = (struct pf_anchor){i, w.body,
			    pf_discriminator_duplication(w.chain.frames[0].discriminator)};
	}
	out->far_lines = w.finder.far_lines;
	out->deep_chains = w.finder.deep_chains;
	pf_place_finder_release(&w.finder);
	pf_inline_chain_release(&w.chain);
	return rc;
}
