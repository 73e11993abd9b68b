/* The older formats: what each says in the model, and that nothing malformed gets by or breaks it. */
#include "support/fixtures.h"

#include <math.h>
#include <regex.h>

#include "core/wire.h"
#include "profile/model.h"
#include "profile/unsample.h"

static struct pf_profile *
read_text(const char *text)
{
	struct pf_profile *p;
	struct pf_error err = {0};

	if (pf_profile_parse(&p, "test", text, strlen(text), NULL, &err))
		fail_msg("%s", err.message);
	return p;
}

static void
assert_bytes_refused(const void *bytes, size_t size, const char *part)
{
	struct pf_profile *p;
	struct pf_error err = {0};

	assert_int_equal(pf_profile_parse(&p, "bad.txt", bytes, size, NULL, &err), PF_EINPUT);
	assert_null(p);
	assert_message_has(err, "bad.txt: ");
	assert_message_has(err, part);
}

static void
assert_refused(const char *text, const char *part)
{
	assert_bytes_refused(text, strlen(text), part);
}

/* A CPU profile of 64-bit words. */
static void
words(struct pf_buffer *b, const uint64_t *from, size_t count)
{
	pf_buffer_add(b, from, count * sizeof *from);
}
#define WORDS(B, ...) \
	words(B, (const uint64_t[]){__VA_ARGS__}, sizeof((uint64_t[]){__VA_ARGS__}) / 8)

static struct pf_buffer
cpu_profile(void)
{
	struct pf_buffer b = {.maximum = 1 << 20};

	WORDS(&b, 0, 3, 0, 10000, 0);
	return b;
}

static void
assert_words_refused(struct pf_buffer *b, const char *part)
{
	assert_bytes_refused(b->bytes, b->size, part);
	pf_buffer_release(b);
}

static void
broken_cpu_profiles_are_refused_with_the_offset(void **state)
{
	struct pf_buffer b;
	(void)state;

	b = cpu_profile(), WORDS(&b, 1, 1, 5);
	assert_words_refused(
	    &b, "the end-of-data record is missing: the file is cut off at offset 64");
	b = cpu_profile(), WORDS(&b, 1, UINT64_MAX, 5, 0, 1, 0);
	assert_words_refused(&b, "a stack is longer than the file at offset 56");
	b = cpu_profile(), WORDS(&b, 1, 1000000000, 5, 0, 1, 0);
	assert_words_refused(&b, "a stack is longer than the file");
	b = cpu_profile(), WORDS(&b, 1, 2, 5, 6, 0, 1, 0), b.size -= 12;
	assert_words_refused(&b, "truncated integer at offset");
	b = cpu_profile(), WORDS(&b, UINT64_MAX, 1, 5, 0, 1, 0);
	assert_words_refused(&b, "the sample at offset 40 has a count that exceeds 64 bits");
	b = cpu_profile(), WORDS(&b, INT64_MAX, 1, 5, 0, 1, 0);
	assert_words_refused(&b, "exceeds 64 bits");
	b = (struct pf_buffer){.maximum = 1 << 20}, WORDS(&b, 0, 3, 0, INT64_MAX, 0, 0, 1, 0);
	assert_words_refused(&b, "a sampling period of 9223372036854775807 microseconds");
}

static void
callers_are_one_less_and_the_leaf_is_not(void **state)
{
	struct pf_buffer b = cpu_profile();
	struct pf_profile *p;
	struct pf_error err;
	(void)state;

	WORDS(&b, 2, 3, 0x1000, 0x2000, 0x3000);
	WORDS(&b, 1, 3, 0x1000, 0x1000, 0x4000); /* the leaf twice */
	WORDS(&b, 1, 1, 0x1004);
	WORDS(&b, 0, 1, 0);
	assert_int_equal(pf_profile_parse(&p, "test", b.bytes, b.size, NULL, &err), 0);
	assert_int_equal(p->period, 10000000);
	assert_int_equal(pf_profile_sample_count(p), 3);
	assert_int_equal(p->values[0], 2);
	assert_int_equal(p->values[1], 20000000);
	assert_int_equal(p->frame_starts[1], 3);
	assert_int_equal(p->locations[p->frames[0]].address, 0x1000);
	assert_int_equal(p->locations[p->frames[1]].address, 0x1fff);
	assert_int_equal(p->frame_starts[2] - p->frame_starts[1], 2);
	assert_int_equal(p->locations[p->frames[4]].address, 0x3fff);
	assert_int_equal(p->mapping_count, 1);
	assert_true(p->mappings[0].limit == UINT64_MAX);
	pf_profile_free(p);
	pf_buffer_release(&b);
}

