/* merge.c: the course of a merge; see profuse/merge.h for the contract and merge.h for the parts. */
#include "profile/merge.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "profile/canonical.h"

void
pf_merge_warn(const struct pf_merge *m, const char *format, ...)
{
	char sentence[sizeof(((struct pf_error *)0)->message)];
	va_list args;

	if (!m->options.warn)
		return;
	va_start(args, format);
	vsnprintf(sentence, sizeof sentence, format, args);
	va_end(args);
	m->options.warn(m->options.warn_data, sentence);
}

int
pf_merge_new(struct pf_merge **merge, const struct pf_merge_options *options, struct pf_error *err)
{
	struct pf_merge_options merged = PF_MERGE_OPTIONS_INIT;
	struct pf_merge *m;
	int rc;

	*merge = NULL;
	if (options)
		memcpy(&merged, options,
		    options->struct_size < sizeof merged ? options->struct_size : sizeof merged);
	rc = PF_CALLOC(m, 1, err);
	if (rc)
		return rc;
	m->options = merged;
	pf_reader_init(&m->reader);
	rc = pf_profile_new(&m->sum, err);
	if (!rc)
		rc = pf_packed_samples_new(&m->sum->packed, err);
	if (!rc)
		rc = pf_strings_init(&m->left_out, err);
	if (!rc)
		rc = pf_label_filters_init(
		    &m->filters, merged.label_filters, merged.label_filter_count, err);
	if (rc) {
		pf_merge_free(m);
		return rc;
	}
	*merge = m;
	return 0;
}

static void
release_source(struct merge_source *s)
{
	free(s->strings);
	free(s->mappings);
	free(s->functions);
	free(s->locations);
	free(s->pairs);
	free(s->ids);
	free(s->runs);
	free(s->labels);
	free(s->wanted_strings.items);
	free(s->wanted_functions.items);
	free(s->wanted_locations.items);
	free(s->lines);
	*s = (struct merge_source){0};
}

/* What only adding needs: at the end it makes room for ordering the sum. */
static void
release_indexes(struct pf_merge *m)
{
	release_source(&m->source);
	pf_reader_release(&m->reader);
	pf_index_release(&m->mapping_index);
	pf_index_release(&m->function_index);
	pf_index_release(&m->location_index);
	pf_index_release(&m->sample_index);
	pf_index_release(&m->label_set_index);
}

void
pf_merge_free(struct pf_merge *m)
{
	if (!m)
		return;
	release_indexes(m);
	pf_profile_free(m->sum);
	pf_strings_release(&m->left_out);
	pf_label_filters_release(&m->filters);
	free(m->mappings);
	free(m->columns);
	free(m->base_mains);
	pf_fingerprints_release(&m->fingerprints);
	free(m);
}

int
pf_merge_string(struct pf_merge *m, uint32_t string, uint32_t *merged, struct pf_error *err)
{
	const struct pf_strings *strings = &m->source.p->strings;
	uint32_t *known = &m->source.strings[string];

	if (*known == PF_NONE) {
		uint32_t id;
		int rc = pf_strings_add(&m->sum->strings, pf_strings_get(strings, string),
		    pf_strings_size(strings, string), &id, err);
		if (rc)
			return rc;
		*known = id;
	}
	*merged = *known;
	return 0;
}

/* An array of `count` positions, none of them known yet. */
static int
forget(uint32_t **items, size_t *capacity, size_t count, struct pf_error *err)
{
	int rc = PF_GROW(*items, *capacity, count, err);

	if (!rc && count)
		memset(*items, 0xff, count * sizeof **items);
	return rc;
}

static int
begin_source(struct pf_merge *m, const struct pf_profile *p, const char *name, bool base,
    struct pf_error *err)
{
	struct merge_source *s = &m->source;
	int rc;

	s->p = p;
	s->name = name;
	s->base = base;
	s->sample_count = 0;
	s->string_count = p->strings.count;
	s->location_count = p->location_count;
	rc = forget(&s->strings, &s->string_capacity, p->strings.count, err);
	if (!rc)
		rc = forget(&s->mappings, &s->mapping_capacity, p->mapping_count, err);
	if (!rc)
		rc = forget(&s->functions, &s->function_capacity, p->function_count, err);
	if (!rc)
		rc = forget(&s->locations, &s->location_capacity, p->location_count, err);
	if (!rc)
		rc = PF_GROW(s->ids, s->id_capacity, p->location_count, err);
	if (!rc && p->location_count)
		memset(s->ids, 0, p->location_count * sizeof *s->ids);
	return rc;
}

/* The first mapping is the main binary, used by samples or not. */
static int
vote_for_main(struct pf_merge *m, struct pf_error *err)
{
	uint32_t main_mapping;
	int rc;

	if (!m->source.p->mapping_count)
		return 0;
	if (m->source.base)
		return pf_merge_note_base(m, err);
	rc = pf_merge_mapping(m, 0, &main_mapping, err);
	if (!rc)
		m->mappings[main_mapping].votes++;
	return rc;
}

/*
 * Everything but samples; these may follow in parts. The same profile given twice
 * is summed twice unless the options say otherwise: source.skipped is set then.
 */
static int
begin(struct pf_merge *m, const struct pf_profile *p, const char *name, bool base,
    struct pf_error *err)
{
	int rc = begin_source(m, p, name, base, err);

	if (!rc)
		rc = pf_fingerprints_add(&m->fingerprints, p, &m->source.repeated, err);
	m->source.skipped = m->source.repeated && m->options.count_once && !base;
	if (rc || m->source.skipped)
		return rc;
	m->source.ordinal = ++m->profile_count;
	if (!base)
		m->added_count++;
	rc = pf_merge_header(m, err);
	if (!rc)
		rc = pf_merge_types(m, err);
	return rc ? rc : vote_for_main(m, err);
}

