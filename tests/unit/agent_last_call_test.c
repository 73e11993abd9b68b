/*
 * agent_last_call_test.c: who made a call that returns to somebody else, and that the search for it
 * leaves the list of mappings as it is: it has tables in its hands that a look would move.
 */
#include "support/unit.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "collect/agent/host.h"
#include "collect/agent/last_call.h"
#include "collect/agent/modules.h"

/* What the code below jumps to. */
uint64_t known_entry, new_code;

/*
 * calls_plain and calls_new call functions whose last calls are jumps: to a function of libc's, and to code
 * that was mapped after the last look at the mappings. They begin with something else, or they would be the linker's entries.
 */
extern const uint8_t after_plain[], after_new[], ends_plain[];
__asm__(".text\n"
	".type calls_plain, @function\n"
	"calls_plain: .cfi_startproc\n"
	"	call ends_plain\n"
	".globl after_plain\n"
	"after_plain: ret\n"
	"	.cfi_endproc\n"
	".size calls_plain, . - calls_plain\n"
	".type calls_new, @function\n"
	"calls_new: .cfi_startproc\n"
	"	call ends_new\n"
	".globl after_new\n"
	"after_new: ret\n"
	"	.cfi_endproc\n"
	".size calls_new, . - calls_new\n"
	".globl ends_plain\n"
	".type ends_plain, @function\n"
	"ends_plain: .cfi_startproc\n"
	"	xor %eax, %eax\n"
	"	jmp *known_entry(%rip)\n"
	"	.cfi_endproc\n"
	".size ends_plain, . - ends_plain\n"
	".type ends_new, @function\n"
	"ends_new: .cfi_startproc\n"
	"	xor %eax, %eax\n"
	"	jmp *new_code(%rip)\n"
	"	jmp *known_entry(%rip)\n"
	"	.cfi_endproc\n"
	".size ends_new, . - ends_new\n");

struct fixture {
	struct pf_modules modules;
	struct pf_last_call_seen *kept;
	struct pf_last_call call;
	struct pf_called what;
};

static int
set_up(void **state)
{
	static struct fixture f;

	f = (struct fixture){0};
	known_entry = (uint64_t)(uintptr_t)getpid;
	f.what.entry = known_entry;
	pf_host_init();
	*state = &f;
	return pf_modules_init(&f.modules);
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	free(f->kept);
	pf_modules_release(&f->modules);
	return 0;
}

static const struct pf_last_call *
ask(struct fixture *f, const uint8_t *returns_to)
{
	struct pf_frame caller = {0};

	caller.registers[PF_REG_PC] = (uint64_t)(uintptr_t)returns_to;
	caller.valid = 1u << PF_REG_PC;
	pf_last_call(&f->kept, &f->modules, &caller, &f->what, INT64_MAX, &f->call);
	return &f->call;
}

static void
a_function_that_ends_in_a_jump_is_found(void **state)
{
	const struct pf_last_call *call = ask(*state, after_plain);

	assert_true(call->known);
	assert_int_equal(call->count, 1);
	assert_int_equal(call->functions[0], (uintptr_t)ends_plain);
}

/* Whichever of the file it was that is jumped to: another one than is asked for. */
static void
any_function_of_the_file_will_do(void **state)
{
	struct fixture *f = *state;

	f->what.entry = (uint64_t)(uintptr_t)getppid;
	assert_false(ask(f, after_plain)->known);
	free(f->kept);
	f->kept = NULL;
	f->what.any = true;
	assert_true(ask(f, after_plain)->known);
	assert_int_equal(f->call.count, 1);
	assert_int_equal(f->call.functions[0], (uintptr_t)ends_plain);
}

/* What the stack shows to have been called has not jumped away. */
static void
a_function_that_is_on_the_stack_is_not_missing(void **state)
{
	struct fixture *f = *state;

	f->what.any = true;
	f->what.below = (uint64_t)(uintptr_t)ends_plain;
	assert_true(ask(f, after_plain)->known);
	assert_int_equal(f->call.count, 0);
}

/* So many new mappings that a look would have to move the list of them. */
static void
map_new_code(size_t count)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *pages =
	    mmap(NULL, 2 * count * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(pages, MAP_FAILED);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(mprotect(pages + 2 * i * page, page, PROT_READ | PROT_EXEC), 0);
	new_code = (uint64_t)(uintptr_t)pages;
}

static void
a_search_leaves_the_mappings_as_they_are(void **state)
{
	struct fixture *f = *state;
	const struct pf_mapping *items = f->modules.items;
	unsigned look = f->modules.look;

	map_new_code(256);
	ask(f, after_new);
	assert_int_equal(f->modules.look, look);
	assert_ptr_equal(f->modules.items, items);
	assert_false(f->call.known);
	/* Known at last, it is code without tables: the jump may lead anywhere. */
	pf_modules_look(&f->modules);
	free(f->kept);
	f->kept = NULL;
	ask(f, after_new);
	assert_false(f->call.known);
	assert_int_equal(f->call.count, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_function_that_ends_in_a_jump_is_found, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(any_function_of_the_file_will_do, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_function_that_is_on_the_stack_is_not_missing, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_search_leaves_the_mappings_as_they_are, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
