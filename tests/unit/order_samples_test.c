/*
 * The samples of a sum, packed: written as their columns would be, in the order
 * that the frames and labels give, however many there are of one leaf.
 */
#include "support/unit.h"

#include <stdio.h>

#include "profile/builder.h"
#include "profile/encode.h"
#include "profile/merge.h"
#include "profile/order_samples.h"
#include "stats/random.h"

enum { DEEPEST = 60, MOST_LABELS = 4, TYPES = 2 };

/* How many functions there are, and in how many of eight frames it is the first: long common parts. */
struct shape {
	uint32_t functions, often;
	size_t samples;
};

static const struct shape shapes[] = {
    {1, 8, 400}, {2, 7, 2000}, {3, 4, 2000}, {200, 6, 3000}, {5000, 1, 3000}, {40000, 0, 6000}};

static void
require(int rc)
{
	assert_int_equal(rc, 0);
}

static struct pf_text
text(const char *string)
{
	return (struct pf_text){.at = string, .end = string + strlen(string)};
}

static void
add_sample(struct pf_builder *b, struct pf_random *random, const struct shape *shape)
{
	size_t depth = pf_random_u64(random) % DEEPEST;
	size_t labels = pf_random_u64(random) % 4 ? 0 : pf_random_u64(random) % MOST_LABELS;
	int64_t values[TYPES] = {1 + (int64_t)(pf_random_u64(random) % 1000), -3};
	char name[32];

	for (size_t i = 0; i < depth; i++) {
		uint64_t r = pf_random_u64(random);
		snprintf(name, sizeof name, "f%u",
		    r % 8 < shape->often ? 0 : (unsigned)((r >> 8) % shape->functions));
		require(pf_builder_function(b, text(name), text("f.c"), 1, NULL));
	}
	for (size_t i = 0; i < labels; i++) {
		snprintf(name, sizeof name, "%u", (unsigned)(pf_random_u64(random) % 5));
		require(pf_builder_text(b, "worker", text(name), NULL));
		require(pf_builder_number(
		    b, "bytes", (int64_t)(pf_random_u64(random) % 3) - 1, "byte", NULL));
	}
	require(pf_builder_sample(b, values, NULL));
}

static struct pf_profile *
make(const struct shape *shape, uint64_t seed)
{
	struct pf_random random;
	struct pf_profile *p;
	struct pf_builder b;

	pf_random_init(&random, seed);
	require(pf_profile_new(&p, NULL));
	pf_builder_init(&b, p, PF_BUILD_ALL);
	require(pf_builder_type(&b, "samples", "count", NULL));
	require(pf_builder_type(&b, "balance", "count", NULL));
	for (size_t i = 0; i < shape->samples; i++)
		add_sample(&b, &random, shape);
	require(pf_builder_end(&b, NULL));
	pf_builder_release(&b);
	return p;
}

/* The sum of two profiles, the second given and subtracted as often as that. */
static struct pf_profile *
merge(const struct pf_profile *first, const struct pf_profile *second, int times, bool packed)
{
	struct pf_profile *sum;
	struct pf_merge *m;

	require(pf_merge_new(&m, NULL, NULL));
	require(pf_merge_add(m, first, "first", NULL));
	for (int i = 0; i < times; i++) {
		require(pf_merge_add(m, second, "second", NULL));
		if (times > 1)
			require(pf_merge_subtract(m, second, "second", NULL));
	}
	require((packed ? pf_merge_settle : pf_merge_finish)(m, &sum, NULL));
	pf_merge_free(m);
	return sum;
}

static void
assert_same_bytes(const struct pf_profile *a, const struct pf_profile *b)
{
	struct pf_buffer x = {.maximum = PF_BUFFER_NO_MAXIMUM}, y = x;

	require(pf_profile_encode(a, &x, NULL));
	require(pf_profile_encode(b, &y, NULL));
	assert_int_equal(x.size, y.size);
	assert_memory_equal(x.bytes, y.bytes, x.size);
	pf_buffer_release(&x);
	pf_buffer_release(&y);
}

#define COMPARE(A, B)                              \
	do {                                       \
		if ((A) != (B))                    \
			return (A) < (B) ? -1 : 1; \
	} while (0)

/* The order as it is promised, looked at frame by frame. */
static int
compare(const struct pf_profile *p, size_t a, size_t b)
{
	uint64_t x = p->frame_starts[a], y = p->frame_starts[b];
	uint64_t x_end = p->frame_starts[a + 1], y_end = p->frame_starts[b + 1];
	int order = 0;

	for (; x < x_end && y < y_end; x++, y++)
		COMPARE(p->frames[x], p->frames[y]);
	COMPARE(x_end - x, y_end - y);
	x = p->label_starts[a];
	y = p->label_starts[b];
	x_end = p->label_starts[a + 1];
	y_end = p->label_starts[b + 1];
	for (; !order && x < x_end && y < y_end; x++, y++)
		order = pf_compare_labels(&p->labels[x], &p->labels[y]);
	if (order)
		return order;
	COMPARE(x_end - x, y_end - y);
	return 0;
}

static void
samples_are_in_order_and_each_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		struct pf_profile *first = make(&shapes[i], i), *second = make(&shapes[i], 100 + i);
		struct pf_profile *sum = merge(first, second, 1, false);
		int64_t expected = pf_profile_total(first, 0) + pf_profile_total(second, 0);

		assert_true(sum->sample_count > 0);
		for (size_t j = 1; j < sum->sample_count; j++)
			assert_true(compare(sum, j - 1, j) < 0);
		for (size_t j = 0; j < sum->sample_count; j++) {
			for (uint64_t k = sum->label_starts[j] + 1; k < sum->label_starts[j + 1];
			    k++)
				assert_true(
				    pf_compare_labels(&sum->labels[k - 1], &sum->labels[k]) <= 0);
		}
		assert_int_equal(pf_profile_total(sum, 0), expected);
		pf_profile_free(sum);
		pf_profile_free(second);
		pf_profile_free(first);
	}
}

