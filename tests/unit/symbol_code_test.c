/* Blocks, edges and jump tables of tests/fixtures/symbol/flow.c as clang and gcc compile it. */
#include "support/fixture.h"

#include "core/index.h"
#include "symbol/code.h"

static const char *const shapes[] = {"flow-pie", "flow-fixed", "flow-gcc", "flow-gcc-fixed",
    "flow-sections", "flow-large", "flow-large-fixed", "flow-gcc-large", "flow-gcc-large-fixed"};

/* Calls `check` with a function decoded in every shape that this machine could build. */
static void
each_shape(
    const char *function, void (*check)(const struct pf_binary *, const struct pf_machine_code *))
{
	size_t built = 0;

	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		struct pf_machine_code code = {0};
		struct pf_error err = {0};
		if (!fixture_exists(shapes[i]))
			continue;
		built++;
		struct pf_binary *b = fixture_open(shapes[i]);
		const struct pf_symbol *symbol = fixture_symbol(b, function);
		if (pf_code_decode(&code, b, symbol->start, symbol->end, &err) != 0)
			fail_msg("%s", err.message);
		print_message("%s\n", shapes[i]);
		check(b, &code);
		pf_code_release(&code);
		pf_binary_free(b);
	}
	if (built == 0)
		skip();
}

static size_t
successors(const struct pf_machine_code *code, size_t block)
{
	return code->blocks[block + 1].successors - code->blocks[block].successors;
}

static const struct pf_instruction *
last_of(const struct pf_machine_code *code, size_t block)
{
	return &code->instructions[code->blocks[block].first + code->blocks[block].count - 1];
}

/* What holds for any code: instructions tile the range, blocks tile the instructions, edges lead to blocks. */
static void
check_form(const struct pf_machine_code *code)
{
	uint32_t next = 0;

	assert_true(code->complete);
	assert_true(code->block_count > 0);
	for (size_t i = 0; i + 1 < code->instruction_count; i++)
		assert_true(code->instructions[i].address + code->instructions[i].size ==
			    code->instructions[i + 1].address);
	for (size_t b = 0; b < code->block_count; b++) {
		assert_int_equal(code->blocks[b].first, next);
		for (uint32_t i = 0; i < code->blocks[b].count; i++)
			assert_int_equal(code->instructions[next + i].block, b);
		next += code->blocks[b].count;
		assert_true(code->blocks[b + 1].successors >= code->blocks[b].successors);
	}
	assert_int_equal(next, code->instruction_count);
	assert_int_equal(code->blocks[code->block_count].successors, code->edge_count);
	for (size_t e = 0; e < code->edge_count; e++)
		assert_true(code->edges[e] < code->block_count);
}

static void
check_branched(const struct pf_binary *b, const struct pf_machine_code *code)
{
	size_t branches = 0, calls = 0, returns = 0;

	check_form(code);
	for (size_t i = 0; i < code->block_count; i++) {
		if (last_of(code, i)->kind == PF_CODE_BRANCH) {
			branches++;
			assert_int_equal(successors(code, i), 2);
			/* The one fallen through to comes first. */
			assert_int_equal(code->edges[code->blocks[i].successors], i + 1);
			assert_false(code->blocks[i].exits);
		}
		if (last_of(code, i)->kind == PF_CODE_RETURN) {
			returns++;
			assert_true(code->blocks[i].exits);
			assert_int_equal(successors(code, i), 0);
		}
	}
	for (size_t i = 0; i < code->instruction_count; i++) {
		if (code->instructions[i].kind != PF_CODE_CALL)
			continue;
		calls++;
		assert_true(code->instructions[i].target == fixture_symbol(b, "opaque")->start);
		assert_int_equal(code->instructions[i].cost, PF_COST_CALL);
	}
	assert_int_equal(branches, 1);
	assert_int_equal(calls, 1);
	assert_true(returns >= 1);
}

static void
a_branch_has_two_successors_and_a_call_ends_no_block(void **state)
{
	(void)state;
	each_shape("branched", check_branched);
}

/* The most successors of any block that ends in an indirect jump, and how many such blocks exit. */
static size_t
widest(const struct pf_machine_code *code, size_t *leaving)
{
	size_t most = 0;

	*leaving = 0;
	for (size_t i = 0; i < code->block_count; i++) {
		if (last_of(code, i)->kind != PF_CODE_JUMP_INDIRECT)
			continue;
		if (successors(code, i) > most)
			most = successors(code, i);
		*leaving += code->blocks[i].exits;
	}
	return most;
}

static void
check_switched(const struct pf_binary *b, const struct pf_machine_code *code)
{
	size_t leaving, calls = 0;

	check_form(code);
	assert_in_range(widest(code, &leaving), 6, 8);
	assert_int_equal(leaving, 0);
	/* The large code model calls through registers what others call directly. */
	for (size_t i = 0; i < code->instruction_count; i++) {
		if (code->instructions[i].kind == PF_CODE_CALL)
			calls += code->instructions[i].target == fixture_symbol(b, "opaque")->start;
		assert_int_not_equal(code->instructions[i].kind, PF_CODE_CALL_INDIRECT);
	}
	assert_in_range(calls, 4, 5); /* and a tail call */
}

