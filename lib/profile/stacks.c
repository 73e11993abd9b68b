/*
 * stacks.c: summing profiles into a trie; see stacks.h.
 *
 * Each location of a profile is turned into frames once, then its samples are
 * walked from root to leaf through those. Frames, binaries and nodes are found
 * by hash; the arrays only ever grow, so positions stay good.
 */
#include "profile/stacks.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "profile/special.h"
#include "profile/stack_types.h"

/* What one pf_stacks_add() needs and forgets again. */
struct addition {
	struct pf_stacks *s;
	const struct pf_profile *p;
	const char *name;
	struct pf_stacks_options options;
	uint32_t *binaries;     /* of each mapping: position in s->binaries, PF_NONE until needed */
	uint32_t *frames;       /* of all locations, outermost first */
	uint64_t *frame_starts; /* location_count + 1 */
	size_t frame_count, frame_capacity;
	uint32_t *columns;       /* of each type of s: the type of p; PF_NONE: zero */
	size_t first_new_binary; /* binaries below were met in earlier profiles */
};

int
pf_stacks_init(struct pf_stacks *s, struct pf_error *err)
{
	int rc;

	*s = (struct pf_stacks){0};
	rc = pf_strings_init(&s->strings, err);
	if (!rc)
		rc = PF_GROW(s->nodes, s->node_capacity, 1, err);
	if (rc) {
		pf_stacks_release(s);
		return rc;
	}
	s->nodes[0] = (struct pf_stack_node){.parent = PF_NONE, .frame = PF_NONE};
	s->node_count = 1;
	return 0;
}

void
pf_stacks_forget(struct pf_stacks *s)
{
	free(s->frames);
	free(s->nodes);
	free(s->values);
	s->frames = NULL;
	s->nodes = NULL;
	s->values = NULL;
	s->frame_count = s->frame_capacity = s->node_count = s->node_capacity = s->value_capacity =
	    0;
	pf_index_release(&s->frame_index);
	pf_index_release(&s->node_index);
}

void
pf_stacks_release(struct pf_stacks *s)
{
	pf_stacks_forget(s);
	pf_strings_release(&s->strings);
	free(s->types);
	free(s->binaries);
	pf_index_release(&s->binary_index);
	*s = (struct pf_stacks){0};
}

static int
copy_string(struct addition *a, uint32_t id, uint32_t *copy, struct pf_error *err)
{
	return pf_strings_add(&a->s->strings, pf_profile_string(a->p, id),
	    pf_strings_size(&a->p->strings, id), copy, err);
}

/* Build ids are hexadecimal: one written in capitals names the same build. */
static int
copy_build_id(struct addition *a, uint32_t id, uint32_t *copy, struct pf_error *err)
{
	const char *text = pf_profile_string(a->p, id);
	size_t size = strlen(text);
	char *lower = malloc(size + 1);
	int rc;

	if (!lower)
		return pf_error_nomem(err);
	for (size_t i = 0; i <= size; i++)
		lower[i] = (char)tolower((unsigned char)text[i]);
	rc = pf_strings_add(&a->s->strings, lower, size, copy, err);
	free(lower);
	return rc;
}

/* Two mappings are one binary if their build ids agree, else their identities, else their names. */
static bool
same_binary(const struct pf_stack_binary *a, const struct pf_stack_binary *b)
{
	if (a->build_id || b->build_id)
		return a->build_id == b->build_id;
	if (a->identity || b->identity)
		return a->identity == b->identity;
	return a->filename == b->filename;
}

static uint32_t
binary_hash(const struct pf_stack_binary *b)
{
	if (b->build_id)
		return pf_hash_pair(1, b->build_id);
	return b->identity ? pf_hash_pair(2, b->identity) : pf_hash_pair(3, b->filename);
}

static int
check_unnamed_builds(const struct addition *a, uint32_t found, struct pf_error *err)
{
	const struct pf_stack_binary *b = &a->s->binaries[found];
	const char *filename = pf_strings_get(&a->s->strings, b->filename);

	if (b->build_id || b->identity || found >= a->first_new_binary ||
	    a->options.merge_by_filename || !pf_mapping_is_file(filename))
		return 0;
	return pf_error_set(err, PF_EINPUT,
	    "%s: samples in %s, which has no build id, so it may be another build than in the "
	    "profiles before; "
	    "--merge-by-filename takes them as one",
	    a->name, filename);
}

