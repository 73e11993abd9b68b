/* random.c: see random.h. */
#include "stats/random.h"

#include <math.h>
#include <sys/random.h>
#include <time.h>

enum { EXACT_FLIPS = 1 << 16 };

static uint64_t
rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static uint64_t
splitmix(uint64_t *x)
{
	uint64_t z = *x += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

void
pf_random_init(struct pf_random *rng, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		rng->state[i] = splitmix(&seed);
}

uint64_t
pf_random_seed(void)
{
	uint64_t seed;
	struct timespec now;

	if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == (ssize_t)sizeof seed)
		return seed;
	clock_gettime(CLOCK_REALTIME, &now);
	seed = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	return splitmix(&seed);
}

uint64_t
pf_random_u64(struct pf_random *rng)
{
	uint64_t *s = rng->state, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

uint64_t
pf_random_below(struct pf_random *rng, uint64_t n)
{
	/* Values under 2^64 mod n would make the small remainders likelier. */
	uint64_t x, surplus = (0 - n) % n;

	do {
		x = pf_random_u64(rng);
	} while (x < surplus);
	return x % n;
}

double
pf_random_unit(struct pf_random *rng)
{
	return (double)(pf_random_u64(rng) >> 11) * 0x1p-53;
}

double
pf_random_exponential(struct pf_random *rng)
{
	return -log1p(-pf_random_unit(rng));
}

double
pf_random_normal(struct pf_random *rng)
{
	double radius = sqrt(2 * pf_random_exponential(rng));

	return radius * cos(6.283185307179586 * pf_random_unit(rng));
}

static uint64_t
flip_coins(struct pf_random *rng, uint64_t n)
{
	uint64_t heads = 0;

	for (; n >= 64; n -= 64)
		heads += (uint64_t)__builtin_popcountll(pf_random_u64(rng));
	if (n)
		heads += (uint64_t)__builtin_popcountll(pf_random_u64(rng) >> (64 - n));
	return heads;
}

uint64_t
pf_random_binomial_half(struct pf_random *rng, uint64_t n)
{
	uint64_t below = n / 2, above = n - below;
	double off;

	if (n <= EXACT_FLIPS)
		return flip_coins(rng, n);
	/* An odd n has its mean between two integers: the lower one plus a half. */
	off = floor(pf_random_normal(rng) * sqrt((double)n) / 2 + (n % 2 ? 1 : 0.5));
	if (off < -(double)below)
		return 0;
	if (off >= (double)above)
		return n;
	return below + (uint64_t)(int64_t)off;
}

void
pf_random_shuffle(struct pf_random *rng, uint8_t *items, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = (size_t)pf_random_below(rng, i);
		uint8_t swap = items[i - 1];
		items[i - 1] = items[j];
		items[j] = swap;
	}
}
