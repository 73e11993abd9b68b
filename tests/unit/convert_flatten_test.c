/* One record a function: what becomes of inlined copies, their entries and the calls that they were. */
#include "support/unit.h"

#include "convert/flatten.h"

static uint32_t
root(struct pf_functions *f, const char *name, uint64_t head)
{
	uint32_t node;

	assert_int_equal(pf_functions_root(f, name, &node, NULL), 0);
	f->nodes[node].head = head;
	return node;
}

static uint32_t
child(struct pf_functions *f, uint32_t parent, uint16_t offset, const char *name)
{
	uint32_t node;

	assert_int_equal(
	    pf_functions_child(f, parent, (struct pf_place){offset, 0}, name, &node, NULL), 0);
	return node;
}

static uint32_t
body(struct pf_functions *f, uint32_t node, uint16_t offset, uint64_t count)
{
	uint32_t found;

	assert_int_equal(pf_functions_body(f, node, (struct pf_place){offset, 0}, &found, NULL), 0);
	f->bodies[found].count = count;
	return found;
}

static void
target(struct pf_functions *f, uint32_t of, const char *name, uint64_t count)
{
	uint32_t found;

	assert_int_equal(pf_functions_target(f, of, name, &found, NULL), 0);
	f->targets[found].count = count;
}

static void
flatten(struct pf_functions *f)
{
	assert_int_equal(pf_functions_seal(f, NULL), 0);
	assert_int_equal(pf_functions_flatten(f, NULL), 0);
	assert_true(f->sealed);
	assert_int_equal(f->root_count, f->node_count);
}

static const struct pf_function_node *
find(const struct pf_functions *f, const char *name)
{
	for (size_t i = 0; i < f->root_count; i++) {
		const struct pf_function_node *n = &f->nodes[f->children[i]];

		if (strcmp(pf_strings_get(&f->names, n->name), name) == 0)
			return n;
	}
	fail_msg("no record of %s", name);
	return NULL;
}

static const struct pf_body *
at(const struct pf_functions *f, const char *name, uint16_t offset)
{
	const struct pf_function_node *n = find(f, name);

	for (uint32_t i = 0; i < n->body_count; i++) {
		if (f->bodies[n->first_body + i].place.offset == offset)
			return &f->bodies[n->first_body + i];
	}
	fail_msg("%s has nothing at %d", name, offset);
	return NULL;
}

/* The only target of a call. */
static const char *
called(const struct pf_functions *f, const struct pf_body *b, uint64_t count)
{
	assert_int_equal(b->target_count, 1);
	assert_int_equal(f->targets[b->first_target].count, count);
	return pf_strings_get(&f->names, f->targets[b->first_target].name);
}

static void
copies_add_up_with_the_functions_own_counts(void **state)
{
	struct pf_functions f;
	uint32_t main_, leaf, copy;
	(void)state;

	assert_int_equal(pf_functions_init(&f, NULL), 0);
	main_ = root(&f, "main", 1);
	body(&f, main_, 1, 10);
	copy = child(&f, main_, 3, "leaf");
	body(&f, copy, 1, 100);
	target(&f, body(&f, copy, 2, 40), "other", 40);
	copy = child(&f, main_, 7, "leaf");
	body(&f, copy, 1, 1000);
	target(&f, body(&f, copy, 2, 400), "other", 400);
	leaf = root(&f, "leaf", 5);
	body(&f, leaf, 1, 5);
	body(&f, leaf, 4, 2);
	flatten(&f);

	assert_int_equal(find(&f, "leaf")->head, 5 + 100 + 1000);
	assert_int_equal(at(&f, "leaf", 1)->count, 1105);
	assert_int_equal(at(&f, "leaf", 2)->count, 440);
	assert_int_equal(at(&f, "leaf", 4)->count, 2);
	assert_string_equal(called(&f, at(&f, "leaf", 2), 440), "other");
	assert_int_equal(find(&f, "leaf")->total, 1105 + 440 + 2);
	/* the caller calls what was inlined into it */
	assert_int_equal(at(&f, "main", 3)->count, 100);
	assert_string_equal(called(&f, at(&f, "main", 3), 100), "leaf");
	assert_string_equal(called(&f, at(&f, "main", 7), 1000), "leaf");
	assert_int_equal(find(&f, "main")->total, 10 + 100 + 1000);
	pf_functions_release(&f);
}

