/*
 * Lines, inline chains and discriminators of tests/fixtures/symbol/inline.c, in
 * every shape that debug information comes in.
 */
#include "support/fixture.h"

static const char *const shapes[] = {"inline-pie", "inline-fixed", "inline-dwarf4", "inline-zlib",
    "inline-probe", "inline-lld", "inline-zstd", "inline-split", "inline-dwz"};

#define SHAPES (sizeof shapes / sizeof *shapes)

/*
 * Whether some address of a function has exactly this chain: function and line,
 * innermost first. Probed builds put the name of a static function inside a unique one.
 */
static bool
has_chain(struct pf_binary *b, const char *function, size_t count, const char *const *functions,
    const uint32_t *lines)
{
	const struct pf_symbol *symbol = fixture_symbol(b, function);
	struct pf_inline_chain chain = {0};
	bool found = false;

	for (uint64_t at = symbol->start; at < symbol->end && !found; at++) {
		assert_int_equal(pf_binary_inline_chain(b, at, &chain, NULL), 0);
		assert_true(chain.count > 0);
		assert_string_equal(chain.frames[chain.count - 1].function, function);
		found = chain.count == count;
		for (size_t i = 0; i < count && found; i++)
			found = strstr(chain.frames[i].function, functions[i]) &&
				chain.frames[i].line == lines[i];
	}
	pf_inline_chain_release(&chain);
	return found;
}

static void
inlined_calls_are_a_chain_with_the_lines_of_their_call_sites(void **state)
{
	static const char *const names[] = {"inner", "middle", "outer"};
	static const uint32_t first[] = {7, 13, 19}, copy[] = {7, 13, 21};
	(void)state;

	for (size_t i = 0; i < SHAPES; i++) {
		if (!fixture_exists(shapes[i]))
			continue;
		struct pf_binary *b = fixture_open(shapes[i]);
		assert_true(pf_binary_has_lines(b, NULL, 0));
		assert_true(has_chain(b, "outer", 3, names, first));
		assert_true(has_chain(b, "outer", 3, names, copy));
		pf_binary_free(b);
	}
}

static void
code_in_another_segment_has_its_line(void **state)
{
	static const char *const names[] = {"elsewhere"};
	static const uint32_t lines[] = {28};
	struct pf_binary *b = fixture_open("inline-fixed");
	(void)state;

	assert_true(has_chain(b, "elsewhere", 1, names, lines));
	pf_binary_free(b);
}

static void
a_frame_knows_its_file_and_where_its_function_is_declared(void **state)
{
	struct pf_binary *b = fixture_open("inline-pie");
	const struct pf_symbol *outer = fixture_symbol(b, "outer");
	struct pf_inline_chain chain = {0};
	(void)state;

	for (uint64_t at = outer->start; at < outer->end; at++) {
		assert_int_equal(pf_binary_inline_chain(b, at, &chain, NULL), 0);
		for (size_t i = 0; i < chain.count; i++) {
			const struct pf_inline_frame *f = &chain.frames[i];
			uint32_t declared = strcmp(f->function, "inner") == 0    ? 5
					    : strcmp(f->function, "middle") == 0 ? 11
										 : 17;
			assert_int_equal(f->start_line, declared);
			assert_non_null(f->file);
			assert_string_equal(f->file + strlen(f->file) - strlen("/symbol/inline.c"),
			    "/symbol/inline.c");
		}
	}
	pf_inline_chain_release(&chain);
	pf_binary_free(b);
}

static void
copies_on_one_line_are_told_apart_by_discriminators(void **state)
{
	struct pf_binary *b = fixture_open("inline-pie");
	const struct pf_symbol *outer = fixture_symbol(b, "outer");
	struct pf_inline_chain chain = {0};
	uint32_t of_middle = 0, of_inner = 0;
	(void)state;

	for (uint64_t at = outer->start; at < outer->end; at++) {
		assert_int_equal(pf_binary_inline_chain(b, at, &chain, NULL), 0);
		if (chain.count < 2 || chain.frames[chain.count - 1].line != 21 ||
		    strcmp(chain.frames[0].function, "inner") != 0)
			continue;
		uint32_t base = pf_discriminator_base(chain.frames[chain.count - 1].discriminator);
		if (chain.count == 3)
			of_middle = base;
		else
			of_inner = base;
	}
	assert_true(of_middle != 0 && of_inner != 0);
	assert_int_not_equal(of_middle, of_inner);
	pf_inline_chain_release(&chain);
	pf_binary_free(b);
}

