/* From instructions to places: counting modes, zeros, inlining, heads and call targets, on hand-made code. */
#include "support/unit.h"

#include "convert/attribute.h"
#include "convert/executions.h"
#include "core/memory.h"

enum { INSTRUCTIONS = 16 };

/* One instruction of the table: its samples and its chain. */
struct row {
	int64_t samples;
	uint8_t kind;
	uint64_t target;
	size_t frame_count;
	struct pf_inline_frame frames[2];
};

struct table {
	const struct row *rows;
	size_t count;
	const char *not_taken; /* a function that indirect calls cannot reach */
};

/* Addresses are 0x1000, 0x1001, ...: one byte an instruction. */
static int
table_chain(void *context, uint64_t address, struct pf_inline_chain *chain, struct pf_error *err)
{
	const struct table *t = context;
	const struct row *row = &t->rows[address - 0x1000];
	int rc = PF_GROW(chain->frames, chain->capacity, 2, err);

	chain->count = row->frame_count;
	if (!rc)
		memcpy(chain->frames, row->frames, sizeof row->frames);
	return rc;
}

static const char *
table_function_at(void *context, uint64_t address, bool taken)
{
	const struct table *t = context;
	const char *name = address == 0x2000   ? "callee.llvm.123"
			   : address == 0x3000 ? "other"
					       : NULL;

	return name && taken && t->not_taken && strcmp(name, t->not_taken) == 0 ? NULL : name;
}

static bool
table_start_of(void *context, uint64_t address, uint64_t *start)
{
	(void)context;
	*start = address & ~(uint64_t)0xfff;
	return true;
}

/* A function of one block a `block` instructions, at 0x1000. */
struct fixture {
	struct pf_program program;
	struct pf_address_count leaves[INSTRUCTIONS];
	struct pf_samples samples;
	struct pf_functions functions;
	struct pf_anchors anchors;
	struct pf_attribution attribution;
	struct table table;
};

static void
set_up(struct fixture *f, const struct row *rows, size_t count, size_t block)
{
	struct pf_program_function function = {
	    .start = 0x1000, .end = 0x1000 + count, .name = "main"};
	struct pf_instruction instructions[INSTRUCTIONS];
	struct pf_block blocks[INSTRUCTIONS + 1] = {{0}};
	struct pf_machine_code code = {.instructions = instructions,
	    .instruction_count = count,
	    .blocks = blocks,
	    .block_count = (count + block - 1) / block,
	    .complete = true};

	*f = (struct fixture){.table = {.rows = rows, .count = count}};
	for (size_t i = 0; i < count; i++) {
		instructions[i] = (struct pf_instruction){.address = 0x1000 + i,
		    .size = 1,
		    .kind = rows[i].kind,
		    .target = rows[i].target};
		blocks[i / block].count++;
		if (rows[i].samples)
			f->leaves[f->samples.leaf_count++] =
			    (struct pf_address_count){0x1000 + i, rows[i].samples};
	}
	f->samples.leaves = f->leaves;
	pf_program_init(&f->program, &f->samples);
	assert_int_equal(pf_program_add(&f->program, &function, &code, NULL), 0);
	assert_int_equal(pf_functions_init(&f->functions, NULL), 0);
}

static void
attribute(struct fixture *f, enum pf_counts counts, enum pf_inference inference)
{
	struct pf_line_source lines = {&f->table, table_chain, table_function_at, table_start_of};
	struct pf_executions executions;

	assert_int_equal(
	    pf_executions_estimate(&executions, &f->program, inference, 1, true, NULL), 0);
	pf_anchors_by_lines(&f->anchors, &f->functions, &lines);
	assert_int_equal(pf_attribute(&f->functions, &f->attribution, &f->program, &f->anchors,
			     &executions, counts, &lines, NULL),
	    0);
	assert_int_equal(pf_functions_seal(&f->functions, NULL), 0);
	pf_executions_release(&executions);
}

static void
tear_down(struct fixture *f)
{
	pf_functions_release(&f->functions);
	pf_anchors_release(&f->anchors);
	pf_attribution_release(&f->attribution);
	pf_program_release(&f->program);
}

static const struct pf_body *
body_at(const struct fixture *f, uint32_t node, uint32_t offset)
{
	for (size_t i = 0; i < f->functions.body_count; i++) {
		if (f->functions.bodies[i].node == node &&
		    f->functions.bodies[i].place.offset == offset)
			return &f->functions.bodies[i];
	}
	fail_msg("no body at offset %u of node %u", offset, node);
	return NULL;
}

#define LINE(L) \
	1,      \
	{{"main", "a.c", L, 10, 0}}

