/*
 * encode_samples.c: the bulk of a profile as bytes: samples, each measured first and then written where it belongs.
 */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/wire.h"
#include "profile/encode.h"
#include "profile/fields.h"

enum { WIRE_BYTES = 2, MOST_VARINT = 10, AHEAD = 8, GIVE_BACK_AFTER = 1 << 15 };

struct encoder {
	const struct pf_profile *p;
	struct pf_buffer *out;
	struct pf_buffer message, nested; /* the labels of a sample, and one of them */
};

static void
encode_label(struct encoder *e, const struct pf_label *l)
{
	pf_wire_varint(&e->nested, PF_LABEL_KEY, l->key);
	pf_wire_varint(&e->nested, PF_LABEL_STRING, l->string);
	pf_wire_int64(&e->nested, PF_LABEL_NUMBER, l->number);
	pf_wire_varint(&e->nested, PF_LABEL_UNIT, l->unit);
	pf_wire_message(&e->message, PF_SAMPLE_LABEL, &e->nested);
}

static size_t
varint_size(uint64_t value)
{
	return (size_t)(70 - __builtin_clzll(value | 1)) / 7;
}

static uint8_t *
put_varint(uint8_t *to, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*to++ = (uint8_t)(value | 0x80);
	*to++ = (uint8_t)value;
	return to;
}

static uint8_t *
put_bytes(uint8_t *to, unsigned field, size_t size)
{
	*to++ = (uint8_t)(field << 3 | WIRE_BYTES);
	return put_varint(to, size);
}

static void
encode_sample(struct encoder *e, size_t i)
{
	const struct pf_profile *p = e->p;
	const uint32_t *frames = p->frames + p->frame_starts[i];
	const int64_t *values = p->values + i * p->type_count;
	size_t frame_count = (size_t)(p->frame_starts[i + 1] - p->frame_starts[i]);
	size_t frame_size = 0, value_size = 0, size;
	uint8_t *to;

	for (uint64_t j = p->label_starts[i]; j < p->label_starts[i + 1]; j++)
		encode_label(e, &p->labels[j]);
	for (size_t j = 0; j < frame_count; j++)
		frame_size += varint_size((uint64_t)frames[j] + 1);
	for (size_t t = 0; t < p->type_count; t++)
		value_size += varint_size((uint64_t)values[t]);
	size = 2 + varint_size(frame_size) + frame_size + varint_size(value_size) + value_size +
	       e->message.size;
	to = pf_buffer_reserve(e->out, 1 + MOST_VARINT + size);
	e->out->failed |= e->message.failed;
	if (!to)
		return;
	to = put_bytes(to, PF_PROFILE_SAMPLE, size);
	to = put_bytes(to, PF_SAMPLE_LOCATION_ID, frame_size);
	for (size_t j = 0; j < frame_count; j++)
		to = put_varint(to, (uint64_t)frames[j] + 1);
	to = put_bytes(to, PF_SAMPLE_VALUE, value_size);
	for (size_t t = 0; t < p->type_count; t++)
		to = put_varint(to, (uint64_t)values[t]);
	e->out->size = (size_t)(to - e->out->bytes);
	pf_buffer_add(e->out, e->message.bytes, e->message.size);
	pf_buffer_clear(&e->message);
}

static struct encoder
begin(const struct pf_profile *p, struct pf_buffer *out)
{
	struct encoder e = {.p = p, .out = out};

	pf_buffer_init(&e.message, PF_BUFFER_NO_MAXIMUM);
	pf_buffer_init(&e.nested, PF_BUFFER_NO_MAXIMUM);
	return e;
}

static int
end(struct encoder *e, struct pf_error *err)
{
	pf_buffer_release(&e->message);
	pf_buffer_release(&e->nested);
	return pf_buffer_check(e->out, err);
}

/* In an order of their own, samples lie all over memory: each is asked for a while before it is read. */
static void
fetch_ahead(const struct pf_profile *p, size_t i)
{
	const uint32_t *order = p->sample_order;

	if (i + 2 * AHEAD < p->sample_count) {
		__builtin_prefetch(&p->frame_starts[order[i + 2 * AHEAD]]);
		__builtin_prefetch(&p->label_starts[order[i + 2 * AHEAD]]);
	}
	if (i + AHEAD < p->sample_count) {
		__builtin_prefetch(p->frames + p->frame_starts[order[i + AHEAD]]);
		__builtin_prefetch(&p->values[order[i + AHEAD] * p->type_count]);
	}
}

