/*
 * read_cpu.c: gperftools' CPU profiles.
 *
 * Machine words of 32 or 64 bits in either byte order: 0, 3, 0, the period in
 * microseconds, 0; then records (count, frames, that many addresses), ended by
 * (0, 1, 0); then the text of /proc/self/maps. The leaf is the interrupted
 * instruction itself, callers are return addresses. A 1 as third word says that
 * a Java agent wrote it: what follows is a table of locations.
 *
 * Profilers that unwind out of their signal handler leave its frames behind the
 * leaf: one that stands second in all samples but one in 32 is dropped, twice.
 * Then a second frame that repeats the leaf is dropped (google/pprof does both).
 */
#include "profile/formats.h"

#include "core/cursor.h"
#include "core/error.h"
#include "profile/builder.h"
#include "profile/java.h"
#include "profile/maps.h"
#include "profile/noise.h"

enum { HEADER_WORDS = 5, HANDLER_FRAMES = 2, ONE_OTHER_IN = 32 };

struct words {
	struct pf_cursor c;
	bool wide, swapped; /* 64 bits; not little-endian */
};

struct record {
	uint64_t count, frames, second; /* second: the first caller, handler frames left out */
	struct words at;                /* at its addresses */
	size_t offset;                  /* of the record */
};

struct reader {
	struct pf_builder b;
	struct words records;             /* at the first record */
	bool java;                        /* addresses are keys of a table that follows */
	uint64_t handler[HANDLER_FRAMES]; /* second frames to drop, in this order */
	size_t handler_count;
};

static uint64_t
next_word(struct words *w)
{
	if (w->wide) {
		uint64_t word = pf_cursor_u64(&w->c);
		return w->swapped ? __builtin_bswap64(word) : word;
	}
	uint32_t half = pf_cursor_u32(&w->c);
	return w->swapped ? __builtin_bswap32(half) : half;
}

/* The kind of words that makes the first ones a header: the period in it; 0 if none does. */
static uint64_t
read_header(struct words *w, const char *name, const uint8_t *bytes, size_t size, bool *java)
{
	for (int kind = 0; kind < 4; kind++) {
		uint64_t header[HEADER_WORDS];
		w->wide = kind & 2;
		w->swapped = kind & 1;
		pf_cursor_init(&w->c, name, bytes, size);
		for (int i = 0; i < HEADER_WORDS; i++)
			header[i] = next_word(w);
		*java = header[2] == 1;
		if (!w->c.failure && header[0] == 0 && header[1] == 3 && header[2] <= 1 &&
		    header[3] > 0 && header[4] == 0)
			return header[3];
	}
	return 0;
}

bool
pf_cpu_recognise(const uint8_t *bytes, size_t size)
{
	struct words w;
	bool java;

	return read_header(&w, "", bytes, size, &java) != 0;
}

/*
 * Whether a caller belongs to the handler. *next is the handler frame to look
 * for, 0 at a stack's start; past a caller of the program's own there are none.
 */
static bool
is_handler(const struct reader *r, uint64_t frame, size_t *next)
{
	while (*next < r->handler_count) {
		if (frame == r->handler[(*next)++])
			return true;
	}
	return false;
}

/* Steps to the next record; false at the end of data, after a failure too. */
static bool
next_record(struct words *w, struct record *r)
{
	uint64_t first;

	r->offset = pf_cursor_offset(&w->c);
	if (pf_cursor_left(&w->c) == 0)
		pf_cursor_fail(&w->c, "the end-of-data record is missing: the file is cut off");
	r->count = next_word(w);
	r->frames = next_word(w);
	if (r->frames > pf_cursor_left(&w->c) / (w->wide ? 8 : 4))
		pf_cursor_fail(&w->c, "a stack is longer than the file");
	if (w->c.failure)
		return false;
	r->at = *w;
	first = r->frames ? next_word(w) : 0;
	if (r->count == 0 && r->frames == 1 && first == 0)
		return false;
	pf_cursor_skip(&w->c, (r->frames ? r->frames - 1 : 0) * (w->wide ? 8 : 4));
	return true;
}

