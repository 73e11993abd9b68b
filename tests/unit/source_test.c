/* source: windows over files, memory and pipes, packed or not: always the same bytes. */
#include "support/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"
#include "core/gzip.h"
#include "core/source.h"

enum { SIZE = 100000, NO_RATIO = 0 };

static char path[] = "/tmp/profuse-source-XXXXXX";
static struct pf_buffer plain = {.maximum = 1 << 20}, packed = {.maximum = 1 << 20};

/* Bytes that pack a little, in two gzip members with padding. */
static int
make_bytes(void **state)
{
	int fd = mkstemp(path);
	uint32_t x = 1;
	(void)state;

	assert_true(fd >= 0);
	close(fd);
	for (int i = 0; i < SIZE; i++) {
		x = x * 1664525 + 1013904223;
		pf_buffer_byte(&plain, (uint8_t)(x >> 28));
	}
	assert_int_equal(pf_gzip_deflate(&packed, plain.bytes, 30000, 6, NULL), 0);
	assert_int_equal(pf_gzip_deflate(&packed, plain.bytes + 30000, SIZE - 30000, 6, NULL), 0);
	pf_buffer_add(&packed, "\0\0\0\0\0", 5);
	return 0;
}

static int
drop_bytes(void **state)
{
	(void)state;
	unlink(path);
	pf_buffer_release(&plain);
	pf_buffer_release(&packed);
	return 0;
}

static void
write_file(const struct pf_buffer *b, size_t size)
{
	assert_int_equal(pf_file_write(path, b->bytes, size, NULL), 0);
}

/* Reads to the end, `step` bytes at a time, and compares. */
static void
assert_reads_plain(struct pf_source *s, size_t step)
{
	size_t done = 0;

	for (;;) {
		size_t left;
		assert_int_equal(pf_source_need(s, step, NULL), 0);
		assert_int_equal(pf_source_offset(s), done);
		left = (size_t)(s->end - s->at);
		left = left < step ? left : step;
		if (!left)
			break;
		assert_memory_equal(s->at, plain.bytes + done, left);
		s->at += left;
		done += left;
	}
	assert_true(s->ended);
	assert_int_equal(done, SIZE);
}

static void
read_twice(struct pf_source *s, bool whole)
{
	struct pf_source other;

	assert_int_equal(s->whole, whole);
	assert_reads_plain(s, 777);
	assert_int_equal(pf_source_rewind(s, NULL), 0);
	assert_reads_plain(s, 3000);
	pf_source_init(&other);
	assert_int_equal(
	    pf_source_borrow(&other, "other", plain.bytes, SIZE, SIZE, NO_RATIO, NULL), 0);
	assert_int_equal(pf_source_digest(s), pf_source_digest(&other));
	pf_source_release(&other);
}

static void
files_and_memory_give_the_same_bytes_whole_or_through_a_window(void **state)
{
	const struct pf_buffer *forms[] = {&plain, &packed};
	struct pf_source s;
	(void)state;

	pf_source_init(&s);
	for (size_t i = 0; i < 4; i++) {
		const struct pf_buffer *form = forms[i / 2];
		bool small = i % 2;

		s.most_whole = small ? 1000 : 1 << 20;
		s.window = small ? 500 : 1 << 16;
		write_file(form, form->size);
		assert_int_equal(pf_source_open(&s, path, SIZE, NO_RATIO, NULL), 0);
		read_twice(&s, !small);
		assert_int_equal(
		    pf_source_borrow(&s, "memory", form->bytes, form->size, SIZE, NO_RATIO, NULL),
		    0);
		read_twice(
		    &s, !small || form == &plain); /* what lies in memory lies there as a whole */
	}
	pf_source_release(&s);
}

/* A pipe that a child fills, as standard input. */
static pid_t
fill_pipe(const struct pf_buffer *from)
{
	int ends[2];
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		for (size_t done = 0; done < from->size;) {
			ssize_t n = write(ends[1], from->bytes + done, from->size - done);
			if (n <= 0)
				break;
			done += (size_t)n;
		}
		_exit(0);
	}
	assert_true(child > 0);
	close(ends[1]);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	return child;
}

static void
a_pipe_can_be_read_again(void **state)
{
	const struct pf_buffer *forms[] = {&plain, &packed};
	struct pf_source s;
	(void)state;

	pf_source_init(&s);
	for (size_t i = 0; i < 4; i++) {
		bool small = i % 2;
		pid_t child = fill_pipe(forms[i / 2]);

		s.most_whole = small ? 1000 : 1 << 20;
		s.window = small ? 500 : 1 << 16;
		assert_int_equal(pf_source_open(&s, "-", SIZE, NO_RATIO, NULL), 0);
		assert_string_equal(s.name, "standard input");
		read_twice(&s, !small);
		assert_int_equal(waitpid(child, NULL, 0), child);
	}
	pf_source_release(&s);
}

static void
caps_hold_for_files_and_for_what_they_inflate_to(void **state)
{
	struct pf_source s;
	struct pf_error err = {0};
	(void)state;

	pf_source_init(&s);
	write_file(&plain, SIZE);
	assert_int_equal(pf_source_open(&s, path, SIZE - 1, NO_RATIO, &err), PF_EINPUT);
	assert_message_has(err, "larger than the 99999 bytes allowed");
	write_file(&packed, packed.size);
	assert_int_equal(pf_source_open(&s, path, SIZE - 1, NO_RATIO, &err), PF_EINPUT);
	assert_message_has(err, "inflates to more than 99999 bytes");
	assert_int_equal(pf_source_open(&s, "/nowhere/at/all", SIZE, NO_RATIO, &err), PF_EIO);
	assert_message_has(err, "cannot open /nowhere/at/all");
	pf_source_release(&s);
}

static void
a_failure_in_the_middle_is_sticky(void **state)
{
	struct pf_source s;
	struct pf_error err = {0};
	(void)state;

	pf_source_init(&s);
	s.most_whole = 1000;
	s.window = 500;
	write_file(&packed, packed.size / 2);
	assert_int_equal(pf_source_open(&s, path, SIZE, NO_RATIO, &err), 0);
	while (pf_source_need(&s, 1, &err) == 0)
		s.at = s.end;
	assert_message_has(err, "truncated gzip data at offset");
	assert_true(s.ended && s.at == s.end);
	err.message[0] = '\0';
	assert_int_equal(pf_source_need(&s, 1, &err), PF_EINPUT);
	assert_message_has(err, "truncated gzip data");
	assert_int_equal(pf_source_rewind(&s, &err), PF_EINPUT);
	pf_source_release(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(files_and_memory_give_the_same_bytes_whole_or_through_a_window),
	    cmocka_unit_test(a_pipe_can_be_read_again),
	    cmocka_unit_test(caps_hold_for_files_and_for_what_they_inflate_to),
	    cmocka_unit_test(a_failure_in_the_middle_is_sticky),
	};
	return cmocka_run_group_tests(tests, make_bytes, drop_bytes);
}
