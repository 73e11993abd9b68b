/* packed_ids.c: see packed_ids.h. */
#include "profile/packed_ids.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { WIDE = 16 };

/* One by one: for few, and where there is no wider way. */
static bool
within(struct pf_message ids, uint64_t most)
{
	while (ids.at != ids.end) {
		uint64_t id = pf_message_varint(&ids);
		if (id - 1 >= most)
			return false;
	}
	return !ids.failure;
}

#ifdef __SSE2__

/* x > limit, byte by byte without sign. */
static inline __m128i
above(__m128i x, int limit)
{
	__m128i least = _mm_set1_epi8((char)(limit + 1));

	return _mm_cmpeq_epi8(_mm_max_epu8(x, least), x);
}

static inline __m128i
equals(__m128i x, int value)
{
	return _mm_cmpeq_epi8(x, _mm_set1_epi8((char)value));
}

/* The greatest id as the bytes of its varint: of two, and of three. */
struct bound {
	int low_of_two, high_of_two;
	int low, middle, high;
};

static struct bound
bound_of(uint64_t most)
{
	if (most >= 0x4000) /* two bytes can say nothing beyond it */
		return (struct bound){0x7f, 0x7f, most & 0x7f, most >> 7 & 0x7f, (int)(most >> 14)};
	return (struct bound){most & 0x7f, (int)(most >> 7), 0, 0, 0};
}

/*
 * Whether one of 16 bytes ends an id beyond the bound, or something else is
 * unusual: an id of over three bytes, a zero byte. `last`, `before` and `first`
 * are the bytes themselves and those one and two before each.
 */
static inline bool
unusual(__m128i last, __m128i before, __m128i first, const struct bound *most)
{
	const __m128i zero = _mm_setzero_si128(), bits = _mm_set1_epi8(0x7f);
	/* A byte with the high bit set is below zero, and says that the id goes on. */
	__m128i goes_on = _mm_cmplt_epi8(last, zero), two = _mm_cmplt_epi8(before, zero);
	__m128i three = _mm_and_si128(two, _mm_cmplt_epi8(first, zero));
	__m128i middle = _mm_and_si128(before, bits), low = _mm_and_si128(first, bits);
	__m128i bad_two = _mm_or_si128(above(last, most->high_of_two),
	    _mm_and_si128(equals(last, most->high_of_two), above(middle, most->low_of_two)));
	__m128i bad_three = _mm_or_si128(above(middle, most->middle),
	    _mm_and_si128(equals(middle, most->middle), above(low, most->low)));
	__m128i bad;

	bad_three = _mm_or_si128(
	    above(last, most->high), _mm_and_si128(equals(last, most->high), bad_three));
	bad = _mm_or_si128(
	    _mm_and_si128(three, bad_three), _mm_and_si128(_mm_andnot_si128(three, two), bad_two));
	bad = _mm_or_si128(_mm_andnot_si128(goes_on, bad), _mm_and_si128(three, goes_on));
	return _mm_movemask_epi8(_mm_or_si128(bad, _mm_cmpeq_epi8(last, zero)));
}

static inline bool
unusual_at(const uint8_t *at, const struct bound *most)
{
	return unusual(_mm_loadu_si128((const __m128i *)(const void *)at),
	    _mm_loadu_si128((const __m128i *)(const void *)(at - 1)),
	    _mm_loadu_si128((const __m128i *)(const void *)(at - 2)), most);
}

bool
pf_packed_ids_within(const struct pf_message *ids, uint64_t most)
{
	const uint8_t *at = ids->at;
	struct bound bound;

	/* One byte must be able to say nothing beyond it, and three everything. */
	if (ids->end - at < WIDE || most < 0x7f || most >= 0x200000)
		return within(*ids, most);
	bound = bound_of(most);
	for (; ids->end - at > WIDE; at += WIDE) {
		if (unusual_at(at, &bound))
			return false;
	}
	/* The last ones: some bytes are looked at twice. */
	return !unusual_at(ids->end - WIDE, &bound) && ids->end[-1] < 0x80;
}

#else

bool
pf_packed_ids_within(const struct pf_message *ids, uint64_t most)
{
	return within(*ids, most);
}

#endif
