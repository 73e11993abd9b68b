/*
 * inflate.c: see inflate.h.
 *
 * Caps are checked before each step, and steps are small: a bomb is stopped
 * before it has done much. Whatever the library below leaves open (what stands
 * between members, whether the input was cut off) is decided here.
 */
#include "core/inflate.h"

#include <inttypes.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

enum {
	RATIO_GRACE = 16 << 20, /* below this much output the ratio is not judged */
	STEP = 1 << 20,
};

enum place { IN_MEMBER, AFTER_MEMBER, IN_PADDING, ENDED };

struct pf_inflater {
	const char *name;
	uint64_t max_size, made;
	uint64_t fed; /* input handed over so far */
	uint32_t max_ratio;
	bool last;
	enum place place;
	struct inflate_state state; /* some 90 KB */
};

int
pf_inflater_new(struct pf_inflater **inflater, struct pf_error *err)
{
	*inflater = malloc(sizeof **inflater);
	return *inflater ? 0 : pf_error_nomem(err);
}

void
pf_inflater_free(struct pf_inflater *f)
{
	free(f);
}

void
pf_inflater_begin(struct pf_inflater *f, const char *name, uint64_t max_size, uint32_t max_ratio)
{
	f->name = name;
	f->max_size = max_size;
	f->max_ratio = max_ratio;
	f->made = f->fed = 0;
	f->last = false;
	f->place = IN_MEMBER;
	isal_inflate_init(&f->state);
	f->state.crc_flag = ISAL_GZIP;
	f->state.next_in = NULL;
	f->state.avail_in = 0;
}

void
pf_inflater_feed(struct pf_inflater *f, const void *bytes, size_t size, bool last)
{
	f->state.next_in = (uint8_t *)(uintptr_t)bytes;
	f->state.avail_in = (uint32_t)size;
	f->fed += size;
	f->last = last;
}

/* Where in the input we are. */
static uint64_t
offset(const struct pf_inflater *f)
{
	return f->fed - f->state.avail_in;
}

static int
check_caps(const struct pf_inflater *f, struct pf_error *err)
{
	if (f->made > f->max_size)
		return pf_error_set(err, PF_EINPUT,
		    "%s: inflates to more than %" PRIu64 " bytes; --max-size lifts the cap",
		    f->name, f->max_size);
	if (f->max_ratio && f->made > RATIO_GRACE && f->made / f->max_ratio > offset(f))
		return pf_error_set(err, PF_EINPUT,
		    "%s: inflates to more than %u times its size (offset %" PRIu64
		    "); --max-size lifts the cap",
		    f->name, f->max_ratio, offset(f));
	return 0;
}

static const char *
reason(int status)
{
	switch (status) {
	case ISAL_INVALID_BLOCK:
		return "an invalid block";
	case ISAL_INVALID_SYMBOL:
		return "an invalid code";
	case ISAL_INVALID_LOOKBACK:
		return "a distance too far back";
	case ISAL_INVALID_WRAPPER:
		return "an invalid header";
	case ISAL_UNSUPPORTED_METHOD:
		return "an unknown compression method";
	case ISAL_INCORRECT_CHECKSUM:
		return "its checksum or size does not match";
	default:
		return "it needs a dictionary";
	}
}

/* One call of the library, in a member. */
static int
inflate_some(struct pf_inflater *f, uint8_t *to, size_t room, size_t *made, struct pf_error *err)
{
	int status;

	f->state.next_out = to;
	f->state.avail_out = (uint32_t)room;
	status = isal_inflate(&f->state);
	*made = room - f->state.avail_out;
	f->made += *made;
	if (status != ISAL_DECOMP_OK)
		return pf_error_set(err, PF_EINPUT, "%s: bad gzip data at offset %" PRIu64 ": %s",
		    f->name, offset(f), reason(status));
	if (f->state.block_state == ISAL_BLOCK_FINISH)
		f->place = AFTER_MEMBER;
	return 0;
}

/* What stands behind a member: another one, or zeros to the end. */
static int
pass_padding(struct pf_inflater *f, struct pf_error *err)
{
	if (f->place == AFTER_MEMBER && f->state.avail_in && *f->state.next_in == 0x1f) {
		isal_inflate_reset(&f->state);
		f->state.crc_flag = ISAL_GZIP;
		f->place = IN_MEMBER;
		return 0;
	}
	for (; f->state.avail_in; f->state.avail_in--, f->state.next_in++) {
		f->place = IN_PADDING;
		if (*f->state.next_in)
			return pf_error_set(err, PF_EINPUT,
			    "%s: other bytes after the gzip data at offset %" PRIu64, f->name,
			    offset(f));
	}
	if (f->last)
		f->place = ENDED;
	return 0;
}

int
pf_inflater_step(struct pf_inflater *f, void *to, size_t room, size_t *made, struct pf_error *err)
{
	size_t some = 0;
	int rc = 0;

	*made = 0;
	while (!rc && *made < room && f->place != ENDED) {
		size_t before = f->state.avail_in, left = room - *made < STEP ? room - *made : STEP;

		if (f->place != IN_MEMBER) {
			rc = pass_padding(f, err);
			if (!rc && f->place != IN_MEMBER)
				break;
			continue;
		}
		rc = inflate_some(f, (uint8_t *)to + *made, left, &some, err);
		*made += some;
		if (!rc)
			rc = check_caps(f, err);
		if (rc || some || f->place != IN_MEMBER || f->state.avail_in != before)
			continue;
		if (f->last)
			rc = pf_error_set(err, PF_EINPUT,
			    "%s: truncated gzip data at offset %" PRIu64, f->name, f->fed);
		break;
	}
	return rc;
}

bool
pf_inflater_ended(const struct pf_inflater *f)
{
	return f->place == ENDED;
}