static void
a_call_counts_what_runs_most_at_its_place(void **state)
{
	struct pf_functions f;
	uint32_t main_;
	(void)state;

	assert_int_equal(pf_functions_init(&f, NULL), 0);
	main_ = root(&f, "main", 1);
	body(&f, main_, 3, 70); /* the arguments */
	body(&f, main_, 5, 900);
	body(&f, child(&f, main_, 3, "a"), 1, 60);
	body(&f, child(&f, main_, 3, "b"), 1, 80); /* on the same line */
	body(&f, child(&f, main_, 5, "a"), 1, 100);
	body(&f, child(&f, main_, 9, "a"), 1, 20); /* nothing else is on this line */
	body(&f, child(&f, main_, 9, "b"), 1, 30);
	flatten(&f);
	assert_int_equal(at(&f, "main", 3)->count, 80);
	assert_int_equal(at(&f, "main", 5)->count, 900);
	assert_int_equal(at(&f, "main", 9)->count, 30);
	assert_int_equal(at(&f, "a", 1)->count, 180);
	assert_int_equal(at(&f, "b", 1)->count, 110);
	pf_functions_release(&f);
}

static void
functions_that_are_inlined_everywhere_get_a_record(void **state)
{
	struct pf_functions f;
	uint32_t main_, outer, inner;
	(void)state;

	assert_int_equal(pf_functions_init(&f, NULL), 0);
	main_ = root(&f, "main", 1);
	outer = child(&f, main_, 2, "outer");
	inner = child(&f, outer, 1, "inner");
	f.nodes[outer].checksum = 11;
	f.nodes[inner].checksum = 12;
	body(&f, inner, 1, 50);
	body(&f, outer, 4, 30);
	flatten(&f);
	/* entered as often as what comes first in it, which is another copy */
	assert_int_equal(find(&f, "outer")->head, 50);
	assert_int_equal(find(&f, "inner")->head, 50);
	assert_true(find(&f, "outer")->checksum == 11 && find(&f, "inner")->checksum == 12);
	assert_int_equal(at(&f, "main", 2)->count, 50);
	assert_string_equal(called(&f, at(&f, "outer", 1), 50), "inner");
	/* heaviest first */
	assert_string_equal(pf_strings_get(&f.names, f.nodes[f.children[0]].name), "outer");
	pf_functions_release(&f);
}

static void
a_recursion_that_was_inlined_is_one_function(void **state)
{
	struct pf_functions f;
	uint32_t walk;
	(void)state;

	assert_int_equal(pf_functions_init(&f, NULL), 0);
	walk = root(&f, "walk", 3);
	body(&f, walk, 1, 10);
	body(&f, child(&f, walk, 2, "walk"), 1, 8);
	flatten(&f);
	assert_int_equal(f.node_count, 1);
	assert_int_equal(at(&f, "walk", 1)->count, 18);
	assert_int_equal(find(&f, "walk")->head, 3 + 8);
	assert_string_equal(called(&f, at(&f, "walk", 2), 8), "walk");
	pf_functions_release(&f);
}

static void
an_empty_profile_stays_one(void **state)
{
	struct pf_functions f;
	(void)state;

	assert_int_equal(pf_functions_init(&f, NULL), 0);
	flatten(&f);
	assert_int_equal(f.root_count, 0);
	pf_functions_release(&f);
	/* nodes without a single count */
	assert_int_equal(pf_functions_init(&f, NULL), 0);
	child(&f, root(&f, "main", 0), 2, "leaf");
	flatten(&f);
	assert_int_equal(f.root_count, 2);
	assert_int_equal(find(&f, "leaf")->total, 0);
	pf_functions_release(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(copies_add_up_with_the_functions_own_counts),
	    cmocka_unit_test(a_call_counts_what_runs_most_at_its_place),
	    cmocka_unit_test(functions_that_are_inlined_everywhere_get_a_record),
	    cmocka_unit_test(a_recursion_that_was_inlined_is_one_function),
	    cmocka_unit_test(an_empty_profile_stays_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