static void
broken_heap_texts_are_refused_with_the_line(void **state)
{
	const char *header = "heap profile: 1: 2 [1: 2] @ heap_v2/524288\n";
	static const char *const lines[][2] = {
	    {"1: 2 [1: 2] 0x1\n", "line 2: malformed line: \"1: 2 [1: 2] 0x1\""},
	    {"1: 2 [1: 2] @ 0x\n", "line 2: a hexadecimal number was expected"},
	    {"1: 2 [1: 2] @ 0x11112222333344445\n", "line 2: an address exceeds 64 bits"},
	    {"1: 99999999999999999999 [1: 2] @\n", "line 2: a number exceeds 64 bits"},
	    {"0: 2 [1: 2] @\n", "line 2: bytes in no objects"},
	    {"1: -2 [1: 2] @\n", "line 2: objects and bytes of different signs"},
	    {"9223372036854775807: 1 [0: 0] @\n", "line 2: the unsampled figures exceed 64 bits"},
	    {"1: 2 [1: 2] @\nnonsense\n", "line 3: a number was expected: \"nonsense\""},
	};
	char text[256];
	(void)state;

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		snprintf(text, sizeof text, "%s%s", header, lines[i][0]);
		assert_refused(text, lines[i][1]);
	}
	assert_refused(
	    "heap profile: 1: 2 [1: 2] @ heapstats\n", "line 1: an unknown kind of heap profile");
	assert_refused("heap profile: 1: 2 [1: 2]\n", "line 1: malformed line");
	assert_refused(
	    "heap profile: 1: 2 [1: 2] @ heap/9x\n", "line 1: an unknown kind of heap profile");
}

/* The word after @ decides by which rate a line is scaled: n bytes seen once at rate n stand for 1.58. */
static void
heap_figures_are_unsampled_as_their_header_says(void **state)
{
	static const struct {
		const char *kind;
		int64_t period, bytes;
	} kinds[] = {{"heap_v2/1000", 1000, 158197}, {"heapz_v2/1000", 1000, 158197},
	    {"heap/2000", 1000, 158197}, {"heapprofile", 1, 100000}, {"growth", 1, 100000},
	    {"fragmentation", 1, 100000}, {"heap_v2", 0, 100000}};
	char text[256];
	(void)state;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct pf_profile *p;
		snprintf(text, sizeof text,
		    "heap profile: 100: 100000 [100: 100000] @ %s\n"
		    "100: 100000 [100: 100000] @ 0x10\n",
		    kinds[i].kind);
		p = read_text(text);
		assert_int_equal(p->type_count, 2);
		assert_int_equal(p->period, kinds[i].period);
		assert_int_equal(p->values[1], kinds[i].bytes);
		assert_int_equal(p->labels[0].number, 1000);
		pf_profile_free(p);
	}
}

static void
estimates_know_how_many_samples_they_rest_on(void **state)
{
	int64_t objects = 4, bytes = 4000;
	(void)state;

	assert_true(pf_unsample(&objects, &bytes, 524288));
	assert_int_equal(objects, 2099);
	assert_true(fabs(pf_unsampled_samples(objects, bytes, 524288) - 4) < 0.01);
	objects = 1, bytes = 1;
	assert_true(pf_unsample(&objects, &bytes, INT64_MAX / 4));
	assert_true(objects > INT64_MAX / 8);
	assert_false(pf_unsample(&objects, &bytes, INT64_MAX));
	objects = 7, bytes = 0;
	assert_true(pf_unsample(&objects, &bytes, 524288));
	assert_int_equal(objects, 0);
	assert_true(pf_unsampled_samples(7, 70, 1) == 7);
}

