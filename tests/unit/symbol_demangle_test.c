/*
 * Short names of C++ functions: by examples of each production here, by the symbols of real libraries against c++filt in
 * tests/integration/symbol_demangle.sh.
 */
#include "symbol/demangle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/mangled.h"

static const struct mangled_name names[] = {
    {"_Z6recordv", "record"},
    {"_ZL6recordv", "record"},
    {"_ZN10AuditTrail6recordERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE",
	"AuditTrail::record"},
    {"_ZNK4shop4Cart5totalEv", "shop::Cart::total"},
    {"_ZN4shop4CartC2ERKS0_", "shop::Cart::Cart"},
    {"_ZN4shop4CartD0Ev", "shop::Cart::~Cart"},
    {"_ZN4shop4ListIiEC1Ev", "shop::List::List"},
    {"_ZNSsC1Ev", "std::basic_string::basic_string"},
    {"_ZSt11make_uniqueI10AuditEventJEENSt8__detail9_MakeUniqIT_E15__single_objectEDpOT0_",
	"std::make_unique"},
    {"_ZStplIcSt11char_traitsIcESaIcEENSt7__cxx1112basic_stringIT_T0_T1_EEPKS5_RKS8_",
	"std::operator+"},
    {"_ZN1AlsEi", "A::operator<<"},
    {"_ZN1AclEv", "A::operator()"},
    {"_ZN1AcvbEv", "A::operator bool"},
    {"_ZN1AcvPKcEv", "A::operator char const*"},
    {"_ZN1AcvN1B1CEEv", "A::operator B::C"},
    {"_ZNSt6vectorIiSaIiEEixEm", "std::vector::operator[]"},
    {"_Znwm", "operator new"},
    {"_ZdaPv", "operator delete[]"},
    {"_Zli2_sPKcm", "operator\"\" _s"},
    {"_ZZ4mainENKUlvE_clEv", "main::{lambda#1}::operator()"},
    {"_ZZN1A3runEiENKUliE0_clEi", "A::run::{lambda#2}::operator()"},
    {"_ZN12_GLOBAL__N_14loadEv", "(anonymous namespace)::load"},
    {"_ZN1AUt_3runEv", "A::{unnamed type#1}::run"},
    {"_ZZ3runvE1A", "run::A"},
    {"_ZZ3runvE1A_0", "run::A"},
    {"_ZZN3FooC1EvEN1B1cEv", "Foo::Foo::B::c"},
    {"_ZN3app4nameB5cxx11Ev", "app::name[abi:cxx11]"},
    {"_ZThn16_N1A3runEv", "non-virtual thunk to A::run"},
    {"_ZTv0_n24_N1A3runEv", "virtual thunk to A::run"},
    {"_ZN1A3runEv.cold", "A::run [clone .cold]"},
    {"_ZN4shopL5scoreEv.__uniq.1234567", "shop::score"},
    {"_ZN1BI1AE1fIXadL_ZN1A3runEvEEEEvv", NULL}, /* an expression: left as it is */
    {"_ZN1BIL_ZN1A3runEvEE1fEv", "B::f"},
    {"_ZN1BILi5ELb1ELN1C4ModeE2EE1fEv", "B::f"},
    {"_ZN1BIFivEM1CPA4_iDnE1fES2_", "B::f"},
    /* substitutions count what is read: S_ is A, S0_ A::B, S1_ B<A> … */
    {"_ZN1A1B1CIS_S0_E1fEv", "A::B::C::f"},
    {"_ZZN1A1fEPS_ENKUlPNS_1BEE_clES1_", "A::f::{lambda#1}::operator()"},
    {"_ZN1AIiE1BIS0_E1cIS1_EEvv", "A::B::c"},
    {"main", NULL},
    {"", NULL},
    {"_", NULL},
    {"_Z", NULL},
    {"_ZN", NULL},
    {"_ZNE", NULL},
    {"_ZN1AE", "A"},
    {"_Z3ab", NULL},
    {"_Z99999999999999999999a", NULL},
    {"_Z0", NULL},
    {"_ZS_", NULL},
    {"_ZNS_1fE", NULL},
    {"_ZNS9_1fEv", NULL},
    {"_ZN1A1B", NULL},
    {"_ZN1ACI", NULL},
    {"_ZUlvE_", "{lambda#1}"},
    {"_ZTV1A", NULL},
    {"_ZGVZ1fvE1a", NULL},
    {"_ZN4core3ptr13drop_in_place17h0123456789abcdefE", "core::ptr::drop_in_place"}, /* Rust */
    {"runtime.mallocgc", NULL},
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

	assert_false(pf_demangle("_ZN1A3runEv", out, 0));
	assert_false(pf_demangle("_ZN1A3runEv", out, 6));
	assert_string_equal(out, "before");
	assert_true(pf_demangle("_ZN1A3runEv", out, 7));
	assert_string_equal(out, "A::run");
}

static void
no_name_is_read_beyond_its_end(void **state)
{
	(void)state;
	check_damaged_names(names, sizeof names / sizeof *names, "ENSTIZCDLXJFA_0129vKPcUtl.");
}

/* A name of 200 KB in which `part` stands over and over, between a beginning and an end. */
static void
repeat(const char *begin, const char *part, const char *end)
{
	enum { MOST = 200000 };
	char out[PF_DEMANGLED_ROOM], *name = malloc(MOST + 1);
	size_t size = 0, each = strlen(part);

	assert_non_null(name);
	size = (size_t)snprintf(name, MOST, "%s", begin);
	while (size + each + strlen(end) < MOST) {
		memcpy(name + size, part, each);
		size += each;
	}
	snprintf(name + size, MOST - size, "%s", end);
	pf_demangle(name, out, sizeof out);
	free(name);
}

static void
hostile_names_cost_no_more_than_their_length(void **state)
{
	char out[PF_DEMANGLED_ROOM], name[512] = "_ZN1AcvS_";
	size_t size = strlen(name);
	(void)state;

	repeat("_ZN", "N", "");
	repeat("_Z", "Z", "");
	repeat("_ZN1A", "I1A", "");
	repeat("_ZN", "1A", "Ev");
	repeat("_ZN1A", "cv", "");
	repeat("_ZN1A", "B1a", "Ev");
	repeat("_Z1fI", "P", "iE");
	repeat("_Z", "ZN1AcvS_EvE", "1a");
	/* Each conversion stands in the one before and names it once more: written out, 2^30 names. */
	for (size_t i = 0; i < 30; i++)
		size += (size_t)snprintf(name + size, sizeof name - size, "cvS%c_",
		    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[i]);
	snprintf(name + size, sizeof name - size, "Ev");
	assert_false(pf_demangle(name, out, sizeof out));
	memcpy(name + 5, "cvS_cvS0_Ev", sizeof "cvS_cvS0_Ev"); /* two of them are a name */
	assert_true(pf_demangle(name, out, sizeof out));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_short),
	    cmocka_unit_test(what_has_no_room_is_left),
	    cmocka_unit_test(no_name_is_read_beyond_its_end),
	    cmocka_unit_test(hostile_names_cost_no_more_than_their_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
