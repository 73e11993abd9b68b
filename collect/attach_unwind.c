/* attach_unwind.c: see attach_unwind.h. The unwinder itself is the agent's (collect/agent/unwind.c). */
#include "attach_unwind.h"

#include <stdlib.h>
#include <string.h>

#include "collect/agent/unwind.h"

struct pf_slot *
pf_attach_slot_new(void)
{
	return calloc(1, sizeof(struct pf_slot));
}

static void
fill_slot(struct pf_slot *slot, const struct pf_attach_sample *s)
{
	uint64_t size = s->stack_size < PF_STACK_BYTES ? s->stack_size : PF_STACK_BYTES;

	memcpy(slot->registers, s->registers, sizeof slot->registers);
	slot->known = PF_KNOWN_ALL;
	slot->stack_address = s->registers[PF_REG_SP];
	slot->stack_size = (uint32_t)size;
	slot->links = slot->tail_size = 0;
	memcpy(slot->stack, s->stack, (size_t)size);
}

/* The unwind tables for an address, and the address as they know it. */
static const struct pf_cfi *
tables_of(struct pf_modules_table *t, const struct pf_process *p, uint64_t pc, uint64_t *own)
{
	const struct pf_map *map = pf_process_find(p, pc);
	struct pf_module *m;

	*own = pc;
	if (!map)
		return NULL;
	m = pf_module_open(t, map->module, p->pid);
	return m->has_cfi && pf_module_address(m, map, pc, own) ? &m->cfi : NULL;
}

size_t
pf_attach_unwind(struct pf_slot *slot, struct pf_modules_table *t, const struct pf_process *p,
    const struct pf_attach_sample *s, uint64_t *frames, bool *whole)
{
	struct pf_frame frame;
	bool interrupted = true; /* the leaf is exact, callers are return addresses */
	size_t n = 0;

	fill_slot(slot, s);
	pf_frame_init(&frame, slot);
	*whole = false;
	while (n < PF_ATTACH_FRAMES) {
		uint64_t pc = frame.registers[PF_REG_PC], own;
		const struct pf_cfi *cfi;
		struct pf_step step;
		*whole = !pc;
		if (!pc || (n && !pf_process_find(p, pc)))
			break;
		frames[n++] = pc;
		cfi = tables_of(t, p, interrupted ? pc : pc - 1, &own);
		step = pf_step_find(cfi, own);
		*whole = step.kind == PF_STEP_END;
		if (!pf_frame_up(&frame, &step, cfi, own))
			break;
		interrupted = step.signal_frame;
	}
	return n;
}
