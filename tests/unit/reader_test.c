/*
 * Reading in parts through a window gives what reading at once gives: for every format, for broken input too.
 */
#include "support/fixtures.h"

#include <sys/mman.h>
#include <unistd.h>

#include "core/gzip.h"
#include "profile/encode.h"
#include "profile/merge.h"
#include "support/profile_sum.h"
#include "support/sample_profile.h"

/* A file in memory: thousands are written. */
static int file;
static char path[64];

static int
make_file(void **state)
{
	(void)state;
	file = memfd_create("profile", MFD_CLOEXEC);
	snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	return file < 0;
}

static int
drop_file(void **state)
{
	(void)state;
	return close(file);
}

static void
put_file(const struct pf_buffer *bytes)
{
	assert_int_equal(ftruncate(file, 0), 0);
	assert_int_equal(pwrite(file, bytes->bytes, bytes->size, 0), bytes->size);
}

/* What a merge of one file comes to, as bytes; with `small` it is read through a window of a few bytes. */
static int
merged(const struct pf_buffer *bytes, bool small, struct pf_buffer *out, struct pf_error *err)
{
	struct pf_profile *p = NULL;
	struct pf_merge *m;
	int rc;

	put_file(bytes);
	assert_int_equal(pf_merge_new(&m, NULL, NULL), 0);
	if (small) {
		m->reader.source.most_whole = 64;
		m->reader.source.window = 32;
	}
	rc = pf_merge_add_file(m, path, NULL, err);
	if (!rc)
		rc = pf_merge_finish(m, &p, err);
	pf_buffer_clear(out);
	if (!rc)
		assert_int_equal(pf_profile_encode(p, out, NULL), 0);
	pf_profile_free(p);
	pf_merge_free(m);
	return rc;
}

static void
assert_same_either_way(const struct pf_buffer *bytes, const char *name, void *data)
{
	struct pf_buffer whole = {.maximum = 1 << 24}, parts = {.maximum = 1 << 24};
	struct pf_error whole_err = {0}, parts_err = {0};
	int rc = merged(bytes, false, &whole, &whole_err);
	(void)data;

	/* Of several faults another one may be named: a long input is checked before it is read. */
	if (merged(bytes, true, &parts, &parts_err) != rc)
		fail_msg("%s: \"%s\" at once, \"%s\" in parts", name, whole_err.message,
		    parts_err.message);
	if (rc)
		assert_message_has(parts_err, path);
	if (whole.size != parts.size ||
	    (whole.size && memcmp(whole.bytes, parts.bytes, whole.size) != 0))
		fail_msg("%s: read in parts it is another profile", name);
	pf_buffer_release(&whole);
	pf_buffer_release(&parts);
}

static void
older_formats_read_the_same_in_parts(void **state)
{
	(void)state;
	for_each_fixture(assert_same_either_way, NULL);
}

/* More samples than a part has, with labels, lines and ids with and without gaps. */
static void
large_profile(struct pf_buffer *b, uint64_t gap)
{
	add_string(b, "");
	add_string(b, "samples");
	add_string(b, "count");
	add_string(b, "samples"); /* the table repeats itself */
	add_string(b, "");
	add_type(b, 3, 2);
	add_sample(b, (uint64_t[]){gap + 1}, 1, (int64_t[]){1}, 1, 1);
	for (uint64_t i = 2; i < 3000; i++)
		add_sample(b, (uint64_t[]){gap + 1 + i % 300, gap + 1 + i % 7}, 2,
		    (int64_t[]){(int64_t)i}, 1, i % 2);
	add_mapping(b, gap + 1, 0x1000, 0x100000, 0, 0, 4);
	for (uint64_t i = 0; i < 300; i++)
		add_location(b, gap + 1 + i, gap + 1, 0x2000 + 16 * i, gap + 1 + i % 50, i);
	for (uint64_t i = 0; i < 50; i++)
		add_function(b, gap + 1 + i, 1, i);
}

static void
profile_proto_reads_the_same_in_parts(void **state)
{
	(void)state;
	for (uint64_t gap = 0; gap < 20000; gap += 7777) {
		struct pf_buffer b = {.maximum = 1 << 20}, z = {.maximum = 1 << 20};

		large_profile(&b, gap);
		assert_same_either_way(&b, "plain", NULL);
		assert_int_equal(pf_gzip_deflate(&z, b.bytes, b.size, 6, NULL), 0);
		assert_same_either_way(&z, "packed", NULL);
		pf_buffer_release(&b);
		pf_buffer_release(&z);
	}
}

