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

#include <inttypes.h>

#include "core/cursor.h"
#include "core/error.h"
#include "profile/java.h"
#include "profile/maps.h"
#include "profile/noise.h"

enum { HEADER_WORDS = 5, HANDLER_FRAMES = 2, ONE_OTHER_IN = 32, LONGEST_STACK = 1 << 20 };

/* What a machine word is. */
struct words {
	bool wide, swapped; /* 64 bits; not little-endian */
};

struct record {
	uint64_t count, frames;
	const uint8_t *at; /* its addresses, good until the next record is read */
	uint64_t offset;   /* of the record */
};

struct reader {
	struct pf_builder *b;
	struct pf_source *source;
	struct words words;
	bool java;                        /* addresses are keys of a table that follows */
	uint64_t handler[HANDLER_FRAMES]; /* second frames to drop, in this order */
	size_t handler_count;
};

static size_t
word_size(const struct words *w)
{
	return w->wide ? 8 : 4;
}

static uint64_t
word_at(const struct words *w, const uint8_t *bytes, uint64_t i)
{
	struct pf_cursor c;

	pf_cursor_init(&c, "", bytes + i * word_size(w), word_size(w));
	if (w->wide) {
		uint64_t word = pf_cursor_u64(&c);
		return w->swapped ? __builtin_bswap64(word) : word;
	}
	uint32_t half = pf_cursor_u32(&c);
	return w->swapped ? __builtin_bswap32(half) : half;
}

/* The kind of words that makes the first ones a header: the period in it; 0 if none does. */
static uint64_t
read_header(struct words *w, const uint8_t *bytes, size_t size, bool *java)
{
	for (int kind = 0; kind < 4; kind++) {
		uint64_t header[HEADER_WORDS];
		w->wide = kind & 2;
		w->swapped = kind & 1;
		if (size < HEADER_WORDS * word_size(w))
			break;
		for (unsigned i = 0; i < HEADER_WORDS; i++)
			header[i] = word_at(w, bytes, i);
		*java = header[2] == 1;
		if (header[0] == 0 && header[1] == 3 && header[2] <= 1 && header[3] > 0 &&
		    header[4] == 0)
			return header[3];
	}
	return 0;
}

