/* built_profile.h: profiles of a few functions with their values, for the unit tests of detectors. */
#ifndef PF_TESTS_BUILT_PROFILE_H
#define PF_TESTS_BUILT_PROFILE_H

#include "profile/builder.h"
#include "support/tuned.h"

struct test_profile_kind {
	const char *types[4], *units[4]; /* of samples; NULL ends them */
	const char *type, *unit;         /* of the period */
	int64_t period;
};

/* Sampled as Go's and the agent's heaps are. */
static const struct test_profile_kind test_heap = {
    {"inuse_objects", "inuse_space"}, {"count", "bytes"}, "space", "bytes", 524288};

struct test_row {
	const char *function; /* NULL: the last */
	int64_t values[4];
};

/* To be freed, or to be added as evidence. */
static inline struct pf_profile *
built_profile(const struct test_profile_kind *kind, const struct test_row *rows)
{
	struct pf_builder b;
	struct pf_profile *p;
	struct pf_error err = {0};

	assert_int_equal(pf_profile_new(&p, &err), 0);
	pf_builder_init(&b, p, PF_BUILD_ALL);
	for (size_t i = 0; i < 4 && kind->types[i]; i++)
		assert_int_equal(pf_builder_type(&b, kind->types[i], kind->units[i], &err), 0);
	assert_int_equal(pf_builder_period(&b, kind->type, kind->unit, kind->period, &err), 0);
	for (; rows->function; rows++) {
		struct pf_text name = pf_text_of(rows->function, strlen(rows->function));

		assert_int_equal(
		    pf_builder_function(&b, name, pf_text_of("service.c", 9), 0, &err), 0);
		assert_int_equal(pf_builder_sample(&b, rows->values, &err), 0);
	}
	assert_int_equal(pf_builder_end(&b, &err), 0);
	pf_builder_release(&b);
	return p;
}

/* It belongs to the tune from then on. */
static inline void
add_built(struct pf_tune *tune, struct pf_profile *p, const char *name, bool base)
{
	struct pf_error err = {0};

	assert_int_equal(pf_evidence_add_profile(&tune->evidence, p, name, base, &err), 0);
	assert_int_equal(pf_tune_note(tune, name, &err), 0);
}

#endif
