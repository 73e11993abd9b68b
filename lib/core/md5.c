/* md5.c: written from RFC 1321; see md5.h. Inputs are short names, so whole buffers only. */
#include "core/md5.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 64 };

static uint32_t
rotate_left(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static uint32_t
little_endian(const uint8_t *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* The RFC's table T: the integer part of 2^32 times |sin(i + 1)|. */
static uint32_t
sine(unsigned i)
{
	return (uint32_t)(int64_t)(4294967296.0 * fabs(sin((double)i + 1)));
}

static void
digest_block(uint32_t state[4], const uint8_t *block)
{
	static const uint8_t shifts[4][4] = {
	    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
	static const uint8_t steps[4] = {1, 5, 3, 7}, starts[4] = {0, 1, 5, 0};
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];

	for (unsigned i = 0; i < 64; i++) {
		unsigned round = i / 16;
		unsigned word = (starts[round] + steps[round] * i) % 16;
		uint32_t f, next;

		switch (round) {
		case 0:
			f = (b & c) | (~b & d);
			break;
		case 1:
			f = (b & d) | (c & ~d);
			break;
		case 2:
			f = b ^ c ^ d;
			break;
		default:
			f = c ^ (b | ~d);
			break;
		}
		next = b + rotate_left(a + f + little_endian(block + 4 * word) + sine(i),
			       shifts[round][i % 4]);
		a = d;
		d = c;
		c = b;
		b = next;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

void
pf_md5(const void *bytes, size_t size, uint8_t digest[16])
{
	uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
	const uint8_t *at = bytes;
	uint8_t tail[2 * BLOCK] = {0};
	size_t left = size % BLOCK, padded = left < BLOCK - 8 ? BLOCK : 2 * BLOCK;

	for (size_t i = 0; i < size / BLOCK; i++)
		digest_block(state, at + i * BLOCK);
	if (left)
		memcpy(tail, at + (size - left), left);
	tail[left] = 0x80;
	for (unsigned i = 0; i < 8; i++)
		tail[padded - 8 + i] = (uint8_t)((uint64_t)size * 8 >> 8 * i);
	for (size_t i = 0; i < padded; i += BLOCK)
		digest_block(state, tail + i);
	for (unsigned i = 0; i < 16; i++)
		digest[i] = (uint8_t)(state[i / 4] >> 8 * (i % 4));
}

uint64_t
pf_md5_low64(const void *bytes, size_t size)
{
	uint8_t digest[16];

	pf_md5(bytes, size, digest);
	return (uint64_t)little_endian(digest) | (uint64_t)little_endian(digest + 4) << 32;
}
