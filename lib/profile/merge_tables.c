/*
 * merge_tables.c: mappings, functions and locations of a merge, each found by
 * what makes it the same in two profiles.
 */
#include "profile/merge.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "profile/special.h"

enum { PAGE = 4096 };

/* Too many items to number: a limit of the columns' 32-bit positions. */
static int
full(size_t count, struct pf_error *err)
{
	if (count < MERGE_PENDING)
		return 0;
	return pf_error_set(err, PF_ENOMEM, "more than %zu distinct items of one kind", count);
}

/* A hexadecimal build id written in capitals names the same build; other ids are left as they are. */
int
pf_merge_build_id(struct pf_merge *m, uint32_t string, uint32_t *merged, struct pf_error *err)
{
	const char *text = pf_profile_string(m->source.p, string);
	size_t size = strlen(text);
	char *lower;
	int rc;

	if (!size || text[strspn(text, "0123456789abcdefABCDEF")])
		return pf_merge_string(m, string, merged, err);
	lower = malloc(size);
	if (!lower)
		return pf_error_nomem(err);
	for (size_t i = 0; i < size; i++)
		lower[i] = (char)tolower((unsigned char)text[i]);
	rc = pf_strings_add(&m->sum->strings, lower, size, merged, err);
	free(lower);
	return rc;
}

static uint64_t
pages(uint64_t size)
{
	return size / PAGE + (size % PAGE != 0);
}

/* Here a mapping's limit is its size. */
static bool
same_mapping(const struct pf_mapping *a, const struct pf_mapping *b)
{
	if (a->offset != b->offset || pages(a->limit) != pages(b->limit))
		return false;
	return a->build_id == b->build_id && (a->build_id || a->filename == b->filename);
}

static uint32_t
mapping_hash(const struct pf_mapping *a)
{
	uint64_t name = a->build_id ? (uint64_t)1 << 32 | a->build_id : a->filename;

	return pf_hash_pair(pf_hash_pair(a->offset, pages(a->limit)), name);
}

/* What two sightings of one mapping come to, in either order. */
static void
unite_mappings(const struct pf_profile *sum, struct pf_mapping *a, const struct pf_mapping *b)
{
	const char *ours = pf_profile_string(sum, a->filename);
	const char *theirs = pf_profile_string(sum, b->filename);

	if (b->start < a->start)
		a->start = b->start;
	if (b->limit > a->limit)
		a->limit = b->limit;
	if (!*ours || (*theirs && strcmp(theirs, ours) < 0))
		a->filename = b->filename;
	a->has_functions &= b->has_functions;
	a->has_filenames &= b->has_filenames;
	a->has_line_numbers &= b->has_line_numbers;
	a->has_inline_frames &= b->has_inline_frames;
}

static int
append_mapping(struct pf_merge *m, const struct pf_mapping *mapping, uint32_t hash,
    uint32_t *merged, struct pf_error *err)
{
	struct pf_profile *sum = m->sum;
	int rc = full(sum->mapping_count, err);

	if (!rc)
		rc = PF_GROW(sum->mappings, sum->mapping_capacity, sum->mapping_count + 1, err);
	if (!rc)
		rc = PF_GROW(m->mappings, m->mapping_capacity, sum->mapping_count + 1, err);
	if (!rc)
		rc = pf_index_add(&m->mapping_index, hash, (uint32_t)sum->mapping_count, err);
	if (rc)
		return rc;
	m->mappings[sum->mapping_count] = (struct merge_mapping){0};
	sum->mappings[sum->mapping_count] = *mapping;
	*merged = (uint32_t)sum->mapping_count++;
	return 0;
}

static int
intern_mapping(
    struct pf_merge *m, const struct pf_mapping *mapping, uint32_t *merged, struct pf_error *err)
{
	uint32_t hash = mapping_hash(mapping);
	size_t at = 0;

	for (uint32_t i = pf_index_first(&m->mapping_index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&m->mapping_index, hash, &at)) {
		if (same_mapping(&m->sum->mappings[i], mapping)) {
			unite_mappings(m->sum, &m->sum->mappings[i], mapping);
			*merged = i;
			return 0;
		}
	}
	return append_mapping(m, mapping, hash, merged, err);
}

int
pf_merge_mapping(struct pf_merge *m, uint32_t mapping, uint32_t *merged, struct pf_error *err)
{
	struct pf_mapping copy = m->source.p->mappings[mapping];
	uint32_t *known = &m->source.mappings[mapping];
	int rc;

	*merged = *known;
	if (*known != PF_NONE)
		return 0;
	rc = pf_merge_build_id(m, copy.build_id, &copy.build_id, err);
	if (!rc)
		rc = pf_merge_string(m, copy.filename, &copy.filename, err);
	copy.limit -= copy.start;
	if (!rc)
		rc = intern_mapping(m, &copy, merged, err);
	if (!rc)
		*known = *merged;
	return rc;
}

