/*
 * Debug information that no compiler writes, byte by byte: circles of origins,
 * entries nested without end, ranges that wrap, line programs of no length, the
 * same list named by thousands of units. Each ends with an answer or an error.
 */
#include "support/unit.h"

#include "core/buffer.h"
#include "symbol/binary_private.h"
#include "symbol/dwarf_constants.h"
#include "symbol/dwarf_private.h"

enum { UNIT = 1, FUNCTION, COPY, BARE, RANGED };

#define CODE 0x1000

/* A binary whose only parts are debug sections. */
struct subject {
	struct pf_buffer info, abbrev, line, ranges;
	struct pf_segment segment;
	struct pf_binary binary;
	struct pf_error err;
	size_t unit; /* where the unit under way starts */
};

static void
number(struct pf_buffer *b, uint64_t value, size_t size)
{
	while (size-- > 0) {
		pf_buffer_byte(b, (uint8_t)value);
		value >>= 8;
	}
}

static void
abbreviation(struct pf_buffer *b, uint64_t code, uint64_t tag, const uint16_t (*attributes)[2])
{
	pf_buffer_uleb(b, code);
	pf_buffer_uleb(b, tag);
	pf_buffer_byte(b, 1);
	for (; attributes[0][0]; attributes++) {
		pf_buffer_uleb(b, attributes[0][0]);
		pf_buffer_uleb(b, attributes[0][1]);
	}
	number(b, 0, 2);
}

static void
start(struct subject *s)
{
	static const uint16_t unit[][2] = {{DW_AT_stmt_list, DW_FORM_sec_offset},
	    {DW_AT_low_pc, DW_FORM_addr}, {DW_AT_high_pc, DW_FORM_data8}, {0, 0}};
	static const uint16_t function[][2] = {{DW_AT_name, DW_FORM_string},
	    {DW_AT_low_pc, DW_FORM_addr}, {DW_AT_high_pc, DW_FORM_data8},
	    {DW_AT_abstract_origin, DW_FORM_ref4}, {0, 0}};
	static const uint16_t copy[][2] = {{DW_AT_abstract_origin, DW_FORM_ref4},
	    {DW_AT_low_pc, DW_FORM_addr}, {DW_AT_high_pc, DW_FORM_data8},
	    {DW_AT_call_line, DW_FORM_data1}, {0, 0}};
	static const uint16_t bare[][2] = {{0, 0}};
	static const uint16_t ranged[][2] = {{DW_AT_ranges, DW_FORM_sec_offset}, {0, 0}};
	struct pf_buffer empty = {.maximum = 16 << 20};

	*s = (struct subject){.info = empty, .abbrev = empty, .line = empty, .ranges = empty};
	abbreviation(&s->abbrev, UNIT, DW_TAG_compile_unit, unit);
	abbreviation(&s->abbrev, FUNCTION, DW_TAG_subprogram, function);
	abbreviation(&s->abbrev, COPY, DW_TAG_inlined_subroutine, copy);
	abbreviation(&s->abbrev, BARE, DW_TAG_lexical_block, bare);
	abbreviation(&s->abbrev, RANGED, DW_TAG_compile_unit, ranged);
	pf_buffer_byte(&s->abbrev, 0);
	/* A line table of version 4 without rows. */
	number(&s->line, 17, 4);
	number(&s->line, 4, 2);
	number(&s->line, 9, 4);
	pf_buffer_add(&s->line, "\1\1\1\1\1\1\0\0\0\0\0", 11);
	s->segment = (struct pf_segment){.address = CODE, .size = 1 << 20, .executable = true};
	s->binary.segments = &s->segment;
	s->binary.segment_count = 1;
	s->binary.main.path = (char *)(uintptr_t)"made up";
}

/* The header of a unit of version 4; its length is set by end_unit(). */
static void
begin_unit(struct subject *s)
{
	s->unit = s->info.size;
	number(&s->info, 0, 4);
	number(&s->info, 4, 2);
	number(&s->info, 0, 4);
	number(&s->info, 8, 1);
}

static void
end_unit(struct subject *s)
{
	uint32_t length = (uint32_t)(s->info.size - s->unit - 4);

	memcpy(s->info.bytes + s->unit, &length, 4);
}

static void
root(struct subject *s, uint64_t low, uint64_t length)
{
	pf_buffer_uleb(&s->info, UNIT);
	number(&s->info, 0, 4);
	number(&s->info, low, 8);
	number(&s->info, length, 8);
}

static void
function(struct subject *s, const char *name, uint64_t low, uint64_t length, uint32_t origin)
{
	pf_buffer_uleb(&s->info, FUNCTION);
	pf_buffer_add(&s->info, name, strlen(name) + 1);
	number(&s->info, low, 8);
	number(&s->info, length, 8);
	number(&s->info, origin, 4);
}

static void
copy(struct subject *s, uint32_t origin, uint64_t low, uint64_t length)
{
	pf_buffer_uleb(&s->info, COPY);
	number(&s->info, origin, 4);
	number(&s->info, low, 8);
	number(&s->info, length, 8);
	number(&s->info, 7, 1);
}

static struct pf_bytes
bytes_of(const struct pf_buffer *b)
{
	return (struct pf_bytes){.at = b->bytes, .size = b->size};
}

static int
open_sections(struct subject *s)
{
	struct pf_dwarf *d = calloc(1, sizeof *d);

	assert_non_null(d);
	d->binary = &s->binary;
	s->binary.dwarf = d;
	d->main.sections[PF_SECTION_INFO] = bytes_of(&s->info);
	d->main.sections[PF_SECTION_ABBREV] = bytes_of(&s->abbrev);
	d->main.sections[PF_SECTION_LINE] = bytes_of(&s->line);
	d->main.sections[PF_SECTION_RANGES] = bytes_of(&s->ranges);
	return pf_dwarf_scan(d, &s->err);
}

