/*
 * Whose the memory is: what a standard library allocates is its caller's, and only what nobody can be named for is
 * left open.
 */
#include <profuse/tune.h>

#include <stdio.h>
#include <string.h>

#include "support/read_fixture.h"
#include "tuner/code.h"
#include "tuner/tune.h"

/* Linked into the program: neither a library's name nor a beginning tells them. */
static void
allocators_are_known_by_whole_names(void **state)
{
	static const char *const names[] = {"je_malloc", "je_arena_malloc_hard", "tc_malloc",
	    "tc_deletearray_sized_nothrow", "mi_free", "mi_free.part.0", "_mi_page_malloc",
	    "mi_heap_malloc_small", "sysmalloc.part.0", "_int_free", "free"};
	(void)state;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (!(pf_code_traits(names[i], "app") & PF_CODE_ALLOCATION))
			fail_msg("%s", names[i]);
	}
}

static void
the_standard_librarys_functions_are_nobodys_own(void **state)
{
	static const char *const standard[] = {
	    "_ZSt11make_uniqueI10AuditEventJEENSt8__detail9_MakeUniqIT_E15__single_objectEDpOT0_",
	    "_ZStplIcSt11char_traitsIcESaIcEENSt7__cxx1112basic_stringIT_T0_T1_EEPKS5_RKS8_",
	    "_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE6appendEPKcm",
	    "_ZNKSt6vectorIiSaIiEE4sizeEv", "_ZNSs6appendEPKcm",
	    "_ZN9__gnu_cxx13new_allocatorI3JobE8allocateEmPKv", "_ZZNSt6thread5startEvENKUlvE_clEv",
	    "_ZNSt3__16vectorIiE9push_backEi", "std::vector<int>::push_back",
	    "__gnu_cxx::new_allocator<Job>::allocate",
	    "_ZN5alloc7raw_vec19RawVec$LT$T$C$A$GT$14grow_amortized17h0123456789abcdefE",
	    "_ZN4core3ptr13drop_in_place17h0123456789abcdefE",
	    "_RNvMNtNtNtNtCsjrHSEGnQ3l9_3std3sys4sync5mutex5futexNtB2_5Mutex14lock_contended",
	    "absl::Mutex::Lock", "_ZN25_$LT$alloc..vec..Vec$GT$5clone17h0123456789abcdefE",
	    "alloc::vec::Vec<T,A>::push", "<alloc::string::String as core::clone::Clone>::clone",
	    "__rust_alloc", "_RNvCsfLfy6EI15iL_7___rustc11___rdl_alloc",
	    "_ZN41_$LT$u8$u20$as$u20$alloc..vec..FromElem$GT$4make17h26831fed84a0894cE",
	    "_ZN9hashbrown3raw5alloc5inner8do_alloc17h2b5fb77650b83e07E",
	    "_ZN5alloc7raw_vec19RawVec$LT$T$C$A$GT$14grow_amortized17h0123456789abcdefE.llvm.12",
	    "__rust_realloc",
	    /* between std::mutex and pthread_mutex_lock, inlined or not */
	    "__gthread_mutex_lock", "_ZL20__gthread_mutex_lockP15pthread_mutex_t",
	    "__glibcxx_rwlock_unlock", "_ZStL23__glibcxx_rwlock_unlockP16pthread_rwlock_t",
	    "_ZNSt3__120__libcpp_mutex_lockEP15pthread_mutex_t", "__libcpp_mutex_unlock",
	    "__cxa_guard_acquire", "_ZN10__cxxabiv117InitByteGlobalMutexE",
	    /* Go: of a package, or of the assembly, which has none */
	    "slices.partitionCmpFunc[go.shape.int]", "cmpbody", "memeqbody", "gcWriteBarrier"};
	static const char *const own[] = {
	    "_ZN10AuditTrail6recordERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE",
	    "_Z6recordSt6vectorIiSaIiEE", "_Z4readR6Buffer", "_Z4sendPKc", "_ZZ4mainENKUlvE_clEv",
	    "_ZN4core5Cache3putEi", "_ZN5alloc4Pool4takeEv", "core::Cache::put",
	    "alloc::Pool::take", "_ZN5StoreD2Ev", "_ZN7myStuff3runEv", "stdlike::vector",
	    "_RNvNtCsjrHSEGnQ3l9_7service5cache3put", "_RNv", "_ZN12MyCoreEngine17hE",
	    "_ZN4core3ops3runEv", "_ZN4leak12open_session17h286ea5e6998c740aE",
	    "_ZN59_$LT$leak..Session$u20$as$u20$core..clone..Clone$GT$5clone17h286ea5e6998c740aE",
	    "_ZN8acceptor3runEv", "_ZN10mmap_cache4findEi", "gthread_lock", "cmpbody_of",
	    "gc.cmpbody", "mi_malloc_total", "mi_free_distance", "tc_malloc_level", "je_free_entry",
	    "tc_newest", "mmap_index", "accept_order", "pread_table", "json_load_config",
	    "tcache_of_tiles", "heap_trimmed", "sysmalloc_log", "free_seats", "__lock_account",
	    "_ZL7gthreadv", "_Z", "_ZN", ""};
	(void)state;

	for (size_t i = 0; i < sizeof standard / sizeof *standard; i++) {
		if (!(pf_code_traits(standard[i], "") & PF_CODE_LIBRARY))
			fail_msg("%s", standard[i]);
	}
	for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
		if (pf_code_traits(own[i], "") != 0)
			fail_msg("%s", own[i]);
	}
}