static void
threads_of_jemalloc_share_what_the_stack_has(void **state)
{
	struct pf_profile *p = read_text("heap_v2/524288\n"
					 "  t*: 9: 9 [0: 0]\n  t1: 1: 1 [0: 0] main\n"
					 "@ 0x10 0x20\n"
					 "  t*: 30: 3000 [0: 0]\n"
					 "  t1: 10: 1000 [0: 0]\n  t2: 11: 1100 [0: 0]\n"
					 "  t4: 9: 900 [0: 0]\n"
					 "@ 0x30\n  t*: 1: 64 [0: 0]\n");
	int64_t objects = 30, bytes = 3000, sum[2] = {0};
	(void)state;

	assert_true(pf_unsample(&objects, &bytes, 524288));
	assert_int_equal(p->sample_count, 4);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(p->frame_starts[i + 1] - p->frame_starts[i], 2);
		sum[0] += p->values[2 * i];
		sum[1] += p->values[2 * i + 1];
	}
	assert_int_equal(sum[0], objects);
	assert_int_equal(sum[1], bytes);
	assert_in_range(p->values[0], objects / 3 - 1, objects / 3 + 1);
	assert_string_equal(pf_profile_string(p, p->labels[1].key), "thread_name");
	assert_string_equal(pf_profile_string(p, p->labels[1].string), "main");
	assert_int_equal(p->label_starts[4] - p->label_starts[3], 1);
	pf_profile_free(p);
}

static void
broken_jemalloc_texts_are_refused_with_the_line(void **state)
{
	(void)state;

	assert_refused(
	    "heap_v2/524288\n@ 0x10\n  t1: 1: 1 [0: 0]\n", "the stack at line 2 has no t* line");
	assert_refused(
	    "heap_v2/524288\n@ 0x10\n  t*: 1: 1 [0: \n", "line 3: a number was expected");
	assert_refused("heap_v2/524288\n@ 0x10\n  t*: -1: 1 [0: 0]\n", "line 3: a negative figure");
	assert_refused("heap_v2/524288\n@ 0x10 10\n  t*: 1: 1 [0: 0]\n", "line 2: malformed line");
	assert_refused("heap_v2/524288\n@ 0x10\n  x*: 1: 1 [0: 0]\n", "line 3: malformed line");
}

static void
broken_contention_texts_are_refused_with_the_line(void **state)
{
	(void)state;

	assert_refused("--- mutex:\ncycles/second=x\n", "line 2: a number was expected");
	assert_refused("--- mutex:\n1 @ 0x1\n", "line 2: a number was expected");
	assert_refused("--- mutex:\n1 -1 @ 0x1\n", "line 2: a negative figure");
	assert_refused("--- mutex:\nsampling period=4\n1 9223372036854775807 @ 0x1\n",
	    "line 3: the unsampled figures exceed 64 bits");
	assert_refused("--- mutex:\ncycles/second=1\n9223372036854775807 1 @ 0x1\n",
	    "line 3: the unsampled figures exceed 64 bits");
	assert_refused("--- contentionz 1 ---\nms since reset = 9223372036854775807\n",
	    "line 2: a duration exceeds 64 bits of nanoseconds");
	assert_refused("--- contentionz 1 ---\nformat = java\n1 -1 @ 0x1\n", "line 3: a negative");
	assert_refused(
	    "--- heapz 1 ---\nformat = java\n1 0 @ 0x1\n", "line 3: bytes in no objects");
	assert_refused("--- heapz 1 ---\nformat = c\n", "line 2: a format other than java");
}

static void
broken_stacks_of_threads_are_refused_with_the_line(void **state)
{
	const char *title = "--- Thread 7f00 (name: a/1) stack: ---\n";
	char text[256];
	(void)state;

	snprintf(text, sizeof text, "%s  0x10\n--- other ---\n", title);
	assert_refused(text, "line 3: the title of a thread's stack was expected");
	snprintf(text, sizeof text, "%s  0x11112222333344445\n", title);
	assert_refused(text, "line 2: an address exceeds 64 bits");
	assert_refused("goroutine profile: total 1\nx @ 0x1\n", "line 2: a number was expected");
	assert_refused("goroutine profile: total 1\n1 0x1\n", "line 2: malformed line");
	assert_refused("goroutine profile: total 1\n-1 @ 0x1\n", "line 2: a negative count");
	assert_refused("goroutine 1 [running]:\nmain.main()\nnonsense\n",
	    "line 3: the file and line of a call were expected");
	assert_refused("goroutine 1 [running]:\nmain.main()\n",
	    "the file and line of the last call are missing");
}

