/* Identity, segments, symbols and bytes of ELF files. */
#include "support/fixture.h"

static const char *const id = "00112233445566778899aabbccddeeff";

static void
the_build_id_is_read_as_lower_case_hex(void **state)
{
	struct pf_binary *b = fixture_open("inline-pie");
	(void)state;

	assert_string_equal(pf_binary_build_id(b), id);
	pf_binary_free(b);
}

/* Every executable byte of a file is found at its address, and the other way round. */
static void
check_offsets(const char *name)
{
	struct pf_binary *b = fixture_open(name);
	uint64_t start, end, address;
	size_t seen = 0;
	bool executable;

	for (size_t i = 0; pf_binary_segment(b, i, &start, &end, &executable); i++) {
		const uint8_t *bytes = pf_binary_bytes(b, start, end - start);
		const uint8_t *base = pf_binary_bytes(b, start, 1);
		assert_non_null(bytes);
		assert_ptr_equal(base, bytes);
		assert_null(pf_binary_bytes(b, start, end - start + 1));
		assert_int_equal(pf_binary_executable(b, start), executable);
		seen += executable;
	}
	assert_true(seen > 0);
	assert_false(pf_binary_address(b, UINT64_MAX, &address));
	pf_binary_free(b);
}

static void
all_shapes_of_segments_are_understood(void **state)
{
	(void)state;
	check_offsets("inline-pie");
	check_offsets("inline-fixed");
}

static void
a_first_segment_that_is_executable_maps_offsets_to_addresses(void **state)
{
	struct pf_binary *b = fixture_open("inline-lld");
	const struct pf_symbol *outer = fixture_symbol(b, "outer");
	uint64_t start, end, address;
	bool executable;
	(void)state;

	/* --no-rosegment: the ELF header itself lies in an executable segment. */
	assert_true(pf_binary_address(b, 0, &address));
	assert_true(pf_binary_segment(b, 0, &start, &end, &executable));
	assert_true(executable && start == address);
	assert_true(pf_binary_address(b, outer->start - start, &address));
	assert_true(address == outer->start);
	pf_binary_free(b);
}

static void
several_executable_segments_each_have_their_own_distance(void **state)
{
	struct pf_binary *b = fixture_open("inline-fixed");
	const struct pf_symbol *outer = fixture_symbol(b, "outer"),
			       *far = fixture_symbol(b, "elsewhere");
	const uint8_t *bytes = pf_binary_bytes(b, far->start, 1);
	uint64_t start, end, address = 0, offset;
	size_t segments = 0;
	bool executable;
	(void)state;

	for (size_t i = 0; pf_binary_segment(b, i, &start, &end, &executable); i++)
		segments += executable;
	assert_true(segments >= 2);
	assert_true(far->start >= 0x900000 && outer->start < 0x900000);
	/* The file offset, by way of a segment that begins at offset 0. */
	assert_true(pf_binary_segment(b, 0, &start, &end, &executable));
	offset = (uint64_t)(bytes - pf_binary_bytes(b, start, 1));
	assert_true(pf_binary_address(b, offset, &address));
	assert_true(address == far->start);
	pf_binary_free(b);
}

static void
symbols_are_sorted_and_do_not_overlap(void **state)
{
	struct pf_binary *b = fixture_open("inline-pie");
	size_t count;
	const struct pf_symbol *symbols = pf_binary_symbols(b, &count);
	const struct pf_symbol *outer = fixture_symbol(b, "outer");
	(void)state;

	assert_true(count > 4);
	for (size_t i = 0; i < count; i++) {
		assert_true(symbols[i].start < symbols[i].end);
		assert_true(i == 0 || symbols[i - 1].end <= symbols[i].start);
	}
	assert_ptr_equal(pf_binary_symbol_at(b, outer->start), outer);
	assert_ptr_equal(pf_binary_symbol_at(b, outer->end - 1), outer);
	assert_ptr_not_equal(pf_binary_symbol_at(b, outer->end), outer);
	assert_null(pf_binary_symbol_at(b, 0));
	pf_binary_free(b);
}

static void
a_stripped_binary_finds_its_separate_debug_file(void **state)
{
	struct pf_binary *b = fixture_open("linked");
	struct pf_inline_chain chain = {0};
	struct pf_error err;
	(void)state;

	assert_true(pf_binary_has_lines(b, NULL, 0));
	assert_int_equal(
	    pf_binary_inline_chain(b, fixture_symbol(b, "outer")->start, &chain, &err), 0);
	assert_int_equal(chain.count, 1);
	assert_string_equal(chain.frames[0].function, "outer");
	pf_inline_chain_release(&chain);
	pf_binary_free(b);
}

static void
a_binary_without_lines_says_what_to_do(void **state)
{
	struct pf_binary *b = fixture_open("inline-bare");
	struct pf_inline_chain chain = {0};
	char why[600];
	(void)state;

	assert_false(pf_binary_has_lines(b, why, sizeof why));
	assert_non_null(strstr(why, "-gmlt -fdebug-info-for-profiling"));
	assert_non_null(
	    strstr(why, "/usr/lib/debug/.build-id/00/112233445566778899aabbccddeeff.debug"));
	assert_int_equal(
	    pf_binary_inline_chain(b, fixture_symbol(b, "outer")->start, &chain, NULL), 0);
	assert_int_equal(chain.count, 0);
	pf_binary_free(b);
}

static void
files_that_are_no_binaries_are_refused_with_a_reason(void **state)
{
	struct pf_binary *b;
	struct pf_error err;
	(void)state;

	assert_int_equal(pf_binary_open(&b, "/nonexistent/binary", &err), PF_EIO);
	assert_message_has(err, "/nonexistent/binary");
	assert_null(b);
	assert_int_equal(pf_binary_open(&b, "/", &err), PF_EIO);
	assert_message_has(err, "not a regular file");
	assert_int_equal(pf_binary_open(&b, __FILE__, &err), PF_EINPUT);
	assert_message_has(err, "is not an ELF file");
	if (!fixture_exists("linked.debug"))
		return;
	assert_int_equal(pf_binary_open(&b, fixture_path("linked.debug"), &err), PF_EINPUT);
	assert_message_has(err, "separate debug file");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_build_id_is_read_as_lower_case_hex),
	    cmocka_unit_test(all_shapes_of_segments_are_understood),
	    cmocka_unit_test(a_first_segment_that_is_executable_maps_offsets_to_addresses),
	    cmocka_unit_test(several_executable_segments_each_have_their_own_distance),
	    cmocka_unit_test(symbols_are_sorted_and_do_not_overlap),
	    cmocka_unit_test(a_stripped_binary_finds_its_separate_debug_file),
	    cmocka_unit_test(a_binary_without_lines_says_what_to_do),
	    cmocka_unit_test(files_that_are_no_binaries_are_refused_with_a_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
