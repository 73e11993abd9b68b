/* Discriminators and names as LLVM's sample profiles know them. */
#include "support/unit.h"

#include "symbol/binary.h"

/* LLVM's own encoding, written down from its description: 0 is one bit, up to 31 seven bits, else fourteen. */
static uint32_t
encode(uint32_t value, unsigned *bits)
{
	if (value == 0) {
		*bits = 1;
		return 1;
	}
	if (value <= 0x1f) {
		*bits = 7;
		return value << 1;
	}
	*bits = 14;
	return ((value & 0xfe0) << 1 | (value & 0x1f) | 0x20) << 1;
}

static void
every_base_and_factor_come_back_out_of_a_discriminator(void **state)
{
	(void)state;
	for (uint32_t base = 0; base < 4096; base += base < 70 ? 1 : 61) {
		for (uint32_t factor = 2; factor < 4096; factor += factor < 70 ? 1 : 67) {
			unsigned low, high;
			uint32_t raw = encode(base, &low);
			raw |= encode(factor, &high) << low;
			assert_int_equal(pf_discriminator_base(raw), base);
			assert_int_equal(pf_discriminator_duplication(raw), factor);
		}
	}
}

static void
a_discriminator_without_a_factor_stands_for_one_copy(void **state)
{
	(void)state;
	assert_int_equal(pf_discriminator_duplication(0), 1);
	assert_int_equal(pf_discriminator_base(0), 0);
	assert_int_equal(pf_discriminator_base(2), 1);
	assert_int_equal(pf_discriminator_duplication(2), 1);
}

static void
a_pseudo_probe_keeps_a_base_since_llvm_19(void **state)
{
	(void)state;
	/* Calls in a clang-19 build with -fpseudo-probe-for-profiling, where the build without has 2, 6, 8 and 12. */
	assert_int_equal(pf_discriminator_base(455147551), 1);
	assert_int_equal(pf_discriminator_base(455278655), 3);
	assert_int_equal(pf_discriminator_base(455344207), 4);
	assert_int_equal(pf_discriminator_base(455475311), 6);
	assert_int_equal(pf_discriminator_duplication(455344207), 1);
	/* As older ones write it: probe 9 alone, a direct call. */
	assert_int_equal(pf_discriminator_base(2u << 26 | 100u << 19 | 9 << 3 | 7), 0);
	assert_int_equal(pf_discriminator_duplication(2u << 26 | 100u << 19 | 9 << 3 | 7), 1);
}

static void
assert_canonical(const char *name, const char *expected)
{
	char out[200];

	pf_canonical_name(name, out, sizeof out);
	assert_string_equal(out, expected);
}

static void
suffixes_of_compiler_passes_are_cut_off(void **state)
{
	(void)state;
	assert_canonical("parse", "parse");
	assert_canonical("parse.llvm.9795895850149677289", "parse");
	assert_canonical("parse.part.0", "parse");
	assert_canonical("parse.isra.0.cold", "parse");
	assert_canonical("parse.constprop.12.part.3", "parse");
	assert_canonical("parse.cold.1", "parse");
	assert_canonical("parse.__part.1", "parse");
	assert_canonical("_ZN4shop3runEi.cold", "_ZN4shop3runEi");
	assert_canonical("memcpy@@GLIBC_2.14", "memcpy");
}

static void
names_that_only_look_like_suffixes_are_kept(void **state)
{
	(void)state;
	assert_canonical("parse.__uniq.123", "parse.__uniq.123");
	assert_canonical("parse.__uniq.123.llvm.77", "parse.__uniq.123");
	assert_canonical("parse.part", "parse.part");
	assert_canonical("parse.part.x", "parse.part.x");
	assert_canonical("parse.2", "parse.2");
	assert_canonical(".cold", ".cold");
	assert_canonical("", "");
}

static void
assert_source(const char *name, const char *expected)
{
	size_t size;
	const char *at = pf_source_name(name, &size);

	assert_int_equal(size, strlen(expected));
	assert_memory_equal(at, expected, size);
}

static void
names_that_clang_made_unique_are_those_of_the_source(void **state)
{
	(void)state;
	assert_source("_ZL5scorePKcm.__uniq.12886990452484006378108081470600908566", "score");
	assert_source("score.__uniq.123", "score");
	assert_source("_ZL5score.__uniq.7", "score");
	assert_source("_ZL99scorePKcm.__uniq.123", "_ZL99scorePKcm"); /* no such length */
	assert_source("_ZL0x.__uniq.123", "_ZL0x");
	assert_source("_ZL-1score.__uniq.123", "_ZL-1score");
	assert_source("_ZN4shop3runEi", "_ZN4shop3runEi");
	assert_source("_ZL5scorePKcm", "_ZL5scorePKcm");
	assert_source(".__uniq.1", "");
	assert_source("", "");
}

static void
a_name_is_cut_at_the_end_of_the_room_given(void **state)
{
	char out[4] = "zzz";
	(void)state;

	pf_canonical_name("parse.cold", out, sizeof out);
	assert_string_equal(out, "par");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_base_and_factor_come_back_out_of_a_discriminator),
	    cmocka_unit_test(a_discriminator_without_a_factor_stands_for_one_copy),
	    cmocka_unit_test(a_pseudo_probe_keeps_a_base_since_llvm_19),
	    cmocka_unit_test(suffixes_of_compiler_passes_are_cut_off),
	    cmocka_unit_test(names_that_clang_made_unique_are_those_of_the_source),
	    cmocka_unit_test(names_that_only_look_like_suffixes_are_kept),
	    cmocka_unit_test(a_name_is_cut_at_the_end_of_the_room_given),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