static int
intern_binary(
    struct addition *a, const struct pf_stack_binary *b, uint32_t *position, struct pf_error *err)
{
	struct pf_stacks *s = a->s;
	uint32_t hash = binary_hash(b), i;
	size_t at = 0;
	int rc;

	for (i = pf_index_first(&s->binary_index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&s->binary_index, hash, &at)) {
		if (same_binary(&s->binaries[i], b)) {
			*position = i;
			return check_unnamed_builds(a, i, err);
		}
	}
	rc = PF_GROW(s->binaries, s->binary_capacity, s->binary_count + 1, err);
	if (!rc)
		rc = pf_index_add(&s->binary_index, hash, (uint32_t)s->binary_count, err);
	if (rc)
		return rc;
	*position = (uint32_t)s->binary_count;
	s->binaries[s->binary_count++] = *b;
	return 0;
}

/* The binary of a mapping, looked up when the first location needs it. */
static int
binary_of(struct addition *a, uint32_t mapping, uint32_t *binary, struct pf_error *err)
{
	const struct pf_mapping *m = &a->p->mappings[mapping];
	struct pf_stack_binary b = {0};
	int rc;

	*binary = a->binaries[mapping];
	if (*binary != PF_NONE)
		return 0;
	rc = copy_string(a, m->filename, &b.filename, err);
	if (!rc)
		rc = copy_build_id(a, m->build_id, &b.build_id, err);
	if (!rc && !b.build_id && mapping == 0 && a->options.identity)
		rc = pf_strings_add(&a->s->strings, a->options.identity,
		    strlen(a->options.identity), &b.identity, err);
	if (!rc)
		rc = intern_binary(a, &b, binary, err);
	if (!rc)
		a->binaries[mapping] = *binary;
	return rc;
}

static uint32_t
frame_hash(const struct pf_stack_frame *f)
{
	if (f->kind == PF_FRAME_LINE)
		return pf_hash_pair((uint64_t)f->function << 32 | f->filename,
		    (uint64_t)f->start_line * 65537 + (uint64_t)f->line);
	return pf_hash_pair((uint64_t)f->binary << 2 | f->kind, f->address);
}

static bool
same_frame(const struct pf_stack_frame *a, const struct pf_stack_frame *b)
{
	return a->kind == b->kind && a->binary == b->binary && a->address == b->address &&
	       a->function == b->function && a->filename == b->filename &&
	       a->start_line == b->start_line && a->line == b->line && a->inlined == b->inlined &&
	       a->again == b->again;
}

static int
intern_frame(
    struct pf_stacks *s, const struct pf_stack_frame *f, uint32_t *position, struct pf_error *err)
{
	uint32_t hash = frame_hash(f), i;
	size_t at = 0;
	int rc;

	for (i = pf_index_first(&s->frame_index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&s->frame_index, hash, &at)) {
		if (same_frame(&s->frames[i], f)) {
			*position = i;
			return 0;
		}
	}
	if (s->frame_count == PF_NONE - 1)
		return pf_error_set(
		    err, PF_ENOMEM, "more than %zu distinct frames", s->frame_count);
	rc = PF_GROW(s->frames, s->frame_capacity, s->frame_count + 1, err);
	if (!rc)
		rc = pf_index_add(&s->frame_index, hash, (uint32_t)s->frame_count, err);
	if (rc)
		return rc;
	*position = (uint32_t)s->frame_count;
	s->frames[s->frame_count++] = *f;
	return 0;
}

static int
append_frame(struct addition *a, const struct pf_stack_frame *f, struct pf_error *err)
{
	int rc = PF_GROW(a->frames, a->frame_capacity, a->frame_count + 1, err);

	if (!rc)
		rc = intern_frame(a->s, f, &a->frames[a->frame_count], err);
	if (!rc)
		a->frame_count++;
	return rc;
}

/* Lines of code in no file say which: it cannot be looked up in any other way. */
static int
add_line_frames(struct addition *a, size_t location, struct pf_error *err)
{
	const struct pf_profile *p = a->p;
	uint32_t binary = PF_NONE;
	int rc = 0;

	if (!a->options.prefer_lines && p->locations[location].mapping != PF_NONE)
		rc = binary_of(a, p->locations[location].mapping, &binary, err);
	for (uint64_t i = p->line_starts[location + 1]; !rc && i-- > p->line_starts[location];) {
		const struct pf_line *line = &p->lines[i];
		const struct pf_function *function = &p->functions[line->function];
		struct pf_stack_frame f = {.kind = PF_FRAME_LINE,
		    .binary = binary,
		    .start_line = function->start_line,
		    .line = line->line,
		    .inlined = i + 1 < p->line_starts[location + 1]};
		rc = copy_string(a, function->system_name ? function->system_name : function->name,
		    &f.function, err);
		if (!rc)
			rc = copy_string(a, function->filename, &f.filename, err);
		if (!rc)
			rc = append_frame(a, &f, err);
	}
	return rc;
}

