/* gcc_profile.c: see gcc_profile.h. */
#include "convert/gcc_profile.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

enum {
	MAGIC = 0x67636461, /* "gcda" */
	VERSION = 2,        /* AUTO_PROFILE_VERSION of GCC 12 to 15 */
	INDIRECT_CALL = 1,  /* a target's kind: read, and not looked at */
};

static const uint32_t TAG_NAMES = 0xaa000000, TAG_FUNCTIONS = 0xac000000, TAG_MODULES = 0xae000000;

static int
add_targets(struct pf_functions *lines, uint32_t line, const struct pf_functions *f,
    const struct pf_body *b, struct pf_error *err)
{
	for (uint32_t i = 0; i < b->target_count; i++) {
		const struct pf_call_target *t = &f->targets[b->first_target + i];
		uint32_t target;
		int rc = pf_functions_target(
		    lines, line, pf_strings_get(&f->names, t->name), &target, err);

		if (rc)
			return rc;
		lines->targets[target].count =
		    pf_add_saturating(lines->targets[target].count, t->count);
	}
	return 0;
}

/* The node's bodies are sorted by place: those of one line are neighbours. */
static int
add_bodies(struct pf_functions *lines, uint32_t to, const struct pf_functions *f,
    const struct pf_function_node *n, struct pf_error *err)
{
	const struct pf_body *b = &f->bodies[n->first_body], *end = b + n->body_count;

	while (b < end) {
		uint32_t offset = b->place.offset, line;
		uint64_t most = 0;
		int rc = pf_functions_body(lines, to, (struct pf_place){offset, 0}, &line, err);

		for (; !rc && b < end && b->place.offset == offset; b++) {
			most = b->count > most ? b->count : most;
			rc = add_targets(lines, line, f, b, err);
		}
		if (rc)
			return rc;
		lines->bodies[line].count = pf_add_saturating(lines->bodies[line].count, most);
	}
	return 0;
}

int
pf_functions_by_line(struct pf_functions *lines, const struct pf_functions *f, struct pf_error *err)
{
	uint32_t *to = NULL; /* by node of f: node of lines; parents come first */
	int rc = pf_functions_init(lines, err);

	if (!rc)
		rc = PF_CALLOC(to, f->node_count, err);
	for (size_t i = 0; !rc && i < f->node_count; i++) {
		const struct pf_function_node *n = &f->nodes[i];
		uint32_t parent = n->parent == PF_NONE ? PF_NONE : to[n->parent];

		rc = pf_functions_child(lines, parent, (struct pf_place){n->site.offset, 0},
		    pf_strings_get(&f->names, n->name), &to[i], err);
		if (!rc)
			rc = add_bodies(lines, to[i], f, n, err);
		if (!rc)
			lines->nodes[to[i]].head =
			    pf_add_saturating(lines->nodes[to[i]].head, n->head);
	}
	free(to);
	return rc ? rc : pf_functions_seal(lines, err);
}

static void
put_word(struct pf_buffer *out, uint32_t word)
{
	uint8_t bytes[4] = {
	    (uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16), (uint8_t)(word >> 24)};

	pf_buffer_add(out, bytes, sizeof bytes);
}

/* GCC's counters are signed. */
static void
put_counter(struct pf_buffer *out, uint64_t count)
{
	count = count > INT64_MAX ? INT64_MAX : count;
	put_word(out, (uint32_t)count);
	put_word(out, (uint32_t)(count >> 32));
}

static void
put_names(struct pf_buffer *out, const struct pf_strings *names)
{
	put_word(out, TAG_NAMES);
	put_word(out, 0); /* a section's length is skipped */
	put_word(out, (uint32_t)names->count);
	for (uint32_t i = 0; i < names->count; i++) {
		put_word(out, (uint32_t)pf_strings_size(names, i) + 1);
		pf_buffer_add(out, pf_strings_get(names, i), pf_strings_size(names, i) + 1);
	}
}

/* Recursion is bounded by PF_INLINE_MAX_DEPTH. */
static void
put_function(struct pf_buffer *out, const struct pf_functions *f, uint32_t node)
{
	const struct pf_function_node *n = &f->nodes[node];

	put_word(out, n->name);
	put_word(out, n->body_count);
	put_word(out, n->child_count);
	for (uint32_t i = 0; i < n->body_count; i++) {
		const struct pf_body *b = &f->bodies[n->first_body + i];

		put_word(out, (uint32_t)b->place.offset << 16);
		put_word(out, b->target_count);
		put_counter(out, b->count);
		for (uint32_t j = 0; j < b->target_count; j++) {
			put_word(out, INDIRECT_CALL);
			put_counter(out, f->targets[b->first_target + j].name);
			put_counter(out, f->targets[b->first_target + j].count);
		}
	}
	for (uint32_t i = 0; i < n->child_count; i++) {
		uint32_t child = f->children[n->first_child + i];

		put_word(out, (uint32_t)f->nodes[child].site.offset << 16);
		put_function(out, f, child);
	}
}

int
pf_gcc_profile(const struct pf_functions *lines, struct pf_buffer *out, struct pf_error *err)
{
	put_word(out, MAGIC);
	put_word(out, VERSION);
	put_word(out, 0);
	put_names(out, &lines->names);
	put_word(out, TAG_FUNCTIONS);
	put_word(out, 0);
	put_word(out, (uint32_t)lines->root_count);
	for (size_t i = 0; i < lines->root_count; i++) {
		put_counter(out, lines->nodes[lines->children[i]].head);
		put_function(out, lines, lines->children[i]);
	}
	put_word(out, TAG_MODULES);
	put_word(out, 0);
	put_word(out, 0); /* no modules: LIPO's, long gone */
	return pf_buffer_check(out, err);
}
