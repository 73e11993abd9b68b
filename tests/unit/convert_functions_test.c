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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(roots_of_earlier_generations_are_found_again),
	    cmocka_unit_test(frozen_functions_are_found_and_not_added),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
