/* hash.c: see hash.h. hash_name is FNV-1a; hash_bytes multiplies and rotates two lanes. */
#include "hash.h"

static uint64_t
load64(const uint8_t *at)
{
	uint64_t word = 0;

	for (unsigned i = 0; i < 8; i++)
		word |= (uint64_t)at[i] << (8 * i);
	return word;
}

static uint64_t
rotate(uint64_t word, unsigned by)
{
	return word << by | word >> (64 - by);
}

static uint64_t
finish(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	h ^= h >> 29;
	h *= 0xd6e8feb86659fd93u;
	return h ^ h >> 32;
}

uint32_t
hash_name(const char *bytes, size_t size)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < size; i++) {
		h ^= (uint8_t)bytes[i];
		h *= 16777619u;
	}
	return h;
}

uint64_t
hash_bytes(const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	uint64_t a = 0x9e3779b97f4a7c15u ^ size;
	uint64_t b = 0xc2b2ae3d27d4eb4fu;
	uint64_t tail = 0;

	for (; size >= 16; size -= 16, at += 16) {
		a = rotate(a ^ load64(at) * 0x9fb21c651e98df25u, 29) * 0x9e3779b97f4a7c15u;
		b = rotate(b ^ load64(at + 8) * 0xc2b2ae3d27d4eb4fu, 31) * 0x9fb21c651e98df25u;
	}
	for (size_t i = 0; i < size; i++) {
		tail = tail << 8 | at[i];
		if (i == 7) {
			a = finish(a ^ tail);
			tail = 0;
		}
	}
	return finish(a ^ rotate(b, 17) ^ finish(tail));
}
