/* stacks.c: see stacks.h. */
#include "collect/agent/stacks.h"

#include <stdlib.h>
#include <string.h>

#include "collect/agent/guess.h"
#include "collect/agent/last_call.h"
#include "collect/agent/unwind.h"
#include "core/memory.h"

enum { MOST_LOCATIONS = 1 << 18, OWN_FRAMES = 8 };

void
pf_stacks_init(struct pf_stacks *s, struct pf_modules *modules, size_t most_frames)
{
	*s = (struct pf_stacks){.modules = modules, .most_frames = most_frames};
}

void
pf_stacks_release(struct pf_stacks *s)
{
	free(s->locations);
	free(s->frames);
	free(s->items);
	free(s->last_calls);
	pf_index_release(&s->location_index);
	pf_index_release(&s->index);
	*s = (struct pf_stacks){0};
}

/* The number of an address, or PF_NONE without room. */
static uint32_t
locate(struct pf_stacks *s, uint64_t pc, int64_t now)
{
	uint32_t mapping = pf_modules_find(s->modules, pc, now), hash = pf_hash_pair(pc, mapping),
		 i;
	const struct pf_cfi *cfi;
	size_t at;

	for (i = pf_index_first(&s->location_index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&s->location_index, hash, &at))
		if (s->locations[i].pc == pc && s->locations[i].mapping == mapping)
			return i;
	if (s->location_count >= MOST_LOCATIONS ||
	    PF_GROW(s->locations, s->location_capacity, s->location_count + 1, NULL) ||
	    pf_index_add(&s->location_index, hash, (uint32_t)s->location_count, NULL))
		return PF_NONE;
	cfi = mapping == PF_NO_MAPPING ? NULL : pf_modules_cfi(s->modules, mapping);
	s->locations[s->location_count] =
	    (struct pf_location){.pc = pc, .mapping = mapping, .step = pf_step_find(cfi, pc)};
	return (uint32_t)s->location_count++;
}

/* The number of a list of locations, or PF_NONE without room. */
static uint32_t
intern(struct pf_stacks *s, const uint32_t *frames, uint32_t count)
{
	uint32_t hash = pf_hash_bytes(frames, count * sizeof *frames), i;
	size_t at;

	for (i = pf_index_first(&s->index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&s->index, hash, &at))
		if (s->items[i].count == count &&
		    !memcmp(s->frames + s->items[i].first, frames, count * sizeof *frames))
			return i;
	if (s->frame_count + count > s->most_frames ||
	    PF_GROW(s->frames, s->frame_capacity, s->frame_count + count, NULL) ||
	    PF_GROW(s->items, s->capacity, s->count + 1, NULL) ||
	    pf_index_add(&s->index, hash, (uint32_t)s->count, NULL))
		return PF_NONE;
	s->items[s->count] = (struct pf_stack){.first = s->frame_count, .count = count};
	memcpy(s->frames + s->frame_count, frames, count * sizeof *frames);
	s->frame_count += count;
	return (uint32_t)s->count++;
}

uint32_t
pf_stacks_pair(struct pf_stacks *s, uint64_t pc, uint64_t caller, int64_t now)
{
	uint32_t frames[2], count = caller ? 2 : 1;

	frames[0] = locate(s, pc, now);
	frames[1] = caller ? locate(s, caller, now) : 0;
	if (frames[0] == PF_NONE || frames[1] == PF_NONE)
		return PF_NONE;
	return intern(s, frames, count);
}

static bool
needs_frame_pointer(const struct pf_step *step)
{
	return step->kind == PF_STEP_NONE ||
	       (step->kind == PF_STEP_SIMPLE && step->reg == PF_REG_FP);
}

/* What has jumped to what returns to this frame belongs between the two. */
static bool
add_last_call(struct pf_stacks *s, const struct pf_frame *frame, const struct pf_called *what,
    int64_t now, uint32_t *frames, uint32_t *count)
{
	struct pf_last_call call;

	pf_last_call(&s->last_calls, s->modules, frame, what, now, &call);
	for (uint32_t i = 0; i < call.count; i++) {
		uint32_t number = locate(s, call.functions[i], now);

		if (number != PF_NONE)
			frames[(*count)++] = number;
	}
	return call.known;
}

/* Where the function begins that holds an address; 0: not known. */
static uint64_t
start_of(struct pf_stacks *s, uint32_t location)
{
	const struct pf_location *l = &s->locations[location];
	const struct pf_cfi *cfi =
	    l->mapping == PF_NO_MAPPING ? NULL : pf_modules_cfi(s->modules, l->mapping);

	return cfi ? pf_cfi_start(cfi, l->pc) : 0;
}

struct pf_taken
pf_stacks_take(struct pf_stacks *s, const struct pf_slot *slot, int64_t now)
{
	struct pf_taken taken = {.stack = PF_NONE, .end = PF_STACK_DEEP};
	uint32_t frames[PF_MOST_FRAMES], count = 0;
	bool exact = true; /* the leaf's address, and one that a signal interrupted */
	bool unsure = false;
	struct pf_frame frame;

	pf_frame_init(&frame, slot);
	while (count < PF_MOST_FRAMES) {
		uint64_t pc = frame.registers[PF_REG_PC] - !exact;
		uint32_t number = locate(s, pc, now);
		const struct pf_cfi *cfi = NULL;
		struct pf_step step;
		bool unknown, entry = false;

		if (slot->caller && frame.registers[PF_REG_PC] == slot->caller &&
		    count < OWN_FRAMES) {
			count = 0; /* what lies below is the agent's own */
			entry = true;
		}
		if (number == PF_NONE)
			return taken;
		step = s->locations[number].step;
		unknown = s->locations[number].mapping == PF_NO_MAPPING;
		if (slot->last_call == PF_OWN_CALLED_LAST && (entry || count == 1))
			add_last_call(s, &frame,
			    &(struct pf_called){(uintptr_t)pf_stacks_take, true,
				entry ? 0 : start_of(s, frames[0])},
			    now, frames, &count);
		/* Beyond the leaf, an address in no code is a wrong turn of a frame pointer. */
		if (count == 0 || !unknown)
			frames[count++] = number;
		if (unknown) {
			taken.end = count > 1 && frame.registers[PF_REG_PC] == 0 ? PF_STACK_WHOLE
										 : PF_STACK_CUT;
			break;
		}
		if (step.kind == PF_STEP_END) {
			taken.end = PF_STACK_WHOLE;
			break;
		}
		if (!(frame.valid >> PF_REG_FP & 1) && needs_frame_pointer(&step))
			pf_guess_frame_pointer(&frame, s->modules, pc, now);
		if (step.kind == PF_STEP_FULL)
			cfi = pf_modules_cfi(s->modules, s->locations[number].mapping);
		if (!pf_frame_up(&frame, &step, cfi, pc)) {
			taken.end = PF_STACK_CUT;
			break;
		}
		taken.by_frame_pointer |= step.kind == PF_STEP_NONE;
		exact = step.signal_frame;
		if (entry && slot->last_call == PF_CALLED_LAST)
			unsure = !add_last_call(s, &frame,
			    &(struct pf_called){.entry = start_of(s, number)}, now, frames, &count);
	}
	taken.stack = intern(s, frames, count);
	if (unsure && taken.stack != PF_NONE)
		s->items[taken.stack].unsure = true;
	return taken;
}
