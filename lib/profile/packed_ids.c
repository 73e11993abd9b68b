/*
 * packed_ids.c: see packed_ids.h.
 *
 * The wide ways look at each byte together with the one and the two before it:
 * `last`, `before` and `first` of an id of three bytes that ends there.
 */
#include "profile/packed_ids.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { WIDE = 16, BLOCK = 64 };
enum { LONGEST = 3, BEYOND = 1 << 21 /* what that many bytes can't say */ };

/* One by one: for few, and where there is no wider way. */
static bool
within(struct pf_message ids, uint64_t most)
{
	while (ids.at != ids.end) {
		const uint8_t *start = ids.at;
		uint64_t id = pf_message_varint(&ids);
		if (id - 1 >= most || ids.at - start > LONGEST)
			return false;
	}
	return !ids.failure;
}

static uint32_t *
take(struct pf_message ids, uint32_t *to)
{
	while (ids.at != ids.end)
		*to++ = (uint32_t)pf_message_varint(&ids) - 1;
	return to;
}

#ifdef __SSE2__

static inline __m128i
load(const uint8_t *at)
{
	return _mm_loadu_si128((const __m128i *)(const void *)at);
}

/* x >= least, byte by byte without sign. */
static inline __m128i
reaches(__m128i x, __m128i least)
{
	return _mm_cmpeq_epi8(_mm_max_epu8(x, least), x);
}

/* What the last bytes of an id of the greatest length are compared with. */
struct bound {
	__m128i last, beyond_last, before;
	size_t first; /* how far back an id begins that needs judging */
};

static struct bound
bound_of(uint64_t most)
{
	/* Of two bytes the bound is exact; of three the lowest seven bits are left out. */
	uint64_t high = most < 0x4000 ? most + 1 : most >> 7;

	return (struct bound){
	    .last = _mm_set1_epi8((char)(high >> 7)),
	    .beyond_last = _mm_set1_epi8((char)((high >> 7) + 1)),
	    .before = _mm_set1_epi8((char)(0x80 | (high & 0x7f))),
	    .first = most < 0x4000 ? 1 : 2,
	};
}

/*
 * Whether one of 16 bytes ends an id that reaches the bound, or something else is
 * unusual: an id that is too long, a zero byte. Bytes that others follow have the
 * highest bit set, so that bit says what there is.
 */
static inline int
unusual(const uint8_t *at, const struct bound *bound)
{
	__m128i last = load(at), before = load(at - 1);
	__m128i is_long = _mm_and_si128(before, load(at - bound->first));
	__m128i reached = _mm_or_si128(reaches(last, bound->beyond_last),
	    _mm_and_si128(_mm_cmpeq_epi8(last, bound->last), reaches(before, bound->before)));
	__m128i zero = _mm_cmpeq_epi8(last, _mm_setzero_si128());

	return _mm_movemask_epi8(
	    _mm_or_si128(zero, _mm_and_si128(is_long, _mm_or_si128(reached, last))));
}

bool
pf_packed_ids_within(const struct pf_message *ids, uint64_t most)
{
	const uint8_t *at = ids->at;
	struct bound bound;

	/* One byte must be able to say nothing beyond it. */
	if (ids->end - at < WIDE || most < 0x7f || most >= BEYOND)
		return most < BEYOND && within(*ids, most);
	bound = bound_of(most);
	for (; ids->end - at > WIDE; at += WIDE) {
		if (unusual(at, &bound))
			return within(*ids, most);
	}
	/* The last ones: some bytes are looked at twice. */
	if (unusual(ids->end - WIDE, &bound))
		return within(*ids, most);
	return ids->end[-1] < 0x80;
}

/*
 * What the id would be, less one, that ends at each of 16 bytes, if it has up to
 * two; the return value's bits tell where one of three ends.
 */
static inline uint32_t
guess(const uint8_t *at, uint32_t *positions)
{
	const __m128i zero = _mm_setzero_si128(), one = _mm_set1_epi16(1);
	__m128i last = load(at), before = load(at - 1);
	/* 0x7f where there are two bytes: then the last counts 128 times, else once. */
	__m128i low = _mm_and_si128(_mm_cmplt_epi8(before, zero), _mm_set1_epi8(0x7f));
	__m128i times = _mm_add_epi8(low, _mm_set1_epi8(1));
	__m128i lower = _mm_and_si128(before, low);
	__m128i a = _mm_mullo_epi16(_mm_unpacklo_epi8(last, zero), _mm_unpacklo_epi8(times, zero));
	__m128i b = _mm_mullo_epi16(_mm_unpackhi_epi8(last, zero), _mm_unpackhi_epi8(times, zero));
	__m128i *to = (__m128i *)(void *)positions;

	a = _mm_sub_epi16(_mm_add_epi16(a, _mm_unpacklo_epi8(lower, zero)), one);
	b = _mm_sub_epi16(_mm_add_epi16(b, _mm_unpackhi_epi8(lower, zero)), one);
	_mm_storeu_si128(to, _mm_unpacklo_epi16(a, zero));
	_mm_storeu_si128(to + 1, _mm_unpackhi_epi16(a, zero));
	_mm_storeu_si128(to + 2, _mm_unpacklo_epi16(b, zero));
	_mm_storeu_si128(to + 3, _mm_unpackhi_epi16(b, zero));
	return (uint32_t)_mm_movemask_epi8(_mm_and_si128(before, load(at - 2)));
}

/*
 * No branch depends on how long an id is, which nobody can foresee: all bytes are
 * taken for ends first, then those are picked that are.
 */
uint32_t *
pf_packed_ids_take(const struct pf_message *ids, const uint8_t *limit, uint32_t *to)
{
	uint32_t positions[BLOCK];
	struct pf_message rest = *ids;

	for (; rest.at < ids->end && limit - rest.at >= BLOCK; rest.at += BLOCK) {
		size_t size = ids->end - rest.at < BLOCK ? (size_t)(ids->end - rest.at) : BLOCK;
		uint64_t ends = 0, threes = 0;

		for (size_t i = 0; i < size; i += WIDE) {
			uint64_t go_on = (uint64_t)_mm_movemask_epi8(load(rest.at + i));
			threes |= (uint64_t)guess(rest.at + i, positions + i) << i;
			ends |= (go_on ^ 0xffff) << i;
		}
		ends &= ~(uint64_t)0 >> (BLOCK - size);
		for (threes &= ends; threes; threes &= threes - 1) {
			int i = __builtin_ctzll(threes);
			const uint8_t *id = rest.at + i - 2;
			positions[i] =
			    ((id[0] & 0x7fu) | (id[1] & 0x7fu) << 7 | (uint32_t)id[2] << 14) - 1;
		}
		for (; ends; ends &= ends - 1)
			*to++ = positions[__builtin_ctzll(ends)];
	}
	if (rest.at >= ids->end)
		return to;
	while (rest.at > ids->at && rest.at[-1] >= 0x80)
		rest.at--;
	return take(rest, to);
}

#else

bool
pf_packed_ids_within(const struct pf_message *ids, uint64_t most)
{
	return most < BEYOND && within(*ids, most);
}

uint32_t *
pf_packed_ids_take(const struct pf_message *ids, const uint8_t *limit, uint32_t *to)
{
	(void)limit;
	return take(*ids, to);
}

#endif
