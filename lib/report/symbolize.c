/*
 * symbolize.c: see symbolize.h. The profile's lines are built anew beside the
 * old ones and put in place at the end; locations that had lines keep them.
 */
#include "report/symbolize.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/error.h"
#include "core/memory.h"
#include "report/frames.h"
#include "symbol/binary.h"

struct symbolizer {
	struct pf_profile *p;
	struct pf_binary **of_mapping; /* owned array; NULL: none of the binaries given */
	struct pf_line *lines;         /* owned; all locations' new lines */
	uint64_t *starts;              /* owned */
	size_t line_count, line_capacity;
	struct pf_index functions;
	struct pf_inline_chain chain;
};

static bool
is_binary_of(const struct pf_profile *p, const struct pf_mapping *m, const struct pf_binary *binary)
{
	const char *ours = pf_profile_string(p, m->build_id);
	const char *theirs = pf_binary_build_id(binary);

	if (*ours && *theirs)
		return strcasecmp(ours, theirs) == 0;
	return strcmp(pf_base_name(pf_profile_string(p, m->filename)),
		   pf_base_name(pf_binary_path(binary))) == 0;
}

static int
no_mapping(const struct pf_profile *p, const struct pf_binary *binary, struct pf_error *err)
{
	const char *path = pf_binary_path(binary), *build_id = pf_binary_build_id(binary);

	for (size_t i = 0; i < p->mapping_count; i++) {
		const struct pf_mapping *m = &p->mappings[i];
		if (strcmp(pf_base_name(pf_profile_string(p, m->filename)), pf_base_name(path)) ==
		    0)
			return pf_error_set(err, PF_EINPUT,
			    "%s has the build id %s, but in the profile it is %s: another build; "
			    "find the one that was running",
			    path, *build_id ? build_id : "(none)",
			    pf_profile_string(p, m->build_id));
	}
	return pf_error_set(err, PF_EINPUT,
	    "%s (build id %s) is not among the binaries of the profile; profuse show raw lists "
	    "them under Mappings",
	    path, *build_id ? build_id : "none");
}

static int
assign(struct symbolizer *s, struct pf_binary *binary, struct pf_error *err)
{
	bool used = false;

	for (size_t i = 0; i < s->p->mapping_count; i++) {
		if (is_binary_of(s->p, &s->p->mappings[i], binary)) {
			s->of_mapping[i] = binary;
			used = true;
		}
	}
	return used ? 0 : no_mapping(s->p, binary, err);
}

static int
intern_text(struct symbolizer *s, const char *text, uint32_t *id, struct pf_error *err)
{
	text = text ? text : "";
	return pf_strings_add(&s->p->strings, text, strlen(text), id, err);
}

static int
intern_function(
    struct symbolizer *s, const struct pf_function *f, uint32_t *id, struct pf_error *err)
{
	uint32_t hash =
	    pf_hash_pair((uint64_t)f->name << 32 | f->filename, (uint64_t)f->start_line);
	struct pf_profile *p = s->p;
	size_t at = 0;
	int rc;

	for (uint32_t i = pf_index_first(&s->functions, hash, &at); i != PF_NONE;
	    i = pf_index_next(&s->functions, hash, &at)) {
		const struct pf_function *g = &p->functions[i];
		if (g->name == f->name && g->filename == f->filename &&
		    g->start_line == f->start_line) {
			*id = i;
			return 0;
		}
	}
	rc = PF_GROW(p->functions, p->function_capacity, p->function_count + 1, err);
	if (!rc)
		rc = pf_index_add(&s->functions, hash, (uint32_t)p->function_count, err);
	if (rc)
		return rc;
	*id = (uint32_t)p->function_count;
	p->functions[p->function_count++] = *f;
	return 0;
}

static int
add_line(struct symbolizer *s, const char *function, const char *file, int64_t start_line,
    int64_t line, struct pf_error *err)
{
	struct pf_function f = {.start_line = start_line};
	uint32_t id = 0;
	int rc = intern_text(s, function, &f.name, err);

	f.system_name = f.name;
	if (!rc)
		rc = intern_text(s, file, &f.filename, err);
	if (!rc)
		rc = intern_function(s, &f, &id, err);
	if (!rc)
		rc = PF_GROW(s->lines, s->line_capacity, s->line_count + 1, err);
	if (!rc)
		s->lines[s->line_count++] = (struct pf_line){.function = id, .line = line};
	return rc;
}

