/* guess.c: see guess.h. */
#include "collect/agent/guess.h"

#include <string.h>

#include "collect/agent/host.h"

enum {
	MOST_WORDS = 2048,       /* of the stack, looked through */
	MOST_DISTANCE = 8 << 20, /* from one frame to the next */
	CALL_BYTES = 7,
};

enum match { NO_CALL, SOME_CALL, THIS_CALL };

/* Whether the bytes before a return address are a call, and of the function at `start`. */
static enum match
match_call(uint64_t ra, uint64_t start)
{
	uint8_t code[CALL_BYTES];
	int32_t distance;

	if (!pf_host_read_all(code, ra - CALL_BYTES, sizeof code))
		return NO_CALL;
	if (code[2] == 0xe8) { /* call rel32 */
		memcpy(&distance, code + 3, sizeof distance);
		if (start && ra + (uint64_t)(int64_t)distance == start)
			return THIS_CALL;
		return SOME_CALL; /* by way of a jump of the linker's, perhaps */
	}
	/* call r/m64: opcode ff /2, with 0, 1 or 4 bytes of displacement, with and without a SIB byte */
	for (int size = 2; size <= CALL_BYTES; size++) {
		const uint8_t *at = code + CALL_BYTES - size;
		if (at[0] == 0xff && (at[1] >> 3 & 7) == 2)
			return SOME_CALL;
	}
	return NO_CALL;
}

static bool
word(const struct pf_frame *frame, uint64_t address, uint64_t *value)
{
	return frame->memory.read(&frame->memory, address, value);
}

bool
pf_guess_frame_pointer(struct pf_frame *frame, struct pf_modules *modules, uint64_t pc, int64_t now)
{
	uint64_t at = (frame->registers[PF_REG_SP] + 7) & ~UINT64_C(7), found = 0, saved, ra,
		 start = 0;
	uint32_t mapping = pf_modules_find(modules, pc, now);
	const struct pf_cfi *cfi =
	    mapping == PF_NO_MAPPING ? NULL : pf_modules_cfi(modules, mapping);

	if (cfi)
		start = pf_cfi_start(cfi, pc);
	for (int i = 0; i < MOST_WORDS; i++, at += 8) {
		enum match match;
		if (!word(frame, at, &saved) || !word(frame, at + 8, &ra))
			break;
		if ((saved != 0 && (saved <= at || saved - at > MOST_DISTANCE || saved % 8)) ||
		    ra < 4096 || pf_modules_find(modules, ra, now) == PF_NO_MAPPING)
			continue;
		match = match_call(ra, start);
		if (match == NO_CALL || (match == SOME_CALL && found))
			continue;
		found = at;
		if (match == THIS_CALL)
			break;
	}
	if (!found)
		return false;
	frame->registers[PF_REG_FP] = found;
	frame->valid |= 1u << PF_REG_FP;
	return true;
}
