/*
 * The N-th allocation fails, for every N, also inside zlib, zstd and capstone's
 * neighbours: a clear error or the right answer; never an exit, a crash or a leak.
 *
 * This program's malloc stands in for libc's in the whole process, so that the
 * shared libraries' allocations fail too. Sanitizers have a malloc of their own:
 * skipped there.
 */
#include "support/fixture.h"

#include "symbol/code.h"
#include "symbol/probes.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifdef SANITIZED
int
main(void)
{
	printf("skipped: a sanitizer owns malloc here\n");
	return 77;
}
#else

#include <dlfcn.h>
#include <errno.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void __libc_free(void *);

/* Exported, or the shared libraries would not see them. */
__attribute__((visibility("default"))) void *malloc(size_t);
__attribute__((visibility("default"))) void *calloc(size_t, size_t);
__attribute__((visibility("default"))) void *realloc(void *, size_t);
__attribute__((visibility("default"))) void free(void *);

static unsigned long left; /* allocations until one fails; 0: none does */
static bool fired;
static long live; /* blocks */

/* capstone 4.0.2 crashes when cs_open() runs out of memory; our part is to look for memory before. */
static bool
is_capstone(const void *caller)
{
	Dl_info info;

	return dladdr(caller, &info) && info.dli_fname && strstr(info.dli_fname, "libcapstone");
}

static bool
fails(const void *caller)
{
	if (left == 0 || is_capstone(caller) || --left > 0)
		return false;
	fired = true;
	errno = ENOMEM;
	return true;
}

static void *
count(void *block)
{
	live += block != NULL;
	return block;
}

void *
malloc(size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : count(__libc_malloc(size));
}

void *
calloc(size_t n, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : count(__libc_calloc(n, size));
}

void *
realloc(void *old, size_t size)
{
	if (fails(__builtin_return_address(0)))
		return NULL;
	return old ? __libc_realloc(old, size) : count(__libc_malloc(size));
}

void
free(void *block)
{
	live -= block != NULL;
	__libc_free(block);
}

struct answer {
	size_t symbols, frames, lines, edges, probes;
};

static bool
any_function(const void *context, uint64_t start)
{
	(void)context;
	(void)start;
	return true;
}

/* Opens, asks and sums up what was answered. */
static int
ask(const char *path, struct answer *answer, struct pf_error *err)
{
	struct pf_inline_chain chain = {0};
	struct pf_machine_code code = {0};
	const struct pf_symbol *symbols;
	struct pf_probes probes;
	struct pf_binary *b;
	int rc = pf_binary_open(&b, path, err);

	*answer = (struct answer){0};
	if (rc)
		return rc;
	symbols = pf_binary_symbols(b, &answer->symbols);
	answer->lines = pf_binary_has_lines(b, NULL, 0);
	for (size_t i = 0; i < answer->symbols && !rc; i++) {
		for (uint64_t at = symbols[i].start; at < symbols[i].end && !rc; at += 8) {
			rc = pf_binary_inline_chain(b, at, &chain, err);
			answer->frames += chain.count;
		}
		if (!rc)
			rc = pf_code_decode(&code, b, symbols[i].start, symbols[i].end, err);
		answer->edges += code.edge_count;
	}
	if (!rc) {
		rc = pf_probes_read(&probes, b, any_function, NULL, err);
		answer->probes = probes.count;
		pf_probes_release(&probes);
	}
	pf_code_release(&code);
	pf_inline_chain_release(&chain);
	pf_binary_free(b);
	return rc;
}

static void
check(const char *name)
{
	struct answer whole, answer;
	struct pf_error err = {0};
	char path[4096];
	unsigned long n;

	if (!fixture_exists(name))
		skip();
	snprintf(path, sizeof path, "%s", fixture_path(name));
	assert_int_equal(ask(path, &whole, &err), 0);
	for (n = 1; n < 100000; n++) {
		long before = live;
		left = n;
		fired = false;
		int rc = ask(path, &answer, &err);
		left = 0;
		if (live > before)
			fail_msg("allocation %lu failing leaks %ld blocks of %s", n, live - before,
			    name);
		if (!fired)
			break;
		if (rc == 0) {
			if (memcmp(&answer, &whole, sizeof whole) != 0)
				fail_msg("allocation %lu failing silently loses something of %s", n,
				    name);
		} else if (rc != PF_ENOMEM) {
			fail_msg("allocation %lu failing gives %d \"%s\"", n, rc, err.message);
		}
	}
	assert_in_range(n, 20, 99999);
	print_message("%s: %lu allocations failed in turn\n", name, n - 1);
}

static void
check_if_built(const char *name)
{
	if (fixture_exists(name))
		check(name);
}

static void
running_out_of_memory_anywhere_is_an_error_not_an_end(void **state)
{
	(void)state;
	check("inline-pie");
	check("inline-zlib");
	check("inline-probe");
	check_if_built("inline-zstd");
	check_if_built("inline-split");
	check_if_built("inline-dwz");
	check("flow-gcc");
	check("linked");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(running_out_of_memory_anywhere_is_an_error_not_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
