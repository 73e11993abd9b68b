/* packed_samples.c: see packed_samples.h. */
#include "profile/packed_samples.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "profile/order_samples.h"
#include "profile/packed_ids.h"

/* As many locations as packed_ids.c can say. */
enum { MOST_WIDE = (1 << 21) - 1 };

int
pf_packed_samples_new(struct pf_packed_samples **samples, struct pf_error *err)
{
	struct pf_packed_samples *s;
	int rc = PF_CALLOC(*samples, 1, err);

	if (rc)
		return rc;
	s = *samples;
	rc = PF_GROW(s->label_starts, s->label_starts_capacity, 2, err);
	if (rc) {
		pf_packed_samples_free(s);
		*samples = NULL;
		return rc;
	}
	s->set_count = 1;
	s->label_starts[0] = s->label_starts[1] = 0;
	return 0;
}

void
pf_packed_samples_free(struct pf_packed_samples *s)
{
	if (!s)
		return;
	free(s->words);
	free(s->labels);
	free(s->label_starts);
	free(s->locations);
	free(s);
}

static size_t
words_of(size_t bytes)
{
	return (bytes + sizeof(int64_t) - 1) / sizeof(int64_t);
}

static int
too_many(struct pf_error *err)
{
	return pf_error_set(err, PF_ENOMEM, "more than 32 GiB of distinct samples");
}

int
pf_packed_samples_add(struct pf_packed_samples *s, const uint8_t *run, size_t size, size_t frames,
    uint32_t *record, struct pf_error *err)
{
	size_t words = s->value_room + words_of(size);
	int rc;

	if (words > PF_NONE - s->size)
		return too_many(err);
	rc = PF_GROW(s->words, s->capacity, s->size + words, err);
	if (rc)
		return rc;
	*record = (uint32_t)s->size;
	memset(s->words + s->size, 0, s->value_room * sizeof *s->words);
	s->size += words;
	s->words[s->size - 1] = 0; /* its last bytes may not be the run's */
	memcpy(s->words + *record + s->value_room, run, size);
	s->frame_count += frames;
	return 0;
}

size_t
pf_packed_run_size(const struct pf_packed_samples *s, const int64_t *record)
{
	struct pf_packed_frames f = pf_packed_frames(s, record);

	(void)pf_packed_varint(&f.end);
	return (size_t)(f.end - pf_packed_run(s, record));
}

size_t
pf_packed_samples_next(const struct pf_packed_samples *s, size_t record)
{
	return record + s->value_room + words_of(pf_packed_run_size(s, s->words + record));
}

static size_t
count_records(const struct pf_packed_samples *s)
{
	size_t count = 0;

	for (size_t at = 0; at < s->size; at = pf_packed_samples_next(s, at))
		count++;
	return count;
}

int
pf_packed_samples_widen(struct pf_packed_samples *s, size_t used, size_t room, struct pf_error *err)
{
	size_t records = count_records(s), capacity = 0, size = 0, next;
	size_t wanted = s->size + records * room - records * s->value_room;
	int64_t *words = NULL;
	int rc;

	if (wanted > PF_NONE)
		return too_many(err);
	rc = PF_GROW(words, capacity, wanted, err);
	if (rc)
		return rc;
	for (size_t at = 0; at < s->size; at = next) {
		size_t run;
		next = pf_packed_samples_next(s, at);
		run = next - at - s->value_room;
		memcpy(words + size, s->words + at, used * sizeof *words);
		memset(words + size + used, 0, (room - used) * sizeof *words);
		memcpy(words + size + room, s->words + next - run, run * sizeof *words);
		size += room + run;
	}
	free(s->words);
	s->words = words;
	s->capacity = capacity;
	s->size = size;
	s->value_room = room;
	return 0;
}

size_t
pf_packed_samples_keep(struct pf_packed_samples *s, size_t record, size_t end)
{
	size_t words = pf_packed_samples_next(s, record) - record;

	if (record != end)
		memmove(s->words + end, s->words + record, words * sizeof *s->words);
	return end + words;
}

static uint32_t
hash_labels(const struct pf_label *labels, size_t count)
{
	uint64_t hash = count;

	for (size_t i = 0; i < count; i++) {
		hash = pf_hash_step(hash, (uint64_t)labels[i].string << 32 | labels[i].key);
		hash = pf_hash_step(hash ^ labels[i].unit, (uint64_t)labels[i].number);
	}
	return pf_hash_u64(hash);
}

static bool
same_label(const struct pf_label *a, const struct pf_label *b)
{
	return a->key == b->key && a->string == b->string && a->number == b->number &&
	       a->unit == b->unit;
}

static bool
same_set(
    const struct pf_packed_samples *s, uint32_t set, const struct pf_label *labels, size_t count)
{
	const struct pf_label *ours = s->labels + s->label_starts[set];

	if (s->label_starts[set + 1] - s->label_starts[set] != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!same_label(&ours[i], &labels[i]))
			return false;
	}
	return true;
}

