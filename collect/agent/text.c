/* text.c: see text.h. */
#include "collect/agent/text.h"

#include <inttypes.h>

void
pf_text_stack(struct pf_buffer *out, const struct pf_stacks *stacks, uint32_t number)
{
	const struct pf_stack *stack = number == PF_NONE ? NULL : &stacks->items[number];

	for (uint32_t i = 0; stack && i < stack->count; i++)
		pf_buffer_printf(
		    out, " 0x%" PRIx64, stacks->locations[stacks->frames[stack->first + i]].pc + 1);
}

void
pf_text_mappings(struct pf_buffer *out, const struct pf_modules *modules)
{
	pf_buffer_string(out, "\n--- Memory map: ---\n");
	for (size_t i = 0; i < modules->count; i++)
		pf_buffer_printf(out, "%08" PRIx64 "-%08" PRIx64 " r-xp %08" PRIx64 " 00:00 0 %s\n",
		    modules->items[i].start, modules->items[i].limit, modules->items[i].offset,
		    modules->items[i].file);
}
