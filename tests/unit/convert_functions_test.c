/* Finding the items of function profiles again, among more of them than one generation of indexes holds. */
#include "support/unit.h"

#include <stdio.h>

#include "convert/functions.h"

enum { ROOTS = 200, BODIES = 400, FIRST = 3 };

static uint32_t
root(struct pf_functions *f, unsigned number)
{
	char name[32];
	uint32_t node;

	snprintf(name, sizeof name, "function_%u", number);
	assert_int_equal(pf_functions_root(f, name, &node, NULL), 0);
	return node;
}

/* Body n of a function: every other one is in a child of its own. */
static uint32_t
body(struct pf_functions *f, uint32_t node, unsigned n)
{
	struct pf_place place = {(uint16_t)n, (uint16_t)(n % 7)};
	uint32_t child = node, found;

	if (n % 2)
		assert_int_equal(pf_functions_child(f, node, place, "inlined", &child, NULL), 0);
	assert_int_equal(pf_functions_body(f, child, place, &found, NULL), 0);
	return found;
}

/* Asks for bodies [from, to) of a root; those that are known are where they were. */
static void
ask(struct pf_functions *f, uint32_t *bodies, unsigned number, unsigned from, unsigned to)
{
	uint32_t node = root(f, number);

	for (unsigned n = from; n < to; n++) {
		uint32_t *known = &bodies[number * BODIES + n], found = body(f, node, n);

		if (*known == PF_NONE)
			*known = found;
		assert_int_equal(found, *known);
	}
}

static void
roots_of_earlier_generations_are_found_again(void **state)
{
	uint32_t *bodies = malloc(ROOTS * BODIES * sizeof *bodies);
	struct pf_functions f;
	size_t nodes;
	(void)state;

	assert_non_null(bodies);
	memset(bodies, 0xff, ROOTS * BODIES * sizeof *bodies);
	assert_int_equal(pf_functions_init(&f, NULL), 0);
	for (unsigned r = 0; r < ROOTS; r++)
		ask(&f, bodies, r, 0, BODIES / 2);
	/* the first ones once more, with more in them: each in two pieces now */
	for (unsigned r = 0; r < FIRST; r++)
		ask(&f, bodies, r, 0, BODIES);
	assert_true(f.lookup.renewed > 0);
	for (unsigned r = FIRST; r < ROOTS; r++)
		ask(&f, bodies, r, BODIES / 2, BODIES);
	for (unsigned r = 0; r < FIRST; r++)
		ask(&f, bodies, r, 0, BODIES);
	assert_int_equal(f.body_count, ROOTS * BODIES);
	nodes = f.node_count;
	assert_int_equal(nodes, ROOTS + ROOTS * BODIES / 2);
	/* back and forth: entering them again is given up before it costs more than it saves */
	for (unsigned r = 0; r < 20 * ROOTS; r++)
		ask(&f, bodies, r * 37 % ROOTS, 0, BODIES);
	assert_int_equal(f.body_count, ROOTS * BODIES);
	assert_int_equal(f.node_count, nodes);
	assert_true(f.lookup.renewed < 3 * (f.body_count + f.node_count));
	pf_functions_release(&f);
	free(bodies);
}

static void
frozen_functions_are_found_and_not_added(void **state)
{
	struct pf_functions f;
	uint32_t node, found;
	(void)state;

	assert_int_equal(pf_functions_init(&f, NULL), 0);
	node = root(&f, 1);
	f.frozen = true;
	assert_int_equal(root(&f, 1), node);
	assert_int_equal(root(&f, 2), PF_NONE);
	assert_int_equal(pf_functions_body(&f, node, (struct pf_place){1, 0}, &found, NULL), 0);
	assert_int_equal(found, PF_NONE);
	assert_int_equal(f.node_count, 1);
	pf_functions_release(&f);
}

/* The targets that are left of one call with these counts, by pointer in a function with probes or on a line. */
static size_t
targets_left(bool probes, const uint64_t *counts, size_t count)
{
	static const char *const names[] = {"number", "variable", "sum", "product"};
	struct pf_functions f;
	uint32_t node, found;
	size_t left;

	assert_int_equal(pf_functions_init(&f, NULL), 0);
	f.probes = probes;
	node = root(&f, 1);
	found = body(&f, node, 0);
	for (size_t i = 0; i < count; i++) {
		uint32_t target;
		assert_int_equal(pf_functions_target(&f, found, names[i], &target, NULL), 0);
		f.targets[target].count = counts[i];
	}
	assert_int_equal(pf_functions_seal(&f, NULL), 0);
	left = f.target_count;
	assert_int_equal(f.bodies[0].target_count, left);
	if (left)
		assert_string_equal(
		    pf_strings_get(&f.names, f.targets[f.bodies[0].first_target].name), names[0]);
	pf_functions_release(&f);
	return left;
}

static void
of_a_call_by_pointer_the_dominant_target_is_kept(void **state)
{
	(void)state;
	assert_int_equal(targets_left(true, (const uint64_t[]){100}, 1), 1);
	assert_int_equal(targets_left(true, (const uint64_t[]){50, 30, 20}, 3), 1);
	assert_int_equal(targets_left(true, (const uint64_t[]){35, 30, 20, 15}, 4), 0);
	assert_int_equal(targets_left(true, (const uint64_t[]){UINT64_MAX, 30}, 2), 1);
	/* by lines one is left only where there is hardly another */
	assert_int_equal(targets_left(false, (const uint64_t[]){35, 30, 20, 15}, 4), 0);
	assert_int_equal(targets_left(false, (const uint64_t[]){85, 15}, 2), 0);
	assert_int_equal(targets_left(false, (const uint64_t[]){95, 5}, 2), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(roots_of_earlier_generations_are_found_again),
	    cmocka_unit_test(of_a_call_by_pointer_the_dominant_target_is_kept),
	    cmocka_unit_test(frozen_functions_are_found_and_not_added),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
