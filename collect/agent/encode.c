/*
 * encode.c: one window's counts as profile.proto.
 *
 * Only mappings and locations that occur are written, numbered from 1 without
 * gaps, the main program's first. Besides the counts the profile tells in
 * comments how it came about: the event, what was lost, what was cut short,
 * how much CPU time the process used and how much of it the samples stand for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>

#include "collect/agent/vdso.h"
#include "collect/agent/window.h"
#include "core/memory.h"
#include "core/wire.h"

enum { MOST_STRINGS_BYTES = 16 << 20, VDSO_NAMES = 32 };

struct function {
	uint64_t start;
	char name[64];
};

struct encoder {
	struct pf_buffer *out, message, inner;
	const struct pf_tally *tally;
	const struct pf_stacks *stacks;
	const struct pf_event *event;
	uint32_t *locations; /* number → id, 0: unused */
	uint32_t *mappings;
	uint32_t location_ids, mapping_ids, string_count;
	bool failed;              /* a record could not be built */
	struct pf_buffer strings; /* the table as it will be written */
	struct function functions[VDSO_NAMES];
	uint32_t function_count;
};

/* Empties a buffer for the next record, remembering a failure that clearing would forget. */
static void
start(struct encoder *e, struct pf_buffer *b)
{
	e->failed |= b->failed;
	pf_buffer_clear(b);
}

/* Appends a string to the table and returns its index; repeated ones may repeat. */
static uint64_t
string(struct encoder *e, const char *text)
{
	if (!*text)
		return 0;
	pf_wire_bytes(&e->strings, 6, text, strlen(text));
	return e->string_count++;
}

static void
comment(struct encoder *e, const char *text)
{
	pf_wire_varint(e->out, 13, string(e, text));
}

static void
value_type(struct encoder *e, unsigned field, const char *type, const char *unit)
{
	start(e, &e->message);
	pf_wire_varint(&e->message, 1, string(e, type));
	pf_wire_varint(&e->message, 2, string(e, unit));
	pf_wire_bytes(e->out, field, e->message.bytes, e->message.size);
}

static bool
is_main(const struct encoder *e, size_t mapping)
{
	return e->stacks->modules->items[mapping].main;
}

/* Numbers what occurs: locations in the order of their discovery, the main program's mapping first. */
static void
number(struct encoder *e)
{
	const struct pf_stacks *s = e->stacks;
	const struct pf_modules *m = s->modules;

	for (size_t i = 0; i < e->tally->known; i++)
		for (uint32_t j = 0; e->tally->counts[i] && j < s->items[i].count; j++)
			e->locations[s->frames[s->items[i].first + j]] = 1;
	for (size_t i = 0; i < s->location_count; i++) {
		if (!e->locations[i])
			continue;
		e->locations[i] = ++e->location_ids;
		if (s->locations[i].mapping != PF_NO_MAPPING)
			e->mappings[s->locations[i].mapping] = 1;
	}
	for (size_t i = 0; i < m->count; i++)
		if (is_main(e, i))
			e->mappings[i] = ++e->mapping_ids;
	for (size_t i = 0; i < m->count; i++)
		if (e->mappings[i] && !is_main(e, i))
			e->mappings[i] = ++e->mapping_ids;
}

static void
samples(struct encoder *e)
{
	const struct pf_stacks *s = e->stacks;

	for (size_t i = 0; i < e->tally->known; i++) {
		uint64_t count = e->tally->counts[i];
		if (!count)
			continue;
		start(e, &e->message);
		start(e, &e->inner);
		for (uint32_t j = 0; j < s->items[i].count; j++)
			pf_buffer_uleb(&e->inner, e->locations[s->frames[s->items[i].first + j]]);
		pf_wire_bytes(&e->message, 1, e->inner.bytes, e->inner.size);
		start(e, &e->inner);
		pf_buffer_uleb(&e->inner, count);
		pf_buffer_uleb(&e->inner, count * (uint64_t)e->event->period);
		pf_wire_bytes(&e->message, 2, e->inner.bytes, e->inner.size);
		pf_wire_bytes(e->out, 2, e->message.bytes, e->message.size);
	}
}

static void
mapping(struct encoder *e, size_t i)
{
	const struct pf_mapping *m = &e->stacks->modules->items[i];

	start(e, &e->message);
	pf_wire_varint(&e->message, 1, e->mappings[i]);
	pf_wire_varint(&e->message, 2, m->start);
	pf_wire_varint(&e->message, 3, m->limit);
	pf_wire_varint(&e->message, 4, m->offset);
	pf_wire_varint(&e->message, 5, string(e, m->file));
	pf_wire_varint(&e->message, 6, string(e, m->build_id));
	pf_wire_varint(&e->message, 7, m->vdso); /* has_functions: no file would give them */
	pf_wire_bytes(e->out, 3, e->message.bytes, e->message.size);
}

static void
mappings(struct encoder *e)
{
	const struct pf_modules *m = e->stacks->modules;

	for (int main = 1; main >= 0; main--)
		for (size_t i = 0; i < m->count; i++)
			if (e->mappings[i] && is_main(e, i) == (main == 1))
				mapping(e, i);
}

/* The id of the vdso's function at `pc`, or 0. */
static uint32_t
vdso_function(struct encoder *e, const struct pf_mapping *m, uint64_t pc)
{
	struct function f;

	f.start = pf_vdso_name(m->base, pc, f.name, sizeof f.name);
	if (!f.start)
		return 0;
	for (uint32_t i = 0; i < e->function_count; i++)
		if (e->functions[i].start == f.start)
			return i + 1;
	if (e->function_count == VDSO_NAMES)
		return 0;
	e->functions[e->function_count++] = f;
	return e->function_count;
}

