/*
 * symbolize.c: see symbolize.h. Locations are looked up in the order of their
 * addresses, which is cheapest, and their lines are then put in place beside
 * those of the locations that had lines before.
 */
#include "report/symbolize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "profile/special.h"
#include "report/frames.h"
#include "symbol/binary.h"
#include "symbol/perf_map.h"

/* A location to look up. */
struct query {
	uint32_t location, binary; /* binary: PF_NONE: in a map of JIT code */
	uint64_t address;          /* in the binary as linked, or of the process */
};

/* The new lines of a location; count 0: none. */
struct answer {
	size_t first, count;
};

struct symbolizer {
	struct pf_profile *p;
	const struct pf_symbolize_options *options;
	struct pf_binary **binaries; /* owned, each */
	struct pf_perf_map **maps;   /* owned, each */
	uint32_t *of_mapping;        /* owned; place in binaries, PF_NONE: none of them */
	struct query *queries;       /* owned */
	size_t query_count, query_capacity;
	struct answer *answers; /* owned; by location */
	struct pf_line *found;  /* owned; what answers point into */
	size_t found_count, found_capacity;
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
assign(struct symbolizer *s, uint32_t number, struct pf_error *err)
{
	bool used = false;

	for (size_t i = 0; i < s->p->mapping_count; i++) {
		if (is_binary_of(s->p, &s->p->mappings[i], s->binaries[number])) {
			s->of_mapping[i] = number;
			used = true;
		}
	}
	return used || s->options->may_lack ? 0 : no_mapping(s->p, s->binaries[number], err);
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
	size_t size;
	const char *name = pf_source_name(function ? function : "", &size);
	uint32_t id = 0;
	int rc = intern_text(s, function, &f.system_name, err);

	f.name = f.system_name;
	if (!rc && name[size])
		rc = pf_strings_add(&s->p->strings, name, size, &f.name, err);
	if (!rc)
		rc = intern_text(s, file, &f.filename, err);
	if (!rc)
		rc = intern_function(s, &f, &id, err);
	if (!rc)
		rc = PF_GROW(s->found, s->found_capacity, s->found_count + 1, err);
	if (!rc)
		s->found[s->found_count++] = (struct pf_line){.function = id, .line = line};
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

/* Code that lies in no file: maybe a JIT compiler's. */
static bool
in_no_file(const struct pf_profile *p, const struct pf_location *l)
{
	if (l->mapping == PF_NONE)
		return !pf_address_is_kernel(l->address);
	return !pf_mapping_is_file(pf_profile_string(p, p->mappings[l->mapping].filename));
}

/* Notes a location without lines that can be looked up. */
static int
add_query(struct symbolizer *s, uint32_t location, struct pf_error *err)
{
	const struct pf_location *l = &s->p->locations[location];
	uint32_t binary = l->mapping == PF_NONE ? PF_NONE : s->of_mapping[l->mapping];
	struct query q = {.location = location, .binary = binary, .address = l->address};

	if (s->p->line_starts[location] < s->p->line_starts[location + 1])
		return 0;
	if (binary == PF_NONE) {
		if (!s->options->perf_map_count || !in_no_file(s->p, l))
			return 0;
	} else if (!linked_address(s->p, l, s->binaries[binary], &q.address)) {
		return 0;
	}
	if (PF_GROW(s->queries, s->query_capacity, s->query_count + 1, err))
		return PF_ENOMEM;
	s->queries[s->query_count++] = q;
	return 0;
}

static int
compare_queries(const void *left, const void *right)
{
	const struct query *a = left, *b = right;

	if (a->binary != b->binary)
		return a->binary < b->binary ? -1 : 1;
	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return (a->location > b->location) - (a->location < b->location);
}

static int
look_up_jit(struct symbolizer *s, uint64_t address, struct pf_error *err)
{
	for (size_t i = 0; i < s->options->perf_map_count; i++) {
		const char *name = pf_perf_map_find(s->maps[i], address);
		if (name)
			return add_line(s, name, NULL, 0, 0, err);
	}
	return 0;
}

static int
look_up(struct symbolizer *s, const struct query *q, struct pf_error *err)
{
	struct pf_binary *binary = s->binaries[q->binary];
	const struct pf_symbol *symbol;
	int rc = pf_binary_inline_chain(binary, q->address, &s->chain, err);

	for (size_t j = 0; !rc && j < s->chain.count; j++) {
		const struct pf_inline_frame *f = &s->chain.frames[j];
		rc = add_line(s, f->function, f->file, f->start_line, f->line, err);
	}
	if (rc || s->chain.count)
		return rc;
	symbol = pf_binary_symbol_at(binary, q->address);
	return symbol ? add_line(s, symbol->name, NULL, 0, 0, err) : 0;
}

static int
look_up_all(struct symbolizer *s, struct pf_error *err)
{
	int rc = PF_CALLOC(s->answers, s->p->location_count, err);

	for (uint32_t i = 0; !rc && i < s->p->location_count; i++)
		rc = add_query(s, i, err);
	if (s->query_count)
		qsort(s->queries, s->query_count, sizeof *s->queries, compare_queries);
	for (size_t i = 0; !rc && i < s->query_count; i++) {
		const struct query *q = &s->queries[i];
		size_t first = s->found_count;
		rc = q->binary == PF_NONE ? look_up_jit(s, q->address, err) : look_up(s, q, err);
		s->answers[q->location] =
		    (struct answer){.first = first, .count = s->found_count - first};
	}
	return rc;
}

/* Puts the old lines and the new ones together, location by location. */
static int
put_lines(struct symbolizer *s, struct pf_error *err)
{
	struct pf_profile *p = s->p;
	struct pf_line *lines = NULL;
	uint64_t *starts = NULL;
	size_t capacity = 0, count = 0;
	int rc = PF_GROW(lines, capacity, p->line_count + s->found_count + 1, err);

	if (!rc)
		rc = PF_CALLOC(starts, p->location_count + 1, err);
	if (rc) {
		free(lines);
		return rc;
	}
	for (size_t i = 0; i < p->location_count; i++) {
		for (uint64_t j = p->line_starts[i]; j < p->line_starts[i + 1]; j++)
			lines[count++] = p->lines[j];
		for (size_t j = 0; j < s->answers[i].count; j++)
			lines[count++] = s->found[s->answers[i].first + j];
		starts[i + 1] = count;
	}
	free(p->lines);
	free(p->line_starts);
	p->lines = lines;
	p->line_starts = starts;
	p->line_count = count;
	p->line_capacity = capacity;
	p->line_starts_capacity = p->location_count + 1;
	for (size_t i = 0; i < p->mapping_count; i++) {
		struct pf_mapping *m = &p->mappings[i];
		if (s->of_mapping[i] != PF_NONE)
			m->has_functions = m->has_filenames = m->has_line_numbers =
			    m->has_inline_frames = true;
	}
	return 0;
}

/* Says what names from symbols alone lack; a stripped file has those that it exports, if any. */
static void
note_missing_lines(const struct symbolizer *s, const struct pf_binary *binary)
{
	char why[600], text[800];
	size_t symbols;

	if (!s->options->note || pf_binary_has_lines(binary, why, sizeof why))
		return;
	pf_binary_symbols(binary, &symbols);
	snprintf(text, sizeof text, "%s: %s",
	    !symbols ? "no names of functions"
	    : pf_binary_has_section(binary, ".symtab")
		? "functions by symbols only, without lines and inlined ones"
		: "functions by exported symbols only, without lines, inlined ones and all others",
	    why);
	s->options->note(s->options->note_context, text);
}

static int
open_sources(struct symbolizer *s, struct pf_error *err)
{
	const struct pf_symbolize_options *o = s->options;
	struct pf_binary_options options = {.debug_files = o->debug_files,
	    .debug_file_count = o->debug_file_count,
	    .note = o->note,
	    .note_context = o->note_context,
	    .scoped_names = true};
	int rc = PF_CALLOC(s->binaries, o->binary_count, err);

	if (!rc)
		rc = PF_CALLOC(s->maps, o->perf_map_count, err);
	if (!rc)
		rc = PF_CALLOC(s->of_mapping, s->p->mapping_count, err);
	for (size_t i = 0; !rc && i < s->p->mapping_count; i++)
		s->of_mapping[i] = PF_NONE;
	for (uint32_t i = 0; !rc && i < o->binary_count; i++) {
		rc = pf_binary_open_with(&s->binaries[i], o->binaries[i], &options, err);
		if (!rc)
			rc = assign(s, i, err);
		if (!rc)
			note_missing_lines(s, s->binaries[i]);
	}
	if (!rc)
		rc = pf_binaries_check_debug_files(s->binaries, o->binary_count, &options, err);
	for (size_t i = 0; !rc && i < o->perf_map_count; i++)
		rc = pf_perf_map_read(&s->maps[i], o->perf_maps[i], err);
	return rc;
}

int
pf_profile_symbolize(
    struct pf_profile *p, const struct pf_symbolize_options *options, struct pf_error *err)
{
	struct symbolizer s = {.p = p, .options = options};
	int rc = open_sources(&s, err);

	if (!rc)
		rc = look_up_all(&s, err);
	if (!rc)
		rc = put_lines(&s, err);
	for (size_t i = 0; s.binaries && i < options->binary_count; i++)
		pf_binary_free(s.binaries[i]);
	for (size_t i = 0; s.maps && i < options->perf_map_count; i++)
		pf_perf_map_free(s.maps[i]);
	free(s.binaries);
	free(s.maps);
	free(s.of_mapping);
	free(s.queries);
	free(s.answers);
	free(s.found);
	pf_index_release(&s.functions);
	pf_inline_chain_release(&s.chain);
	return rc;
}
