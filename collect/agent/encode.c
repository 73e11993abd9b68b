/*
 * encode.c: a document as profile.proto.
 *
 * Only mappings and locations that occur are written, numbered from 1 without
 * gaps, the main program's mapping first. Each string stands in the table once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collect/agent/document.h"
#include "collect/agent/exports.h"
#include "core/memory.h"
#include "core/wire.h"

enum { MOST_STRINGS_BYTES = 16 << 20, MOST_FUNCTIONS = 97 };

/* A string of the table: where its bytes are in `strings`. */
struct text {
	size_t at, size;
};

/* A function that no file would name, or that is to have its name without one. */
struct function {
	uint64_t start; /* 0: that of a stack that could not be taken */
	char name[64];
};

struct encoder {
	struct pf_buffer *out, message, inner;
	const struct pf_document *document;
	uint32_t *locations; /* number → id, 0: unused */
	uint32_t *mappings;
	uint32_t location_ids, mapping_ids;
	uint32_t missing;         /* the location of stacks that could not be taken, or 0 */
	bool failed;              /* a record could not be built */
	struct pf_buffer strings; /* the table as it will be written */
	struct text *texts;
	size_t text_count, text_capacity;
	struct pf_index text_index;
	struct function functions[MOST_FUNCTIONS];
	uint32_t function_count;
};

/* Empties a buffer for the next record, remembering a failure that clearing would forget. */
static void
start(struct encoder *e, struct pf_buffer *b)
{
	e->failed |= b->failed;
	pf_buffer_clear(b);
}

/* The index of a string in the table. */
static uint64_t
string(struct encoder *e, const char *text)
{
	size_t size = strlen(text), at;
	uint32_t hash = pf_hash_bytes(text, size), i;

	for (i = pf_index_first(&e->text_index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&e->text_index, hash, &at))
		if (e->texts[i].size == size &&
		    !memcmp(e->strings.bytes + e->texts[i].at, text, size))
			return i;
	if (!e->strings.failed)
		pf_wire_bytes(&e->strings, 6, text, size);
	if (e->strings.failed || PF_GROW(e->texts, e->text_capacity, e->text_count + 1, NULL) ||
	    pf_index_add(&e->text_index, hash, (uint32_t)e->text_count, NULL)) {
		e->failed = true;
		return 0;
	}
	e->texts[e->text_count] = (struct text){e->strings.size - size, size};
	return e->text_count++;
}

static void
value_kind(struct encoder *e, unsigned field, const struct pf_value_kind *kind)
{
	start(e, &e->message);
	pf_wire_varint(&e->message, 1, string(e, kind->type));
	pf_wire_varint(&e->message, 2, string(e, kind->unit));
	pf_wire_bytes(e->out, field, e->message.bytes, e->message.size);
}

static void
header(struct encoder *e)
{
	const struct pf_document *d = e->document;

	for (size_t i = 0; i < d->kind_count; i++)
		value_kind(e, 1, &d->kinds[i]);
	value_kind(e, 11, &d->period_kind);
	pf_wire_int64(e->out, 12, d->period);
	pf_wire_int64(e->out, 9, d->time);
	pf_wire_int64(e->out, 10, d->duration);
	pf_wire_varint(e->out, 14, string(e, d->chosen));
	if (d->drop_frames)
		pf_wire_varint(e->out, 7, string(e, d->drop_frames));
}

static bool
read_sample(const struct encoder *e, size_t i, struct pf_sample *sample)
{
	*sample = (struct pf_sample){.stack = PF_NONE};
	return e->document->sample(e->document->source, i, sample);
}

static bool
is_main(const struct encoder *e, size_t mapping)
{
	return e->document->stacks->modules->items[mapping].main;
}

/* Numbers what occurs: locations in the order of their discovery, the main program's mapping first. */
static void
number(struct encoder *e)
{
	const struct pf_stacks *s = e->document->stacks;
	const struct pf_modules *m = s->modules;
	bool missing = false;
	struct pf_sample sample;

	for (size_t i = 0; i < e->document->samples; i++) {
		if (!read_sample(e, i, &sample))
			continue;
		missing |= sample.stack == PF_NONE;
		for (uint32_t j = 0; sample.stack != PF_NONE && j < s->items[sample.stack].count;
		    j++)
			e->locations[s->frames[s->items[sample.stack].first + j]] = 1;
	}
	for (size_t i = 0; i < s->location_count; i++) {
		if (!e->locations[i])
			continue;
		e->locations[i] = ++e->location_ids;
		if (s->locations[i].mapping != PF_NO_MAPPING)
			e->mappings[s->locations[i].mapping] = 1;
	}
	if (missing)
		e->missing = ++e->location_ids;
	for (int main = 1; main >= 0; main--)
		for (size_t i = 0; i < m->count; i++)
			if ((main || e->mappings[i]) && is_main(e, i) == (main == 1))
				e->mappings[i] = ++e->mapping_ids;
}

static void
labels(struct encoder *e, const struct pf_sample *sample)
{
	for (size_t i = 0; i < sample->label_count; i++) {
		const struct pf_sample_label *label = &sample->labels[i];
		start(e, &e->inner);
		pf_wire_varint(&e->inner, 1, string(e, label->key));
		if (label->text) {
			pf_wire_varint(&e->inner, 2, string(e, label->text));
		} else {
			pf_wire_int64(&e->inner, 3, label->number);
			pf_wire_varint(&e->inner, 4, label->unit ? string(e, label->unit) : 0);
		}
		pf_wire_bytes(&e->message, 3, e->inner.bytes, e->inner.size);
	}
}

