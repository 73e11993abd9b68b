/*
 * encode_samples.c: the bulk of a profile as bytes: samples, each measured first and then written where it belongs.
 */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/wire.h"
#include "profile/encode.h"
#include "profile/fields.h"

enum { WIRE_BYTES = 2, MOST_VARINT = 10, OVERRUN = 8 };

void
pf_encode_label(const struct pf_label *l, struct pf_buffer *scratch, struct pf_buffer *out)
{
	pf_wire_varint(scratch, PF_LABEL_KEY, l->key);
	pf_wire_varint(scratch, PF_LABEL_STRING, l->string);
	pf_wire_int64(scratch, PF_LABEL_NUMBER, l->number);
	pf_wire_varint(scratch, PF_LABEL_UNIT, l->unit);
	pf_wire_message(out, PF_SAMPLE_LABEL, scratch);
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

uint8_t *
pf_encode_sample_begin(struct pf_buffer *out, struct pf_sample_message *m)
{
	size_t size;
	uint8_t *to;

	m->value_size = 0;
	for (size_t t = 0; t < m->value_count; t++)
		m->value_size += varint_size((uint64_t)m->values[t]);
	size = 2 + varint_size(m->frame_size) + m->frame_size + varint_size(m->value_size) +
	       m->value_size + m->label_size;
	to = pf_buffer_reserve(out, 1 + MOST_VARINT + size + OVERRUN);
	if (!to)
		return NULL;
	to = put_bytes(to, PF_PROFILE_SAMPLE, size);
	return put_bytes(to, PF_SAMPLE_LOCATION_ID, m->frame_size);
}

void
pf_encode_sample_end(struct pf_buffer *out, const struct pf_sample_message *m, uint8_t *to)
{
	to = put_bytes(to, PF_SAMPLE_VALUE, m->value_size);
	for (size_t t = 0; t < m->value_count; t++)
		to = put_varint(to, (uint64_t)m->values[t]);
	memcpy(to, m->labels, m->label_size);
	out->size = (size_t)(to - out->bytes) + m->label_size;
}

static void
encode_sample(const struct pf_profile *p, size_t sample, const struct pf_buffer *labels,
    struct pf_buffer *out)
{
	const uint32_t *frames = p->frames + p->frame_starts[sample];
	const uint32_t *end = p->frames + p->frame_starts[sample + 1];
	struct pf_sample_message m = {
	    .values = p->values + sample * p->type_count,
	    .value_count = p->type_count,
	    .labels = labels->bytes,
	    .label_size = labels->size,
	};
	uint8_t *to;

	for (const uint32_t *at = frames; at < end; at++)
		m.frame_size += varint_size((uint64_t)*at + 1);
	to = pf_encode_sample_begin(out, &m);
	for (const uint32_t *at = frames; to && at < end; at++)
		to = put_varint(to, (uint64_t)*at + 1);
	if (to)
		pf_encode_sample_end(out, &m, to);
}

int
pf_encode_samples(const struct pf_profile *p, struct pf_buffer *out, struct pf_error *err)
{
	struct pf_buffer labels, scratch;

	pf_buffer_init(&labels, PF_BUFFER_NO_MAXIMUM);
	pf_buffer_init(&scratch, PF_BUFFER_NO_MAXIMUM);
	(void)pf_buffer_reserve(&labels, 1); /* there, even if no sample has any */
	for (size_t i = 0; i < p->sample_count && !labels.failed && !out->failed; i++) {
		labels.size = 0;
		for (uint64_t j = p->label_starts[i]; j < p->label_starts[i + 1]; j++)
			pf_encode_label(&p->labels[j], &scratch, &labels);
		encode_sample(p, i, &labels, out);
	}
	out->failed |= labels.failed;
	pf_buffer_release(&labels);
	pf_buffer_release(&scratch);
	return pf_buffer_check(out, err);
}
