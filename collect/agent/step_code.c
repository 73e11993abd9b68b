/*
 * step_code.c: see step_code.h. Opcodes by the manuals of the makers (AMD64 Architecture
 * Programmer's Manual, volume 3, appendix A).
 */
#include "collect/agent/step_code.h"

#include <stdbool.h>

static bool
is_prefix(uint8_t byte)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64:
	case 0x65: /* segments */
	case 0x66:
	case 0x67: /* sizes */
	case 0xf0:
	case 0xf2:
	case 0xf3: /* lock, rep */
		return true;
	default:
		return byte >> 4 == 4; /* REX */
	}
}

/* After 0x0f; `size` bytes from its second byte. */
static bool
ends_two_bytes(const uint8_t *code, size_t size)
{
	switch (code[0]) {
	case 0x01: /* system: enclaves, protection keys, the return from a user interrupt */
	case 0x05:
	case 0x07: /* syscall, sysret */
	case 0x34:
	case 0x35: /* sysenter, sysexit */
	case 0x0b:
	case 0xb9:
	case 0xff: /* undefined */
		return true;
	case 0xae: /* into a segment's base, by registers: what is a thread's own moves away */
		return size < 2 || (code[1] & 0xf0) == 0xd0;
	default:
		return false;
	}
}

static bool
ends(uint8_t byte)
{
	return byte == 0x9c || byte == 0x9d || /* pushf, popf */
	       byte == 0x8e || /* into a segment register: the next step is left out */
	       (byte >= 0xca && byte <= 0xcf) || /* far returns, breakpoints, interrupts */
	       byte == 0xf1 || byte == 0xf4 ||   /* a breakpoint, halt */
	       byte == 0xd5;                     /* a prefix that hides the opcode (APX) */
}

/* After 0xff: call, far call, far jump. */
static enum pf_step_code
group_five(uint8_t modrm)
{
	switch (modrm >> 3 & 7) {
	case 2:
		return PF_INSTRUCTION_CALLS;
	case 3:
	case 5:
		return PF_INSTRUCTION_ENDS;
	default:
		return PF_INSTRUCTION_PLAIN;
	}
}

enum pf_step_code
pf_step_code(const uint8_t *code, size_t size)
{
	size_t i = 0;

	while (i < size && is_prefix(code[i]))
		i++;
	if (i == size)
		return PF_INSTRUCTION_ENDS;
	if (code[i] == 0x0f ||
	    code[i] == 0xff) { /* no byte is read that is not the instruction's */
		if (i + 1 == size)
			return PF_INSTRUCTION_ENDS;
		if (code[i] == 0xff)
			return group_five(code[i + 1]);
		return ends_two_bytes(code + i + 1, size - i - 1) ? PF_INSTRUCTION_ENDS
								  : PF_INSTRUCTION_PLAIN;
	}
	if (code[i] == 0xe8)
		return PF_INSTRUCTION_CALLS;
	return ends(code[i]) ? PF_INSTRUCTION_ENDS : PF_INSTRUCTION_PLAIN;
}
