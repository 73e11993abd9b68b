/*
 * llvm_text.c: the text form of an LLVM sample profile: one line a count, one
 * space of indentation a level of inlining.
 */
#include "convert/llvm.h"
#include "core/error.h"

static void
write_place(struct pf_buffer *out, unsigned depth, struct pf_place place)
{
	pf_buffer_fill(out, ' ', depth);
	pf_buffer_decimal(out, place.offset);
	if (place.discriminator) {
		pf_buffer_byte(out, '.');
		pf_buffer_decimal(out, place.discriminator);
	}
	pf_buffer_add(out, ": ", 2);
}

static void
write_named_count(
    struct pf_buffer *out, const struct pf_functions *f, uint32_t name, uint64_t count)
{
	pf_buffer_add(out, pf_strings_get(&f->names, name), pf_strings_size(&f->names, name));
	pf_buffer_byte(out, ':');
	pf_buffer_decimal(out, count);
}

static void
write_body(
    const struct pf_functions *f, const struct pf_body *b, unsigned depth, struct pf_buffer *out)
{
	write_place(out, depth, b->place);
	pf_buffer_decimal(out, b->count);
	for (uint32_t i = 0; i < b->target_count; i++) {
		const struct pf_call_target *t = &f->targets[b->first_target + i];
		pf_buffer_byte(out, ' ');
		write_named_count(out, f, t->name, t->count);
	}
	pf_buffer_byte(out, '\n');
}

/* Recursion is bounded by PF_INLINE_MAX_DEPTH. */
static void
write_node(const struct pf_functions *f, uint32_t node, unsigned depth, struct pf_buffer *out)
{
	const struct pf_function_node *n = &f->nodes[node];

	write_named_count(out, f, n->name, n->total);
	if (depth == 0) {
		pf_buffer_byte(out, ':');
		pf_buffer_decimal(out, n->head);
	}
	pf_buffer_byte(out, '\n');
	for (uint32_t i = 0; i < n->body_count; i++)
		write_body(f, &f->bodies[n->first_body + i], depth + 1, out);
	for (uint32_t i = 0; i < n->child_count; i++) {
		uint32_t child = f->children[n->first_child + i];
		write_place(out, depth + 1, f->nodes[child].site);
		write_node(f, child, depth + 1, out);
	}
	if (f->probes) {
		pf_buffer_fill(out, ' ', depth + 1);
		pf_buffer_string(out, "!CFGChecksum: ");
		pf_buffer_decimal(out, n->checksum);
		pf_buffer_byte(out, '\n');
	}
}

int
pf_llvm_text(const struct pf_functions *f, struct pf_buffer *out, struct pf_error *err)
{
	for (size_t i = 0; i < f->root_count; i++)
		write_node(f, f->children[i], 0, out);
	return pf_buffer_check(out, err);
}
