/*
 * anchors_probes.c: anchors from pseudo-probes; see anchors.h.
 *
 * The profile's functions mirror the probes' tree: a body is a probe's number, a
 * call site the number of the call's probe, and each function has the checksum
 * by which the compiler knows that its control flow is still the same.
 */
#include <stdlib.h>

#include "convert/anchors.h"
#include "core/error.h"
#include "core/memory.h"
#include "symbol/probes.h"

struct work {
	struct pf_anchors *out;
	struct pf_functions *functions;
	const struct pf_program *p;
	struct pf_probes probes;
	struct pf_place_finder finder; /* for names */
	uint32_t *nodes; /* by the probes' nodes: the profile's, PF_NONE: not usable */
};

static bool
in_program(const void *context, uint64_t start)
{
	const struct pf_program *p = context;
	uint32_t function = pf_program_function_at(p, start);

	return function != PF_NONE && p->functions[function].start == start;
}

/* Parents come before their children. */
static int
enter_nodes(struct work *w, struct pf_error *err)
{
	int rc = PF_CALLOC(w->nodes, w->probes.node_count, err);

	for (size_t i = 0; !rc && i < w->probes.node_count; i++) {
		const struct pf_probe_node *n = &w->probes.nodes[i];
		const struct pf_probe_function *f = &w->probes.functions[n->function];
		uint32_t parent = n->parent == PF_NONE ? PF_NONE : w->nodes[n->parent];
		const char *name;

		w->nodes[i] = PF_NONE;
		if (n->depth >= PF_INLINE_MAX_DEPTH || n->site > PF_PLACE_MAX_OFFSET ||
		    (n->depth && parent == PF_NONE)) {
			w->out->deep_chains++;
			continue;
		}
		name = pf_place_canonical(&w->finder, f->name, err);
		if (!name)
			return PF_ENOMEM;
		rc = pf_functions_child(
		    w->functions, parent, (struct pf_place){n->site, 0}, name, &w->nodes[i], err);
		if (!rc)
			w->functions->nodes[w->nodes[i]].checksum = f->checksum;
	}
	return rc;
}

static int
add_anchor(struct work *w, const struct pf_probe *probe, struct pf_error *err)
{
	uint32_t instruction = pf_program_instruction(w->p, probe->address);
	uint32_t node = w->nodes[probe->node], body;
	int rc;

	if (instruction == PF_NONE || node == PF_NONE || probe->index > PF_PLACE_MAX_OFFSET)
		return 0;
	rc = pf_functions_body(w->functions, node, (struct pf_place){probe->index, 0}, &body, err);
	if (!rc)
		rc = PF_GROW(w->out->items, w->out->capacity, w->out->count + 1, err);
	if (rc)
		return rc;
	w->out->items[w->out->count++] = (struct pf_anchor){instruction, body, 1};
	if (probe->kind != PF_PROBE_BLOCK)
		w->out->calls[instruction] = body;
	return 0;
}

int
pf_anchors_probes(struct pf_anchors *out, struct pf_functions *functions,
    const struct pf_program *p, const struct pf_binary *binary, struct pf_error *err)
{
	struct work w = {.out = out, .functions = functions, .p = p};
	int rc;

	*out = (struct pf_anchors){.probes = true};
	functions->probes = true;
	pf_place_finder_init(&w.finder, functions);
	rc = PF_CALLOC(out->calls, p->instruction_count, err);
	for (size_t i = 0; !rc && i < p->instruction_count; i++)
		out->calls[i] = PF_NONE;
	if (!rc)
		rc = pf_probes_read(&w.probes, binary, in_program, p, err);
	if (!rc)
		rc = enter_nodes(&w, err);
	for (size_t i = 0; !rc && i < w.probes.count; i++)
		rc = add_anchor(&w, &w.probes.items[i], err);
	pf_place_finder_release(&w.finder);
	pf_probes_release(&w.probes);
	free(w.nodes);
	return rc;
}
