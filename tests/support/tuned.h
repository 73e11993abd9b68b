/* tuned.h: a tune of fixtures, and what it found, for the unit tests of detectors. */
#ifndef PF_TESTS_TUNED_H
#define PF_TESTS_TUNED_H

#include <string.h>

#include <profuse/tune.h>

#include "profile/encode.h"
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
add_text(struct pf_tune *tune, const char *name, const char *text, bool base)
{
	struct pf_error err = {0};

	if (pf_tune_add(tune, name, text, strlen(text), base, &err))
		fail_msg("%s", err.message);
}

/* Releases what was written. */
static inline void
add_written(struct pf_tune *tune, const char *name, struct pf_buffer *text)
{
	struct pf_error err = {0};

	if (pf_tune_add(tune, name, text->bytes, text->size, false, &err))
		fail_msg("%s", err.message);
	pf_buffer_release(text);
}

/* A fixture to be changed before it is added. */
static inline struct pf_profile *
read_fixture_profile(const char *fixture)
{
	struct pf_buffer bytes = read_fixture(fixture);
	struct pf_error err = {0};
	struct pf_profile *p;

	if (pf_profile_parse(&p, fixture, bytes.bytes, bytes.size, NULL, &err))
		fail_msg("%s: %s", fixture, err.message);
	pf_buffer_release(&bytes);
	return p;
}

static inline void
add_profile(struct pf_tune *tune, const struct pf_profile *p)
{
	struct pf_buffer out = {.maximum = 1 << 20};
	struct pf_error err = {0};

	assert_int_equal(pf_profile_encode(p, &out, &err), 0);
	add_written(tune, "profile", &out);
}

static inline void
run_tune(struct pf_tune *tune)
{
	struct pf_error err = {0};

	if (pf_tune_run(tune, &err))
		fail_msg("%s", err.message);
}

/* Whether a caveat of a finding has these words. */
static inline bool
is_caveat(const struct pf_tune *tune, const struct pf_finding *finding, const char *text)
{
	const struct pf_findings *f = &tune->findings;

	for (size_t i = 0; i < finding->caveat_count; i++) {
		if (strstr(pf_said(f, f->caveats[finding->first_caveat + i]), text))
			return true;
	}
	return false;
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

/* A figure of a finding by its name, or NULL. */
static inline const struct pf_number *
find_number(const struct pf_tune *tune, const struct pf_finding *finding, const char *name)
{
	const struct pf_findings *f = &tune->findings;

	for (size_t i = 0; i < finding->number_count; i++) {
		const struct pf_number *n = &f->numbers[finding->first_number + i];
		if (strcmp(pf_said(f, n->name), name) == 0)
			return n;
	}
	return NULL;
}

/* A sentence of what was not judged that has this in it. */
static inline bool
is_unjudged(const struct pf_tune *tune, const char *words)
{
	for (uint32_t i = 1; i < tune->unjudged.count; i++) {
		if (strstr(pf_strings_get(&tune->unjudged, i), words))
			return true;
	}
	return false;
}

#endif
