/*
 * code_length.c: how long an x86-64 instruction is, by its encoding alone.
 *
 * Only for the opcode maps that grow (0F, 0F 38, 0F 3A, VEX, EVEX): there the
 * length follows from the map and the opcode without knowing the instruction.
 * The one-byte map is closed and capstone knows all of it. Source: Intel SDM,
 * volume 2, chapter 2 and appendix A.
 */
#include "symbol/code_private.h"

#include "symbol/dwarf_cursor.h"

enum map { MAP_0F = 1, MAP_0F38, MAP_0F3A, MAP_5 = 5, MAP_6 };

/* In the map 0F: no ModRM byte follows. */
bool
pf_lacks_modrm(uint8_t op)
{
	return (op >= 0x05 && op <= 0x0b) || op == 0x0e || (op >= 0x30 && op <= 0x37) ||
	       op == 0x77 || (op >= 0xa0 && op <= 0xa2) || (op >= 0xa8 && op <= 0xaa) ||
	       (op >= 0xc8 && op <= 0xcf);
}

/* In the map 0F: a byte of immediate follows. */
static bool
has_immediate(uint8_t op)
{
	return (op >= 0x70 && op <= 0x73) || op == 0xa4 || op == 0xac || op == 0xba || op == 0xc2 ||
	       (op >= 0xc4 && op <= 0xc6);
}

bool
pf_is_prefix(uint8_t byte)
{
	return byte == 0x66 || byte == 0x67 || byte == 0x2e || byte == 0x36 || byte == 0x3e ||
	       byte == 0x26 || byte == 0x64 || byte == 0x65 || byte == 0xf0 || byte == 0xf2 ||
	       byte == 0xf3;
}

/* Steps over ModRM, SIB and displacement; whether they name memory. */
static bool
skip_modrm(struct pf_cursor *c)
{
	uint8_t modrm = pf_dwarf_u8(c), mod = modrm >> 6, base = modrm & 7;

	if (mod == 3)
		return false;
	if (base == 4)
		base = (pf_dwarf_u8(c) & 7) == 5 ? 5 : 4;
	else if (base == 5 && mod == 0)
		base = 5;
	if (mod == 1)
		pf_cursor_skip(c, 1);
	else if (mod == 2 || base == 5)
		pf_cursor_skip(c, 4);
	return true;
}

/* Steps over the escape to a map, up to the opcode; 0 if it is none of ours. */
static unsigned
read_map(struct pf_cursor *c)
{
	uint8_t byte = pf_dwarf_u8(c);
	unsigned map;

	while (pf_is_prefix(byte))
		byte = pf_dwarf_u8(c);
	if ((byte & 0xf0) == 0x40)
		byte = pf_dwarf_u8(c);
	switch (byte) {
	case 0x0f:
		if (pf_cursor_left(c) == 0 || (*c->at != 0x38 && *c->at != 0x3a))
			return MAP_0F;
		return pf_dwarf_u8(c) == 0x38 ? MAP_0F38 : MAP_0F3A;
	case 0xc5:
		pf_cursor_skip(c, 1);
		return MAP_0F;
	case 0xc4:
		map = pf_dwarf_u8(c) & 0x1f;
		pf_cursor_skip(c, 1);
		return map <= MAP_0F3A ? map : 0;
	case 0x62:
		map = pf_dwarf_u8(c) & 7;
		pf_cursor_skip(c, 2);
		return map <= MAP_6 && map != 4 ? map : 0;
	default:
		return 0;
	}
}

size_t
pf_instruction_length(const uint8_t *bytes, size_t size, bool *stops, bool *reads)
{
	struct pf_cursor c;
	unsigned map;
	uint8_t op;

	*stops = *reads = false;
	pf_cursor_init(&c, "instruction", bytes, size < 15 ? size : 15);
	map = read_map(&c);
	op = pf_dwarf_u8(&c);
	if (map == 0 || (map == MAP_0F && op >= 0x80 && op <= 0x8f))
		return 0;
	if (map != MAP_0F || !pf_lacks_modrm(op))
		*reads = skip_modrm(&c);
	if (map == MAP_0F3A || (map == MAP_0F && has_immediate(op)))
		pf_cursor_skip(&c, 1);
	*stops = map == MAP_0F && (op == 0xb9 || op == 0xff);
	return c.failure ? 0 : pf_cursor_offset(&c);
}
