/*
 * sha256_x86.c: see sha256_blocks.h. The instructions work on two halves of the
 * state, {a, b, e, f} and {c, d, g, h}, two rounds each (Intel's "SHA Extensions").
 */
#include "core/sha256_blocks.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <stdatomic.h>
#include <stdbool.h>

#define SHA __attribute__((target("sha,sse4.1,ssse3")))

SHA static void
four_rounds(__m128i *abef, __m128i *cdgh, __m128i words, size_t group)
{
	__m128i sum = _mm_add_epi32(words,
	    _mm_loadu_si128((const __m128i *)(const void *)(pf_sha256_constants + 4 * group)));

	*cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, sum);
	*abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(sum, 0x0e));
}

/* The next four words of the schedule from the sixteen before, four each in w. */
SHA static __m128i
next_words(const __m128i w[4], size_t group)
{
	__m128i last = w[(group + 3) % 4], before = w[(group + 2) % 4];
	__m128i sum = _mm_sha256msg1_epu32(w[group % 4], w[(group + 1) % 4]);

	sum = _mm_add_epi32(sum, _mm_alignr_epi8(last, before, 4));
	return _mm_sha256msg2_epu32(sum, last);
}

SHA static void
compress_block(__m128i *abef, __m128i *cdgh, const uint8_t *block)
{
	const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
	__m128i w[4], abef_before = *abef, cdgh_before = *cdgh;

	for (size_t i = 0; i < 4; i++) {
		w[i] = _mm_shuffle_epi8(
		    _mm_loadu_si128((const __m128i *)(const void *)(block + 16 * i)), big_endian);
		four_rounds(abef, cdgh, w[i], i);
	}
	for (size_t i = 4; i < 16; i++) {
		w[i % 4] = next_words(w, i);
		four_rounds(abef, cdgh, w[i % 4], i);
	}
	*abef = _mm_add_epi32(*abef, abef_before);
	*cdgh = _mm_add_epi32(*cdgh, cdgh_before);
}

SHA static void
compress_x86(uint32_t state[8], const uint8_t *blocks, size_t count)
{
	__m128i *halves = (__m128i *)(void *)state;
	__m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(halves), 0xb1);
	__m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(halves + 1), 0x1b);
	__m128i abef = _mm_alignr_epi8(badc, hgfe, 8), cdgh = _mm_blend_epi16(hgfe, badc, 0xf0);
	__m128i feba, dchg;

	for (; count; count--, blocks += PF_SHA256_BLOCK)
		compress_block(&abef, &cdgh, blocks);
	feba = _mm_shuffle_epi32(abef, 0x1b);
	dchg = _mm_shuffle_epi32(cdgh, 0xb1);
	_mm_storeu_si128(halves, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128(halves + 1, _mm_alignr_epi8(dchg, feba, 8));
}

static bool
ask_processor(void)
{
	unsigned eax, ebx = 0, ecx, edx;

	__builtin_cpu_init();
	if (!__builtin_cpu_supports("sse4.1") || !__builtin_cpu_supports("ssse3"))
		return false;
	__asm__("cpuid" : "=a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx) : "a"(7), "c"(0));
	return ebx >> 29 & 1;
}

pf_sha256_compress *
pf_sha256_x86(void)
{
	enum { UNKNOWN, YES, NO };
	static atomic_int answer =
	    UNKNOWN; /* under a hypervisor each question takes microseconds */
	int known = atomic_load_explicit(&answer, memory_order_relaxed);

	if (known == UNKNOWN) {
		known = ask_processor() ? YES : NO;
		atomic_store_explicit(&answer, known, memory_order_relaxed);
	}
	return known == YES ? compress_x86 : NULL;
}

#else

pf_sha256_compress *
pf_sha256_x86(void)
{
	return NULL;
}

#endif
