/*
 * compiler.h: what the two halves of the compiler share: expressions
 * (compile_expression.c) and templates (compile_template.c).
 *
 * Every compile_ function returns false after the first failure, which is kept;
 * what was emitted until then is thrown away with the code.
 */
#ifndef FOLIO_COMPILER_H
#define FOLIO_COMPILER_H

#include "code.h"
#include "lexer.h"

#define MOST_SLOTS 64
#define MOST_NESTING 48

struct compiler {
	struct code *code;
	struct compile_error *error;
	struct lexer lexer;
	struct op *ops;
	uint16_t *lines;
	uint32_t op_count, op_capacity;
	struct value *constants;
	uint32_t constant_count, constant_capacity;
	struct key *names;
	uint32_t name_count, name_capacity;
	struct slice slots[MOST_SLOTS]; /* names of locals in scope */
	unsigned slot_count;
	unsigned depth, nesting, loops;
	bool failed;
};

bool compiler_init(struct compiler *c, struct slice source, struct compile_error *error);
/* Hands over the finished code, or frees it and returns NULL after a failure. */
struct code *compiler_finish(struct compiler *c);

bool compile_fail(struct compiler *c, const char *what, struct slice where);
/* `effect` is what the op adds to the stack; the op's position, or 0 after a failure. */
uint32_t emit(struct compiler *c, struct op op, int effect);
/* A jump's target becomes the next op. */
void land(struct compiler *c, uint32_t jump);
bool add_constant(struct compiler *c, struct value value, uint32_t *index);
bool add_name(struct compiler *c, struct slice name, uint32_t *index);
bool add_slot(struct compiler *c, struct slice name, uint16_t *slot);

/* One expression from the look-ahead token on; leaves one value. */
bool compile_value(struct compiler *c);

#endif