/* By what they are called where they are linked in, by their file where they are not; never by a beginning alone. */
static void
parsers_are_known_by_name_or_file(void **state)
{
	static const char *const called[] = {"xmlReadMemory", "xmlSAX2StartElementNs", "XML_Parse",
	    "tinyxml2::XMLDocument::Parse", "_ZN4pugi12xml_document11load_bufferEPKvm",
	    "yaml_parser_load", "protobuf_c_message_unpack", "json_loads"};
	static const char *const own[] = {"xmlParseOrders", "XML_ParseConfig", "xmlfeed_read",
	    "json_load_config", "yaml_load", "Order::xmlReadMemory"};
	static const char *const files[] = {"/usr/lib/x86_64-linux-gnu/libxml2.so.2.9.14",
	    "libexpat.so.1", "/opt/lib/libprotobuf-lite.so.32", "libjansson.so.4"};
	(void)state;

	for (size_t i = 0; i < sizeof called / sizeof *called; i++) {
		if (!(pf_code_traits(called[i], "app") & PF_CODE_SERIAL))
			fail_msg("%s", called[i]);
	}
	for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
		if (pf_code_traits(own[i], "/srv/libxml2-feeder"))
			fail_msg("%s", own[i]);
	}
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		assert_int_equal(
		    pf_code_traits("xmlFreeNodeList", files[i]), PF_CODE_SERIAL | PF_CODE_LIBRARY);
}

/* The report of seven heap snapshots of a fixture. */
static struct pf_tune *
run(const char *fixture)
{
	struct pf_tune *tune;
	struct pf_error err = {0};
	char path[256];

	assert_int_equal(pf_tune_new(&tune, NULL, &err), 0);
	for (int i = 1; i <= 7; i++) {
		struct pf_buffer bytes;

		snprintf(path, sizeof path, "tune/%s/heap-%d.pb.gz", fixture, i);
		bytes = read_fixture(path);
		assert_int_equal(pf_tune_add(tune, path, bytes.bytes, bytes.size, false, &err), 0);
		pf_buffer_release(&bytes);
	}
	assert_int_equal(pf_tune_run(tune, &err), 0);
	return tune;
}

static void
what_std_allocates_is_one_leak_of_who_called_it(void **state)
{
	struct pf_tune *tune = run("cpp-leak");
	(void)state;

	assert_int_equal(pf_tune_finding_count(tune), 1);
	assert_string_equal(pf_tune_finding_title(tune, 0),
	    "Memory that AuditTrail::record allocates grew by 91.2 MiB and was not freed");
	pf_tune_free(tune);
}

/* In both all memory is held by way of operator new, of a libstdc++ without names: its callers have theirs. */
static void
who_can_be_named_is_judged(void **state)
{
	struct pf_tune *leak = run("cpp-leak"), *healthy = run("cpp-healthy");
	(void)state;

	assert_int_equal(leak->unjudged.count, 1);    /* the first string is the empty one */
	assert_int_equal(healthy->unjudged.count, 2); /* and that it was not watched for long */
	assert_non_null(strstr(pf_strings_get(&healthy->unjudged, 1), "Memory was watched for"));
	assert_int_equal(pf_tune_finding_count(healthy), 0);
	pf_tune_free(leak);
	pf_tune_free(healthy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_standard_librarys_functions_are_nobodys_own),
	    cmocka_unit_test(allocators_are_known_by_whole_names),
	    cmocka_unit_test(parsers_are_known_by_name_or_file),
	    cmocka_unit_test(what_std_allocates_is_one_leak_of_who_called_it),
	    cmocka_unit_test(who_can_be_named_is_judged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