bool
pf_cpu_recognise(const uint8_t *bytes, size_t size)
{
	struct words w;
	bool java;

	return read_header(&w, bytes, size, &java) != 0;
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

static int
broken(const struct reader *r, const char *why, uint64_t offset, struct pf_error *err)
{
	return pf_error_set(
	    err, PF_EINPUT, "%s: %s at offset %" PRIu64, r->source->name, why, offset);
}

/* Brings `count` words into the window. */
static int
need_words(struct reader *r, uint64_t count, const char *otherwise, struct pf_error *err)
{
	size_t size = count < PTRDIFF_MAX / 8 ? (size_t)count * word_size(&r->words) : PTRDIFF_MAX;
	int rc = pf_source_need(r->source, size, err);

	if (!rc && (size_t)(r->source->end - r->source->at) < size)
		rc = broken(r, otherwise, pf_source_offset(r->source), err);
	return rc;
}

/* Steps to the next record; *more is false at the end of data. */
static int
next_record(struct reader *r, struct record *record, bool *more, struct pf_error *err)
{
	struct pf_source *s = r->source;
	size_t size = word_size(&r->words);
	int rc = pf_source_need(s, 2 * size, err);

	*more = false;
	record->offset = pf_source_offset(s);
	if (!rc && s->at == s->end)
		return broken(r, "the end-of-data record is missing: the file is cut off",
		    record->offset, err);
	if (!rc)
		rc = need_words(r, 2, "truncated integer", err);
	if (rc)
		return rc;
	record->count = word_at(&r->words, s->at, 0);
	record->frames = word_at(&r->words, s->at, 1);
	s->at += 2 * size;
	if (!s->whole && record->frames > LONGEST_STACK)
		return broken(r, "a stack of over a million frames", pf_source_offset(s), err);
	rc = need_words(r, record->frames, "a stack is longer than the file", err);
	if (rc)
		return rc;
	record->at = s->at;
	s->at += record->frames * size;
	*more = record->count || record->frames != 1 || word_at(&r->words, record->at, 0);
	return 0;
}

/* The first caller of a record, behind the handler's frames known so far; false if it has none. */
static bool
second_frame(const struct reader *r, const struct record *record, uint64_t *second)
{
	size_t next = 0;

	for (uint64_t i = 1; i < record->frames; i++) {
		*second = word_at(&r->words, record->at, i);
		if (!is_handler(r, *second, &next))
			return true;
	}
	return false;
}

/* To the first record. */
static int
rewind_records(struct reader *r, struct pf_error *err)
{
	int rc = pf_source_rewind(r->source, err);

	if (!rc)
		rc = need_words(r, HEADER_WORDS, "truncated integer", err);
	if (!rc)
		r->source->at += HEADER_WORDS * word_size(&r->words);
	return rc;
}

/* The second frame that more than half of the samples have, if any has. */
static int
find_candidate(struct reader *r, uint64_t *candidate, uint64_t *samples, struct pf_error *err)
{
	uint64_t votes = 0, second;
	struct record record;
	bool more = true;
	int rc = rewind_records(r, err);

	*candidate = *samples = 0;
	while (!rc && more) {
		rc = next_record(r, &record, &more, err);
		if (rc || !more)
			break;
		++*samples;
		if (!second_frame(r, &record, &second))
			continue;
		/* What more than half have survives a vote in which others cancel it out. */
		if (votes == 0)
			*candidate = second;
		votes = votes == 0 || second == *candidate ? votes + 1 : votes - 1;
	}
	return rc;
}

static int
count_second(struct reader *r, uint64_t candidate, uint64_t *with, struct pf_error *err)
{
	struct record record;
	uint64_t second;
	bool more = true;
	int rc = rewind_records(r, err);

	*with = 0;
	while (!rc && more) {
		rc = next_record(r, &record, &more, err);
		if (!rc && more)
			*with += second_frame(r, &record, &second) && second == candidate;
	}
	return rc;
}

/* The handler's frames: those that nearly all samples have as their second one. */
static int
find_handler(struct reader *r, struct pf_error *err)
{
	uint64_t candidate, samples, with = 1;
	int rc = 0;

	while (!rc && with && r->handler_count < HANDLER_FRAMES) {
		rc = find_candidate(r, &candidate, &samples, err);
		if (!rc)
			rc = count_second(r, candidate, &with, err);
		if (rc || with == 0 || with < samples - samples / ONE_OTHER_IN)
			break;
		r->handler[r->handler_count++] = candidate;
	}
	return rc;
}

static int
add_record(struct reader *r, const struct record *record, struct pf_error *err)
{
	uint64_t leaf = 0;
	size_t next = 0;
	int64_t values[2];
	int rc = 0;

	for (uint64_t i = 0; !rc && i < record->frames; i++) {
		uint64_t frame = word_at(&r->words, record->at, i);
		if (i == 0)
			leaf = frame;
		else if (is_handler(r, frame, &next))
			continue;
		rc = pf_builder_address(r->b, i == 0 || r->java ? frame : frame - 1, err);
	}
	if (rc)
		return rc;
	if (!r->java)
		pf_builder_drop_second(r->b, leaf - 1);
	if (record->count > INT64_MAX ||
	    __builtin_mul_overflow((int64_t)record->count, r->b->p->period, &values[1]))
		return pf_error_set(err, PF_EINPUT,
		    "%s: the sample at offset %" PRIu64
		    " has a count that exceeds 64 bits of nanoseconds",
		    r->source->name, record->offset);
	values[0] = (int64_t)record->count;
	return pf_builder_sample(r->b, values, err);
}

static int
read_records(struct reader *r, struct pf_error *err)
{
	struct pf_lines text;
	struct record record;
	bool more = true;
	int rc = r->java ? 0 : find_handler(r, err);

	if (!rc)
		rc = rewind_records(r, err);
	while (!rc && more) {
		rc = next_record(r, &record, &more, err);
		if (!rc && more)
			rc = add_record(r, &record, err);
	}
	if (rc)
		return rc;
	pf_lines_from(&text, r->source);
	return r->java ? pf_java_locations(r->b, &text, err) : pf_maps_read_here(r->b, &text, err);
}

int
pf_cpu_read(struct pf_builder *b, struct pf_source *source, struct pf_error *err)
{
	struct reader r = {.b = b, .source = source};
	uint64_t period = 0;
	int rc = pf_source_need(source, HEADER_WORDS * 8, err);

	if (!rc)
		period =
		    read_header(&r.words, source->at, (size_t)(source->end - source->at), &r.java);
	if (!rc && !period)
		rc = broken(&r, "the header is gone: the file changed while it was read", 0, err);
	if (rc)
		return rc;
	if (period > INT64_MAX / 1000)
		return pf_error_set(err, PF_EINPUT,
		    "%s: a sampling period of %" PRIu64
		    " microseconds exceeds 64 bits of nanoseconds",
		    source->name, period);
	rc = pf_builder_type(b, "samples", "count", err);
	if (!rc)
		rc = pf_builder_type(b, "cpu", "nanoseconds", err);
	if (!rc)
		rc = pf_builder_period(b, "cpu", "nanoseconds", (int64_t)period * 1000, err);
	if (!rc)
		rc = pf_noise_set(b, PF_NOISE_CPU, err);
	return rc ? rc : read_records(&r, err);
}