static void
goroutines_carry_their_state_and_wait(void **state)
{
	struct pf_profile *p = read_text("goroutine 7 [IO wait, 3 minutes, locked to thread]:\n"
					 "main.(*T).f(0x1, {0x2, 0x3})\n"
					 "\t/a b/c.go:7 +0x1\n"
					 "created by main.main in goroutine 1\n"
					 "\t/a b/c.go:9 +0x1\n");
	(void)state;

	assert_int_equal(p->sample_count, 1);
	assert_int_equal(p->frame_count, 1);
	assert_string_equal(pf_profile_string(p, p->functions[0].name), "main.(*T).f");
	assert_string_equal(pf_profile_string(p, p->functions[0].filename), "/a b/c.go");
	assert_int_equal(p->lines[0].line, 7);
	assert_string_equal(pf_profile_string(p, p->labels[0].string), "IO wait");
	assert_int_equal(p->labels[1].number, 3);
	assert_string_equal(pf_profile_string(p, p->labels[1].unit), "minutes");
	pf_profile_free(p);
}

static void
the_main_binary_comes_first_and_split_mappings_are_one(void **state)
{
	struct pf_profile *p =
	    read_text("custom profile: total 1\n1 @ 0x400011 0x7f0000000011 0x9\n"
		      "--- Memory map: ---\n"
		      "7f0000000000-7f0000001000 r-xp 00000000 08:01 1 /lib/libc.so.6\n"
		      "7f0000001000-7f0000002000 r-xp 00001000 08:01 1 /lib/libc.so.6\n"
		      "7f0000002000-7f0000003000 rw-p 00002000 08:01 1 /lib/libc.so.6\n"
		      "00401000-00402000 r-xp 00001000 08:01 1 /opt/my app/server (deleted)\n");
	(void)state;

	assert_int_equal(p->mapping_count, 3);
	assert_string_equal(pf_profile_string(p, p->mappings[0].filename), "/opt/my app/server");
	/* a non-PIE executable of which only the text was reported */
	assert_int_equal(p->mappings[0].start, 0x400000);
	assert_int_equal(p->mappings[0].offset, 0);
	assert_int_equal(p->mappings[1].limit, 0x7f0000002000);
	assert_int_equal(p->locations[0].mapping, 0);
	assert_int_equal(p->locations[1].mapping, 1);
	assert_int_equal(p->locations[2].mapping, 2);
	pf_profile_free(p);
}

/* Whether the profile's drop_frames matches a whole function name and its keep_frames doesn't. */
static bool
is_dropped(const struct pf_profile *p, const char *name)
{
	const uint32_t strings[] = {p->drop_frames, p->keep_frames};
	bool matches[2] = {false, false};

	for (size_t i = 0; i < 2; i++) {
		char whole[2048];
		regex_t regex;
		if (!strings[i])
			continue;
		snprintf(whole, sizeof whole, "^(%s)$", pf_profile_string(p, strings[i]));
		assert_int_equal(regcomp(&regex, whole, REG_EXTENDED | REG_NOSUB), 0);
		matches[i] = regexec(&regex, name, 0, NULL, 0) == 0;
		regfree(&regex);
	}
	return matches[0] && !matches[1];
}

static void
what_is_not_the_programs_own_is_named_to_be_dropped(void **state)
{
	static const char *const allocators[] = {"malloc", "__libc_calloc", "operator new[]",
	    "tcmalloc::ThreadCache::Allocate", "je_prof_backtrace", "runtime.mallocgc",
	    "std::allocator<int>::allocate", "_Znwm"};
	static const char *const own[] = {
	    "main", "my_malloc", "freeze", "Server::free_all", "runtime.panic"};
	struct pf_profile *heap = read_text("heap profile: 0: 0 [0: 0] @ heap_v2/524288\n");
	struct pf_profile *jemalloc = read_text("heap_v2/524288\n");
	struct pf_profile *locks = read_text("--- mutex:\n");
	(void)state;

	for (size_t i = 0; i < sizeof allocators / sizeof *allocators; i++) {
		assert_true(is_dropped(heap, allocators[i]));
		assert_true(is_dropped(jemalloc, allocators[i]));
	}
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		assert_false(is_dropped(heap, own[i]));
	assert_true(is_dropped(locks, "base::Mutex::UnlockSlow"));
	assert_true(is_dropped(locks, "SpinLockHolder::~SpinLockHolder"));
	assert_false(is_dropped(locks, "take_turns"));
	pf_profile_free(heap);
	pf_profile_free(jemalloc);
	pf_profile_free(locks);
}

