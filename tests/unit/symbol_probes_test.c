/* Pseudo-probes of a real binary: where they lie, whose they are, which are kept. */
#include "support/fixture.h"

#include <string.h>

#include "core/error.h"
#include "symbol/probes.h"

static bool
any_function(const void *context, uint64_t start)
{
	(void)context;
	(void)start;
	return true;
}

static bool
one_function(const void *context, uint64_t start)
{
	return *(const uint64_t *)context == start;
}

static uint32_t
function_number(const struct pf_probes *p, const char *name)
{
	for (size_t i = 0; i < p->function_count; i++) {
		/* a static function's name carries a hash of its file */
		if (strncmp(p->functions[i].name, name, strlen(name)) == 0)
			return (uint32_t)i;
	}
	return UINT32_MAX;
}

static void
every_probe_lies_in_its_function(void **state)
{
	struct pf_binary *b = fixture_open("inline-probe");
	struct pf_probes p;
	size_t blocks = 0, calls = 0;
	(void)state;

	assert_true(pf_probes_present(b));
	assert_int_equal(pf_probes_read(&p, b, any_function, NULL, NULL), 0);
	assert_true(p.count > 10 && p.node_count > 3);
	for (size_t i = 0; i < p.count; i++) {
		const struct pf_probe *probe = &p.items[i];
		const struct pf_symbol *symbol = pf_binary_symbol_at(b, probe->address);
		uint32_t node = probe->node;

		while (p.nodes[node].parent != UINT32_MAX)
			node = p.nodes[node].parent;
		assert_non_null(symbol);
		assert_string_equal(symbol->name, p.functions[p.nodes[node].function].name);
		blocks += probe->kind == PF_PROBE_BLOCK;
		calls += probe->kind != PF_PROBE_BLOCK;
	}
	assert_true(blocks > 0 && calls > 0);
	pf_probes_release(&p);
	pf_binary_free(b);
}

static void
the_first_block_is_probe_one_near_the_functions_start(void **state)
{
	struct pf_binary *b = fixture_open("inline-probe");
	struct pf_probes p;
	uint32_t main_function;
	bool found = false;
	(void)state;

	assert_int_equal(pf_probes_read(&p, b, any_function, NULL, NULL), 0);
	main_function = function_number(&p, "main");
	assert_true(main_function != UINT32_MAX && p.functions[main_function].checksum != 0);
	for (size_t i = 0; i < p.count; i++) {
		const struct pf_symbol *symbol = pf_binary_symbol_at(b, p.items[i].address);
		found |= p.items[i].index == 1 && p.items[i].kind == PF_PROBE_BLOCK &&
			 p.nodes[p.items[i].node].function == main_function &&
			 p.items[i].address - symbol->start < 32; /* behind the prologue */
	}
	assert_true(found);
	pf_probes_release(&p);
	pf_binary_free(b);
}

static void
only_wanted_bodies_are_kept(void **state)
{
	struct pf_binary *b = fixture_open("inline-probe");
	struct pf_probes all, one;
	const struct pf_symbol *symbol;
	(void)state;

	assert_int_equal(pf_probes_read(&all, b, any_function, NULL, NULL), 0);
	symbol = pf_binary_symbol_at(b, all.items[0].address);
	assert_int_equal(pf_probes_read(&one, b, one_function, &symbol->start, NULL), 0);
	assert_true(one.count > 0 && one.count < all.count && one.node_count < all.node_count);
	for (size_t i = 0; i < one.count; i++)
		assert_ptr_equal(pf_binary_symbol_at(b, one.items[i].address), symbol);
	pf_probes_release(&one);
	pf_probes_release(&all);
	pf_binary_free(b);
}

static void
a_binary_without_probes_has_none(void **state)
{
	struct pf_binary *b = fixture_open("inline-pie");
	struct pf_probes p;
	(void)state;

	assert_false(pf_probes_present(b));
	assert_int_equal(pf_probes_read(&p, b, any_function, NULL, NULL), 0);
	assert_int_equal(p.count, 0);
	pf_probes_release(&p);
	pf_binary_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_probe_lies_in_its_function),
	    cmocka_unit_test(the_first_block_is_probe_one_near_the_functions_start),
	    cmocka_unit_test(only_wanted_bodies_are_kept),
	    cmocka_unit_test(a_binary_without_probes_has_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