/* Discriminators as DWARF encodes them: 2 is base 1; 0x15 has no base and the factor 10. */
static const struct row mixed[] = {
    {8, PF_CODE_OTHER, 0, LINE(11)},
    {0, PF_CODE_OTHER, 0, LINE(11)},
    {1, PF_CODE_OTHER, 0, LINE(11)},
    {3, PF_CODE_OTHER, 0, LINE(11)},
    {0, PF_CODE_OTHER, 0, LINE(12)},
    {5, PF_CODE_OTHER, 0, 1, {{"main", "a.c", 13, 10, 0x15}}},
    {2, PF_CODE_OTHER, 0, 0, {{0}}},
    {1, PF_CODE_OTHER, 0, 1, {{"main", "a.c", 9, 10, 0}}},
    {1, PF_CODE_OTHER, 0, 1, {{"main", "a.c", 10 + 65536, 10, 0}}},
};
enum { MIXED = sizeof mixed / sizeof mixed[0] };

static void
a_mean_counts_unsampled_instructions_too(void **state)
{
	struct fixture f;
	(void)state;

	set_up(&f, mixed, MIXED, MIXED);
	attribute(&f, PF_COUNTS_MEAN, PF_INFERENCE_NONE);
	assert_true(f.attribution.scale == 1);
	assert_int_equal(body_at(&f, 0, 1)->count, 3); /* (8 + 0 + 1 + 3) / 4 */
	assert_int_equal(
	    body_at(&f, 0, 2)->count, 0); /* compiled, not sampled: cold, not unknown */
	tear_down(&f);
}

static void
a_sum_has_no_duplication_factor_and_a_maximum_has(void **state)
{
	struct fixture f;
	uint32_t factor = pf_discriminator_duplication(0x15);
	(void)state;

	assert_true(factor > 1);
	set_up(&f, mixed, MIXED, MIXED);
	attribute(&f, PF_COUNTS_SUM, PF_INFERENCE_NONE);
	assert_int_equal(body_at(&f, 0, 1)->count, 12);
	assert_int_equal(body_at(&f, 0, 3)->count, 5);
	tear_down(&f);
	set_up(&f, mixed, MIXED, MIXED);
	attribute(&f, PF_COUNTS_MAX, PF_INFERENCE_NONE);
	assert_int_equal(body_at(&f, 0, 1)->count, 8);
	assert_int_equal(body_at(&f, 0, 3)->count, 5 * factor);
	tear_down(&f);
}

static void
lines_of_other_files_count_modulo_65536(void **state)
{
	struct fixture f;
	(void)state;

	set_up(&f, mixed, MIXED, MIXED);
	attribute(&f, PF_COUNTS_SUM, PF_INFERENCE_NONE);
	assert_int_equal(
	    body_at(&f, 0, 65535)->count, 1);          /* line 9 of a function that starts at 10 */
	assert_int_equal(body_at(&f, 0, 0)->count, 1); /* line 10 + 65536 */
	assert_true(f.attribution.unplaced == 2);
	assert_int_equal(f.functions.body_count, 5);
	tear_down(&f);
}

static void
one_sample_over_five_instructions_does_not_vanish(void **state)
{
	static const struct row rows[] = {{1, PF_CODE_OTHER, 0, LINE(11)},
	    {0, PF_CODE_OTHER, 0, LINE(11)}, {0, PF_CODE_OTHER, 0, LINE(11)},
	    {0, PF_CODE_OTHER, 0, LINE(11)}, {0, PF_CODE_OTHER, 0, LINE(11)}};
	struct fixture f;
	(void)state;

	set_up(&f, rows, 5, 5);
	attribute(&f, PF_COUNTS_MEAN, PF_INFERENCE_NONE);
	assert_true(f.attribution.scale == 8);
	assert_int_equal(body_at(&f, 0, 1)->count, 2); /* 8 / 5 */
	tear_down(&f);
}

static void
blocks_share_their_samples(void **state)
{
	static const struct row rows[] = {{6, PF_CODE_OTHER, 0, LINE(11)},
	    {0, PF_CODE_OTHER, 0, LINE(12)}, {0, PF_CODE_OTHER, 0, LINE(13)},
	    {8, PF_CODE_OTHER, 0, LINE(14)}};
	struct fixture f;
	(void)state;

	set_up(&f, rows, 4, 2);
	attribute(&f, PF_COUNTS_MEAN, PF_INFERENCE_BLOCK);
	assert_int_equal(body_at(&f, 0, 1)->count, 3);
	assert_int_equal(body_at(&f, 0, 2)->count, 3);
	assert_int_equal(body_at(&f, 0, 3)->count, 4);
	assert_int_equal(f.functions.nodes[0].head, 3);
	tear_down(&f);
}

