/*
 * merge_base.c: whether what is subtracted is of the program that it is subtracted from.
 *
 * The difference of two programs is a valid profile and says nothing; one picks a wrong
 * file easily. Two builds of one program are what a base is for: their main binaries
 * have one name, or, renamed, one build id. A profile without either is not judged.
 */
#include "profile/merge.h"

#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "profile/special.h"

int
pf_merge_note_base(struct pf_merge *m, struct pf_error *err)
{
	const struct pf_mapping *mapping = &m->source.p->mappings[0];
	struct merge_main *last =
	    m->base_main_count ? &m->base_mains[m->base_main_count - 1] : NULL;
	struct merge_main main_binary;
	int rc = pf_merge_string(m, mapping->filename, &main_binary.filename, err);

	if (!rc)
		rc = pf_merge_build_id(m, mapping->build_id, &main_binary.build_id, err);
	if (rc || (last && last->filename == main_binary.filename &&
		      last->build_id == main_binary.build_id))
		return rc;
	rc = PF_GROW(m->base_mains, m->base_main_capacity, m->base_main_count + 1, err);
	if (!rc)
		m->base_mains[m->base_main_count++] = main_binary;
	return rc;
}

static bool
is_known(const struct pf_merge *m, const struct merge_main *main_binary)
{
	return pf_mapping_is_file(pf_profile_string(m->sum, main_binary->filename));
}

static bool
same_program(const struct pf_merge *m, const struct merge_main *a, const struct merge_main *b)
{
	const char *ours = pf_profile_string(m->sum, a->filename);
	const char *theirs = pf_profile_string(m->sum, b->filename);

	return (a->build_id && a->build_id == b->build_id) ||
	       strcmp(pf_base_name(ours), pf_base_name(theirs)) == 0;
}

/* A main binary of the profiles that were added if none of them can be this one, else false. */
static bool
find_other(const struct pf_merge *m, const struct merge_main *base, struct merge_main *other)
{
	bool found = false;

	for (size_t i = 0; i < m->sum->mapping_count; i++) {
		const struct pf_mapping *mapping = &m->sum->mappings[i];
		const struct merge_main ours = {mapping->filename, mapping->build_id};

		if (!m->mappings[i].votes)
			continue;
		if (!is_known(m, &ours) || same_program(m, &ours, base))
			return false;
		*other = ours;
		found = true;
	}
	return found;
}

void
pf_merge_judge_base(const struct pf_merge *m)
{
	struct merge_main other;

	for (size_t i = 0; i < m->base_main_count; i++) {
		const struct merge_main *base = &m->base_mains[i];
		const char *id = pf_profile_string(m->sum, base->build_id);

		if (!is_known(m, base) || !find_other(m, base, &other))
			continue;
		pf_merge_warn(m,
		    "the base seems to be of another program: its main binary is %s%s%s%s, that of "
		    "the profiles %s; what differs then says nothing of a change",
		    pf_base_name(pf_profile_string(m->sum, base->filename)),
		    *id ? " (build id " : "", id, *id ? ")" : "",
		    pf_base_name(pf_profile_string(m->sum, other.filename)));
		return; /* once */
	}
}