/* The first caller of a record, behind the handler's frames known so far; false if it has none. */
static bool
second_frame(const struct reader *r, const struct record *record, uint64_t *second)
{
	struct words w = record->at;
	size_t next = 0;

	for (uint64_t i = 0; i < record->frames; i++) {
		*second = next_word(&w);
		if (i > 0 && !is_handler(r, *second, &next))
			return true;
	}
	return false;
}

/* One more frame of the handler, if nearly all samples have the same second one. */
static int
find_handler_frame(struct reader *r, struct pf_error *err)
{
	uint64_t samples = 0, votes = 0, with = 0, candidate = 0, second;
	struct words w = r->records;
	struct record record;

	/* What more than half have survives a vote in which others cancel it out. */
	for (; next_record(&w, &record); samples++) {
		if (!second_frame(r, &record, &second))
			continue;
		if (votes == 0)
			candidate = second;
		votes = votes == 0 || second == candidate ? votes + 1 : votes - 1;
	}
	if (w.c.failure || samples == 0)
		return pf_cursor_check(&w.c, err);
	for (w = r->records; next_record(&w, &record);)
		with += second_frame(r, &record, &second) && second == candidate;
	if (with && with >= samples - samples / ONE_OTHER_IN)
		r->handler[r->handler_count++] = candidate;
	return 0;
}

static int
add_record(struct reader *r, const struct record *record, struct pf_error *err)
{
	struct words w = record->at;
	uint64_t leaf = 0;
	size_t next = 0;
	int64_t values[2];
	int rc = 0;

	for (uint64_t i = 0; !rc && i < record->frames; i++) {
		uint64_t frame = next_word(&w);
		if (i == 0)
			leaf = frame;
		else if (is_handler(r, frame, &next))
			continue;
		rc = pf_builder_address(&r->b, i == 0 || r->java ? frame : frame - 1, err);
	}
	if (rc)
		return rc;
	if (!r->java)
		pf_builder_drop_second(&r->b, leaf - 1);
	if (record->count > INT64_MAX ||
	    __builtin_mul_overflow((int64_t)record->count, r->b.p->period, &values[1]))
		return pf_error_set(err, PF_EINPUT,
		    "%s: the sample at offset %zu has a count that exceeds 64 bits of nanoseconds",
		    w.c.section, record->offset);
	values[0] = (int64_t)record->count;
	return pf_builder_sample(&r->b, values, err);
}

static int
read_records(struct reader *r, struct pf_error *err)
{
	struct pf_lines text;
	struct record record;
	struct words w;
	int rc = 0;

	while (!rc && !r->java && r->handler_count < HANDLER_FRAMES) {
		size_t before = r->handler_count;
		rc = find_handler_frame(r, err);
		if (r->handler_count == before)
			break;
	}
	for (w = r->records; !rc && next_record(&w, &record);)
		rc = add_record(r, &record, err);
	if (!rc)
		rc = pf_cursor_check(&w.c, err);
	if (rc)
		return rc;
	pf_lines_init(&text, w.c.section, w.c.at, pf_cursor_left(&w.c));
	return r->java ? pf_java_locations(&r->b, &text, err)
		       : pf_maps_read_here(&r->b, &text, err);
}

int
pf_cpu_read(
    struct pf_profile *p, const char *name, const uint8_t *bytes, size_t size, struct pf_error *err)
{
	struct reader r = {0};
	uint64_t period = read_header(&r.records, name, bytes, size, &r.java);
	int rc;

	if (period > INT64_MAX / 1000)
		return pf_error_set(err, PF_EINPUT,
		    "%s: a sampling period of %llu microseconds exceeds 64 bits of nanoseconds",
		    name, (unsigned long long)period);
	pf_builder_init(&r.b, p);
	rc = pf_builder_type(&r.b, "samples", "count", err);
	if (!rc)
		rc = pf_builder_type(&r.b, "cpu", "nanoseconds", err);
	if (!rc)
		rc = pf_builder_period(&r.b, "cpu", "nanoseconds", (int64_t)period * 1000, err);
	if (!rc && !r.java)
		rc = pf_noise_set(&r.b, PF_NOISE_CPU, err);
	if (!rc)
		rc = read_records(&r, err);
	pf_builder_release(&r.b);
	return rc;
}