static int
kernel_binary(struct addition *a, uint32_t *binary, struct pf_error *err)
{
	struct pf_stack_binary b = {0};
	int rc = pf_strings_add(
	    &a->s->strings, PF_KERNEL_NAME, strlen(PF_KERNEL_NAME), &b.filename, err);

	return rc ? rc : intern_binary(a, &b, binary, err);
}

/*
 * profile.proto: an address in [start, limit) lies at address - start + offset
 * in the file; a mapping without start, offset and limit says that addresses
 * are already those of the file as linked.
 */
static int
add_address_frame(struct addition *a, const struct pf_location *l, struct pf_error *err)
{
	struct pf_stack_frame f = {
	    .kind = PF_FRAME_UNKNOWN, .binary = PF_NONE, .address = l->address};
	int rc = 0;

	if (l->mapping != PF_NONE) {
		const struct pf_mapping *m = &a->p->mappings[l->mapping];
		rc = binary_of(a, l->mapping, &f.binary, err);
		if (m->start == 0 && m->offset == 0 && (m->limit == 0 || m->limit == UINT64_MAX)) {
			f.kind = PF_FRAME_ADDRESS;
		} else if (l->address >= m->start && l->address < m->limit) {
			f.kind = PF_FRAME_OFFSET;
			f.address = l->address - m->start + m->offset;
		}
	} else if (pf_address_is_kernel(l->address)) {
		rc = kernel_binary(a, &f.binary, err);
	}
	return rc ? rc : append_frame(a, &f, err);
}

/* Whether a location lies in a mapping that names a file, or that only has a build id. */
static bool
in_binary(const struct pf_profile *p, const struct pf_location *l)
{
	const struct pf_mapping *m;

	if (l->mapping == PF_NONE)
		return false;
	m = &p->mappings[l->mapping];
	return pf_mapping_is_file(pf_profile_string(p, m->filename)) ||
	       (m->build_id && !m->filename);
}

static int
add_locations(struct addition *a, struct pf_error *err)
{
	const struct pf_profile *p = a->p;
	int rc = 0;

	for (size_t i = 0; !rc && i < p->location_count; i++) {
		const struct pf_location *l = &p->locations[i];
		bool lines = p->line_starts[i + 1] > p->line_starts[i];
		bool address = l->address != 0 && in_binary(p, l);

		a->frame_starts[i] = a->frame_count;
		if (lines && (a->options.prefer_lines || !address))
			rc = add_line_frames(a, i, err);
		else
			rc = add_address_frame(a, l, err);
	}
	a->frame_starts[p->location_count] = a->frame_count;
	return rc;
}

/* The child of a node for a frame, made if new. */
static int
descend(struct pf_stacks *s, uint32_t *node, uint32_t frame, struct pf_error *err)
{
	uint32_t hash = pf_hash_pair(*node, frame), i;
	size_t at = 0;
	int rc;

	for (i = pf_index_first(&s->node_index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&s->node_index, hash, &at)) {
		if (s->nodes[i].parent == *node && s->nodes[i].frame == frame) {
			*node = i;
			return 0;
		}
	}
	if (s->node_count == PF_NONE - 1)
		return pf_error_set(
		    err, PF_ENOMEM, "more than %zu distinct stack prefixes", s->node_count);
	rc = PF_GROW(s->nodes, s->node_capacity, s->node_count + 1, err);
	if (!rc)
		rc =
		    PF_GROW(s->values, s->value_capacity, (s->node_count + 1) * s->type_count, err);
	if (!rc)
		rc = pf_index_add(&s->node_index, hash, (uint32_t)s->node_count, err);
	if (rc)
		return rc;
	s->nodes[s->node_count] = (struct pf_stack_node){.parent = *node, .frame = frame};
	memset(&s->values[s->node_count * s->type_count], 0, s->type_count * sizeof *s->values);
	*node = (uint32_t)s->node_count++;
	return 0;
}

/* Whether the leaf is at the location that its caller is at. */
static bool
is_again(const struct addition *a, uint64_t leaf, uint64_t end)
{
	return a->options.tell_again && leaf + 1 < end &&
	       a->p->frames[leaf] == a->p->frames[leaf + 1];
}

