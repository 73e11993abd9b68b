/* Ids read many at once are those read one by one, whatever their lengths, bounds and neighbours. */
#include "support/unit.h"

#include "core/buffer.h"
#include "profile/packed_ids.h"
#include "stats/random.h"

enum { MOST_IDS = 150, ROUNDS = 200 };

static const uint64_t bounds[] = {
    1, 2, 126, 127, 128, 129, 300, 0x3ffe, 0x3fff, 0x4000, 0x4001, 0x7fff, 0x8000, 70000, 0x1ffffe};

/* Ids of all lengths that the bound allows, the bound itself among them. */
static uint64_t
draw(struct pf_random *random, uint64_t most)
{
	uint64_t r = pf_random_u64(random), bits = r >> 8 & 31;

	if (r % 16 == 0)
		return most;
	return 1 + (r >> 16 & ~(~(uint64_t)0 << bits)) % most;
}

/* The field's key and length in front, and a little to look at behind. */
static struct pf_message
pack(struct pf_buffer *b, const uint64_t *ids, size_t count)
{
	pf_buffer_clear(b);
	pf_buffer_byte(b, 0x0a);
	pf_buffer_byte(b, 0x7f);
	for (size_t i = 0; i < count; i++)
		pf_buffer_uleb(b, ids[i]);
	pf_buffer_fill(b, 0xff, 80);
	return pf_message_of(b->bytes + 2, b->bytes + b->size - 80);
}

static void
assert_taken(
    const struct pf_message *packed, const uint8_t *limit, const uint64_t *ids, size_t count)
{
	uint32_t positions[4 * MOST_IDS];

	assert_ptr_equal(pf_packed_ids_take(packed, limit, positions), positions + count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(positions[i], ids[i] - 1);
}

static void
ids_within_their_bound_are_taken(void **state)
{
	struct pf_buffer b = {.maximum = 1 << 12};
	uint64_t ids[MOST_IDS];
	struct pf_random random;
	(void)state;

	pf_random_init(&random, 1);
	for (size_t round = 0; round < ROUNDS * sizeof bounds / sizeof *bounds; round++) {
		uint64_t most = bounds[round / ROUNDS];
		size_t count = pf_random_u64(&random) % MOST_IDS;
		struct pf_message packed;

		for (size_t i = 0; i < count; i++)
			ids[i] = draw(&random, most);
		packed = pack(&b, ids, count);
		assert_true(pf_packed_ids_within(&packed, most));
		assert_taken(&packed, packed.end + 80, ids, count);
		assert_taken(&packed, packed.end, ids, count);
	}
	pf_buffer_release(&b);
}

static void
one_id_out_of_bounds_is_seen(void **state)
{
	struct pf_buffer b = {.maximum = 1 << 12};
	uint64_t ids[MOST_IDS];
	struct pf_random random;
	(void)state;

	pf_random_init(&random, 2);
	for (size_t round = 0; round < ROUNDS * sizeof bounds / sizeof *bounds; round++) {
		uint64_t most = bounds[round / ROUNDS], kind = pf_random_u64(&random) % 3;
		size_t count = 1 + pf_random_u64(&random) % (MOST_IDS - 1);
		struct pf_message packed;

		for (size_t i = 0; i < count; i++)
			ids[i] = draw(&random, most);
		ids[pf_random_u64(&random) % count] =
		    kind == 0   ? 0
		    : kind == 1 ? most + 1
				: most + 1 + (pf_random_u64(&random) >> 20);
		packed = pack(&b, ids, count);
		assert_false(pf_packed_ids_within(&packed, most));
	}
	pf_buffer_release(&b);
}

/* Numbers may be written longer than they need be: those of over three bytes are left alone, others read. */
static void
long_and_cut_ids_are_seen(void **state)
{
	const uint64_t count = 40;
	struct pf_buffer b = {.maximum = 1 << 12};
	uint64_t ids[40];
	(void)state;

	for (size_t at = 0; at < count; at++) {
		struct pf_message packed;

		for (size_t i = 0; i < count; i++)
			ids[i] = 5;
		packed = pack(&b, ids, count);
		((uint8_t *)(uintptr_t)packed.at)[at] |= 0x80; /* 5 | 5 << 7, or cut at the end */
		assert_int_equal(pf_packed_ids_within(&packed, 0x1ffffe), at + 1 < count);
		if (at + 4 > count)
			continue;
		memcpy((uint8_t *)(uintptr_t)packed.at + at, "\x85\x80\x80", 4);
		assert_false(pf_packed_ids_within(&packed, 0x1ffffe));
		memcpy((uint8_t *)(uintptr_t)packed.at + at, "\x85\x80\0\5", 4);
		assert_true(pf_packed_ids_within(&packed, 200));
		assert_taken(&packed, packed.end + 80, ids, count - 2);
	}
	pf_buffer_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ids_within_their_bound_are_taken),
	    cmocka_unit_test(one_id_out_of_bounds_is_seen),
	    cmocka_unit_test(long_and_cut_ids_are_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