static void
finish(struct subject *s)
{
	pf_dwarf_free(s->binary.dwarf);
	pf_buffer_release(&s->info);
	pf_buffer_release(&s->abbrev);
	pf_buffer_release(&s->line);
	pf_buffer_release(&s->ranges);
}

static void
origins_that_go_in_a_circle_end(void **state)
{
	struct pf_inline_chain chain = {0};
	struct subject s;
	(void)state;

	start(&s);
	begin_unit(&s);
	root(&s, CODE, 64);
	uint32_t here = (uint32_t)(s.info.size - s.unit);
	function(&s, "itself", CODE, 64, here);
	uint32_t inner = (uint32_t)(s.info.size - s.unit);
	copy(&s, inner, CODE + 8, 8);
	number(&s.info, 0, 3);
	end_unit(&s);
	assert_int_equal(open_sections(&s), 0);
	assert_int_equal(pf_binary_inline_chain(&s.binary, CODE + 9, &chain, &s.err), 0);
	assert_int_equal(chain.count, 2);
	assert_string_equal(chain.frames[0].function, "");
	assert_string_equal(chain.frames[1].function, "itself");
	assert_int_equal(chain.frames[1].line, 7);
	pf_inline_chain_release(&chain);
	finish(&s);
}

static void
a_line_program_of_no_length_has_no_lines(void **state)
{
	struct pf_inline_chain chain = {0};
	struct subject s;
	(void)state;

	start(&s);
	begin_unit(&s);
	root(&s, CODE, 64);
	function(&s, "f", CODE, 64, 0);
	number(&s.info, 0, 2);
	end_unit(&s);
	assert_int_equal(open_sections(&s), 0);
	assert_int_equal(pf_binary_inline_chain(&s.binary, CODE, &chain, &s.err), 0);
	assert_int_equal(chain.count, 1);
	assert_int_equal(chain.frames[0].line, 0);
	assert_null(chain.frames[0].file);
	pf_inline_chain_release(&chain);
	finish(&s);
}

static void
ranges_that_wrap_cover_nothing(void **state)
{
	struct pf_inline_chain chain = {0};
	struct subject s;
	(void)state;

	start(&s);
	begin_unit(&s);
	root(&s, CODE, 64);
	function(&s, "wraps", CODE, UINT64_MAX - 10, 0);
	number(&s.info, 0, 2);
	end_unit(&s);
	assert_int_equal(open_sections(&s), 0);
	assert_int_equal(pf_binary_inline_chain(&s.binary, CODE, &chain, &s.err), 0);
	assert_int_equal(chain.count, 0);
	finish(&s);

	start(&s);
	begin_unit(&s);
	root(&s, CODE, UINT64_MAX);
	end_unit(&s);
	assert_int_equal(open_sections(&s), 0);
	assert_int_equal(s.binary.dwarf->unit_ranges.count, 0);
	finish(&s);
}

static void
entries_nested_too_deep_are_refused(void **state)
{
	struct pf_inline_chain chain = {0};
	struct subject s;
	(void)state;

	start(&s);
	begin_unit(&s);
	root(&s, CODE, 64);
	function(&s, "deep", CODE, 64, 0);
	for (int i = 0; i < 5000; i++)
		pf_buffer_uleb(&s.info, BARE);
	end_unit(&s);
	assert_int_equal(open_sections(&s), 0);
	assert_int_equal(pf_binary_inline_chain(&s.binary, CODE, &chain, &s.err), PF_EINPUT);
	assert_message_has(s.err, "entries nest over 4096 deep");
	finish(&s);
}

/* 4,000 units that each name a list of 4,000 ranges: 256 MB to read in a file of 120 KB. */
static void
one_list_named_by_thousands_of_units_is_not_read_each_time(void **state)
{
	struct subject s;
	(void)state;

	start(&s);
	for (uint64_t i = 0; i < 4000; i++) {
		number(&s.ranges, CODE + 4 * i, 8);
		number(&s.ranges, CODE + 4 * i + 2, 8);
	}
	number(&s.ranges, 0, 16);
	for (int i = 0; i < 4000; i++) {
		begin_unit(&s);
		pf_buffer_uleb(&s.info, RANGED);
		number(&s.info, 0, 4);
		end_unit(&s);
	}
	assert_int_equal(open_sections(&s), PF_EINPUT);
	assert_message_has(s.err, "refers to the same bytes far more often");
	assert_true(s.binary.dwarf->unit_ranges.count < 200000);
	finish(&s);
}

static void
entries_whose_abbreviation_is_missing_are_an_error(void **state)
{
	struct pf_inline_chain chain = {0};
	struct subject s;
	(void)state;

	start(&s);
	begin_unit(&s);
	root(&s, CODE, 64);
	pf_buffer_uleb(&s.info, 99);
	end_unit(&s);
	assert_int_equal(open_sections(&s), 0);
	for (int i = 0; i < 2; i++) { /* the failure stays */
		assert_int_equal(
		    pf_binary_inline_chain(&s.binary, CODE, &chain, &s.err), PF_EINPUT);
		assert_message_has(s.err, "made up: ");
	}
	finish(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(origins_that_go_in_a_circle_end),
	    cmocka_unit_test(a_line_program_of_no_length_has_no_lines),
	    cmocka_unit_test(ranges_that_wrap_cover_nothing),
	    cmocka_unit_test(entries_nested_too_deep_are_refused),
	    cmocka_unit_test(one_list_named_by_thousands_of_units_is_not_read_each_time),
	    cmocka_unit_test(entries_whose_abbreviation_is_missing_are_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
