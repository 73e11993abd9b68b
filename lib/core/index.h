/*
 * index.h: a hash index over items that live in somebody else's array.
 *
 * It stores (hash, item number) pairs in an open table and leaves comparing to
 * the caller, so that one table serves strings, locations, trie nodes:
 *
 *	for (i = pf_index_first(&ix, h, &at); i != PF_NONE; i = pf_index_next(&ix, h, &at))
 *		if (equal(&items[i], key))
 *			return i;
 *	rc = pf_index_add(&ix, h, new_item, err);
 *
 * Nothing is ever removed. A zeroed struct is an empty index.
 */
#ifndef PF_CORE_INDEX_H
#define PF_CORE_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct pf_error;

#define PF_NONE UINT32_MAX

struct pf_index_slot {
	uint32_t hash;
	uint32_t item; /* PF_NONE: free */
};

struct pf_index {
	struct pf_index_slot *slots; /* owned; a power of two, or NULL */
	size_t mask;
	size_t count;
};

void pf_index_release(struct pf_index *ix);
int pf_index_add(struct pf_index *ix, uint32_t hash, uint32_t item, struct pf_error *err);
/* Makes room for one more item: the next pf_index_add() cannot fail. */
int pf_index_reserve(struct pf_index *ix, struct pf_error *err);
/* Makes room for so many items in all: growing into them costs several times as much. */
int pf_index_expect(struct pf_index *ix, size_t count, struct pf_error *err);
/* Forgets all items, keeps the memory. */
void pf_index_clear(struct pf_index *ix);

static inline uint32_t
pf_index_scan(const struct pf_index *ix, uint32_t hash, size_t *at)
{
	for (;; *at = (*at + 1) & ix->mask) {
		const struct pf_index_slot *slot = &ix->slots[*at];
		if (slot->item == PF_NONE || slot->hash == hash)
			return slot->item;
	}
}

static inline uint32_t
pf_index_first(const struct pf_index *ix, uint32_t hash, size_t *at)
{
	if (!ix->slots)
		return PF_NONE;
	*at = hash & ix->mask;
	return pf_index_scan(ix, hash, at);
}

static inline uint32_t
pf_index_next(const struct pf_index *ix, uint32_t hash, size_t *at)
{
	*at = (*at + 1) & ix->mask;
	return pf_index_scan(ix, hash, at);
}

/* Asks for the memory that pf_index_first() will read: a while before it, so that it need not wait. */
static inline void
pf_index_fetch(const struct pf_index *ix, uint32_t hash)
{
	if (ix->slots)
		__builtin_prefetch(&ix->slots[hash & ix->mask]);
}

/*
 * Hashes differ from run to run, by where the system loaded us: a file made to
 * let all its items collide would otherwise cost the square of its size. So
 * nothing that is written may depend on them, and every step that mixes in what
 * a file says mixes in the seed, too: sums and products that do not know it can
 * be made equal by arithmetic.
 */
extern const char pf_hash_anchor;

static inline uint64_t
pf_hash_seed(void)
{
	return (uint64_t)(uintptr_t)&pf_hash_anchor * 0x9e3779b97f4a7c15ULL;
}

/* Mixes 64 bits into a well spread hash (the finalizer of MurmurHash3, by Austin Appleby, public domain). */
static inline uint32_t
pf_hash_u64(uint64_t x)
{
	x ^= pf_hash_seed();
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return (uint32_t)(x ^ x >> 33);
}

/*
 * One step of a longer hash: the whole product of two words that are secret, its
 * halves folded onto each other (as in wyhash, by Wang Yi, public domain).
 */
static inline uint64_t
pf_hash_step(uint64_t hash, uint64_t word)
{
	uint64_t seed = pf_hash_seed();
	__extension__ unsigned __int128 product =
	    (unsigned __int128)(hash ^ seed) *
	    (word ^ (seed >> 32 | seed << 32) ^ 0xa0761d6478bd642fULL);

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t
pf_hash_pair(uint64_t a, uint64_t b)
{
	return pf_hash_u64(pf_hash_step(a, b));
}

uint32_t pf_hash_bytes(const void *bytes, size_t size);

#endif