/* What a broken file may ask for: many mappings that overlap, and many addresses in them. */
static void
overlapping_mappings_cost_no_more_than_others(void **state)
{
	struct pf_buffer b = {.maximum = 16 << 20};
	struct pf_profile *p;
	struct pf_error err;
	(void)state;

	pf_buffer_string(&b, "custom profile: total 1\n");
	for (unsigned i = 0; i < 100000; i++)
		pf_buffer_printf(&b, "1 @ 0x%x\n", i * 16 + 7);
	pf_buffer_string(&b, "--- Memory map: ---\n");
	for (unsigned i = 0; i < 100000; i++)
		pf_buffer_printf(&b, "%x-ffffffff: /bin/x%u (@%x)\n", i * 16, i % 7, i + 1);
	assert_int_equal(pf_profile_parse(&p, "test", b.bytes, b.size, NULL, &err), 0);
	assert_int_equal(p->location_count, 100000);
	assert_true(p->locations[99999].mapping < p->mapping_count);
	pf_profile_free(p);
	pf_buffer_release(&b);
}

/* The inverse of x ^ x >> 33. */
static uint64_t
unshift(uint64_t x)
{
	return x ^ x >> 33;
}

/* Addresses whose hashes would all be the same if they did not differ from run to run. */
static void
addresses_made_to_collide_do_not(void **state)
{
	struct pf_buffer b = {.maximum = 16 << 20};
	struct pf_profile *p;
	struct pf_error err;
	(void)state;

	pf_buffer_string(&b, "custom profile: total 1\n");
	for (uint64_t i = 0; i < 200000; i++) {
		/* the multiplicative inverses of the finalizer's factors, last one first */
		uint64_t x = unshift(i << 32 | 12345) * 0x9cb4b2f8129337dbULL;
		pf_buffer_printf(&b, "1 @ 0x%llx\n",
		    (unsigned long long)unshift(unshift(x) * 0x4f74430c22a54005ULL) + 1);
	}
	/* as one chain this would take the test's whole time and more */
	assert_int_equal(pf_profile_parse(&p, "test", b.bytes, b.size, NULL, &err), 0);
	assert_int_equal(p->location_count, 200000);
	pf_profile_free(p);
	pf_buffer_release(&b);
}

/* Parses a copy of exactly this size, so that a sanitizer sees reads past its end. */
static void
parse_copy(const uint8_t *bytes, size_t size, const char *name)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct pf_error err = {0};
	struct pf_profile *p;

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	if (pf_profile_parse(&p, name, copy, size, NULL, &err) == 0) {
		pf_profile_free(p);
	} else {
		assert_int_equal(err.code, PF_EINPUT);
		assert_int_equal(strncmp(err.message, name, strlen(name)), 0);
	}
	free(copy);
}

static void
truncate_everywhere(const struct pf_buffer *bytes, const char *name, void *data)
{
	(void)data;
	for (size_t size = 0; size < bytes->size; size++)
		parse_copy(bytes->bytes, size, name);
}

static void
flip_everywhere(const struct pf_buffer *bytes, const char *name, void *data)
{
	(void)data;
	for (size_t i = 0; i < bytes->size; i++) {
		bytes->bytes[i] ^= (uint8_t)(1 << i % 8);
		parse_copy(bytes->bytes, bytes->size, name);
		bytes->bytes[i] ^= (uint8_t)(1 << i % 8);
	}
}

static void
every_truncation_ends_with_an_error_or_a_shorter_profile(void **state)
{
	(void)state;
	for_each_fixture(truncate_everywhere, NULL);
}

static void
every_flipped_bit_ends_with_an_error_or_another_profile(void **state)
{
	(void)state;
	for_each_fixture(flip_everywhere, NULL);
}

static int64_t
last_total(const struct pf_profile *p)
{
	return pf_profile_total(p, p->type_count - 1);
}

/* Cut at any line end, a heap text is refused or doubted, or says as much of what is in use as the whole one. */
static void
cut_at_line_ends(const struct pf_buffer *bytes, const char *name, void *data)
{
	struct pf_error err = {0};
	struct pf_profile *whole, *part;
	size_t *refused = data, *doubted = refused + 1;
	const char *start = (const char *)bytes->bytes, *line = start, *end = start + bytes->size;

	if (!strstr(name, "heap") || strstr(name, "java") || strstr(name, "heap_v1"))
		return; /* heap_v1 is a difference of two profiles */
	assert_int_equal(pf_profile_parse(&whole, name, bytes->bytes, bytes->size, NULL, &err), 0);
	assert_null(whole->doubt);
	while ((line = memchr(line, '\n', (size_t)(end - line))) && ++line < end) {
		if (pf_profile_parse(&part, name, start, (size_t)(line - start), NULL, &err)) {
			*refused += strstr(err.message, "cut off") != NULL;
			continue;
		}
		*doubted += part->doubt != NULL;
		if (!part->doubt)
			assert_int_equal(last_total(part), last_total(whole));
		pf_profile_free(part);
	}
	pf_profile_free(whole);
}

