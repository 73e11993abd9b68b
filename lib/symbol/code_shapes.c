/* code_shapes.c: see code_shapes.h. Source of the encoding: Intel SDM, volume 2, chapter 2 and appendix A. */
#include "symbol/code_shapes.h"

#include <string.h>

enum { KEY_MAX = 7, REX_W = 8 };

/* Where the parts of an instruction are. */
struct parts {
	size_t opcode; /* of the one-byte map; SIZE_MAX: it is of another one */
	size_t length; /* of the shape */
	bool wide;     /* has REX.W */
};

/* In the one-byte map: a ModRM byte follows. */
static bool
has_modrm(uint8_t op)
{
	if (op < 0x40)
		return (op & 7) < 4;
	return op == 0x63 || op == 0x69 || op == 0x6b || (op >= 0x80 && op <= 0x8e) || op == 0xc0 ||
	       op == 0xc1 || op == 0xc6 || op == 0xc7 || (op >= 0xd0 && op <= 0xd3) ||
	       (op >= 0xd8 && op <= 0xdf) || op == 0xf6 || op == 0xf7 || op >= 0xfe;
}

/* Steps over the opcode at bytes[*at] and its escapes; false: not a shape to learn. */
static bool
read_opcode(const uint8_t *bytes, size_t size, size_t *at, struct parts *p, bool *modrm)
{
	uint8_t b[4] = {0};

	memcpy(b, bytes + *at, size - *at < sizeof b ? size - *at : sizeof b);
	p->opcode = SIZE_MAX;
	switch (b[0]) {
	case 0x0f:
		*modrm = b[1] == 0x38 || !pf_lacks_modrm(b[1]);
		*at += b[1] == 0x38 ? 3 : 2;
		return b[1] != 0x3a && b[1] != 0x0f && b[1] != 0xc2;
	case 0xc5:
		*modrm = b[2] != 0x77;
		*at += 3;
		return b[2] != 0xc2;
	case 0xc4:
		*modrm = b[3] != 0x77;
		*at += 4;
		return ((b[1] & 0x1f) == 1 && b[3] != 0xc2) || (b[1] & 0x1f) == 2;
	case 0x62:
	case 0x8f: /* also XOP */
	case 0xcd:
		return false;
	default:
		p->opcode = *at;
		*modrm = has_modrm(b[0]);
		++*at;
		return true;
	}
}

/* The key of the shape at these bytes; 0: none that is learned. */
static uint64_t
read_shape(const uint8_t *bytes, size_t size, struct parts *p)
{
	size_t at = 0;
	uint64_t key = 0;
	bool modrm = false;

	while (at < size && pf_is_prefix(bytes[at]))
		at++;
	p->wide = at < size && (bytes[at] & 0xf0) == 0x40 && bytes[at] & REX_W;
	at += at < size && (bytes[at] & 0xf0) == 0x40;
	if (!read_opcode(bytes, size, &at, p, &modrm))
		return 0;
	if (modrm && at < size && bytes[at] < 0xc0 && (bytes[at] & 7) == 4)
		at++;
	at += modrm;
	if (at > size || at > KEY_MAX)
		return 0;
	for (size_t i = 0; i < at; i++)
		key |= (uint64_t)bytes[i] << 8 * i;
	p->length = at;
	return key | (uint64_t)at << 56;
}

static size_t
slot_of(uint64_t key)
{
	return (size_t)((key * 0x9e3779b97f4a7c15ULL) >> 32) & (PF_SHAPES - 1);
}

/* The signed number in four bytes, as 64 bits. */
static uint64_t
word_at(const uint8_t *bytes)
{
	int32_t word;

	memcpy(&word, bytes, sizeof word);
	return (uint64_t)(int64_t)word;
}

/* The number that a constant is made of: displacement or distance. */
static uint64_t
constant_value(const struct pf_shape *s, const uint8_t *bytes, size_t length, uint64_t address)
{
	return word_at(bytes + length) + (s->constant == PF_SHAPE_RIP ? address + s->size : 0);
}

static uint64_t
target_of(const struct pf_shape *s, const uint8_t *bytes, uint64_t address)
{
	const uint8_t *end = bytes + s->size;

	if (s->relative == 1)
		return address + s->size + (uint64_t)(int64_t)(int8_t)end[-1];
	return address + s->size + word_at(end - 4);
}

bool
pf_shape_apply(const struct pf_shape *shapes, const uint8_t *bytes, size_t size,
    struct pf_instruction *out, struct pf_constant *constant, bool *found)
{
	struct parts p;
	uint64_t key = read_shape(bytes, size, &p);
	const struct pf_shape *s = &shapes[slot_of(key)];

	if (!key || s->key != key || s->size > size)
		return false;
	if (s->constant == PF_SHAPE_IMMEDIATE && word_at(bytes + s->size - 4) > PF_SMALL_IMMEDIATE)
		return false;
	out->size = s->size;
	out->kind = s->kind;
	out->cost = s->cost;
	out->target = s->relative ? target_of(s, bytes, out->address) : 0;
	*found = s->constant == PF_SHAPE_RIP || s->constant == PF_SHAPE_DISPLACEMENT;
	if (*found)
		*constant =
		    (struct pf_constant){.value = constant_value(s, bytes, p.length, out->address),
			.reg = (x86_reg)s->reg};
	return true;
}

/* What kind of constant this is; false: one that the shape does not explain. */
static bool
learn_constant(struct pf_shape *s, const uint8_t *bytes, const struct parts *p,
    const struct pf_instruction *in, const struct pf_constant *constant, bool found)
{
	uint8_t op = p->opcode == SIZE_MAX ? 0 : bytes[p->opcode];

	if ((op & 0xf8) == 0xb8 || op == 0xc7) {
		s->constant = PF_SHAPE_IMMEDIATE;
		return !(p->wide && op != 0xc7) && in->size >= p->length + 4;
	}
	if (!found)
		return true;
	s->reg = (uint16_t)constant->reg;
	if (in->size < p->length + 4)
		return false;
	s->constant = PF_SHAPE_RIP;
	if (constant_value(s, bytes, p->length, in->address) == constant->value)
		return true;
	s->constant = PF_SHAPE_DISPLACEMENT;
	return constant_value(s, bytes, p->length, in->address) == constant->value;
}

static bool
learn_target(struct pf_shape *s, const uint8_t *bytes, const struct pf_instruction *in)
{
	bool direct =
	    in->kind == PF_CODE_BRANCH || in->kind == PF_CODE_JUMP || in->kind == PF_CODE_CALL;

	if (!direct)
		return true;
	for (s->relative = 4; s->relative; s->relative = s->relative == 4 ? 1 : 0) {
		if (in->size > s->relative && target_of(s, bytes, in->address) == in->target)
			return true;
	}
	return false;
}

void
pf_shape_learn(struct pf_shape *shapes, const uint8_t *bytes, size_t size,
    const struct pf_instruction *in, const struct pf_constant *constant, bool found)
{
	struct parts p;
	struct pf_shape s = {.key = read_shape(bytes, size, &p),
	    .size = in->size,
	    .kind = in->kind,
	    .cost = in->cost};

	if (s.key && learn_target(&s, bytes, in) &&
	    learn_constant(&s, bytes, &p, in, constant, found))
		shapes[slot_of(s.key)] = s;
}
