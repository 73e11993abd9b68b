/*
 * code.h: what a template is compiled to: a flat program for a stack machine.
 *
 * Code is read-only once compiled and owns its source. Stack use, slots and
 * jump targets are settled by the compiler, so the machine doesn't check them.
 */
#ifndef FOLIO_CODE_H
#define FOLIO_CODE_H

#include "value.h"

enum op_code {
	OP_END,
	OP_TEXT,     /* print constant `operand` as it is */
	OP_PRINT,    /* pop, print for HTML */
	OP_CONSTANT, /* push constant `operand` */
	OP_NAME,     /* push what name `operand` means in the data, then among the globals */
	OP_THIS,     /* push the data itself */
	OP_LOCAL,    /* push `slot` */
	OP_STORE,    /* pop into `slot` */
	OP_MEMBER,   /* pop a map, push its member `operand` */
	OP_INDEX,    /* pop an index, then a list or map; push the item */
	OP_CALL,     /* pop `count` arguments, push the result of builtin `operand` */
	OP_LIST,     /* pop `count` items, push their list */
	OP_LOOP,     /* push the innermost loop's property `count` (enum loop_property) */
	OP_ADD,
	OP_SUBTRACT,
	OP_MULTIPLY,
	OP_DIVIDE,
	OP_REMAINDER,
	OP_JOIN, /* both as text, one after the other */
	OP_EQUAL,
	OP_UNEQUAL,
	OP_LESS,
	OP_AT_MOST,
	OP_MORE,
	OP_AT_LEAST,
	OP_IN,
	OP_NOT,
	OP_NEGATE,
	OP_JUMP,          /* to `operand`, as all jumps */
	OP_JUMP_IF_FALSE, /* pop; jump */
	OP_AND,           /* false: keep it and jump; else pop */
	OP_OR,            /* true: keep it and jump; else pop */
	OP_EACH,          /* pop a list or map; its first item into `slot`; empty: jump */
	OP_NEXT,          /* the loop's next item, and jump back; none left: leave the loop */
	OP_INCLUDE,       /* pop the data for template name `operand`, run it */
};

enum loop_property { LOOP_INDEX, LOOP_FIRST, LOOP_LAST, LOOP_COUNT };

struct op {
	uint8_t code;
	uint8_t count;
	uint16_t slot;
	uint32_t operand;
};

struct code {
	struct arena arena; /* of all that follows */
	struct slice source;
	const struct op *ops;
	const uint16_t *lines; /* of the source, one for each op */
	const struct value *constants;
	const struct key *names;
	unsigned slots; /* locals */
	unsigned depth; /* stack entries at most */
};

struct compile_error {
	char what[120]; /* a phrase */
	unsigned line;
};

/* A template's or a bare expression's code, to be freed; NULL fills *error. */
struct code *compile_template(struct slice source, struct compile_error *error);
struct code *compile_expression(struct slice source, struct compile_error *error);
void code_free(struct code *code);

#endif
