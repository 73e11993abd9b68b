/*
 * code_shapes.h: what was learned about instructions of one shape.
 *
 * An instruction's shape is its bytes up to where displacement and immediate
 * begin: prefixes, opcode, ModRM, SIB. Kind, cost and length depend on it alone,
 * and a program has a few thousand shapes, so capstone (which also writes each
 * instruction out as text) is asked once a shape, and not once an instruction.
 * Shapes of which that may not be true are never learned: immediates that
 * select the operation, relocations of odd sizes, rare encodings.
 */
#ifndef PF_SYMBOL_CODE_SHAPES_H
#define PF_SYMBOL_CODE_SHAPES_H

#include "symbol/code_private.h"

struct pf_shape {
	uint64_t key; /* the shape's bytes, their number in the top byte; 0: free */
	uint8_t size; /* of the whole instruction */
	uint8_t kind, cost;
	uint8_t relative; /* bytes of the distance to the target, at the end; 0: no target */
	uint8_t constant; /* enum pf_shape_constant */
	uint16_t reg;     /* that the constant is put into */
};

enum pf_shape_constant {
	PF_SHAPE_NO_CONSTANT,
	PF_SHAPE_RIP,          /* address of the next instruction plus the displacement */
	PF_SHAPE_DISPLACEMENT, /* the displacement of an index without base */
	PF_SHAPE_IMMEDIATE,    /* four bytes at the end; only small ones can be told from them */
};

enum { PF_SHAPES = 1 << 13 }; /* in a table where the last one learned has a place */

/*
 * Fills in the instruction at these bytes, and what it computes, if its shape
 * is known; false: ask capstone. `found` says whether there is a constant.
 */
bool pf_shape_apply(const struct pf_shape *shapes, const uint8_t *bytes, size_t size,
    struct pf_instruction *out, struct pf_constant *constant, bool *found);

/* Learns from what capstone said of the instruction at these bytes, unless that is more than its shape says. */
void pf_shape_learn(struct pf_shape *shapes, const uint8_t *bytes, size_t size,
    const struct pf_instruction *in, const struct pf_constant *constant, bool found);

#endif