static void
samples(struct encoder *e)
{
	const struct pf_stacks *s = e->document->stacks;
	struct pf_sample sample;

	for (size_t i = 0; i < e->document->samples; i++) {
		if (!read_sample(e, i, &sample))
			continue;
		start(e, &e->message);
		start(e, &e->inner);
		if (sample.stack == PF_NONE)
			pf_buffer_uleb(&e->inner, e->missing);
		for (uint32_t j = 0; sample.stack != PF_NONE && j < s->items[sample.stack].count;
		    j++)
			pf_buffer_uleb(
			    &e->inner, e->locations[s->frames[s->items[sample.stack].first + j]]);
		pf_wire_bytes(&e->message, 1, e->inner.bytes, e->inner.size);
		start(e, &e->inner);
		for (size_t j = 0; j < e->document->kind_count; j++)
			pf_buffer_uleb(&e->inner, (uint64_t)sample.values[j]);
		pf_wire_bytes(&e->message, 2, e->inner.bytes, e->inner.size);
		labels(e, &sample);
		pf_wire_bytes(e->out, 2, e->message.bytes, e->message.size);
	}
}

static void
mapping(struct encoder *e, size_t i)
{
	const struct pf_mapping *m = &e->document->stacks->modules->items[i];

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
	const struct pf_modules *m = e->document->stacks->modules;

	for (int main = 1; main >= 0; main--)
		for (size_t i = 0; i < m->count; i++)
			if (e->mappings[i] && is_main(e, i) == (main == 1))
				mapping(e, i);
}

/* The id of a function that is ours to name, or 0: there are too many. */
static uint32_t
function(struct encoder *e, const struct function *f)
{
	for (uint32_t i = 0; i < e->function_count; i++)
		if (e->functions[i].start == f->start)
			return i + 1;
	if (e->function_count == MOST_FUNCTIONS)
		return 0;
	e->functions[e->function_count++] = *f;
	return e->function_count;
}

static void
location(struct encoder *e, uint32_t id, uint32_t mapping_id, uint64_t pc, const struct function *f)
{
	start(e, &e->message);
	pf_wire_varint(&e->message, 1, id);
	pf_wire_varint(&e->message, 2, mapping_id);
	pf_wire_varint(&e->message, 3, pc);
	start(e, &e->inner);
	if (*f->name)
		pf_wire_varint(&e->inner, 1, function(e, f));
	if (e->inner.size)
		pf_wire_bytes(&e->message, 4, e->inner.bytes, e->inner.size);
	pf_wire_bytes(e->out, 4, e->message.bytes, e->message.size);
}

static void
locations(struct encoder *e)
{
	static const struct function missing = {0, "[stack not taken]"};
	const struct pf_stacks *s = e->document->stacks;

	for (size_t i = 0; i < s->location_count; i++) {
		const struct pf_location *l = &s->locations[i];
		const struct pf_mapping *m =
		    l->mapping == PF_NO_MAPPING ? NULL : &s->modules->items[l->mapping];
		struct function f = {0};
		if (!e->locations[i])
			continue;
		if (m && (m->vdso || pf_is_agent(m)))
			f.start = pf_export_name(m->base, l->pc, f.name, sizeof f.name);
		if (!f.start)
			*f.name = '\0';
		location(e, e->locations[i], m ? e->mappings[l->mapping] : 0, l->pc, &f);
	}
	if (e->missing)
		location(e, e->missing, 0, 0, &missing);
}

static void
functions(struct encoder *e)
{
	for (uint32_t i = 0; i < e->function_count; i++) {
		uint64_t name = string(e, e->functions[i].name);
		start(e, &e->message);
		pf_wire_varint(&e->message, 1, i + 1);
		pf_wire_varint(&e->message, 2, name);
		pf_wire_varint(&e->message, 3, name);
		pf_wire_bytes(e->out, 5, e->message.bytes, e->message.size);
	}
}

static void
comments(struct encoder *e)
{
	const struct pf_buffer *c = &e->document->comments;

	for (size_t at = 0; at < c->size; at += strlen((const char *)c->bytes + at) + 1)
		pf_wire_varint(e->out, 13, string(e, (const char *)c->bytes + at));
	e->failed |= c->failed;
}

static void
write_all(struct encoder *e)
{
	string(e, "");
	number(e);
	header(e);
	samples(e);
	mappings(e);
	locations(e);
	functions(e);
	comments(e);
	pf_buffer_add(e->out, e->strings.bytes, e->strings.size);
}

int
pf_document_write(const struct pf_document *d, struct pf_buffer *out)
{
	struct encoder e = {.out = out, .document = d};
	bool failed = true;

	pf_buffer_init(&e.message, 1 << 20);
	pf_buffer_init(&e.inner, 1 << 20);
	pf_buffer_init(&e.strings, MOST_STRINGS_BYTES);
	e.locations = calloc(d->stacks->location_count + 1, sizeof *e.locations);
	e.mappings = calloc(d->stacks->modules->count + 1, sizeof *e.mappings);
	if (e.locations && e.mappings) {
		write_all(&e);
		failed = out->failed || e.failed || e.strings.failed || e.message.failed ||
			 e.inner.failed;
	}
	free(e.locations);
	free(e.mappings);
	free(e.texts);
	pf_index_release(&e.text_index);
	pf_buffer_release(&e.message);
	pf_buffer_release(&e.inner);
	pf_buffer_release(&e.strings);
	return failed ? -ENOMEM : 0;
}
