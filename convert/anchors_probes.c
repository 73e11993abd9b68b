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

static bool
in_program(const void *context, uint64_t start)
{
	const struct pf_program *p = context;
	uint32_t function = pf_program_function_at(p, start);

	return function != PF_NONE && p->functions[function].start == start;
}

/* Parents come before their children. */
static int
enter_nodes(struct pf_anchors *a, struct pf_error *err)
{
	const struct pf_probes *probes = &a->probes.probes;
	uint32_t *nodes;
	int rc = PF_CALLOC(a->probes.nodes, probes->node_count, err);

	nodes = a->probes.nodes;
	for (size_t i = 0; !rc && i < probes->node_count; i++) {
		const struct pf_probe_node *n = &probes->nodes[i];
		const struct pf_probe_function *f = &probes->functions[n->function];
		uint32_t parent = n->parent == PF_NONE ? PF_NONE : nodes[n->parent];
		const char *name;

		nodes[i] = PF_NONE;
		if (n->depth >= PF_INLINE_MAX_DEPTH || n->site > PF_PLACE_MAX_OFFSET ||
		    (n->depth && parent == PF_NONE)) {
			a->deep_chains++;
			continue;
		}
		name = pf_place_canonical(&a->finder, f->name, err);
		if (!name)
			return PF_ENOMEM;
		rc = pf_functions_child(a->functions, parent,
		    (struct pf_place){(uint16_t)n->site, 0}, name, &nodes[i], err);
		if (!rc)
			a->functions->nodes[nodes[i]].checksum = f->checksum;
	}
	return rc;
}

int
pf_anchors_by_probes(struct pf_anchors *a, struct pf_functions *functions,
    const struct pf_program *p, const struct pf_binary *binary, struct pf_error *err)
{
	int rc;

	*a = (struct pf_anchors){.functions = functions, .by_probes = true};
	functions->probes = true;
	pf_place_finder_init(&a->finder, functions);
	rc = pf_probes_read(&a->probes.probes, binary, in_program, p, err);
	return rc ? rc : enter_nodes(a, err);
}

static int
add_anchor(
    struct pf_anchors *a, const struct pf_probe *probe, uint32_t instruction, struct pf_error *err)
{
	uint32_t node = a->probes.nodes[probe->node], body;
	int rc;

	if (instruction == PF_NONE || node == PF_NONE || probe->index > PF_PLACE_MAX_OFFSET)
		return 0;
	rc = pf_functions_body(
	    a->functions, node, (struct pf_place){(uint16_t)probe->index, 0}, &body, err);
	if (!rc)
		rc = PF_GROW(a->items, a->capacity, a->count + 1, err);
	if (rc)
		return rc;
	a->items[a->count++] = (struct pf_anchor){instruction, body, 1};
	if (probe->kind != PF_PROBE_BLOCK)
		a->calls[instruction] = body;
	return 0;
}

/* Probes are in the order of their addresses, as the functions are. */
int
pf_anchors_find_probes(
    struct pf_anchors *a, const struct pf_program_code *code, struct pf_error *err)
{
	const struct pf_probes *probes = &a->probes.probes;
	const struct pf_instruction *last;
	int rc = 0;

	if (code->count == 0)
		return 0;
	last = &code->instructions[code->count - 1];
	for (; !rc && a->probes.next < probes->count; a->probes.next++) {
		const struct pf_probe *probe = &probes->items[a->probes.next];

		if (probe->address >= last->address + last->size)
			break;
		rc = add_anchor(a, probe, pf_program_code_find(code, probe->address), err);
	}
	return rc;
}
