/*
 * agent_unwind_test.c: stacks out of captured registers and bytes, against libc's own backtrace; and
 * tables that lie, which may end a stack but nothing else.
 */
#include "support/unit.h"

#include <execinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ucontext.h>
#include <ucontext.h>

#include "collect/agent/cfi_run.h"
#include "collect/agent/host.h"
#include "collect/agent/reader.h"
#include "collect/agent/stacks.h"
#include "collect/agent/unwind.h"

enum { MOST = 128 };

static struct pf_slot slot;
static void *expected[MOST];
static int expected_count;

/* What the signal handler would have copied here, and what libc says about the same place. */
__attribute__((noinline)) static void
snapshot(size_t bytes)
{
	static const int saved[PF_REGISTERS] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI,
	    REG_RDI, REG_RBP, REG_RSP, REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14,
	    REG_R15, REG_RIP};
	ucontext_t context;

	getcontext(&context);
	memset(&slot, 0, sizeof slot);
	for (int i = 0; i < PF_REGISTERS; i++)
		slot.registers[i] = (uint64_t)context.uc_mcontext.gregs[saved[i]];
	slot.weight = 1;
	slot.known = PF_KNOWN_ALL;
	slot.stack_address = slot.registers[PF_REG_SP];
	slot.stack_size =
	    (uint32_t)pf_host_read(slot.stack, (uintptr_t)slot.registers[PF_REG_SP], bytes);
	expected_count = backtrace(expected, MOST);
}

__attribute__((noinline)) static int
descend(int depth, size_t bytes)
{
	volatile char room[40];

	room[depth % 40] = (char)depth;
	if (depth)
		return descend(depth - 1, bytes) + room[depth % 40];
	snapshot(bytes);
	return room[0];
}

static int
compare_ints(const void *a, const void *b)
{
	/* Called by libc's qsort, which has no frame pointers: part of the stack under test. */
	descend(3, PF_STACK_BYTES);
	return *(const int *)a - *(const int *)b;
}

static struct pf_modules modules;
static struct pf_stacks stacks;

static int
set_up(void **state)
{
	(void)state;
	pf_host_init();
	if (pf_modules_init(&modules))
		return -1;
	pf_stacks_init(&stacks, &modules, PF_FRAMES_FOR_NOW);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	pf_stacks_release(&stacks);
	pf_modules_release(&modules);
	return 0;
}

/*
 * The frames from the caller of snapshot() on must be what backtrace saw; a sanitizer's own
 * backtrace() shows one frame more at the top, itself.
 */
static void
assert_agrees(const struct pf_stack *stack)
{
	int extra = 0;

	while (extra < 2 && stacks.locations[stacks.frames[stack->first + 1]].pc !=
				(uint64_t)(uintptr_t)expected[1 + extra] - 1)
		extra++;
	for (uint32_t i = 1; i < stack->count; i++)
		assert_int_equal(stacks.locations[stacks.frames[stack->first + i]].pc,
		    (uint64_t)(uintptr_t)expected[(int)i + extra] - 1);
	expected_count -= extra;
}

static void
assert_same_as_backtrace(void)
{
	struct pf_taken taken = pf_stacks_take(&stacks, &slot, 0);

	assert_int_not_equal(taken.stack, PF_NONE);
	assert_int_equal(taken.end, PF_STACK_WHOLE);
	assert_agrees(&stacks.items[taken.stack]);
	assert_int_equal(stacks.items[taken.stack].count, expected_count);
}

static void
a_deep_stack_is_what_backtrace_says(void **state)
{
	(void)state;
	descend(50, PF_STACK_BYTES);
	assert_same_as_backtrace();
	descend(3, PF_STACK_BYTES);
	assert_same_as_backtrace();
}

static void
frames_of_libc_in_the_middle_are_kept(void **state)
{
	int numbers[3] = {3, 1, 2};
	(void)state;

	qsort(numbers, 3, sizeof *numbers, compare_ints);
	assert_same_as_backtrace();
}