static void
end(struct pf_merge *m)
{
	const struct merge_source *s = &m->source;

	if (s->skipped) {
		pf_merge_warn(m, "%s: the same profile was given before; it counts once", s->name);
		return;
	}
	if (s->p->doubt)
		pf_merge_warn(m, "%s: %s", s->name, s->p->doubt);
	if (s->sample_count == 0)
		pf_merge_warn(m, "%s: a valid profile, but without samples", s->name);
	else if (s->repeated && !s->base) /* as asked; but it is rarely meant */
		pf_merge_warn(
		    m, "%s: the same profile was given before; it is summed again", s->name);
}

static int
add(struct pf_merge *m, const struct pf_profile *p, const char *name, bool base,
    struct pf_error *err)
{
	int rc = begin(m, p, name, base, err);

	if (!rc && !m->source.skipped)
		rc = pf_merge_samples(m, err);
	if (!rc)
		end(m);
	return rc;
}

int
pf_merge_add(struct pf_merge *m, const struct pf_profile *p, const char *name, struct pf_error *err)
{
	return add(m, p, name, false, err);
}

int
pf_merge_subtract(
    struct pf_merge *m, const struct pf_profile *p, const char *name, struct pf_error *err)
{
	return add(m, p, name, true, err);
}

/* A file on its way into the merge. */
struct arrival {
	struct pf_merge *m;
	const char *name;
	bool base, begun;
};

static int
take_part(void *data, const struct pf_profile *part, struct pf_error *err)
{
	struct arrival *a = data;
	const struct merge_source *s = &a->m->source;
	int rc = a->begun ? 0 : begin(a->m, part, a->name, a->base, err);

	a->begun = true;
	if (s->skipped)
		return rc;
	if (!rc &&
	    (part->strings.count != s->string_count || part->location_count != s->location_count))
		rc = pf_error_set(err, PF_EINPUT, "%s: changed while it was read", a->name);
	return rc ? rc : pf_merge_samples(a->m, err);
}

static int
add_file(struct pf_merge *m, const char *path, bool base, const struct pf_read_options *options,
    struct pf_error *err)
{
	struct arrival a = {.m = m, .base = base};
	const struct pf_parts parts = {.take = take_part, .data = &a};
	int rc = pf_reader_open(&m->reader, path, options, err);

	a.name = m->reader.source.name;
	if (!rc)
		rc = pf_reader_parts(&m->reader, &parts, err);
	if (!rc)
		end(m);
	return rc;
}

int
pf_merge_add_file(struct pf_merge *m, const char *path, const struct pf_read_options *options,
    struct pf_error *err)
{
	return add_file(m, path, false, options, err);
}

int
pf_merge_subtract_file(struct pf_merge *m, const char *path, const struct pf_read_options *options,
    struct pf_error *err)
{
	return add_file(m, path, true, options, err);
}

uint64_t
pf_merge_sample_count(const struct pf_merge *m)
{
	return m->sample_count;
}

/* Addresses back to absolute ones, limits back from sizes. */
static void
settle_addresses(struct pf_merge *m)
{
	struct pf_profile *sum = m->sum;

	for (size_t i = 0; i < sum->mapping_count; i++)
		sum->mappings[i].limit += sum->mappings[i].start;
	for (size_t i = 0; i < sum->location_count; i++) {
		struct pf_location *l = &sum->locations[i];
		if (l->mapping != PF_NONE)
			l->address += sum->mappings[l->mapping].start;
	}
}

static void
warn_left_out(const struct pf_merge *m)
{
	char names[600];
	size_t size = 0;

	for (uint32_t i = 1; i < m->left_out.count && size < sizeof names; i++)
		size += (size_t)snprintf(names + size, sizeof names - size, "%s%s",
		    i > 1 ? ", " : "", pf_strings_get(&m->left_out, i));
	if (size)
		pf_merge_warn(m, "left out, since not every profile has it: %s", names);
}

/* How many profiles call each mapping their main binary: the winner comes first. */
static int
main_votes(const struct pf_merge *m, uint64_t **votes, struct pf_error *err)
{
	int rc = PF_CALLOC(*votes, m->sum->mapping_count, err);

	for (size_t i = 0; !rc && i < m->sum->mapping_count; i++)
		(*votes)[i] = m->mappings[i].votes;
	return rc;
}

int
pf_merge_finish(struct pf_merge *m, struct pf_profile **profile, struct pf_error *err)
{
	int rc = pf_merge_settle(m, profile, err);

	if (!rc)
		rc = pf_profile_unpack(*profile, err);
	if (rc) {
		pf_profile_free(*profile);
		*profile = NULL;
	}
	return rc;
}

int
pf_merge_settle(struct pf_merge *m, struct pf_profile **profile, struct pf_error *err)
{
	uint64_t *votes;
	int rc;

	*profile = NULL;
	if (!m->added_count || !m->sum)
		return pf_error_set(err, PF_EINPUT, "no profile to merge");
	release_indexes(m);
	pf_merge_judge_base(m);
	rc = main_votes(m, &votes, err);
	if (!rc)
		rc = pf_merge_order_types(m, err);
	if (!rc)
		rc = pf_merge_settle_samples(m, err);
	if (!rc) {
		settle_addresses(m);
		pf_merge_settle_header(m);
		rc = pf_profile_canonicalize(m->sum, votes, err);
	}
	free(votes);
	if (rc)
		return rc;
	warn_left_out(m);
	if (m->sum->sample_count == 0)
		pf_merge_warn(m, "the result has no samples");
	*profile = m->sum;
	m->sum = NULL;
	return 0;
}