/* The same frame, told to be the leaf's at the location of its caller. */
static int
tell_again(struct pf_stacks *s, uint32_t *frame, struct pf_error *err)
{
	struct pf_stack_frame f = s->frames[*frame];

	f.again = f.kind == PF_FRAME_LINE;
	return intern_frame(s, &f, frame, err);
}

static int
add_sample(struct addition *a, size_t sample, struct pf_error *err)
{
	const struct pf_profile *p = a->p;
	struct pf_stacks *s = a->s;
	uint64_t leaf = p->frame_starts[sample], end = p->frame_starts[sample + 1];
	uint32_t node = 0;
	int rc = 0;

	for (uint64_t i = end; i-- > leaf;) {
		uint32_t location = p->frames[i];
		bool again = i == leaf && is_again(a, leaf, end);
		for (uint64_t j = a->frame_starts[location];
		    !rc && j < a->frame_starts[location + 1]; j++) {
			uint32_t frame = a->frames[j];
			if (again)
				rc = tell_again(s, &frame, err);
			if (!rc)
				rc = descend(s, &node, frame, err);
		}
	}
	for (size_t t = 0; !rc && t < s->type_count; t++) {
		int64_t *sum = &s->values[node * s->type_count + t];
		if (a->columns[t] == PF_NONE)
			continue;
		if (__builtin_add_overflow(
			*sum, p->values[sample * p->type_count + a->columns[t]], sum))
			rc = pf_error_set(err, PF_EINPUT,
			    "%s: sample %zu: the sum of %s exceeds 64 bits", a->name, sample,
			    pf_profile_type_name(p, a->columns[t]));
	}
	return rc;
}

static void
add_header(struct addition *a)
{
	const struct pf_profile *p = a->p;
	struct pf_stacks *s = a->s;

	if (p->duration_nanos > 0 &&
	    __builtin_add_overflow(s->duration_nanos, p->duration_nanos, &s->duration_nanos))
		s->duration_nanos = INT64_MAX;
	if (p->time_nanos == 0)
		s->undated_count++;
	else if (s->first_nanos == 0 || p->time_nanos < s->first_nanos)
		s->first_nanos = p->time_nanos;
	if (p->time_nanos > s->last_nanos)
		s->last_nanos = p->time_nanos;
	s->profile_count++;
	s->sample_count += p->sample_count;
}

/* Room for a frame a location and a node a sample: growing into it would cost as much as the rest. */
static int
reserve(struct pf_stacks *s, const struct pf_profile *p, struct pf_error *err)
{
	size_t nodes = s->node_count + p->sample_count;
	int rc = pf_index_expect(&s->frame_index, s->frame_count + p->location_count, err);

	if (!rc)
		rc = pf_index_expect(&s->node_index, nodes, err);
	if (!rc)
		rc = PF_GROW(s->frames, s->frame_capacity, s->frame_count + p->location_count, err);
	return rc ? rc : PF_GROW(s->nodes, s->node_capacity, nodes, err);
}

int
pf_stacks_add(struct pf_stacks *s, const struct pf_profile *p, const char *name,
    const struct pf_stacks_options *options, struct pf_error *err)
{
	struct addition a = {.s = s, .p = p, .name = name, .first_new_binary = s->binary_count};
	int rc;

	if (options)
		a.options = *options;
	rc = reserve(s, p, err);
	if (!rc)
		rc = PF_CALLOC(a.binaries, p->mapping_count, err);
	if (!rc) {
		memset(a.binaries, 0xff, p->mapping_count * sizeof *a.binaries);
		rc = PF_CALLOC(a.frame_starts, p->location_count + 1, err);
	}
	if (!rc)
		rc = pf_stack_types_match(&a.columns, s, p, name, err);
	if (!rc)
		rc = add_locations(&a, err);
	for (size_t i = 0; !rc && i < p->sample_count; i++)
		rc = add_sample(&a, i, err);
	if (!rc)
		add_header(&a);
	free(a.binaries);
	free(a.frames);
	free(a.frame_starts);
	free(a.columns);
	return rc;
}

int64_t
pf_stacks_total(const struct pf_stacks *s, size_t t)
{
	int64_t total = 0;

	for (size_t i = 0; i < s->node_count; i++) {
		if (__builtin_add_overflow(total, s->values[i * s->type_count + t], &total))
			return INT64_MAX;
	}
	return total;
}
