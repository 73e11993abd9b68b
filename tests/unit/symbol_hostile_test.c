/*
 * Damaged ELF files: truncated anywhere, with bytes changed anywhere. Each ends
 * with an answer or an error that has a sentence; under the sanitizers this is
 * the test that nothing is read out of bounds.
 */
#include "support/fixture.h"

#include <elf.h>
#include <sys/mman.h>

#include "symbol/code.h"

static const char *const shapes[] = {"inline-pie", "inline-dwarf4", "inline-zlib", "inline-lld",
    "flow-pie", "inline-probe", "inline-zstd", "inline-split", "inline-dwz"};

struct subject {
	uint8_t *bytes;
	size_t size;
	int fd;               /* a file in memory that holds the damaged copy */
	char path[64];        /* its name */
	size_t opened, lines; /* how far they got, over all */
};

static uint32_t seed;

static uint32_t
draw(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)seed * below >> 32);
}

static void
expect_code(int rc, const struct pf_error *err)
{
	if (rc == 0)
		return;
	assert_true(rc == PF_EINPUT || rc == PF_EIO || rc == PF_ENOMEM);
	assert_int_equal(rc, err->code);
	assert_true(strlen(err->message) > 10);
}

/* Asks everything of a binary that its headers promise. */
static void
ask(struct subject *s, struct pf_binary *b, struct pf_machine_code *code,
    struct pf_inline_chain *chain)
{
	struct pf_error err = {0};
	size_t count;
	const struct pf_symbol *symbols = pf_binary_symbols(b, &count);
	uint64_t value, decoded = 0;

	s->lines += pf_binary_has_lines(b, NULL, 0);
	for (size_t i = 0; i < count; i++) {
		uint64_t size = symbols[i].end - symbols[i].start;
		assert_true(strlen(symbols[i].name) > 0);
		for (uint64_t at = 0; at < size && at < 256; at += 3) {
			expect_code(
			    pf_binary_inline_chain(b, symbols[i].start + at, chain, &err), &err);
			for (size_t k = 0; k < chain->count; k++)
				decoded += strlen(chain->frames[k].function) & 1;
		}
		if (size < 65536 && decoded < 1000000) {
			expect_code(
			    pf_code_decode(code, b, symbols[i].start, symbols[i].end, &err), &err);
			decoded += size;
		}
		pf_binary_pointer(b, symbols[i].start, &value);
	}
}

static void
try(struct subject *s, const uint8_t *bytes, size_t size)
{
	const struct pf_binary_options options = {.scoped_names = true};
	struct pf_inline_chain chain = {0};
	struct pf_machine_code code = {0};
	struct pf_binary *b;
	struct pf_error err = {0};
	int rc;

	assert_int_equal(ftruncate(s->fd, (off_t)size), 0);
	assert_int_equal(pwrite(s->fd, bytes, size, 0), (ssize_t)size);
	rc = pf_binary_open_with(&b, s->path, &options, &err);
	expect_code(rc, &err);
	if (rc)
		return;
	s->opened++;
	ask(s, b, &code, &chain);
	pf_code_release(&code);
	pf_inline_chain_release(&chain);
	pf_binary_free(b);
}

static bool
load(struct subject *s, const char *name)
{
	FILE *f = fixture_exists(name) ? fopen(fixture_path(name), "rb") : NULL;

	*s = (struct subject){0};
	if (!f)
		return false;
	s->fd = memfd_create("damaged", MFD_CLOEXEC);
	assert_true(s->fd >= 0);
	snprintf(s->path, sizeof s->path, "/proc/self/fd/%d", s->fd);
	s->bytes = malloc(1 << 20);
	assert_non_null(s->bytes);
	s->size = fread(s->bytes, 1, 1 << 20, f);
	fclose(f);
	return true;
}

static void
unload(struct subject *s)
{
	close(s->fd);
	free(s->bytes);
}

static void
a_truncated_file_never_crashes(void **state)
{
	struct subject s;
	(void)state;

	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		if (!load(&s, shapes[i]))
			continue;
		for (size_t size = 0; size < s.size; size += size < 1024 ? 7 : 97)
			try(&s, s.bytes, size);
		assert_true(s.opened < s.size / 97 + 150);
		unload(&s);
	}
}

/* Overwrites a few places: single bytes, and whole words with values that break additions. */
static void
damage(uint8_t *bytes, size_t size)
{
	static const uint64_t words[] = {
	    0, 1, 0x7fffffff, 0xffffffff, UINT64_MAX, UINT64_MAX - 7, (uint64_t)1 << 63, 0x1000};
	uint32_t places = 1 + draw(6), region = draw(4);

	for (uint32_t i = 0; i < places; i++) {
		/* The header and segments, the sections at the end, or anywhere. */
		size_t at = region == 0   ? draw(700)
			    : region == 1 ? size - 1 - draw(3000)
					  : draw((uint32_t)size);
		if (draw(3) > 0)
			bytes[at] = (uint8_t)draw(256);
		else if (at + 8 <= size)
			memcpy(bytes + at, &words[draw(8)], draw(2) ? 8 : 4);
	}
}

static void
changed_bytes_never_crash(void **state)
{
	struct subject s;
	const char *more = getenv("PROFUSE_HOSTILE_ROUNDS");
	uint32_t rounds = more ? (uint32_t)strtoul(more, NULL, 10) : 700;
	uint8_t *copy;
	(void)state;

	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		if (!load(&s, shapes[i]))
			continue;
		copy = malloc(s.size);
		assert_non_null(copy);
		for (uint32_t round = 0; round < rounds; round++) {
			seed = round + 1000003 * (uint32_t)i;
			memcpy(copy, s.bytes, s.size);
			damage(copy, s.size);
			try(&s, copy, s.size);
		}
		/* Most damage must reach behind the headers, or this tests little. */
		assert_true(s.opened > 200);
		assert_true(i == 4 || s.lines > 150);
		free(copy);
		unload(&s);
	}
}

/* Fills every executable segment behind the headers with random bytes. */
static void
randomize_code(uint8_t *bytes)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	memcpy(&header, bytes, sizeof header);
	for (uint16_t i = 0; i < header.e_phnum; i++) {
		memcpy(&segment, bytes + header.e_phoff + i * sizeof segment, sizeof segment);
		if (segment.p_type != PT_LOAD || !(segment.p_flags & PF_X))
			continue;
		for (uint64_t at = 0; at < segment.p_filesz; at++) {
			if (segment.p_offset + at >= 0x1000)
				bytes[segment.p_offset + at] = (uint8_t)draw(256);
		}
	}
}

static void
random_bytes_as_code_never_crash(void **state)
{
	struct subject s;
	uint8_t *copy;
	(void)state;

	if (!load(&s, "flow-pie"))
		skip();
	copy = malloc(s.size);
	assert_non_null(copy);
	for (uint32_t round = 0; round < 300; round++) {
		seed = round;
		memcpy(copy, s.bytes, s.size);
		randomize_code(copy);
		try(&s, copy, s.size);
	}
	assert_int_equal(s.opened, 300);
	free(copy);
	unload(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_truncated_file_never_crashes),
	    cmocka_unit_test(changed_bytes_never_crash),
	    cmocka_unit_test(random_bytes_as_code_never_crash),
	};
	return fixture_exists(shapes[0]) ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}