static void
a_short_copy_cuts_the_stack_where_it_ends(void **state)
{
	struct pf_taken taken;
	(void)state;

	descend(30, 2048);
	taken = pf_stacks_take(&stacks, &slot, 0);
	assert_int_equal(taken.end, PF_STACK_CUT);
	assert_true(stacks.items[taken.stack].count > 2);
	assert_true(stacks.items[taken.stack].count < (uint32_t)expected_count);
	assert_agrees(&stacks.items[taken.stack]);
}

/* After `leave` the tables still say that the frame pointer is saved, now below the stack pointer. */
static void
a_frame_pointer_just_popped_is_found_in_the_red_zone(void **state)
{
	struct pf_step step = {.kind = PF_STEP_SIMPLE,
	    .reg = PF_REG_SP,
	    .offset = 8,
	    .saved = {INT16_MIN, -2, INT16_MIN, INT16_MIN, INT16_MIN, INT16_MIN}};
	uint64_t words[3] = {0x7000, 0x400123, 99}; /* at sp - 8, sp, sp + 8 */
	struct pf_frame frame;
	(void)state;

	memset(&slot, 0, sizeof slot);
	slot.registers[PF_REG_SP] = 0x10000;
	slot.known = PF_KNOWN_ALL;
	slot.stack_address = 0x10000 - 8;
	slot.stack_size = sizeof words;
	memcpy(slot.stack, words, sizeof words);
	pf_frame_init(&frame, &slot);
	assert_true(pf_frame_up(&frame, &step, NULL, 0x400000));
	assert_int_equal(frame.registers[PF_REG_PC], 0x400123);
	assert_int_equal(frame.registers[PF_REG_SP], 0x10008);
	assert_int_equal(frame.registers[PF_REG_FP], 0x7000);
	assert_true(frame.valid >> PF_REG_FP & 1);
	slot.stack_address = 0x10000; /* not copied: lost, and known to be */
	pf_frame_init(&frame, &slot);
	assert_true(pf_frame_up(&frame, &step, NULL, 0x400000));
	assert_false(frame.valid >> PF_REG_FP & 1);
}

static void
equal_stacks_are_one(void **state)
{
	struct pf_taken first, second;
	(void)state;

	descend(10, PF_STACK_BYTES);
	first = pf_stacks_take(&stacks, &slot, 0);
	second = pf_stacks_take(&stacks, &slot, 0);
	assert_int_equal(first.stack, second.stack);
	assert_int_equal(stacks.count, second.stack + 1);
}

static void
an_address_in_no_code_is_a_stack_of_one(void **state)
{
	struct pf_taken taken;
	(void)state;

	descend(3, PF_STACK_BYTES);
	slot.registers[PF_REG_PC] = 0x10;
	taken = pf_stacks_take(&stacks, &slot, 0);
	assert_int_equal(taken.end, PF_STACK_CUT);
	assert_int_equal(stacks.items[taken.stack].count, 1);
}

/* The tables of this program, to be damaged. */
static const struct pf_cfi *
own_tables(void)
{
	uint32_t number = pf_modules_find(&modules, (uint64_t)(uintptr_t)descend, 0);

	assert_int_not_equal(number, PF_NO_MAPPING);
	return pf_modules_cfi(&modules, number);
}

static void
every_function_of_this_program_has_a_row(void **state)
{
	const struct pf_cfi *cfi = own_tables();
	struct pf_row row;
	(void)state;

	assert_non_null(cfi);
	assert_true(cfi->count > 100);
	assert_true(pf_cfi_row(cfi, (uint64_t)(uintptr_t)descend, &row));
	assert_int_equal(row.cfa.kind, PF_RULE_REGISTER);
	assert_int_equal(row.cfa.reg, PF_REG_SP); /* at its first instruction: CFA = rsp + 8 */
	assert_int_equal(row.cfa.value, 8);
	assert_int_equal(row.rules[PF_REG_PC].kind, PF_RULE_AT);
	assert_int_equal(row.rules[PF_REG_PC].value, -8);
	assert_false(pf_cfi_row(cfi, 16, &row));
}

