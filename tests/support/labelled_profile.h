/* labelled_profile.h: profiles as the agent makes them, of samples with stacks of names and labels. */
#ifndef PF_TESTS_LABELLED_PROFILE_H
#define PF_TESTS_LABELLED_PROFILE_H

#include "support/sample_profile.h"
#include "support/tuned.h"

struct test_label {
	const char *key, *text; /* no text: a number */
	int64_t number;
};

struct test_sample {
	const char *stack[8]; /* leaf first */
	int64_t values[2];
	struct test_label labels[8];
};

struct test_profile {
	struct pf_buffer bytes;
	const char *strings[256];
	uint64_t count;
};

static inline uint64_t
test_string(struct test_profile *p, const char *text)
{
	for (uint64_t i = 0; i < p->count; i++) {
		if (strcmp(p->strings[i], text) == 0)
			return i;
	}
	assert_true(p->count < 256);
	p->strings[p->count] = text;
	add_string(&p->bytes, text);
	return p->count++;
}

static inline void
add_test_sample(struct test_profile *p, const struct test_sample *s, size_t types)
{
	struct pf_buffer m = {.maximum = 1 << 20}, label = {.maximum = 1 << 20};

	/* A function's, a location's and its name's numbers are the same. */
	for (size_t i = 0; i < 8 && s->stack[i]; i++)
		pf_wire_varint(&m, PF_SAMPLE_LOCATION_ID, test_string(p, s->stack[i]));
	for (size_t i = 0; i < types; i++)
		pf_wire_varint(&m, PF_SAMPLE_VALUE, (uint64_t)s->values[i]);
	for (size_t i = 0; i < 8 && s->labels[i].key; i++) {
		const struct test_label *l = &s->labels[i];

		pf_buffer_clear(&label);
		pf_wire_varint(&label, PF_LABEL_KEY, test_string(p, l->key));
		if (l->text)
			pf_wire_varint(&label, PF_LABEL_STRING, test_string(p, l->text));
		else
			pf_wire_varint(&label, PF_LABEL_NUMBER, (uint64_t)l->number);
		pf_wire_bytes(&m, PF_SAMPLE_LABEL, label.bytes, label.size);
	}
	pf_wire_bytes(&p->bytes, PF_PROFILE_SAMPLE, m.bytes, m.size);
	pf_buffer_release(&m);
	pf_buffer_release(&label);
}

/* Functions of the C library whose names alone don't say so. */
static inline bool
is_in_libc(const char *function)
{
	static const char *const names[] = {"fprintf", "fflush", "_IO_file_write",
	    "__GI_localtime_r", "getpwnam_r", "__cxa_throw", "syscall"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(function, names[i]) == 0)
			return true;
	}
	return false;
}

/*
 * Types and units take turns; the samples end with one without a stack. `seconds`: how long, and since when. The comment
 * may be NULL.
 */
static inline void
add_commented(struct pf_tune *tune, const char *const *types, const struct test_sample *samples,
    int64_t seconds, int64_t since, bool base, const char *comment)
{
	struct test_profile p = {.bytes = {.maximum = 1 << 20}};
	struct pf_error err = {0};
	bool mapped = false;
	size_t n = 0;

	test_string(&p, "");
	for (; types[2 * n]; n++)
		add_type(
		    &p.bytes, test_string(&p, types[2 * n]), test_string(&p, types[2 * n + 1]));
	for (size_t i = 0; samples[i].stack[0]; i++)
		add_test_sample(&p, &samples[i], n);
	for (uint64_t i = 1, last = p.count; i < last; i++) {
		bool libc = is_in_libc(p.strings[i]);

		mapped |= libc;
		add_function(&p.bytes, i, i, 0);
		add_location(&p.bytes, i, libc ? 2 : 0, 0x1000 * i, i, 0);
	}
	if (mapped) {
		add_mapping(&p.bytes, 1, 0x800000, 0x900000, 0, test_string(&p, "/bin/service"), 0);
		add_mapping(&p.bytes, 2, 0x1000, 0x800000, 0, test_string(&p, "/lib/libc.so.6"), 0);
	}
	if (comment)
		pf_wire_varint(&p.bytes, PF_PROFILE_COMMENT, test_string(&p, comment));
	pf_wire_varint(&p.bytes, PF_PROFILE_DURATION_NANOS, (uint64_t)seconds * 1000000000);
	pf_wire_varint(&p.bytes, PF_PROFILE_TIME_NANOS, (uint64_t)since * 1000000000);
	if (pf_tune_add(tune, types[0], p.bytes.bytes, p.bytes.size, base, &err))
		fail_msg("%s", err.message);
	pf_buffer_release(&p.bytes);
}

static inline void
add_labelled(struct pf_tune *tune, const char *const *types, const struct test_sample *samples,
    int64_t seconds, int64_t since, bool base)
{
	add_commented(tune, types, samples, seconds, since, base, NULL);
}

static const char *const test_waits[] = {"contentions", "count", "delay", "nanoseconds", NULL},
			 *const test_threads[] = {"threads", "count", NULL},
			 *const test_wall[] = {"samples", "count", "wall", "nanoseconds", NULL};

#endif
