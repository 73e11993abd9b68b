/*
 * Short names of Rust functions of the v0 scheme: by examples of each production here, by the symbols of real programs
 * against llvm-cxxfilt in tests/integration/symbol_demangle_rust.sh.
 */
#include "symbol/demangle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/mangled.h"

static const struct mangled_name names[] = {
    {"_RNvNtCslNYArtu3iFV_5alloc5alloc5alloc", "alloc::alloc::alloc"},
    {"_RNvMNtCslNYArtu3iFV_5alloc5allocNtB2_6Global10alloc_impl",
	"<alloc::alloc::Global>::alloc_impl"},
    {"_RNvCsfLfy6EI15iL_7___rustc12___rust_alloc", "__rustc::__rust_alloc"},
    {"_RNvC1a1b", "a::b"},
    {"_RNvC1a1bC1c", "a::b"}, /* an instance for another crate */
    {"_RNvNvC1a1bs_1c", "a::b::c"},
    {"_RNvMNtNtCs7GcKhkb6nlg_9rustc_abi8callconv3regNtB2_3Reg4i128",
	"<rustc_abi::callconv::reg::Reg>::i128"},
    /* generic arguments */
    {"_RINvMCs32gj3y4fnmh_4mainINtB3_4GridxKj12c_E4eachNCNvB3_4mains_0EB3_", "<main::Grid>::each"},
    {"_RINvCs32gj3y4fnmh_4main5konstKb0_Kc78_Ka7f_EB2_", "main::konst"},
    {"_RINvC1a1bL_L0_KpKin1_KB6_E", "a::b"},
    {"_RINvC1a1bKRe616263_KQe_E", "a::b"},
    {"_RINvC1a1bKAj1_j2_EKTEKVNtC1c1SUE", "a::b"},
    {"_RINvC1a1bKVNtC1c1STj1_j2_EKVNtC1c1SS1xj1_s_1yb0_EE", "a::b"},
    {"_RINvC1a1bKj1E", NULL},
    {"_RINvC1a1bKVNtC1c1SXE", NULL},
    {"_RINvC1a1bKvE", NULL},
    /* traits */
    {"_RNvXs_Cs32gj3y4fnmh_4mainINtB4_4GridhKj4_ENtNtCsgEmfK2I1SDS_4core3fmt7Display3fmtB4_",
	"<main::Grid as core::fmt::Display>::fmt"},
    {"_RNvYINtNvNtCsjrHSEGnQ3l9_3std2io17default_write_fmt7AdapterINtNtB7_6cursor6CursorQShEENtNt"
     "CsgEmfK2I1SDS_4core3fmt5Write10write_charB9_",
	"<std::io::default_write_fmt::Adapter as core::fmt::Write>::write_char"},
    {"_RNvXs_NvMs_NtNtCslNYArtu3iFV_5alloc3ffi5c_strNtB9_7CString3newRShNtB4_11SpecNewImpl13spec_"
     "new_impl",
	"<&[u8] as <alloc::ffi::c_str::CString>::new::SpecNewImpl>::spec_new_impl"},
    /* closures and shims */
    {"_RNCNvCs32gj3y4fnmh_4main5later0B3_", "main::later::{closure#0}"},
    {"_RNCNCNvC1a1bs_00", "a::b::{closure#1}::{closure#0}"},
    {"_RNCNvC1a1bs0_1x", "a::b::{closure:x#2}"},
    {"_RNKC1a0", "a::{K#0}"},
    {"_RNSNvYNCINvMs0_NtNtCsjrHSEGnQ3l9_3std4sync4onceNtBd_4Once9call_onceNCNvNtBh_2rt7cleanup0E0"
     "INtNtNtCsgEmfK2I1SDS_4core3ops8function6FnOnceTRNtBd_9OnceStateEE9call_once6vtableBh_",
	"<<std::sync::once::Once>::call_once::{closure#0} as "
	"core::ops::function::FnOnce>::call_once::{shim:vtable#0}"},
    {"_RNSNvMs8_NtCsgEmfK2I1SDS_4core3numo15overflowing_div5reify.cold",
	"<u128>::overflowing_div::{shim:reify#0} [clone .cold]"},
    /* types */
    {"_RNvMC1ae1f", "<str>::f"},
    {"_RNvMC1ap1f", "<_>::f"},
    {"_RNvMC1av1f", "<...>::f"},
    {"_RNvMC1ag1f", NULL},
    {"_RNvMC1ATlReE1f", "<(i32, &str)>::f"},
    {"_RNvMC1aThE1f", "<(u8,)>::f"},
    {"_RNvMC1aTE1f", "<()>::f"},
    {"_RNvMC1aAtj7_1f", "<[u16; 7]>::f"},
    {"_RNvMC1aAtp1f", "<[u16; _]>::f"},
    {"_RNvMC1aAtin1f_1f", "<[u16; -31]>::f"},
    {"_RNvMC1aAtjffffffffffffffff_1f", "<[u16; 18446744073709551615]>::f"},
    {"_RNvMC1aAto10000000000000000_1f", "<[u16; 0x10000000000000000]>::f"},
    {"_RNvMC1aTAtj7_AtB6_E1f", NULL}, /* what is referred to is no constant */
    {"_RNvMC1aTAtj7_AtB8_E1f", "<([u16; 7], [u16; 7])>::f"},
    {"_RNvMC1aAtj_1f", NULL},
    {"_RNvMC1aAtjg_1f", NULL},
    {"_RNvMC1aAtb1_1f", NULL},
    {"_RNvMC1aSx1f", "<[i64]>::f"},
    {"_RNvMC1aPn1f", "<*const i128>::f"},
    {"_RNvMC1aOo1f", "<*mut u128>::f"},
    {"_RNvMC1aQc1f", "<&mut char>::f"},
    {"_RNvMC1aRL_a1f", "<&i8>::f"},
    {"_RNvMC1aFlbEi1f", "<fn(i32, bool) -> isize>::f"},
    {"_RNvMC1aFUKCfEu1f", "<unsafe extern \"C\" fn(f32)>::f"},
    {"_RNvMC1aFK13system_unwindEz1f", "<extern \"system-unwind\" fn() -> !>::f"},
    {"_RNvMC1aFKu3abcEz1f", NULL},
    {"_RNvMC1aFG0_RL1_eRL0_mERL1_e1f", "<for<'a, 'b> fn(&'a str, &'b u32) -> &'a str>::f"},
    {"_RNvMC1aFGp_RL_eEu1f", NULL}, /* more lifetimes than the name could use */
    {"_RNvMC1aRL0_e1f", NULL},
    {"_RNvMsg_Cs32gj3y4fnmh_4mainDNtB5_5ShapeEL_5twice", "<dyn main::Shape>::twice"},
    {"_RNvMC1aDG_INtC1b2FnTRL0_eEEp6OutputRL0_eNtC1c4SendEL_1f",
	"<dyn for<'a> b::Fn + c::Send>::f"},
    {"_RNvMC1aFG_RDNtC1b1TEL0_Eu1f", "<for<'a> fn(&dyn b::T + 'a)>::f"},
    {"_RNvMC1aDNtC1b1TE1f", NULL},
    /* names beyond ASCII */
    {"_RNvMNtCs32gj3y4fnmh_4mainu9gre_6ka8iNtB2_u6Tr_xkau8ffne_4qa", "<main::größe::Tür>::öffne"},
    {"_RNvNtCs32gj3y4fnmh_4mainu9gre_6ka8iu7_1lqs71d", "main::größe::東京"},
    {"_RNvNtCs32gj3y4fnmh_4mainu9gre_6ka8iu8_80anktkl", "main::größe::запуск"},
    {"_RNvC1au3_80", NULL},
    {"_RNvC1au3a_A", NULL},
    {"_RNvC1au2a_", "a::a"},
    {"_RNvC1au0", NULL},
    {"_RNvC1au9_99999999", NULL},
    {"_RNvC1au2_a", NULL}, /* a terminal's control: U+0080 */
    {"_RNvC1a3b\x1b[", NULL},
    {"_RNvC1a3b c", NULL},
    /* of a compiler's passes */
    {"_RNvC1a1b.llvm.5844774155465566772", "a::b [clone .llvm.5844774155465566772]"},
    {"_RNvC1a1b.__uniq.12", "a::b"},
    /* references */
    {"_RB_", NULL},
    {"_RNvB_1f", NULL},
    {"_RNvB0_1f", NULL},
    {"_RNvMC1aB5_1f", NULL},
    {"_RNvMC1aTB5_E1f", NULL},
    {"_RNvMC1aTNtC1b1cB3_E1f", NULL},
    {"_RNvMC1aTNtC1b1cB6_E1f", "<(b::c, b::c)>::f"},
    /* malformed */
    {"_R", NULL},
    {"_RN", NULL},
    {"_R1NvC1a1b", NULL},
    {"__RNvC1a1b", NULL},
    {"_RC0", NULL},
    {"_RC1a", "a"},
    {"_RN1C1a1b", NULL},
    {"_RNvC1a9b", NULL},
    {"_RNvC1a99999999999999999999b", NULL},
    {"_RNvCs999999999999_1a1b", NULL},
    {"_RNvCs!_1a1b", NULL},
    {"_RNvC1a1bE", NULL},
    {"_RNvC1a1bC1cC1d", NULL},
    {"_RINvC1a1bh", NULL},
};