static void
broken_profiles_fail_the_same_in_parts(void **state)
{
	struct pf_buffer b = {.maximum = 1 << 20};
	(void)state;

	sample_profile(&b, 0x10000, 1);
	for (size_t size = b.size; size > 0; size--) {
		struct pf_buffer cut = {.bytes = b.bytes, .size = size};
		assert_same_either_way(&cut, "cut", NULL);
	}
	for (size_t bit = 0; bit < 8 * b.size; bit++) {
		b.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_same_either_way(&b, "flipped", NULL);
		b.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	pf_buffer_release(&b);
}

struct seen {
	size_t parts, samples, most;
	int stop_after;
};

static int
see(void *data, const struct pf_profile *part, struct pf_error *err)
{
	struct seen *s = data;
	size_t samples = pf_profile_sample_count(part);

	s->parts++;
	s->samples += samples;
	s->most = samples > s->most ? samples : s->most;
	assert_string_equal(pf_profile_type_name(part, 0), "samples");
	if (s->stop_after && --s->stop_after == 0)
		return pf_error_set(err, PF_ENO, "enough");
	return 0;
}

static void
a_stream_hands_over_all_samples_in_parts(void **state)
{
	struct pf_buffer b = {.maximum = 1 << 20};
	struct seen seen = {0};
	struct pf_error err;
	(void)state;

	large_profile(&b, 0);
	put_file(&b);
	assert_int_equal(pf_profile_stream(path, NULL, see, &seen, &err), 0);
	assert_int_equal(seen.samples, 2999);
	assert_in_range(seen.parts, 3, 10);
	assert_in_range(seen.most, 1, PF_PART_SAMPLES);
	seen = (struct seen){.stop_after = 2};
	assert_int_equal(pf_profile_stream(path, NULL, see, &seen, &err), PF_ENO);
	assert_string_equal(err.message, "enough");
	assert_int_equal(seen.parts, 2);
	pf_buffer_release(&b);
}

static void
a_stream_without_samples_is_one_empty_part(void **state)
{
	struct pf_buffer b = {.maximum = 1 << 20};
	struct seen seen = {0};
	(void)state;

	add_string(&b, "");
	add_string(&b, "samples");
	add_type(&b, 1, 0);
	put_file(&b);
	assert_int_equal(pf_profile_stream(path, NULL, see, &seen, NULL), 0);
	assert_int_equal(seen.parts, 1);
	assert_int_equal(seen.samples, 0);
	pf_buffer_release(&b);
}

enum form { PLAIN, UNPACKED, LABELS, GAPS, LONG_IDS, LATE_TYPES, FORMS };

/* A location id in five bytes, and a label whose key is the last string. */
static void
add_odd_sample(struct pf_buffer *b, bool label)
{
	static const uint8_t frames[] = {0x85, 0x80, 0x80, 0x80, 0, 7}, value = 3;
	static const uint8_t key[] = {PF_LABEL_KEY << 3, 4};
	struct pf_buffer m = {.maximum = 1 << 10};

	pf_wire_bytes(&m, PF_SAMPLE_LOCATION_ID, frames + (label ? 5 : 0), label ? 1 : 6);
	pf_wire_bytes(&m, PF_SAMPLE_VALUE, &value, 1);
	if (label)
		pf_wire_bytes(&m, PF_SAMPLE_LABEL, key, sizeof key);
	pf_wire_bytes(b, PF_PROFILE_SAMPLE, m.bytes, m.size);
	pf_buffer_release(&m);
}

/* Over 4 MiB: such an input is checked first, then read in as few walks as its form allows. */
static void
long_profile(struct pf_buffer *b, enum form form)
{
	enum { SAMPLES = 75000, DEPTH = 28, LOCATIONS = 20000 };
	const uint64_t gap = form == GAPS;
	uint64_t frames[DEPTH], random = 1;

	if (form != LATE_TYPES)
		add_type(b, 1, 1);
	for (uint64_t i = 0; i < SAMPLES; i++) {
		for (size_t k = 0; k < DEPTH; k++) {
			random = random * 6364136223846793005ULL + 1442695040888963407ULL;
			frames[k] = 1 + gap + (random >> 40) % (random >> 63 ? LOCATIONS : 50);
		}
		add_sample(b, frames, DEPTH, (int64_t[]){(int64_t)i}, 1, form != UNPACKED || i % 9);
		if (i % 5000 == 0 && (form == LONG_IDS || form == LABELS))
			add_odd_sample(b, form == LABELS);
	}
	if (form == LATE_TYPES)
		add_type(b, 1, 1);
	for (uint64_t i = 0; i < LOCATIONS; i++)
		add_location(b, 1 + gap + i, 0, 0x1000 + i * i, 0, 0);
	add_string(b, "");
	add_string(b, "samples");
	add_string(b, "samples"); /* from here on numbers are not the indexes */
	add_string(b, "");
	add_string(b, "key");
}

static void
long_profiles_are_the_same_whole_and_in_parts(void **state)
{
	(void)state;
	for (enum form form = PLAIN; form < FORMS; form++) {
		struct pf_buffer b = {.maximum = 1 << 24};
		struct profile_sum whole = {0}, parts = {0};
		struct pf_profile *p;
		struct pf_error err;

		long_profile(&b, form);
		assert_in_range(b.size, (4 << 20) + 1, b.maximum);
		if (pf_profile_parse(&p, "whole", b.bytes, b.size, NULL, &err))
			fail_msg("form %d: %s", form, err.message);
		profile_sum_add(&whole, p, NULL);
		pf_profile_free(p);
		put_file(&b);
		assert_int_equal(pf_profile_stream(path, NULL, profile_sum_add, &parts, NULL), 0);
		assert_int_equal(whole.samples, parts.samples);
		assert_in_range(whole.samples, 75000, 75100);
		assert_int_equal(whole.mixed, parts.mixed);
		pf_buffer_release(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(older_formats_read_the_same_in_parts),
	    cmocka_unit_test(profile_proto_reads_the_same_in_parts),
	    cmocka_unit_test(broken_profiles_fail_the_same_in_parts),
	    cmocka_unit_test(a_stream_hands_over_all_samples_in_parts),
	    cmocka_unit_test(a_stream_without_samples_is_one_empty_part),
	    cmocka_unit_test(long_profiles_are_the_same_whole_and_in_parts),
	};
	return cmocka_run_group_tests(tests, make_file, drop_file);
}