static void
locations(struct encoder *e)
{
	const struct pf_stacks *s = e->stacks;

	for (size_t i = 0; i < s->location_count; i++) {
		const struct pf_location *l = &s->locations[i];
		const struct pf_mapping *m = NULL;
		if (!e->locations[i])
			continue;
		start(e, &e->message);
		pf_wire_varint(&e->message, 1, e->locations[i]);
		if (l->mapping != PF_NO_MAPPING) {
			m = &s->modules->items[l->mapping];
			pf_wire_varint(&e->message, 2, e->mappings[l->mapping]);
		}
		pf_wire_varint(&e->message, 3, l->pc);
		if (m && m->vdso) {
			start(e, &e->inner);
			pf_wire_varint(&e->inner, 1, vdso_function(e, m, l->pc));
			if (e->inner.size)
				pf_wire_bytes(&e->message, 4, e->inner.bytes, e->inner.size);
		}
		pf_wire_bytes(e->out, 4, e->message.bytes, e->message.size);
	}
	for (uint32_t i = 0; i < e->function_count; i++) {
		uint64_t name = string(e, e->functions[i].name);
		start(e, &e->message);
		pf_wire_varint(&e->message, 1, i + 1);
		pf_wire_varint(&e->message, 2, name);
		pf_wire_varint(&e->message, 3, name);
		pf_wire_bytes(e->out, 5, e->message.bytes, e->message.size);
	}
}

/* Adds "key: value" as a comment. */
#define COMMENT(E, ...)                                               \
	do {                                                          \
		start((E), &(E)->inner);                              \
		pf_buffer_printf(&(E)->inner, __VA_ARGS__);           \
		pf_buffer_byte(&(E)->inner, 0);                       \
		if (!(E)->inner.failed)                               \
			comment((E), (const char *)(E)->inner.bytes); \
	} while (0)

static void
comments(struct encoder *e)
{
	const struct pf_tally *t = e->tally;

	COMMENT(e, "agent: profuse-agent %s", PROFUSE_VERSION);
	COMMENT(e, "event: %s", e->event->word);
	COMMENT(e, "signal: %d (%s)", t->signal, t->signal ? strsignal(t->signal) : "none free");
	COMMENT(e, "lost: %llu of %llu periods, for want of a free slot or of memory",
	    (unsigned long long)t->lost, (unsigned long long)(t->lost + t->taken));
	COMMENT(e,
	    "stacks: %llu taken, %llu cut short, %llu over %d frames, %llu partly by frame pointer",
	    (unsigned long long)t->samples, (unsigned long long)t->cut, (unsigned long long)t->deep,
	    PF_MOST_FRAMES, (unsigned long long)t->by_frame_pointer);
	COMMENT(e, "overruns: %llu of the periods came late and count at the next sample",
	    (unsigned long long)t->overrun);
	if (!strcmp(e->event->type, "cpu"))
		COMMENT(e, "cpu time: %.3f s used by the process, %.3f s sampled",
		    (double)t->cpu / 1e9, (double)(t->taken * (uint64_t)e->event->period) / 1e9);
	if (t->unsampled)
		COMMENT(e, "threads: %llu not sampled: they block the signal%s%s",
		    (unsigned long long)t->unsampled, t->arm_error ? ", or: " : "",
		    t->arm_error ? strerror(t->arm_error) : "");
	if (t->moved)
		COMMENT(e,
		    "moved: the host took the signal over %llu times, the agent moved to another",
		    (unsigned long long)t->moved);
	if (e->stacks->modules->ambiguous)
		COMMENT(e, "ambiguous: %llu addresses whose code changed under the sample",
		    (unsigned long long)e->stacks->modules->ambiguous);
}

static void
header(struct encoder *e)
{
	const struct pf_tally *t = e->tally;

	value_type(e, 1, "samples", "count");
	value_type(e, 1, e->event->type, e->event->unit);
	value_type(e, 11, e->event->type, e->event->unit);
	pf_wire_int64(e->out, 12, e->event->period);
	pf_wire_int64(e->out, 9, t->began_wall);
	pf_wire_int64(e->out, 10, t->ended - t->began);
	pf_wire_varint(e->out, 14, string(e, e->event->type));
}

int
pf_encode(struct pf_buffer *out, const struct pf_tally *tally, const struct pf_stacks *stacks,
    const struct pf_event *event)
{
	struct encoder e = {
	    .out = out, .tally = tally, .stacks = stacks, .event = event, .string_count = 1};
	bool failed = true;

	pf_buffer_init(&e.message, 1 << 20);
	pf_buffer_init(&e.inner, 1 << 20);
	pf_buffer_init(&e.strings, MOST_STRINGS_BYTES);
	pf_wire_bytes(&e.strings, 6, "", 0);
	e.locations = calloc(stacks->location_count + 1, sizeof *e.locations);
	e.mappings = calloc(stacks->modules->count + 1, sizeof *e.mappings);
	if (e.locations && e.mappings) {
		number(&e);
		header(&e);
		samples(&e);
		mappings(&e);
		locations(&e);
		comments(&e);
		pf_buffer_add(out, e.strings.bytes, e.strings.size);
		failed = out->failed || e.failed || e.strings.failed || e.message.failed ||
			 e.inner.failed;
	}
	free(e.locations);
	free(e.mappings);
	pf_buffer_release(&e.message);
	pf_buffer_release(&e.inner);
	pf_buffer_release(&e.strings);
	return failed ? -ENOMEM : 0;
}
