/*
 * encode_packed.c: packed samples as bytes of profile.proto, in their order.
 *
 * What stands in a file is nearly what a run holds: each id becomes another one,
 * whose bytes are made once, and so are those of each set of labels.
 */
#include <stdlib.h>

#include "core/memory.h"
#include "profile/encode.h"
#include "profile/order_samples.h"

struct encoder {
	const struct pf_profile *p;
	struct pf_buffer *out;
	struct pf_packed_id *ids; /* owned; of each location of the runs: its id in the file */
	struct pf_buffer labels;  /* of all sets */
	uint64_t *label_starts;   /* owned; set_count + 1 */
	uint32_t *locations;      /* owned; of the sample at hand */
	size_t location_capacity;
};

static int
make_ids(struct encoder *e, struct pf_error *err)
{
	const struct pf_packed_samples *s = e->p->packed;
	int rc = PF_CALLOC(e->ids, s->location_count, err);

	for (size_t i = 0; !rc && i < s->location_count; i++) {
		if (s->locations[i] != PF_NONE)
			e->ids[i] = pf_packed_id_of(s->locations[i]);
	}
	return rc;
}

static int
make_labels(struct encoder *e, struct pf_error *err)
{
	const struct pf_packed_samples *s = e->p->packed;
	struct pf_buffer scratch;
	int rc = PF_CALLOC(e->label_starts, s->set_count + 1, err);

	pf_buffer_init(&scratch, PF_BUFFER_NO_MAXIMUM);
	(void)pf_buffer_reserve(&e->labels, 1); /* there, even if all sets are empty */
	for (size_t i = 0; !rc && i < s->set_count; i++) {
		for (uint64_t j = s->label_starts[i]; j < s->label_starts[i + 1]; j++)
			pf_encode_label(&s->labels[j], &scratch, &e->labels);
		e->label_starts[i + 1] = e->labels.size;
	}
	pf_buffer_release(&scratch);
	return rc ? rc : pf_buffer_check(&e->labels, err);
}

static int
encode_sample(struct encoder *e, const int64_t *record, const int64_t *limit, struct pf_error *err)
{
	const struct pf_packed_samples *s = e->p->packed;
	struct pf_packed_frames run = pf_packed_frames(s, record);
	const uint32_t *end;
	struct pf_sample_message message = {.values = record, .value_count = e->p->type_count};
	uint32_t set;
	uint8_t *to;
	/* Locations: one a byte. */
	int rc = PF_GROW(e->locations, e->location_capacity, (size_t)(run.end - run.at) + 1, err);

	if (rc)
		return rc;
	end = pf_packed_locations(s, &run, limit, e->locations);
	for (const uint32_t *at = e->locations; at < end; at++)
		message.frame_size += e->ids[*at].size;
	set = pf_packed_varint(&run.end);
	message.labels = e->labels.bytes + e->label_starts[set];
	message.label_size = (size_t)(e->label_starts[set + 1] - e->label_starts[set]);
	to = pf_encode_sample_begin(e->out, &message);
	for (const uint32_t *at = e->locations; to && at < end; at++)
		to = pf_packed_id_put(to, &e->ids[*at]);
	if (to)
		pf_encode_sample_end(e->out, &message, to);
	return 0;
}

static int
encode_in_order(struct encoder *e, struct pf_error *err)
{
	struct pf_sample_order order;
	size_t count;
	int rc = pf_sample_order_begin(&order, e->p, err);

	while (!rc && (count = pf_sample_order_next(&order)) > 0) {
		for (size_t i = 0; !rc && i < count; i++)
			rc = encode_sample(e, pf_sample_order_get(&order, i), order.limit, err);
	}
	pf_sample_order_release(&order);
	return rc ? rc : pf_buffer_check(e->out, err);
}

int
pf_encode_packed(const struct pf_profile *p, struct pf_buffer *out, struct pf_error *err)
{
	struct encoder e = {.p = p, .out = out};
	int rc;

	pf_buffer_init(&e.labels, PF_BUFFER_NO_MAXIMUM);
	rc = make_ids(&e, err);
	if (!rc)
		rc = make_labels(&e, err);
	if (!rc)
		rc = encode_in_order(&e, err);
	free(e.ids);
	free(e.label_starts);
	free(e.locations);
	pf_buffer_release(&e.labels);
	return rc;
}
