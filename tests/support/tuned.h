/* tuned.h: a tune of fixtures, and what it found, for the unit tests of detectors. */
#ifndef PF_TESTS_TUNED_H
#define PF_TESTS_TUNED_H

#include <string.h>

#include <profuse/tune.h>

#include "support/read_fixture.h"
#include "tuner/tune.h"

static inline struct pf_tune *
new_tune(void)
{
	struct pf_tune *tune;
	struct pf_error err = {0};

	assert_int_equal(pf_tune_new(&tune, NULL, &err), 0);
	return tune;
}

static inline void
add_fixture(struct pf_tune *tune, const char *fixture, bool base)
{
	struct pf_buffer bytes = read_fixture(fixture);
	struct pf_error err = {0};

	if (pf_tune_add(tune, fixture, bytes.bytes, bytes.size, base, &err))
		fail_msg("%s", err.message);
	pf_buffer_release(&bytes);
}

static inline void
run_tune(struct pf_tune *tune)
{
	struct pf_error err = {0};

	if (pf_tune_run(tune, &err))
		fail_msg("%s", err.message);
}

/* The first finding of this kind, or NULL. */
static inline const struct pf_finding *
find_finding(const struct pf_tune *tune, const char *kind)
{
	for (size_t i = 0; i < tune->findings.finding_count; i++) {
		if (strcmp(tune->findings.findings[i].kind, kind) == 0)
			return &tune->findings.findings[i];
	}
	return NULL;
}

#endif
