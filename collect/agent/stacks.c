/* stacks.c: see stacks.h. */
#include "collect/agent/stacks.h"

#include <stdlib.h>
#include <string.h>

#include "collect/agent/guess.h"
#include "collect/agent/host.h"
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

/* A jump by way of the offset table, as calls into other libraries go: of .plt and .plt.sec. */
static bool
is_linkage(uint64_t pc)
{
	static const uint8_t landing[] = {0xf3, 0x0f, 0x1e, 0xfa}; /* endbr64 */
	uint8_t code[7], *at = code;

	if (!pf_host_read_all(code, pc, sizeof code))
		return true;
	if (!memcmp(code, landing, sizeof landing))
		at += sizeof landing;
	at += *at == 0xf2;
	return at[0] == 0xff && at[1] == 0x25;
}

/*
 * The function that was called before this return address, if that is another one than has returned
 * there by now: one whose last call was made by a jump, as compilers do, and which left no frame. 0: none, or a
 * call by a register, which doesn't tell.
 */
static uint64_t
jumped_from(struct pf_stacks *s, uint64_t back, int64_t now)
{
	uint32_t mapping = pf_modules_find(s->modules, back - 1, now);
	const struct pf_cfi *cfi =
	    mapping == PF_NO_MAPPING ? NULL : pf_modules_cfi(s->modules, mapping);
	uint64_t target;
	uint8_t code[5];
	int32_t distance;

	if (!cfi || !pf_host_read_all(code, back - sizeof code, sizeof code) || code[0] != 0xe8)
		return 0;
	memcpy(&distance, code + 1, sizeof distance);
	target = back + (uint64_t)(int64_t)distance;
	return pf_cfi_start(cfi, target) == target && !is_linkage(target) ? target : 0;
}

static bool
needs_frame_pointer(const struct pf_step *step)
{
	return step->kind == PF_STEP_NONE ||
	       (step->kind == PF_STEP_SIMPLE && step->reg == PF_REG_FP);
}

static void
add_jumped(struct pf_stacks *s, uint64_t back, int64_t now, uint32_t *frames, uint32_t *count)
{
	uint64_t function = jumped_from(s, back, now);
	uint32_t number = function ? locate(s, function, now) : PF_NONE;

	if (number != PF_NONE)
		frames[(*count)++] = number;
}

struct pf_taken
pf_stacks_take(struct pf_stacks *s, const struct pf_slot *slot, int64_t now)
{
	struct pf_taken taken = {.stack = PF_NONE, .end = PF_STACK_DEEP};
	uint32_t frames[PF_MOST_FRAMES], count = 0;
	bool exact = true; /* the leaf's address, and one that a signal interrupted */
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
		if (entry && slot->last_call)
			add_jumped(s, frame.registers[PF_REG_PC], now, frames, &count);
	}
	taken.stack = intern(s, frames, count);
	return taken;
}