static void
names_are_short(void **state)
{
	(void)state;
	check_short_names(names, sizeof names / sizeof *names);
}

static void
what_has_no_room_is_left(void **state)
{
	char out[8] = "before";
	(void)state;

	assert_false(pf_demangle("_RNvC1a1b", out, 0));
	assert_false(pf_demangle("_RNvC1a1b", out, 4));
	assert_false(pf_demangle("_RNvC1a1b.cold", out, sizeof out));
	assert_string_equal(out, "before");
	assert_true(pf_demangle("_RNvC1a1b", out, 5));
	assert_string_equal(out, "a::b");
}

static void
no_name_is_read_beyond_its_end(void **state)
{
	(void)state;
	check_damaged_names(
	    names, sizeof names / sizeof *names, "CMXYNIBASTRQPOFDEGUKLpsuvhje_0129az.");
}

/* A name in which `part` stands `count` times, between a beginning and an end. */
static bool
is_known(const char *begin, const char *part, size_t count, const char *end)
{
	size_t each = strlen(part), room = strlen(begin) + each * count + strlen(end) + 1,
	       size = strlen(begin);
	char out[PF_DEMANGLED_ROOM], *name = malloc(room);
	bool known;

	assert_non_null(name);
	memcpy(name, begin, size);
	for (size_t i = 0; i < count; i++, size += each)
		memcpy(name + size, part, each);
	memcpy(name + size, end, strlen(end) + 1);
	known = pf_demangle(name, out, sizeof out);
	free(name);
	return known;
}

