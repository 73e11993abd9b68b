/* sample_type.c: see sample_type.h. */
#include "convert/sample_type.h"

#include <stdio.h>
#include <string.h>

#include "core/buffer.h"
#include "core/error.h"
#include "profile/stacks.h"

void
pf_period_note(struct pf_period *period, const struct pf_profile *p)
{
	if (p->period <= 0)
		return;
	if (period->least == 0 || p->period < period->least) {
		period->least = p->period;
		snprintf(period->type, sizeof period->type, "%s",
		    pf_profile_string(p, p->period_type.type));
		snprintf(period->unit, sizeof period->unit, "%s",
		    pf_profile_string(p, p->period_type.unit));
	}
}

static size_t
find_type(const struct pf_stacks *s, const char *name)
{
	for (size_t i = 0; i < s->type_count; i++) {
		if (strcmp(pf_strings_get(&s->strings, s->types[i].type), name) == 0)
			return i;
	}
	return s->type_count;
}

/*
 * perf_to_profile (google/perf_data_converter) makes two types of an event: EVENT_sample, which
 * counts samples, and EVENT_event. EVENT is as perf names it: "cycles", "cycles:u", "cpu_core/cycles/".
 */
static bool
is_perf_samples(const char *type, const char *event)
{
	static const char end[] = "_sample";
	size_t size = strlen(type), n = strlen(event);
	const char *slash = memchr(type, '/', size), *name = slash ? slash + 1 : type;

	return size > sizeof end && strcmp(type + size - (sizeof end - 1), end) == 0 &&
	       strncmp(name, event, n) == 0 && strchr(":/_", name[n]) && name[n];
}

/* The first type that holds perf's samples of this event. */
static size_t
find_perf_samples(const struct pf_stacks *s, const char *event)
{
	for (size_t i = 0; i < s->type_count; i++) {
		if (is_perf_samples(pf_strings_get(&s->strings, s->types[i].type), event))
			return i;
	}
	return s->type_count;
}

static bool
is_time(const char *type)
{
	return strcmp(type, "instructions") != 0 && strcmp(type, "steps") != 0 &&
	       !is_perf_samples(type, "instructions");
}

/* What heap profiles count: "inuse_space" in bytes, "alloc_objects". */
static bool
is_memory(const char *type, const char *unit)
{
	static const char objects[] = "_objects";
	size_t size = strlen(type), end = sizeof objects - 1;

	return strcmp(unit, "bytes") == 0 ||
	       (size > end && strcmp(type + size - end, objects) == 0);
}

static int
refuse(const struct pf_stacks *s, const char *wanted, struct pf_error *err)
{
	struct pf_buffer list;
	int rc;

	pf_buffer_init(&list, 512);
	for (size_t i = 0; i < s->type_count; i++)
		pf_buffer_printf(
		    &list, "%s%s", i ? ", " : "", pf_strings_get(&s->strings, s->types[i].type));
	pf_buffer_byte(&list, 0);
	if (list.failed)
		rc = pf_error_set(
		    err, PF_EINPUT, "the profiles have no sample type that can be converted");
	else if (wanted)
		rc = pf_error_set(err, PF_EUSAGE,
		    "the profiles have no sample type %s: they have %s", wanted,
		    (char *)list.bytes);
	else
		rc = pf_error_set(err, PF_EINPUT,
		    "the profiles have the sample types %s, none of instructions, samples and cpu: "
		    "a CPU profile "
		    "is needed, or --sample-type to insist on one of these",
		    (char *)list.bytes);
	pf_buffer_release(&list);
	return rc;
}

/* What one sample weighs: known from a samples/count column, else from the period of this type. */
static double
unit_of(const struct pf_stacks *s, size_t type, const struct pf_period *period)
{
	const char *name = pf_strings_get(&s->strings, s->types[type].type);
	const char *unit = pf_strings_get(&s->strings, s->types[type].unit);
	size_t samples = find_type(s, "samples");

	if (samples == type)
		return 1;
	if (samples < s->type_count) {
		double counted = (double)pf_stacks_total(s, samples),
		       value = (double)pf_stacks_total(s, type);
		return counted > 0 && value > 0 ? value / counted : 1;
	}
	if (period->least > 0 && strcmp(period->type, name) == 0 &&
	    strcmp(period->unit, unit) == 0 && pf_stacks_total(s, type) >= period->least)
		return (double)period->least;
	return 1;
}

int
pf_sample_type_choose(struct pf_sample_type *choice, const struct pf_stacks *s, const char *wanted,
    const struct pf_period *period, struct pf_error *err)
{
	static const char *const preferred[] = {"instructions", "samples", "cpu"};
	static const char *const events[] = {"instructions", "cycles", "cpu-clock", "task-clock"};
	size_t type = s->type_count, steps;

	if (wanted)
		type = find_type(s, wanted);
	for (size_t i = 0; !wanted && type == s->type_count && i < 3; i++)
		type = find_type(s, preferred[i]);
	for (size_t i = 0; !wanted && type == s->type_count && i < 4; i++)
		type = find_perf_samples(s, events[i]);
	if (type == s->type_count)
		return refuse(s, wanted, err);
	choice->type = type;
	choice->memory = is_memory(pf_strings_get(&s->strings, s->types[type].type),
	    pf_strings_get(&s->strings, s->types[type].unit));
	choice->time = is_time(pf_strings_get(&s->strings, s->types[type].type));
	choice->unit = unit_of(s, type, period);
	steps = find_type(s, "steps");
	choice->steps = !wanted && choice->time && steps < s->type_count ? steps : PF_NO_TYPE;
	return 0;
}
