/*
 * vm.h: runs compiled templates and expressions.
 *
 * A run is bounded: by steps, by the stack, by the depth of includes, and by
 * the limits of its arena and its output. It stops at the first error and says
 * in which line of which template.
 */
#ifndef FOLIO_VM_H
#define FOLIO_VM_H

#include "code.h"

#define VM_STACK 1024
#define VM_LOOPS 64

struct loop {
	struct value over;
	size_t at, count;
};

struct vm {
	struct arena *arena; /* what is computed lives here */
	struct text *out;
	struct text scratch;       /* builtins write texts here first */
	const struct map *globals; /* names that the data doesn't have; may be NULL */
	/* The code of a template by name; NULL if there is none, or after compile errors. */
	const struct code *(*include)(void *context, struct slice name);
	void *context;

	const struct code *code; /* being run */
	struct value data;
	uint64_t steps_left;
	unsigned includes;
	struct value *top;
	struct loop *loop; /* the innermost; loops - 1 when none */
	struct value stack[VM_STACK];
	struct loop loops[VM_LOOPS];
	char error[200]; /* empty: none */
};

void vm_init(struct vm *vm, struct arena *arena, struct text *out);
void vm_release(struct vm *vm);
/* Runs a template over `data`; what it prints is appended to vm->out. False fills vm->error. */
bool vm_render(struct vm *vm, const struct code *code, struct value data);
/* Runs an expression over `data`. */
bool vm_evaluate(struct vm *vm, const struct code *code, struct value data, struct value *result);

#endif