static void
an_address_outside_all_code_has_no_chain(void **state)
{
	struct pf_binary *b = fixture_open("inline-pie");
	struct pf_inline_chain chain = {0};
	static const uint64_t outside[] = {0, 1, 0x10000000, UINT64_MAX};
	(void)state;

	for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
		assert_int_equal(pf_binary_inline_chain(b, outside[i], &chain, NULL), 0);
		assert_int_equal(chain.count, 0);
	}
	pf_inline_chain_release(&chain);
	pf_binary_free(b);
}

static void
assert_same_chain(const struct pf_inline_chain *a, const struct pf_inline_chain *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		const struct pf_inline_frame *x = &a->frames[i], *y = &b->frames[i];

		assert_string_equal(x->function, y->function);
		assert_string_equal(x->file ? x->file : "", y->file ? y->file : "");
		assert_int_equal(x->line, y->line);
		assert_int_equal(x->start_line, y->start_line);
		assert_int_equal(x->discriminator, y->discriminator);
	}
}

/* A binary that was never asked anything cannot answer from what it answered before. */
static void
ask_cold(const char *shape, uint64_t address, struct pf_inline_chain *chain)
{
	struct pf_binary *b = fixture_open(shape);

	assert_int_equal(pf_binary_inline_chain(b, address, chain, NULL), 0);
	for (size_t i = 0; i < chain->count; i++) { /* names are the binary's */
		chain->frames[i].function = strdup(chain->frames[i].function);
		chain->frames[i].file =
		    chain->frames[i].file ? strdup(chain->frames[i].file) : NULL;
	}
	pf_binary_free(b);
}

static void
release_cold(struct pf_inline_chain *chain)
{
	for (size_t i = 0; i < chain->count; i++) {
		free((void *)(uintptr_t)chain->frames[i].function);
		free((void *)(uintptr_t)chain->frames[i].file);
	}
	pf_inline_chain_release(chain);
}

/* All addresses of a function, rising and then all over, by chains that take turns. */
static void
compare_with_cold(const char *shape)
{
	struct pf_binary *b = fixture_open(shape), *other = fixture_open(shape);
	const struct pf_symbol *outer = fixture_symbol(b, "outer");
	struct pf_inline_chain warm = {0}, beside = {.without_files = true}, both = {0},
			       before = {0};
	uint64_t size = outer->end - outer->start, until = 0;

	for (uint64_t n = 0; n < 2 * size; n++) {
		uint64_t at = outer->start + (n < size ? n : n * 7919 % size);
		struct pf_inline_chain cold = {0};

		ask_cold(shape, at, &cold);
		if (n < size && at < until) /* so an earlier answer has promised */
			assert_same_chain(&cold, &before);
		assert_int_equal(pf_binary_inline_chain(b, at, &warm, NULL), 0);
		assert_same_chain(&cold, &warm);
		assert_true(warm.until > at);
		until = warm.until;
		assert_int_equal(pf_binary_inline_chain(n % 2 ? b : other, at, &both, NULL), 0);
		assert_same_chain(&cold, &both);
		if (n % 3 == 0)
			assert_int_equal(pf_binary_inline_chain(b, at + 1, &beside, NULL), 0);
		release_cold(&before);
		before = cold;
	}
	release_cold(&before);
	pf_inline_chain_release(&warm);
	pf_inline_chain_release(&beside);
	pf_inline_chain_release(&both);
	pf_binary_free(b);
	pf_binary_free(other);
}

static void
an_answer_does_not_depend_on_the_questions_before(void **state)
{
	(void)state;

	for (size_t i = 0; i < SHAPES; i++) {
		if (fixture_exists(shapes[i]))
			compare_with_cold(shapes[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(inlined_calls_are_a_chain_with_the_lines_of_their_call_sites),
	    cmocka_unit_test(code_in_another_segment_has_its_line),
	    cmocka_unit_test(a_frame_knows_its_file_and_where_its_function_is_declared),
	    cmocka_unit_test(copies_on_one_line_are_told_apart_by_discriminators),
	    cmocka_unit_test(an_address_outside_all_code_has_no_chain),
	    cmocka_unit_test(an_answer_does_not_depend_on_the_questions_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
