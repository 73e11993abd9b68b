/*
 * read_contention.c: waiting for locks, as C++ servers and Go (debug=1) print it.
 *
 *	--- contentionz 1 ---            Go: "--- mutex:", "--- contention:"
 *	cycles/second = 3201000000
 *	sampling period = 100
 *	ms since reset = 16502830
 *	   768   1 @ 0xbccc97 0xa42dc7
 *
 * Each line: cycles waited and how often, both counted once in `sampling
 * period`. Without cycles/second the first figure is nanoseconds. All addresses
 * are return addresses.
 */
#include "profile/formats.h"

#include "core/error.h"
#include "profile/builder.h"
#include "profile/maps.h"
#include "profile/noise.h"

struct reader {
	struct pf_builder *b;
	struct pf_lines lines;
	int64_t hertz; /* 0: delays are nanoseconds */
};

bool
pf_contention_recognise(const uint8_t *bytes, size_t size)
{
	struct pf_lines lines;
	struct pf_text t;

	pf_lines_init(&lines, "", bytes, size);
	if (!pf_lines_next_content(&lines))
		return false;
	t = pf_text_trimmed(lines.line);
	return pf_text_starts(&t, "--- contentionz ") || pf_text_starts(&t, "--- mutex:") ||
	       pf_text_starts(&t, "--- contention:") || pf_text_equals(&t, "--- contention");
}

/* "NAME = VALUE"; false for a line without =. Attributes that change no figure are passed over. */
static bool
read_attribute(struct reader *r, struct pf_text line)
{
	const char *equals = pf_text_find(&line, "=");
	struct pf_profile *p = r->b->p;
	struct pf_text key, value;

	if (!equals)
		return false;
	key = pf_text_trimmed(pf_text_of(line.at, (size_t)(equals - line.at)));
	value = pf_text_of(equals + 1, (size_t)(line.end - equals - 1));
	if (pf_text_equals(&key, "cycles/second"))
		r->hertz = pf_text_int64(&value);
	else if (pf_text_equals(&key, "sampling period"))
		p->period = pf_text_int64(&value);
	else if (pf_text_equals(&key, "ms since reset")) {
		p->duration_nanos = pf_text_int64(&value);
		if (__builtin_mul_overflow(p->duration_nanos, 1000000, &p->duration_nanos))
			pf_text_fail(&value, "a duration exceeds 64 bits of nanoseconds");
	}
	r->lines.line.failure = value.failure;
	return true;
}

/* Sampled cycles to nanoseconds of all; false if they exceed 64 bits. */
static bool
scale(const struct reader *r, int64_t *delay, int64_t *count)
{
	int64_t period = r->b->p->period;

	if (period <= 0)
		return true;
	if (r->hertz > 0) {
		double all = (double)*delay * (double)period / ((double)r->hertz / 1e9);
		if (!(all < 9223372036854775808.0))
			return false;
		*delay = (int64_t)all;
	}
	return !__builtin_mul_overflow(*count, period, count);
}

static int
add_line(struct reader *r, struct pf_error *err)
{
	struct pf_text t = r->lines.line;
	int64_t values[2];
	int rc;

	values[1] = pf_text_int64(&t);
	values[0] = pf_text_int64(&t);
	pf_text_expect(&t, "@");
	if (!t.failure && (values[0] < 0 || values[1] < 0))
		pf_text_fail(&t, "a negative figure");
	rc = pf_builder_callers(r->b, &r->lines, &t, err);
	if (rc)
		return rc;
	if (!scale(r, &values[1], &values[0]))
		return pf_lines_error(&r->lines, "the unsampled figures exceed 64 bits", err);
	return pf_builder_sample(r->b, values, err);
}

static bool
ends_section(const struct pf_lines *lines)
{
	struct pf_text t = lines->line;

	pf_text_blanks(&t);
	return pf_text_starts(&t, "---") || pf_maps_begin(&lines->line);
}

static int
read_all(struct reader *r, struct pf_error *err)
{
	bool attributes = true;
	int rc = 0;

	while (!rc && pf_lines_next_content(&r->lines) && !ends_section(&r->lines)) {
		attributes = attributes && read_attribute(r, r->lines.line);
		rc = attributes ? pf_lines_check(&r->lines, &r->lines.line, err) : add_line(r, err);
	}
	return rc ? rc : pf_maps_read(r->b, &r->lines, err);
}

int
pf_contention_read(struct pf_builder *b, struct pf_source *source, struct pf_error *err)
{
	struct reader r = {.b = b};
	int rc;

	pf_lines_from(&r.lines, source);
	(void)pf_lines_next_content(&r.lines);
	rc = pf_builder_type(r.b, "contentions", "count", err);
	if (!rc)
		rc = pf_builder_type(r.b, "delay", "nanoseconds", err);
	if (!rc)
		rc = pf_builder_period(r.b, "contentions", "count", 1, err);
	if (!rc)
		rc = pf_noise_set(r.b, PF_NOISE_LOCKS, err);
	if (!rc)
		rc = read_all(&r, err);
	return rc;
}
