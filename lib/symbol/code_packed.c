/* code_packed.c: see code_packed.h. From the lowest bit: size, kind, cost, whether there is a target. */
#include "symbol/code_packed.h"

#include <assert.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"

enum { SIZE_BITS = 4, KIND_BITS = 4, COST_BITS = 5, TARGET = 1 << 13 };

static_assert(PF_CODE_UNKNOWN < 1 << KIND_BITS && PF_COST_CLASSES <= 1 << COST_BITS &&
		  SIZE_BITS + KIND_BITS + COST_BITS == 13,
    "kinds and costs fit");

static uint16_t
pack(const struct pf_instruction *in)
{
	return (uint16_t)(in->size | in->kind << SIZE_BITS | in->cost << (SIZE_BITS + KIND_BITS) |
			  (in->target ? TARGET : 0));
}

int
pf_packed_code_add(struct pf_packed_code *c, const struct pf_instruction *instructions,
    size_t count, struct pf_error *err)
{
	int rc = PF_GROW(c->items, c->capacity, c->count + count, err);

	for (size_t i = 0; !rc && i < count; i++) {
		const struct pf_instruction *in = &instructions[i];

		if (in->target) {
			rc = PF_GROW(c->targets, c->target_capacity, c->target_count + 1, err);
			if (rc)
				break;
			c->targets[c->target_count++] = in->target;
		}
		c->items[c->count++] = pack(in);
	}
	return rc;
}

void
pf_packed_code_get(const struct pf_packed_code *c, size_t first, size_t first_target,
    uint64_t address, struct pf_instruction *out, size_t count)
{
	size_t target = first_target;

	for (size_t i = 0; i < count; i++) {
		uint16_t item = c->items[first + i];

		out[i] = (struct pf_instruction){.address = address,
		    .target = item & TARGET ? c->targets[target++] : 0,
		    .size = item & ((1 << SIZE_BITS) - 1),
		    .kind = item >> SIZE_BITS & ((1 << KIND_BITS) - 1),
		    .cost = item >> (SIZE_BITS + KIND_BITS) & ((1 << COST_BITS) - 1)};
		address += out[i].size;
	}
}

void
pf_packed_code_release(struct pf_packed_code *c)
{
	free(c->items);
	free(c->targets);
	*c = (struct pf_packed_code){0};
}