int
pf_encode_samples(const struct pf_profile *p, struct pf_buffer *out, struct pf_error *err)
{
	struct encoder e = begin(p, out);

	for (size_t i = 0; i < p->sample_count; i++) {
		if (p->sample_order)
			fetch_ahead(p, i);
		encode_sample(&e, p->sample_order ? p->sample_order[i] : i);
	}
	return end(&e, err);
}

/* How much of each column was given back. */
struct given {
	size_t frames, values, labels, frame_starts, label_starts;
};

/* Gives back what the first samples have taken. */
static void
give_back(struct pf_profile *p, struct given *given, size_t samples)
{
	pf_give_back(
	    p->frames, &given->frames, (size_t)p->frame_starts[samples] * sizeof *p->frames);
	pf_give_back(p->values, &given->values, samples * p->type_count * sizeof *p->values);
	pf_give_back(
	    p->labels, &given->labels, (size_t)p->label_starts[samples] * sizeof *p->labels);
	pf_give_back(p->frame_starts, &given->frame_starts, samples * sizeof *p->frame_starts);
	pf_give_back(p->label_starts, &given->label_starts, samples * sizeof *p->label_starts);
}

/* The samples as they stand in memory; starts[i] is where sample i begins. */
static int
encode_unordered(
    struct pf_profile *p, struct pf_buffer *out, uint64_t *starts, struct pf_error *err)
{
	struct encoder e = begin(p, out);
	struct given given = {0};

	for (size_t i = 0; i < p->sample_count; i++) {
		encode_sample(&e, i);
		starts[i + 1] = out->size;
		if (i % GIVE_BACK_AFTER == GIVE_BACK_AFTER - 1)
			give_back(p, &given, i);
	}
	return end(&e, err);
}

/* Drops the samples. */
static void
forget_samples(struct pf_profile *p)
{
	free(p->frames);
	free(p->values);
	free(p->labels);
	p->frames = NULL;
	p->values = NULL;
	p->labels = NULL;
	p->frame_capacity = p->value_capacity = p->label_capacity = 0;
	p->frame_count = p->label_count = p->sample_count = 0;
	p->frame_starts[0] = p->label_starts[0] = 0; /* they may have been given back */
}

/* Encoded samples from one buffer into another, in their order. */
static void
gather(const struct pf_buffer *from, const uint64_t *starts, const uint32_t *order, size_t count,
    struct pf_buffer *out)
{
	uint8_t *to = pf_buffer_reserve(out, from->size);

	for (size_t i = 0; to && i < count; i++) {
		size_t size = (size_t)(starts[order[i] + 1] - starts[order[i]]);
		if (i + 2 * AHEAD < count)
			__builtin_prefetch(&starts[order[i + 2 * AHEAD]]);
		if (i + AHEAD < count)
			__builtin_prefetch(from->bytes + starts[order[i + AHEAD]]);
		memcpy(to, from->bytes + starts[order[i]], size);
		to += size;
	}
	out->size += to ? from->size : 0;
}

int
pf_encode_samples_spending(struct pf_profile *p, struct pf_buffer *out, struct pf_error *err)
{
	size_t count = p->sample_count;
	struct pf_buffer unordered;
	uint64_t *starts = NULL;
	int rc = 0;

	pf_buffer_init(&unordered, PF_BUFFER_NO_MAXIMUM);
	if (!p->sample_order)
		rc = pf_encode_samples(p, out, err);
	else
		rc = PF_CALLOC(starts, count + 1, err);
	if (!rc && p->sample_order)
		rc = encode_unordered(p, &unordered, starts, err);
	forget_samples(p);
	if (!rc && p->sample_order) {
		gather(&unordered, starts, p->sample_order, count, out);
		rc = pf_buffer_check(out, err);
	}
	free(starts);
	pf_buffer_release(&unordered);
	return rc;
}