static void
check_looped(const struct pf_binary *b, const struct pf_machine_code *code)
{
	size_t leaving;
	(void)b;

	check_form(code);
	assert_in_range(
	    widest(code, &leaving), 7, 8); /* gcc branches to the default around the table */
	assert_int_equal(leaving, 0);
}

static void
the_table_of_a_switch_becomes_edges(void **state)
{
	(void)state;
	each_shape("switched", check_switched);
	each_shape("looped", check_looped);
}

static void
check_interpret(const struct pf_binary *b, const struct pf_machine_code *code)
{
	size_t leaving;
	(void)b;

	check_form(code);
	assert_int_equal(widest(code, &leaving), 5);
	assert_int_equal(leaving, 0);
}

static void
check_two_tables(const struct pf_binary *b, const struct pf_machine_code *code)
{
	size_t tables = 0;
	(void)b;

	check_form(code);
	for (size_t i = 0; i < code->block_count; i++) {
		if (last_of(code, i)->kind != PF_CODE_JUMP_INDIRECT)
			continue;
		assert_int_equal(
		    successors(code, i), 3); /* of the first's four entries two are one */
		tables++;
	}
	assert_int_equal(tables, 2);
}

static void
tables_that_take_turns_in_a_register_are_told_apart(void **state)
{
	(void)state;
	each_shape("two_tables", check_two_tables);
}

static void
computed_gotos_lead_to_every_label(void **state)
{
	(void)state;
	each_shape("interpret", check_interpret);
}

static void
check_tail(const struct pf_binary *b, const struct pf_machine_code *code)
{
	(void)b;
	check_form(code);
	assert_int_equal(code->block_count, 1);
	assert_true(code->blocks[0].exits);
	assert_int_equal(code->edge_count, 0);
}

static void
tail_calls_leave_the_function(void **state)
{
	(void)state;
	each_shape("direct_tail", check_tail);
	each_shape("virtual_tail", check_tail);
	each_shape("argument_tail", check_tail);
	each_shape("framed_tail", check_tail);
}

static void
check_trapped(const struct pf_binary *b, const struct pf_machine_code *code)
{
	size_t stops = 0, cold = 0;
	(void)b;

	check_form(code);
	for (size_t i = 0; i < code->block_count; i++) {
		cold += last_of(code, i)->kind == PF_CODE_BRANCH && code->blocks[i].exits;
		if (last_of(code, i)->kind != PF_CODE_STOP)
			continue;
		stops++;
		assert_false(code->blocks[i].exits);
		assert_int_equal(successors(code, i), 0);
	}
	assert_int_equal(stops + cold, 1); /* gcc puts the trap into trapped.cold */
}

static void
check_found(const struct pf_binary *b, const struct pf_machine_code *code)
{
	(void)b;
	for (uint32_t i = 0; i < code->instruction_count; i++) {
		const struct pf_instruction *in = &code->instructions[i];
		assert_int_equal(pf_code_find(code, in->address), i);
		assert_int_equal(pf_code_find(code, in->address + in->size - 1), i);
	}
	const struct pf_instruction *last = &code->instructions[code->instruction_count - 1];
	assert_int_equal(pf_code_find(code, last->address + last->size), PF_NONE);
	assert_int_equal(pf_code_find(code, code->instructions[0].address - 1), PF_NONE);
}

static void
a_trap_neither_continues_nor_exits(void **state)
{
	(void)state;
	each_shape("trapped", check_trapped);
}

static void
any_byte_of_an_instruction_finds_it(void **state)
{
	(void)state;
	each_shape("looped", check_found);
}

static void
a_range_without_bytes_is_refused(void **state)
{
	struct pf_binary *b = fixture_open("flow-pie");
	struct pf_machine_code code = {0};
	struct pf_error err;
	(void)state;

	assert_int_equal(pf_code_decode(&code, b, 0x40000000, 0x40000010, &err), PF_EINPUT);
	assert_message_has(err, "no bytes");
	assert_int_equal(pf_code_decode(&code, b, 0x1000, 0x1000, &err), PF_EINPUT);
	assert_int_equal(pf_code_decode(&code, b, 0, UINT64_MAX, &err), PF_EINPUT);
	pf_code_release(&code);
	pf_binary_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_branch_has_two_successors_and_a_call_ends_no_block),
	    cmocka_unit_test(the_table_of_a_switch_becomes_edges),
	    cmocka_unit_test(tables_that_take_turns_in_a_register_are_told_apart),
	    cmocka_unit_test(computed_gotos_lead_to_every_label),
	    cmocka_unit_test(tail_calls_leave_the_function),
	    cmocka_unit_test(a_trap_neither_continues_nor_exits),
	    cmocka_unit_test(any_byte_of_an_instruction_finds_it),
	    cmocka_unit_test(a_range_without_bytes_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
