/*
 * packed_samples.h: the samples of a sum, each one record of 64-bit words: its
 * values, then a run of bytes that is the same for equal samples.
 *
 * A run is the size of its frames in bytes, the ids of its frames (location + 1,
 * leaf first) and the number of its label set, all of them varints. Locations
 * are numbered as they are met, so those met often take one byte or two where a
 * column of positions takes four. Label sets are few and kept once.
 *
 * A large sum does not fit into caches, and the memory of a virtual machine is
 * dear to touch: so there is little of it, and all of a sample in one place.
 */
#ifndef PF_PROFILE_PACKED_SAMPLES_H
#define PF_PROFILE_PACKED_SAMPLES_H

#include "profile/model.h"

struct pf_packed_samples {
	int64_t *words; /* owned; records, named by the word with which they begin */
	size_t size, capacity;
	size_t value_room;       /* words of each record before its run: of values, or not used */
	size_t frame_count;      /* of all runs */
	struct pf_label *labels; /* owned; of all label sets, in order within each */
	uint64_t *label_starts;  /* owned; set_count + 1, into labels */
	size_t set_count;        /* set 0 is the empty one */
	size_t label_count, label_capacity, label_starts_capacity;
	bool has_dropped; /* samples: there may be locations and label sets without any */
	uint32_t *
	    locations; /* owned; what each location of the runs is in the profile; NULL: the same */
	size_t location_count; /* that the runs refer to */
};

int pf_packed_samples_new(struct pf_packed_samples **samples, struct pf_error *err);
void pf_packed_samples_free(struct pf_packed_samples *s);

/* A new record, its values zero. */
int pf_packed_samples_add(struct pf_packed_samples *s, const uint8_t *run, size_t size,
    size_t frames, uint32_t *record, struct pf_error *err);

/* More values in each record: the first `used` are kept, the others of `room` zero. Records get other names. PF_ENOMEM changes nothing. */
int pf_packed_samples_widen(
    struct pf_packed_samples *s, size_t used, size_t room, struct pf_error *err);

/* The bytes of a record's run. */
size_t pf_packed_run_size(const struct pf_packed_samples *s, const int64_t *record);

/* The record behind this one; the first is 0, the last is followed by s->size. */
size_t pf_packed_samples_next(const struct pf_packed_samples *s, size_t record);

/* Moves a record down, to where those that are kept end; returns their new end. */
size_t pf_packed_samples_keep(struct pf_packed_samples *s, size_t record, size_t end);

/* The set of these labels, which are in order; found by `index`, or added. */
int pf_packed_samples_label_set(struct pf_packed_samples *s, struct pf_index *index,
    const struct pf_label *labels, size_t count, uint32_t *set, struct pf_error *err);

/* The columns of a profile in place of its packed samples, in the order in which they are written. PF_ENOMEM: only good to be freed. */
int pf_profile_unpack(struct pf_profile *p, struct pf_error *err);

/* The id of a location as a varint, made once: to write one is to copy all eight bytes and step over `size`. */
struct pf_packed_id {
	uint8_t bytes[7], size;
};

enum { PF_PACKED_ID_ROOM = sizeof(struct pf_packed_id) };

struct pf_packed_id pf_packed_id_of(uint32_t location);

static inline uint8_t *
pf_packed_id_put(uint8_t *to, const struct pf_packed_id *id)
{
	__builtin_memcpy(to, id, sizeof *id);
	return to + id->size;
}

/* A varint of a run, stepped over. */
static inline uint32_t
pf_packed_varint(const uint8_t **at)
{
	const uint8_t *b = *at;
	uint32_t value = *b & 0x7f;

	for (unsigned shift = 7; *b >= 0x80; shift += 7)
		value |= (uint32_t)(*++b & 0x7f) << shift;
	*at = b + 1;
	return value;
}

static inline const uint8_t *
pf_packed_run(const struct pf_packed_samples *s, const int64_t *record)
{
	return (const uint8_t *)(record + s->value_room);
}

/* Where the frames of a record begin and end; behind them stands its label set. */
struct pf_packed_frames {
	const uint8_t *at, *end;
};

static inline struct pf_packed_frames
pf_packed_frames(const struct pf_packed_samples *s, const int64_t *record)
{
	const uint8_t *at = pf_packed_run(s, record);
	uint32_t size = pf_packed_varint(&at);

	return (struct pf_packed_frames){at, at + size};
}

/*
 * The frames of a record as locations of the runs. `to` has room for one a byte;
 * memory up to `limit` can be looked at. Returns their end.
 */
uint32_t *pf_packed_locations(const struct pf_packed_samples *s,
    const struct pf_packed_frames *frames, const int64_t *limit, uint32_t *to);

/* Asks for the memory of a record, most of which are shorter than two cache lines. */
static inline void
pf_packed_samples_fetch(const struct pf_packed_samples *s, size_t record)
{
	enum { LINE = 64 / sizeof *s->words };

	__builtin_prefetch(s->words + record);
	if (s->size - record > LINE)
		__builtin_prefetch(s->words + record + LINE);
}

#endif
