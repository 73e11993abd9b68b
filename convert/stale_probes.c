/* stale_probes.c: see stale_probes.h. */
#include "convert/stale_probes.h"

#include <stdlib.h>
#include <string.h>

#include "convert/places.h"
#include "convert/stale_names.h"
#include "core/error.h"
#include "core/memory.h"
#include "symbol/binary.h"
#include "symbol/probes.h"

/* The checksums of the newer build by name, as profiles spell it. */
struct checksums {
	struct pf_strings names, stems; /* stems: of the unique ones */
	uint64_t *values;               /* by name */
	size_t capacity;
};

static bool
no_bodies(const void *context, uint64_t start)
{
	(void)context;
	(void)start;
	return false;
}

static int
add_checksums(struct checksums *c, const struct pf_probes *probes,
    const struct pf_functions *profile, struct pf_error *err)
{
	struct pf_place_finder finder; /* for names */
	int rc = 0;

	pf_place_finder_init(&finder, NULL);
	for (size_t i = 0; !rc && i < probes->function_count; i++) {
		const char *name = pf_place_canonical(&finder, probes->functions[i].name, err);
		uint32_t id;

		rc = name ? pf_strings_add(&c->names, name, strlen(name), &id, err) : PF_ENOMEM;
		if (!rc)
			rc = PF_GROW(c->values, c->capacity, c->names.count, err);
		if (!rc)
			c->values[id] = probes->functions[i].checksum;
		if (!rc)
			rc = pf_stale_names_add(&c->stems, &profile->names, name, err);
	}
	pf_place_finder_release(&finder);
	return rc;
}

/* Whether a function of the profile is as it was; if not, *reason says why. */
static bool
fits(const struct checksums *c, const struct pf_functions *p, const struct pf_function_node *n,
    enum pf_stale_reason *reason)
{
	const char *name = pf_strings_get(&p->names, n->name);
	uint32_t id = pf_strings_find(&c->names, name, pf_strings_size(&p->names, n->name));

	*reason = PF_STALE_CHECKSUM;
	if (id == PF_NONE)
		*reason = pf_stale_names_reason(&c->stems, name);
	return id != PF_NONE && c->values[id] == n->checksum;
}

/* The reason for which each node's places are lost; PF_STALE_REASONS: they are not. Parents come first. */
static int
judge_nodes(uint8_t **reasons, const struct checksums *c, const struct pf_functions *p,
    struct pf_error *err)
{
	int rc = PF_CALLOC(*reasons, p->node_count, err);

	for (size_t i = 0; !rc && i < p->node_count; i++) {
		const struct pf_function_node *n = &p->nodes[i];
		enum pf_stale_reason reason;

		(*reasons)[i] = PF_STALE_REASONS;
		if (n->parent != PF_NONE && (*reasons)[n->parent] != PF_STALE_REASONS)
			(*reasons)[i] = PF_STALE_CALLER;
		else if (!fits(c, p, n, &reason))
			(*reasons)[i] = (uint8_t)reason;
	}
	return rc;
}

/* One function a name, in the order of the nodes. */
static int
list_functions(struct pf_staleness *s, uint32_t *of_name, const struct checksums *c,
    const struct pf_functions *p, struct pf_error *err)
{
	int rc = PF_CALLOC(s->functions, p->names.count, err);

	for (size_t i = 0; !rc && i < p->node_count; i++) {
		const struct pf_function_node *n = &p->nodes[i];
		enum pf_stale_reason reason;

		if (of_name[n->name])
			continue;
		s->functions[s->count++] =
		    (struct pf_stale_function){.name = pf_strings_get(&p->names, n->name),
			.state = fits(c, p, n, &reason) ? PF_STALE_SAME : PF_STALE_LOST};
		of_name[n->name] = (uint32_t)s->count;
	}
	return rc;
}

static int
compare(struct pf_staleness *s, const struct checksums *c, const struct pf_functions *p,
    struct pf_error *err)
{
	uint8_t *reasons = NULL;
	uint32_t *of_name = NULL; /* into s->functions, plus one */
	int rc = judge_nodes(&reasons, c, p, err);

	if (!rc)
		rc = PF_CALLOC(of_name, p->names.count, err);
	if (!rc)
		rc = list_functions(s, of_name, c, p, err);
	for (size_t i = 0; !rc && i < p->body_count; i++) {
		const struct pf_body *b = &p->bodies[i];
		struct pf_stale_function *f = &s->functions[of_name[p->nodes[b->node].name] - 1];

		f->count = pf_add_saturating(f->count, b->count);
		if (reasons[b->node] != PF_STALE_REASONS)
			f->lost[reasons[b->node]] =
			    pf_add_saturating(f->lost[reasons[b->node]], b->count);
	}
	free(of_name);
	free(reasons);
	return rc;
}

int
pf_stale_by_probes(struct pf_staleness *s, const struct pf_functions *profile,
    struct pf_binary *newer, struct pf_error *err)
{
	struct checksums c = {0};
	struct pf_probes probes = {0};
	int rc;

	if (!pf_probes_present(newer))
		return pf_error_set(err, PF_EINPUT,
		    "%s has no pseudo-probes to compare the profile's with: build it with "
		    "-fpseudo-probe-for-profiling, as the profiled one was",
		    pf_binary_path(newer));
	s->probes = true;
	rc = pf_strings_init(&c.names, err);
	if (!rc)
		rc = pf_strings_init(&c.stems, err);
	if (!rc)
		rc = pf_probes_read(&probes, newer, no_bodies, NULL, err);
	if (!rc)
		rc = PF_GROW(c.values, c.capacity, 1, err);
	if (!rc)
		rc = add_checksums(&c, &probes, profile, err);
	if (!rc)
		rc = compare(s, &c, profile, err);
	pf_probes_release(&probes);
	pf_strings_release(&c.names);
	pf_strings_release(&c.stems);
	free(c.values);
	return rc;
}