/* Where a location is in its binary as linked; false where it cannot be said. */
static bool
linked_address(const struct pf_profile *p, const struct pf_location *l,
    const struct pf_binary *binary, uint64_t *address)
{
	const struct pf_mapping *m = &p->mappings[l->mapping];

	*address = l->address;
	if (m->start == 0 && m->offset == 0 && (m->limit == 0 || m->limit == UINT64_MAX))
		return true;
	if (l->address < m->start || l->address >= m->limit)
		return false;
	return pf_binary_address(binary, l->address - m->start + m->offset, address);
}

static int
symbolize_location(struct symbolizer *s, size_t i, struct pf_error *err)
{
	const struct pf_location *l = &s->p->locations[i];
	struct pf_binary *binary = l->mapping == PF_NONE ? NULL : s->of_mapping[l->mapping];
	const struct pf_symbol *symbol;
	uint64_t address;
	int rc;

	if (!binary || !linked_address(s->p, l, binary, &address))
		return 0;
	rc = pf_binary_inline_chain(binary, address, &s->chain, err);
	for (size_t j = 0; !rc && j < s->chain.count; j++) {
		const struct pf_inline_frame *f = &s->chain.frames[j];
		rc = add_line(s, f->function, f->file, f->start_line, f->line, err);
	}
	if (rc || s->chain.count)
		return rc;
	symbol = pf_binary_symbol_at(binary, address);
	return symbol ? add_line(s, symbol->name, NULL, 0, 0, err) : 0;
}

static int
build_lines(struct symbolizer *s, struct pf_error *err)
{
	const struct pf_profile *p = s->p;
	int rc = PF_CALLOC(s->starts, p->location_count + 1, err);

	for (size_t i = 0; !rc && i < p->location_count; i++) {
		uint64_t first = p->line_starts[i], count = p->line_starts[i + 1] - first;

		rc = PF_GROW(s->lines, s->line_capacity, s->line_count + count + 1, err);
		for (uint64_t j = 0; !rc && j < count; j++)
			s->lines[s->line_count++] = p->lines[first + j];
		if (!rc && !count)
			rc = symbolize_location(s, i, err);
		s->starts[i + 1] = s->line_count;
	}
	return rc;
}

static void
put_lines(struct symbolizer *s)
{
	struct pf_profile *p = s->p;

	free(p->lines);
	free(p->line_starts);
	p->lines = s->lines;
	p->line_starts = s->starts;
	p->line_count = s->line_count;
	p->line_capacity = s->line_capacity;
	p->line_starts_capacity = p->location_count + 1;
	s->lines = NULL;
	s->starts = NULL;
	for (size_t i = 0; i < p->mapping_count; i++) {
		struct pf_mapping *m = &p->mappings[i];
		if (s->of_mapping[i])
			m->has_functions = m->has_filenames = m->has_line_numbers =
			    m->has_inline_frames = true;
	}
}

int
pf_profile_symbolize(
    struct pf_profile *p, const char *const *paths, size_t count, struct pf_error *err)
{
	struct symbolizer s = {.p = p};
	struct pf_binary **binaries;
	int rc = PF_CALLOC(binaries, count, err);

	if (!rc)
		rc = PF_CALLOC(s.of_mapping, p->mapping_count, err);
	for (size_t i = 0; !rc && i < count; i++) {
		rc = pf_binary_open(&binaries[i], paths[i], err);
		if (!rc)
			rc = assign(&s, binaries[i], err);
	}
	if (!rc)
		rc = build_lines(&s, err);
	if (!rc)
		put_lines(&s);
	for (size_t i = 0; binaries && i < count; i++)
		pf_binary_free(binaries[i]);
	free(binaries);
	free(s.of_mapping);
	free(s.lines);
	free(s.starts);
	pf_index_release(&s.functions);
	pf_inline_chain_release(&s.chain);
	return rc;
}
