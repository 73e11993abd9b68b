/* folded.c: see folded.h. Each frame is named once; a line is put together from its stack's names. */
#include "convert/folded.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "profile/stacks.h"
#include "symbol/binary.h"

enum { LINE_MAXIMUM = 16 << 20 };

struct folded_line {
	const char *stack;
	uint32_t id; /* string of `lines` */
	int64_t value;
};

struct work {
	const struct pf_stacks *s;
	struct pf_binary *binary;
	const enum pf_match *matches;
	struct pf_strings labels, lines;
	uint32_t *frame_labels; /* by frame: string of labels */
	struct pf_inline_chain chain;
	struct pf_buffer text;
	uint32_t *path; /* frames of one stack */
	size_t path_capacity;
	int64_t *values; /* by string of lines */
	size_t value_capacity;
};

/* A frame of this binary: its inlined functions, outermost first, else its symbol. */
static int
label_address(struct work *w, uint64_t address, struct pf_error *err)
{
	const struct pf_symbol *symbol = pf_binary_symbol_at(w->binary, address);
	int rc = pf_binary_inline_chain(w->binary, address, &w->chain, err);

	if (rc)
		return rc;
	for (size_t i = w->chain.count; i-- > 0;) {
		const char *name = w->chain.frames[i].function;
		pf_buffer_printf(
		    &w->text, "%s%s", w->text.size ? ";" : "", name ? name : "[unknown]");
	}
	if (w->chain.count == 0)
		pf_buffer_string(&w->text, symbol ? symbol->name : "[unknown]");
	return 0;
}

static int
label_frame(struct work *w, size_t frame, struct pf_error *err)
{
	const struct pf_stack_frame *f = &w->s->frames[frame];
	uint64_t address;
	int rc = 0, size;

	pf_buffer_clear(&w->text);
	if (f->kind == PF_FRAME_LINE) {
		pf_buffer_string(&w->text, pf_strings_get(&w->s->strings, f->function));
	} else if (w->binary && pf_match_address(f, w->matches, w->binary, &address)) {
		rc = label_address(w, address, err);
	} else if (f->binary != PF_NONE) {
		const char *base = pf_file_base(
		    pf_strings_get(&w->s->strings, w->s->binaries[f->binary].filename), &size);
		pf_buffer_printf(&w->text, base[0] == '[' ? "%.*s" : "[%.*s]", size, base);
	} else {
		pf_buffer_string(&w->text, "[unknown]");
	}
	if (!rc)
		rc = pf_buffer_check(&w->text, err);
	return rc ? rc
		  : pf_strings_add(&w->labels, w->text.size ? (char *)w->text.bytes : "",
			w->text.size, &w->frame_labels[frame], err);
}

static int
add_stack(struct work *w, uint32_t node, int64_t value, struct pf_error *err)
{
	size_t depth = 0, known = w->lines.count;
	uint32_t line;
	int rc = 0;

	for (uint32_t n = node; !rc && n != 0; n = w->s->nodes[n].parent) {
		rc = PF_GROW(w->path, w->path_capacity, depth + 1, err);
		if (!rc)
			w->path[depth++] = w->s->nodes[n].frame;
	}
	pf_buffer_clear(&w->text);
	while (depth-- > 0)
		pf_buffer_printf(&w->text, "%s%s", w->text.size ? ";" : "",
		    pf_strings_get(&w->labels, w->frame_labels[w->path[depth]]));
	if (!rc)
		rc = pf_buffer_check(&w->text, err);
	if (!rc)
		rc = pf_strings_add(
		    &w->lines, w->text.size ? (char *)w->text.bytes : "", w->text.size, &line, err);
	if (!rc)
		rc = PF_GROW(w->values, w->value_capacity, w->lines.count, err);
	if (rc)
		return rc;
	if (w->lines.count > known)
		w->values[line] = 0;
	w->values[line] += value;
	return 0;
}

static int
by_stack(const void *left, const void *right)
{
	return strcmp(
	    ((const struct folded_line *)left)->stack, ((const struct folded_line *)right)->stack);
}

static int
print_lines(struct work *w, double unit, struct pf_buffer *out, struct pf_error *err)
{
	struct folded_line *lines;
	int rc = PF_CALLOC(lines, w->lines.count, err);

	if (rc)
		return rc;
	for (uint32_t i = 0; i < w->lines.count; i++)
		lines[i] = (struct folded_line){pf_strings_get(&w->lines, i), i, w->values[i]};
	qsort(lines, w->lines.count, sizeof *lines, by_stack);
	for (uint32_t i = 0; i < w->lines.count; i++) {
		int64_t count = llround((double)lines[i].value / unit);
		if (count && lines[i].stack[0])
			pf_buffer_printf(out, "%s %" PRId64 "\n", lines[i].stack, count);
	}
	free(lines);
	return pf_buffer_check(out, err);
}

int
pf_folded(struct pf_buffer *out, const struct pf_stacks *s, size_t type, double unit,
    struct pf_binary *binary, const enum pf_match *matches, struct pf_error *err)
{
	struct work w = {.s = s, .binary = binary, .matches = matches};
	int rc = pf_strings_init(&w.labels, err);

	w.chain.without_files = true;
	pf_buffer_init(&w.text, LINE_MAXIMUM);
	if (!rc)
		rc = pf_strings_init(&w.lines, err);
	if (!rc)
		rc = PF_GROW(w.values, w.value_capacity, 1, err);
	if (!rc) {
		w.values[0] = 0; /* the empty stack */
		rc = PF_CALLOC(w.frame_labels, s->frame_count, err);
	}
	for (size_t i = 0; !rc && i < s->frame_count; i++)
		rc = label_frame(&w, i, err);
	for (uint32_t i = 1; !rc && i < s->node_count; i++) {
		int64_t value = s->values[i * s->type_count + type];
		if (value)
			rc = add_stack(&w, i, value, err);
	}
	if (!rc)
		rc = print_lines(&w, unit, out, err);
	pf_strings_release(&w.labels);
	pf_strings_release(&w.lines);
	pf_inline_chain_release(&w.chain);
	pf_buffer_release(&w.text);
	free(w.frame_labels);
	free(w.path);
	free(w.values);
	return rc;
}
