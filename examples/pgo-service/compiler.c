/* compiler.c: emitting code; see compiler.h. Arrays grow in the code's own arena. */
#include "compiler.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST_OPS 16384
#define CODE_LIMIT ((size_t)4 << 20)

bool
compile_fail(struct compiler *c, const char *what, struct slice where)
{
	int size = where.size > 40 ? 40 : (int)where.size;

	if (!c->failed) {
		c->failed = true;
		c->error->line = c->lexer.line;
		if (size)
			snprintf(c->error->what, sizeof c->error->what, "%s at \"%.*s\"", what,
			    size, where.at);
		else
			snprintf(c->error->what, sizeof c->error->what, "%s", what);
	}
	return false;
}

bool
compiler_init(struct compiler *c, struct slice source, struct compile_error *error)
{
	*c = (struct compiler){.error = error};
	*error = (struct compile_error){0};
	c->code = calloc(1, sizeof *c->code);
	if (!c->code)
		return compile_fail(c, "no memory is left", (struct slice){0});
	arena_init(&c->code->arena, CODE_LIMIT);
	c->code->source.size = source.size;
	c->code->source.at = arena_copy(&c->code->arena, source.at, source.size);
	if (!c->code->source.at)
		return compile_fail(c, "the template is too large", (struct slice){0});
	return true;
}

struct code *
compiler_finish(struct compiler *c)
{
	struct code *code = c->code;

	if (!c->failed)
		emit(c, (struct op){.code = OP_END}, 0);
	if (c->failed) {
		code_free(code);
		return NULL;
	}
	code->ops = c->ops;
	code->lines = c->lines;
	code->constants = c->constants;
	code->names = c->names;
	return code;
}

void
code_free(struct code *code)
{
	if (!code)
		return;
	arena_release(&code->arena);
	free(code);
}

/* Makes room for one more of `count` items of `size` bytes each. */
static bool
grow(struct compiler *c, void **items, uint32_t count, uint32_t *capacity, size_t size)
{
	uint32_t wanted = *capacity ? *capacity * 2 : 32;
	void *grown;

	if (c->failed)
		return false;
	if (count < *capacity)
		return true;
	grown = wanted > MOST_OPS ? NULL : arena_array(&c->code->arena, wanted, size);
	if (!grown)
		return compile_fail(c, "the template is too large", (struct slice){0});
	if (count)
		memcpy(grown, *items, count * size);
	*items = grown;
	*capacity = wanted;
	return true;
}

uint32_t
emit(struct compiler *c, struct op op, int effect)
{
	uint32_t capacity = c->op_capacity;
	void *ops = c->ops, *lines = c->lines;

	if (!grow(c, &ops, c->op_count, &capacity, sizeof *c->ops) ||
	    !grow(c, &lines, c->op_count, &c->op_capacity, sizeof *c->lines))
		return 0;
	c->ops = ops;
	c->lines = lines;
	c->ops[c->op_count] = op;
	c->lines[c->op_count] = (uint16_t)(c->lexer.line > UINT16_MAX ? UINT16_MAX : c->lexer.line);
	c->depth = (unsigned)((int)c->depth + effect);
	if (c->depth > c->code->depth)
		c->code->depth = c->depth;
	return c->op_count++;
}

void
land(struct compiler *c, uint32_t jump)
{
	if (!c->failed)
		c->ops[jump].operand = c->op_count;
}

bool
add_constant(struct compiler *c, struct value value, uint32_t *index)
{
	void *constants = c->constants;

	if (!grow(c, &constants, c->constant_count, &c->constant_capacity, sizeof *c->constants))
		return false;
	c->constants = constants;
	*index = c->constant_count++;
	c->constants[*index] = value;
	return true;
}

bool
add_name(struct compiler *c, struct slice name, uint32_t *index)
{
	void *names = c->names;

	for (*index = 0; *index < c->name_count; ++*index) {
		if (slice_is(name, c->names[*index].name, c->names[*index].size))
			return true;
	}
	if (!grow(c, &names, c->name_count, &c->name_capacity, sizeof *c->names))
		return false;
	c->names = names;
	c->names[c->name_count++] = key_of(name);
	return true;
}

bool
add_slot(struct compiler *c, struct slice name, uint16_t *slot)
{
	if (c->slot_count == MOST_SLOTS)
		return compile_fail(c, "too many local names", name);
	*slot = (uint16_t)c->slot_count;
	c->slots[c->slot_count++] = name;
	if (c->slot_count > c->code->slots)
		c->code->slots = c->slot_count;
	return true;
}