static void
hostile_names_cost_no_more_than_their_length(void **state)
{
	(void)state;

	assert_true(is_known("_RNvNvNvNvC1a", "1b", 4, ""));
	assert_false(is_known("_R", "N", 200000, ""));
	assert_false(is_known("_R", "Nv", 100000, "C1a"));
	assert_false(is_known("_RNvMC1a", "R", 200000, "h1b"));
	assert_false(is_known("_RINvC1a1bK", "R", 200000, "e_E"));
	assert_false(is_known("_RNvMC1a", "DG_", 1000, ""));
	assert_true(is_known("_RINvC1a1b", "h", 200000, "E"));
	assert_true(is_known("_RINvC1a1bKe", "0", 200000, "_E"));
	assert_false(is_known("_RNvMC1aT", "INtC1b1cIB6_hEE", 10000, "E1f"));
	assert_false(is_known("_RNvC1au100000", "a", 100000, ""));
	/* Each tuple has the one before twice: written out, 2^7 and 2^12 of the first. */
	assert_true(is_known("_RNvMC1aTTTTTThEBa_EB9_EB8_EB7_EB6_E1f", "", 0, ""));
	assert_false(is_known(
	    "_RNvMC1aTTTTTTTTTTTThEBg_EBf_EBe_EBd_EBc_EBb_EBa_EB9_EB8_EB7_EB6_E1f", "", 0, ""));
	/* What is read in silence is read again for each who refers to it. */
	assert_true(is_known("_RNvMC1aTINtC1b1c", "h", 5000, "EB6_B6_E1f"));
	assert_false(
	    is_known("_RNvMC1aTINtC1b1c", "h", 5000, "EB6_B6_B6_B6_B6_B6_B6_B6_B6_B6_B6_B6_E1f"));
}

/* By libiberty's reading, without the hash. */
static void
names_of_the_older_scheme_lose_their_hash(void **state)
{
	static const char *const older[][2] = {
	    {"_ZN4leak12open_session17h286ea5e6998c740aE", "leak::open_session"},
	    {"_ZN63_$LT$u8$u20$as$u20$alloc..vec..spec_from_elem..SpecFromElem$GT$"
	     "9from_elem17h26831fed84a0894cE",
		"<u8 as alloc::vec::spec_from_elem::SpecFromElem>::from_elem"},
	    {"_ZN4main28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE", "main::{{closure}}"},
	    {"_ZN4a..b6c$RF$d17h0123456789abcdefE.llvm.123", "a::b::c&d [clone .llvm.123]"},
	    {"_ZN8$u437$ae17h0123456789abcdefE", "зae"},
	    {"_ZN12$LP$$C$$RP$x17h0123456789abcdefE", "(,)x"}};
	static const char *const none[] = {"_ZN4leak12open_session17h286ea5e6998c740a",
	    "_ZN4$XX$17h0123456789abcdefE", "_ZN5$u0a$17h0123456789abcdefE",
	    "_ZN3$LT17h0123456789abcdefE", "_ZN99999999999999999999a17h0123456789abcdefE",
	    "_ZN17h0123456789abcdefE"};
	char out[PF_DEMANGLED_ROOM], small[8];
	(void)state;

	for (size_t i = 0; i < sizeof older / sizeof *older; i++) {
		if (!pf_demangle(older[i][0], out, sizeof out) || strcmp(out, older[i][1]) != 0)
			fail_msg("%s: %s", older[i][0], out);
		assert_false(pf_demangle(older[i][0], small, 4));
	}
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		if (pf_demangle(none[i], out, sizeof out))
			fail_msg("%s: %s", none[i], out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_short),
	    cmocka_unit_test(what_has_no_room_is_left),
	    cmocka_unit_test(no_name_is_read_beyond_its_end),
	    cmocka_unit_test(hostile_names_cost_no_more_than_their_length),
	    cmocka_unit_test(names_of_the_older_scheme_lose_their_hash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