static void
packed_samples_are_written_as_columns_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		struct pf_profile *first = make(&shapes[i], i), *second = make(&shapes[i], 100 + i);
		struct pf_profile *packed = merge(first, second, 1, true);
		struct pf_profile *columns = merge(second, first, 1, false);

		assert_non_null(packed->packed);
		assert_null(columns->packed);
		assert_int_equal(packed->sample_count, columns->sample_count);
		assert_int_equal(pf_profile_total(packed, 1), pf_profile_total(columns, 1));
		assert_same_bytes(packed, columns);
		pf_profile_free(columns);
		pf_profile_free(packed);
		pf_profile_free(second);
		pf_profile_free(first);
	}
}

/* What cancelled out leaves nothing behind: neither samples nor the locations, labels and strings only they had. */
static void
what_is_subtracted_again_leaves_no_trace(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		struct pf_profile *first = make(&shapes[i], i), *second = make(&shapes[i], 100 + i);
		struct pf_profile *with = merge(first, second, 2, true);
		struct pf_profile *without = merge(first, second, 0, true);

		assert_same_bytes(with, without);
		pf_profile_free(without);
		pf_profile_free(with);
		pf_profile_free(second);
		pf_profile_free(first);
	}
}

/* The runs of all samples in their order, with room to copy so many words of a leaf. */
static void
runs_in_order(const struct pf_profile *p, size_t room, struct pf_buffer *out)
{
	struct pf_sample_order order;
	size_t count;

	require(pf_sample_order_begin(&order, p, NULL));
	if (room < order.copy_room)
		order.copy_room = room;
	while ((count = pf_sample_order_next(&order)) > 0) {
		for (size_t i = 0; i < count; i++) {
			const int64_t *record = pf_sample_order_get(&order, i);
			const uint8_t *run = pf_packed_run(p->packed, record);
			struct pf_packed_frames f = pf_packed_frames(p->packed, record);
			(void)pf_packed_varint(&f.end);
			pf_buffer_add(out, record, TYPES * sizeof *record);
			pf_buffer_add(out, run, (size_t)(f.end - run));
		}
	}
	pf_sample_order_release(&order);
}

static void
leaves_of_too_many_samples_to_copy_are_ordered_where_they_are(void **state)
{
	static const size_t rooms[] = {0, 1, 100, 3000};
	(void)state;

	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		struct pf_buffer copied = {.maximum = PF_BUFFER_NO_MAXIMUM};
		struct pf_profile *first = make(&shapes[i], i);
		struct pf_profile *sum = merge(first, first, 0, true);

		runs_in_order(sum, SIZE_MAX, &copied);
		for (size_t j = 0; j < sizeof rooms / sizeof *rooms; j++) {
			struct pf_buffer in_place = {.maximum = PF_BUFFER_NO_MAXIMUM};
			runs_in_order(sum, rooms[j], &in_place);
			assert_int_equal(in_place.size, copied.size);
			assert_memory_equal(in_place.bytes, copied.bytes, copied.size);
			pf_buffer_release(&in_place);
		}
		pf_buffer_release(&copied);
		pf_profile_free(sum);
		pf_profile_free(first);
	}
}

/* Of more locations than are read many at once, too. */
static void
locations_of_any_number_are_read(void **state)
{
	static const uint32_t locations[] = {0, 126, 127, 128, 0x3ffe, 0x3fff, 0x4000, 0x1ffffe,
	    0x1fffff, 0x200000, 0xfffffff, 0x10000000, 0xfffffffd};
	enum { COUNT = sizeof locations / sizeof *locations, WIDE = 8 };
	(void)state;

	for (size_t count = 0; count <= COUNT; count++) {
		uint8_t run[1 + COUNT * PF_PACKED_ID_ROOM + 1], *to = run + 1;
		uint32_t read[sizeof run], record;
		struct pf_packed_samples *s;
		struct pf_packed_frames f;

		require(pf_packed_samples_new(&s, NULL));
		s->value_room = 1;
		s->location_count = count <= WIDE ? 0x1fffff : 0xfffffffe;
		for (size_t i = 0; i < count; i++) {
			struct pf_packed_id id = pf_packed_id_of(locations[i]);
			to = pf_packed_id_put(to, &id);
		}
		run[0] = (uint8_t)(to - run - 1);
		*to++ = 0;
		require(pf_packed_samples_add(s, run, (size_t)(to - run), count, &record, NULL));
		f = pf_packed_frames(s, s->words + record);
		assert_ptr_equal(
		    pf_packed_locations(s, &f, s->words + s->size, read), read + count);
		assert_memory_equal(read, locations, count * sizeof *read);
		assert_int_equal(pf_packed_samples_next(s, record), s->size);
		pf_packed_samples_free(s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(samples_are_in_order_and_each_once),
	    cmocka_unit_test(packed_samples_are_written_as_columns_are),
	    cmocka_unit_test(what_is_subtracted_again_leaves_no_trace),
	    cmocka_unit_test(leaves_of_too_many_samples_to_copy_are_ordered_where_they_are),
	    cmocka_unit_test(locations_of_any_number_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