static void
heap_texts_cut_at_a_line_end_do_not_pass_for_whole(void **state)
{
	size_t found[2] = {0};
	(void)state;

	for_each_fixture(cut_at_line_ends, found);
	assert_in_range(found[0], 40, 1000);
	assert_in_range(found[1], 10, 1000);
}

static void
what_follows_the_lines_of_a_heap_text_shows_that_they_are_all(void **state)
{
	static const char *const whole[] = {"heap profile: 2: 20 [2: 20] @ heap/1048576\n1: 10 [1: "
					    "10] @ 0x1\n1: 10 [1: 10] @ 0x2\n",
	    "heap profile: 2: 20 [2: 20] @ heap/1048576\n1: 10 [1: 10] @ 0x1\n\n# "
	    "runtime.MemStats\n",
	    "heap profile: 2: 20 [2: 20] @ heapprofile\n1: 10 [1: 10] @ 0x1\n\nMAPPED_LIBRARIES:\n",
	    "heap profile: 2: 20 [2: 20] @ heapprofile\n4: 40 [4: 40] @ 0x1\n-1: -10 [0: 0] @ "
	    "0x2\n",
	    "heap profile: 9: 90 [9: 90] @ heapprofile\n1: 9223372036854775807 [0: 0] @ 0x1\n"
	    "1: 9 [0: 0] @ 0x2\n",
	    "heap_v2/1\n t*: 2: 20 [0: 0]\n@ 0x1\n t*: 1: 10 [0: 0]\n@ 0x2\n t*: 1: 10 [0: 0]\n",
	    "heap_v2/1\n t*: 2: 20 [0: 0]\n@ 0x1\n t*: 1: 10 [0: 0]\n\nMAPPED_LIBRARIES:\n"};
	struct pf_profile *p;
	(void)state;

	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
		p = read_text(whole[i]);
		assert_null(p->doubt);
		pf_profile_free(p);
	}
	assert_refused(
	    "heap profile: 2: 20 [2: 20] @ heap/1048576\n1: 10 [1: 10] @ 0x1\n# a note\n",
	    "cut off: by its header 2 objects of 20 bytes are in use, by its lines 1 of 10,");
	assert_refused(
	    "heap profile: 2: 20 [2: 20] @ heapprofile\n2: 19 [2: 19] @ 0x1\n", "cut off");
	p = read_text("heap_v2/1\n t*: 2: 20 [0: 0]\n@ 0x1\n t*: 1: 10 [0: 0]\n");
	assert_non_null(strstr(p->doubt, "it may be cut off"));
	pf_profile_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(broken_cpu_profiles_are_refused_with_the_offset),
	    cmocka_unit_test(callers_are_one_less_and_the_leaf_is_not),
	    cmocka_unit_test(broken_heap_texts_are_refused_with_the_line),
	    cmocka_unit_test(heap_figures_are_unsampled_as_their_header_says),
	    cmocka_unit_test(estimates_know_how_many_samples_they_rest_on),
	    cmocka_unit_test(threads_of_jemalloc_share_what_the_stack_has),
	    cmocka_unit_test(broken_jemalloc_texts_are_refused_with_the_line),
	    cmocka_unit_test(broken_contention_texts_are_refused_with_the_line),
	    cmocka_unit_test(broken_stacks_of_threads_are_refused_with_the_line),
	    cmocka_unit_test(goroutines_carry_their_state_and_wait),
	    cmocka_unit_test(the_main_binary_comes_first_and_split_mappings_are_one),
	    cmocka_unit_test(what_is_not_the_programs_own_is_named_to_be_dropped),
	    cmocka_unit_test(overlapping_mappings_cost_no_more_than_others),
	    cmocka_unit_test(addresses_made_to_collide_do_not),
	    cmocka_unit_test(heap_texts_cut_at_a_line_end_do_not_pass_for_whole),
	    cmocka_unit_test(what_follows_the_lines_of_a_heap_text_shows_that_they_are_all),
	    cmocka_unit_test(every_truncation_ends_with_an_error_or_a_shorter_profile),
	    cmocka_unit_test(every_flipped_bit_ends_with_an_error_or_another_profile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