/* Whether an address without lines may be taken for the same one in another profile. */
static int
check_bare(struct pf_merge *m, uint32_t mapping, struct pf_error *err)
{
	const struct pf_mapping *merged = &m->sum->mappings[mapping];
	const char *filename = pf_profile_string(m->sum, merged->filename);
	struct merge_mapping *seen = &m->mappings[mapping];
	uint64_t before = seen->bare_profile;

	seen->bare_profile = m->source.ordinal;
	if (before == 0 || before == m->source.ordinal || merged->build_id ||
	    !pf_mapping_is_file(filename))
		return 0;
	if (!m->options.merge_by_filename)
		return pf_error_set(err, PF_EINPUT,
		    "%s: addresses in %s, which has no build id, so it may be another build than "
		    "in the profiles before; --merge-by-filename takes them as one",
		    m->source.name, filename);
	pf_merge_warn(m, "%s: %s has no build id; taken as the same build by its file name",
	    m->source.name, filename);
	return 0;
}

static void
check_unmapped(struct pf_merge *m)
{
	if (m->warned_unmapped || m->source.ordinal == 1)
		return;
	m->warned_unmapped = true;
	pf_merge_warn(m, "%s: addresses without a mapping are summed as they are", m->source.name);
}

static bool
same_function(const struct pf_function *a, const struct pf_function *b)
{
	return a->name == b->name && a->system_name == b->system_name &&
	       a->filename == b->filename && a->start_line == b->start_line;
}

uint32_t
pf_merge_function_hash(const struct pf_function *f)
{
	return pf_hash_pair((uint64_t)f->name << 32 | f->filename,
	    (uint64_t)f->system_name << 32 ^ (uint64_t)f->start_line);
}

int
pf_merge_intern_function(struct pf_merge *m, const struct pf_function *f, uint32_t hash,
    uint32_t *merged, struct pf_error *err)
{
	struct pf_profile *sum = m->sum;
	size_t at = 0;
	int rc;

	for (uint32_t i = pf_index_first(&m->function_index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&m->function_index, hash, &at)) {
		if (same_function(&sum->functions[i], f)) {
			*merged = i;
			return 0;
		}
	}
	rc = full(sum->function_count, err);
	if (!rc)
		rc = PF_GROW(sum->functions, sum->function_capacity, sum->function_count + 1, err);
	if (!rc)
		rc = pf_index_add(&m->function_index, hash, (uint32_t)sum->function_count, err);
	if (rc)
		return rc;
	sum->functions[sum->function_count] = *f;
	*merged = (uint32_t)sum->function_count++;
	return 0;
}

uint32_t
pf_merge_location_hash(const struct pf_location *l, const struct pf_line *lines, size_t count)
{
	uint64_t hash = pf_hash_step((uint64_t)l->mapping << 1 | l->folded, l->address);

	for (size_t i = 0; i < count; i++) {
		hash = pf_hash_step(hash, (uint64_t)lines[i].line);
		hash = pf_hash_step(
		    hash, (uint64_t)lines[i].function << 16 ^ (uint64_t)lines[i].column);
	}
	return pf_hash_u64(hash);
}

static bool
same_location(const struct pf_profile *sum, uint32_t i, const struct pf_location *l,
    const struct pf_line *lines, size_t count)
{
	const struct pf_location *a = &sum->locations[i];
	const struct pf_line *ours = &sum->lines[sum->line_starts[i]];

	if (a->address != l->address || a->mapping != l->mapping || a->folded != l->folded ||
	    sum->line_starts[i + 1] - sum->line_starts[i] != count)
		return false;
	for (size_t j = 0; j < count; j++) {
		if (ours[j].function != lines[j].function || ours[j].line != lines[j].line ||
		    ours[j].column != lines[j].column)
			return false;
	}
	return true;
}

int
pf_merge_intern_location(struct pf_merge *m, const struct pf_location *l,
    const struct pf_line *lines, size_t count, uint32_t hash, uint32_t *merged,
    struct pf_error *err)
{
	struct pf_profile *sum = m->sum;
	size_t at = 0;
	int rc;

	for (uint32_t i = pf_index_first(&m->location_index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&m->location_index, hash, &at)) {
		if (same_location(sum, i, l, lines, count)) {
			*merged = i;
			return 0;
		}
	}
	rc = full(sum->location_count, err);
	if (!rc)
		rc = PF_GROW(sum->locations, sum->location_capacity, sum->location_count + 1, err);
	if (!rc)
		rc = PF_GROW(
		    sum->line_starts, sum->line_starts_capacity, sum->location_count + 2, err);
	if (!rc)
		rc = PF_GROW(sum->lines, sum->line_capacity, sum->line_count + count + 1, err);
	if (!rc)
		rc = pf_index_add(&m->location_index, hash, (uint32_t)sum->location_count, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < count; i++)
		sum->lines[sum->line_count++] = lines[i];
	sum->locations[sum->location_count] = *l;
	*merged = (uint32_t)sum->location_count++;
	sum->line_starts[sum->location_count] = sum->line_count;
	return 0;
}

int
pf_merge_place(struct pf_merge *m, uint32_t location, struct pf_location *l, struct pf_error *err)
{
	const struct pf_profile *p = m->source.p;
	bool bare = p->line_starts[location] == p->line_starts[location + 1];
	int rc = 0;

	*l = p->locations[location];
	if (l->mapping != PF_NONE) {
		l->address -= p->mappings[l->mapping].start;
		rc = pf_merge_mapping(m, l->mapping, &l->mapping, err);
	}
	if (!rc && bare && l->mapping != PF_NONE)
		rc = check_bare(m, l->mapping, err);
	else if (!rc && bare)
		check_unmapped(m);
	return rc;
}