static void
damaged_tables_end_a_search_and_nothing_else(void **state)
{
	const struct pf_cfi *real = own_tables();
	uint8_t *bytes = malloc(real->size);
	uint64_t seed = 12345, found = 0, refused = 0;
	struct pf_cfi cfi;
	struct pf_row row;
	(void)state;

	assert_non_null(bytes);
	for (int round = 0; round < 300; round++) {
		memcpy(bytes, real->bytes, real->size);
		for (int i = 0; i < 400; i++) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			bytes[(seed >> 20) % real->size] = (uint8_t)(seed >> 56);
		}
		/* Cut short as well: nothing may be read past the end. */
		size_t size =
		    round % 3 ? real->size : real->size - (size_t)(seed >> 40) % real->size;
		if (!pf_cfi_open(&cfi, bytes, size, real->address, real->header))
			continue;
		for (int i = 0; i < 50; i++) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			uint64_t pc = (uint64_t)(uintptr_t)descend + (seed >> 33) % 100000;
			*(pf_cfi_row(&cfi, pc, &row) ? &found : &refused) += 1;
		}
	}
	assert_true(found > 0 && refused > 0);
	free(bytes);
}

static bool
no_memory(const struct pf_memory *memory, uint64_t address, uint64_t *value)
{
	(void)memory;
	*value = address + 1;
	return address < 100;
}

static bool
evaluate(const char *bytes, size_t size, uint64_t *result)
{
	static const struct pf_memory memory = {.read = no_memory};
	uint64_t registers[PF_REGISTERS] = {[PF_REG_SP] = 0x1000, [PF_REG_PC] = 0x2b};
	struct pf_rule rule = {.expression = (const uint8_t *)bytes, .size = (uint32_t)size};

	return pf_cfi_evaluate(
	    &rule, registers, 1u << PF_REG_SP | 1u << PF_REG_PC, &memory, NULL, result);
}

static void
expressions_compute_or_say_no(void **state)
{
	/* The linker's own for a call stub: rsp + 8 + ((rip & 15) >= 11) * 8. */
	static const char stub[] = "\x77\x08\x80\x00\x3f\x1a\x3b\x2a\x33\x24\x22";
	uint64_t result;
	(void)state;

	assert_true(evaluate(stub, sizeof stub - 1, &result));
	assert_int_equal(result, 0x1000 + 8 + 8);
	assert_true(
	    evaluate("\x08\x05\x12\x22\x06", 5, &result)); /* (5 + 5), then what is stored there */
	assert_int_equal(result, 11);
	assert_true(evaluate("\x09\xff\x1f", 3, &result)); /* -(-1) */
	assert_int_equal(result, 1);
	assert_false(evaluate("\x22", 1, &result));         /* plus of nothing */
	assert_false(evaluate("\x70\x00", 2, &result));     /* a register that is lost */
	assert_false(evaluate("\x08\xf0\x06", 3, &result)); /* memory that was not copied */
	assert_false(evaluate("\xf3", 1, &result));         /* an operation that nobody knows */
	assert_false(evaluate("\x77", 1, &result));         /* cut short */
	assert_false(evaluate("", 0, &result));             /* nothing at all */
	assert_false(
	    evaluate("\x30\x12\x12\x12\x12\x12\x12\x12\x12\x12\x12\x12\x12\x12\x12\x12\x12\x12"
		     "\x12\x12\x12\x12\x12\x12\x12\x12\x12\x12\x12\x12\x12\x12\x12\x12",
		34, &result)); /* too deep */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_deep_stack_is_what_backtrace_says, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		frames_of_libc_in_the_middle_are_kept, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_short_copy_cuts_the_stack_where_it_ends, set_up, tear_down),
	    cmocka_unit_test(a_frame_pointer_just_popped_is_found_in_the_red_zone),
	    cmocka_unit_test_setup_teardown(equal_stacks_are_one, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		an_address_in_no_code_is_a_stack_of_one, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		every_function_of_this_program_has_a_row, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		damaged_tables_end_a_search_and_nothing_else, set_up, tear_down),
	    cmocka_unit_test(expressions_compute_or_say_no),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