static void
inlined_code_is_nested_at_its_call_site(void **state)
{
	static const struct row rows[] = {{4, PF_CODE_OTHER, 0, LINE(11)},
	    {7, PF_CODE_OTHER, 0, 2, {{"helper", "a.c", 3, 1, 0}, {"main", "a.c", 15, 10, 2}}}};
	struct fixture f;
	(void)state;

	set_up(&f, rows, 2, 1);
	attribute(&f, PF_COUNTS_MEAN, PF_INFERENCE_NONE);
	assert_int_equal(f.functions.node_count, 2);
	assert_int_equal(f.functions.nodes[1].parent, 0);
	assert_int_equal(f.functions.nodes[1].site.offset, 5);
	assert_int_equal(f.functions.nodes[1].site.discriminator, 1);
	assert_int_equal(body_at(&f, 1, 2)->count, 7);
	assert_int_equal(f.functions.nodes[0].total, 11);
	assert_int_equal(f.functions.nodes[0].head, 4);
	tear_down(&f);
}

static void
calls_lead_where_instructions_and_stacks_say(void **state)
{
	static const struct row rows[] = {{10, PF_CODE_CALL, 0x2000, LINE(11)},
	    {20, PF_CODE_CALL_INDIRECT, 0, LINE(12)}, {20, PF_CODE_OTHER, 0, LINE(13)}};
	static struct pf_call_edge edges[] = {
	    {0x1001, 0x2004, 30}, {0x1001, 0x3008, 10}, {0x1002, 0x3008, 5}};
	struct fixture f;
	const struct pf_body *direct, *indirect;
	(void)state;

	set_up(&f, rows, 3, 1);
	f.samples.edges = edges;
	f.samples.edge_count = 3;
	f.functions.probes = true; /* so that three quarters of a call are enough to be kept */
	attribute(&f, PF_COUNTS_MEAN, PF_INFERENCE_NONE);
	direct = body_at(&f, 0, 1);
	indirect = body_at(&f, 0, 2);
	assert_int_equal(direct->target_count, 1);
	assert_string_equal(
	    pf_strings_get(&f.functions.names, f.functions.targets[direct->first_target].name),
	    "callee");
	assert_int_equal(f.functions.targets[direct->first_target].count, 10);
	assert_int_equal(indirect->target_count, 1);
	assert_int_equal(f.functions.targets[indirect->first_target].count, 15); /* of 20 */
	assert_int_equal(body_at(&f, 0, 3)->target_count, 0);                    /* no call there */
	tear_down(&f);
}

/* Half of the samples have no steps beside them: stacks weigh half against calls that were seen. */
static void
calls_that_were_seen_are_not_outweighed_by_stacks_of_others(void **state)
{
	static const struct row rows[] = {{20, PF_CODE_CALL_INDIRECT, 0, LINE(12)}};
	static struct pf_call_edge edges[] = {{0x1000, 0x2004, 30, 0}, {0x1000, 0x3008, 10, 30}};
	struct fixture f;
	(void)state;

	set_up(&f, rows, 1, 1);
	f.samples.edges = edges;
	f.samples.edge_count = 2;
	f.samples.used = 20;
	f.samples.steps = 30;
	f.functions.probes = true;
	attribute(&f, PF_COUNTS_MEAN, PF_INFERENCE_NONE);
	assert_int_equal(body_at(&f, 0, 2)->target_count, 1);
	assert_int_equal(f.functions.targets[0].count, 14); /* of 20 */
	tear_down(&f);
}

static void
an_indirect_call_cannot_reach_a_function_whose_address_nobody_took(void **state)
{
	static const struct row rows[] = {{20, PF_CODE_CALL_INDIRECT, 0, LINE(12)}};
	static struct pf_call_edge edges[] = {{0x1000, 0x2004, 30}, {0x1000, 0x3008, 10}};
	struct fixture f;
	(void)state;

	set_up(&f, rows, 1, 1);
	f.table.not_taken = "other";
	f.samples.edges = edges;
	f.samples.edge_count = 2;
	attribute(&f, PF_COUNTS_MEAN, PF_INFERENCE_NONE);
	assert_int_equal(body_at(&f, 0, 2)->target_count, 1);
	assert_int_equal(f.functions.targets[0].count, 20);
	tear_down(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_mean_counts_unsampled_instructions_too),
	    cmocka_unit_test(a_sum_has_no_duplication_factor_and_a_maximum_has),
	    cmocka_unit_test(lines_of_other_files_count_modulo_65536),
	    cmocka_unit_test(one_sample_over_five_instructions_does_not_vanish),
	    cmocka_unit_test(blocks_share_their_samples),
	    cmocka_unit_test(inlined_code_is_nested_at_its_call_site),
	    cmocka_unit_test(calls_lead_where_instructions_and_stacks_say),
	    cmocka_unit_test(calls_that_were_seen_are_not_outweighed_by_stacks_of_others),
	    cmocka_unit_test(an_indirect_call_cannot_reach_a_function_whose_address_nobody_took),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