static int
add_set(
    struct pf_packed_samples *s, const struct pf_label *labels, size_t count, struct pf_error *err)
{
	int rc = PF_GROW(s->labels, s->label_capacity, s->label_count + count, err);

	if (!rc)
		rc = PF_GROW(s->label_starts, s->label_starts_capacity, s->set_count + 2, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < count; i++)
		s->labels[s->label_count++] = labels[i];
	s->label_starts[++s->set_count] = s->label_count;
	return 0;
}

int
pf_packed_samples_label_set(struct pf_packed_samples *s, struct pf_index *index,
    const struct pf_label *labels, size_t count, uint32_t *set, struct pf_error *err)
{
	uint32_t hash = count ? hash_labels(labels, count) : 0;
	size_t at = 0;
	int rc;

	*set = 0;
	if (!count)
		return 0;
	for (uint32_t i = pf_index_first(index, hash, &at); i != PF_NONE;
	    i = pf_index_next(index, hash, &at)) {
		if (same_set(s, i, labels, count)) {
			*set = i;
			return 0;
		}
	}
	if (s->set_count >= PF_NONE)
		return pf_error_set(err, PF_ENOMEM, "more than %zu label sets", s->set_count);
	*set = (uint32_t)s->set_count;
	rc = pf_index_reserve(index, err);
	if (!rc)
		rc = add_set(s, labels, count, err);
	return rc ? rc : pf_index_add(index, hash, *set, err);
}

struct pf_packed_id
pf_packed_id_of(uint32_t location)
{
	struct pf_packed_id id = {.size = 0};
	uint64_t value = (uint64_t)location + 1;

	for (; value >= 0x80; value >>= 7)
		id.bytes[id.size++] = (uint8_t)(value | 0x80);
	id.bytes[id.size++] = (uint8_t)value;
	return id;
}

uint32_t *
pf_packed_locations(const struct pf_packed_samples *s, const struct pf_packed_frames *frames,
    const int64_t *limit, uint32_t *to)
{
	const uint8_t *at = frames->at;

	if (s->location_count <= MOST_WIDE) {
		struct pf_message ids = pf_message_of(frames->at, frames->end);
		return pf_packed_ids_take(&ids, (const uint8_t *)limit, to);
	}
	while (at < frames->end)
		*to++ = pf_packed_varint(&at) - 1;
	return to;
}

/* Room in the columns for all samples, and nothing in them yet. */
static int
make_columns(struct pf_profile *p, struct pf_error *err)
{
	int rc = PF_GROW(p->values, p->value_capacity, p->sample_count * p->type_count, err);

	if (!rc)
		rc = PF_GROW(p->frame_starts, p->frame_starts_capacity, p->sample_count + 1, err);
	if (!rc)
		rc = PF_GROW(p->label_starts, p->label_starts_capacity, p->sample_count + 1, err);
	if (!rc)
		rc = PF_GROW(p->frames, p->frame_capacity, p->packed->frame_count + 1, err);
	p->frame_count = p->label_count = 0;
	return rc;
}

static int
unpack_labels(struct pf_profile *p, uint32_t set, struct pf_error *err)
{
	const struct pf_packed_samples *s = p->packed;
	uint64_t first = s->label_starts[set], end = s->label_starts[set + 1];
	int rc =
	    PF_GROW(p->labels, p->label_capacity, p->label_count + (size_t)(end - first) + 1, err);

	for (; !rc && first < end; first++)
		p->labels[p->label_count++] = s->labels[first];
	return rc;
}

static int
unpack(struct pf_profile *p, size_t sample, const int64_t *record, struct pf_error *err)
{
	const struct pf_packed_samples *s = p->packed;
	struct pf_packed_frames f = pf_packed_frames(s, record);
	int rc;

	while (f.at < f.end)
		p->frames[p->frame_count++] = s->locations[pf_packed_varint(&f.at) - 1];
	rc = unpack_labels(p, pf_packed_varint(&f.at), err);
	for (size_t t = 0; t < p->type_count; t++)
		p->values[sample * p->type_count + t] = record[t];
	p->frame_starts[sample + 1] = p->frame_count;
	p->label_starts[sample + 1] = p->label_count;
	return rc;
}

int
pf_profile_unpack(struct pf_profile *p, struct pf_error *err)
{
	struct pf_sample_order order;
	size_t sample = 0, count;
	int rc = make_columns(p, err);

	if (rc)
		return rc;
	rc = pf_sample_order_begin(&order, p, err);
	while (!rc && (count = pf_sample_order_next(&order)) > 0) {
		for (size_t i = 0; !rc && i < count; i++)
			rc = unpack(p, sample++, pf_sample_order_get(&order, i), err);
	}
	pf_sample_order_release(&order);
	if (rc)
		return rc;
	pf_packed_samples_free(p->packed);
	p->packed = NULL;
	return 0;
}
