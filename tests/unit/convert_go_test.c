/* Profiles for Go's compiler: which edges it counts, and what trimming leaves of them. */
#include "support/unit.h"

#include <profuse/convert.h>
#include <profuse/profile.h>

#include "convert/convert_private.h"
#include "convert/go_edges.h"
#include "core/buffer.h"
#include "profile/model.h"
#include "support/sample_profile.h"

/* Functions 1 to 5: main (starts at line 10), work (20), step (30), leaf (40), none (no start line). */
enum { MAIN = 1, WORK, STEP, LEAF, NONE };

static void
add_names(struct pf_buffer *b)
{
	static const char *const strings[] = {
	    "", "samples", "count", "main", "work", "step", "leaf", "none"};

	for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
		add_string(b, strings[i]);
	add_type(b, 1, 2);
	for (uint64_t i = MAIN; i <= NONE; i++)
		add_function(b, i, i + 2, i == NONE ? 0 : 10 * i);
}

static struct pf_profile *
parse(struct pf_buffer *b)
{
	struct pf_profile *p;
	struct pf_error err = {0};

	if (pf_profile_parse(&p, "test", b->bytes, b->size, NULL, &err))
		fail_msg("%s", err.message);
	pf_buffer_release(b);
	return p;
}

/* What a conversion writes, NUL-terminated; NULL where it fails. */
static char *
convert(struct pf_profile *p, enum pf_convert_format format, double trim, struct pf_error *err)
{
	struct pf_convert_options options = PF_CONVERT_OPTIONS_INIT;
	struct pf_convert *c;
	const void *bytes;
	char *text = NULL;
	size_t size;
	int rc;

	options.format = format;
	options.trim = trim;
	assert_int_equal(pf_convert_new(&c, &options, err), 0);
	rc = pf_convert_add(c, p, "test", err);
	if (!rc)
		rc = pf_convert_run(c, err);
	if (!rc) {
		bytes = pf_convert_bytes(c, &size);
		text = calloc(1, size + 1);
		memcpy(text, bytes, size);
	}
	pf_convert_free(c);
	return text;
}

static void
only_the_innermost_two_locations_count(void **state)
{
	struct pf_buffer b = {.maximum = 1 << 20};
	struct pf_profile *p;
	char *text;
	(void)state;

	add_names(&b);
	add_location(&b, 1, 0, 0, MAIN, 11);
	add_location(&b, 2, 0, 0, WORK, 22);
	add_location(&b, 3, 0, 0, STEP, 33);
	add_location(&b, 4, 0, 0, LEAF, 44);
	add_sample(&b, (uint64_t[]){4, 3, 2, 1}, 4, (int64_t[]){5}, 1, 0);
	add_sample(&b, (uint64_t[]){3, 2, 1}, 3, (int64_t[]){7}, 1, 0);
	add_sample(&b, (uint64_t[]){3, 2}, 2, (int64_t[]){1}, 1, 0);
	add_sample(&b, (uint64_t[]){1}, 1, (int64_t[]){9}, 1, 0);
	p = parse(&b);
	text = convert(p, PF_CONVERT_GO_PREPROFILE, 100, NULL);
	assert_string_equal(text, "GO PREPROFILE V1\nwork\nstep\n2 8\nstep\nleaf\n3 5\n");
	free(text);
	pf_profile_free(p);
}

/* A location of three functions, inlined into one another. */
static void
add_inlined(struct pf_buffer *b, uint64_t id, uint64_t (*lines)[2], size_t n)
{
	struct pf_buffer m = {.maximum = 1 << 20}, l = {.maximum = 1 << 20};

	pf_wire_varint(&m, PF_LOCATION_ID, id);
	for (size_t i = 0; i < n; i++) {
		pf_buffer_clear(&l);
		pf_wire_varint(&l, PF_LINE_FUNCTION_ID, lines[i][0]);
		pf_wire_varint(&l, PF_LINE_LINE, lines[i][1]);
		pf_wire_bytes(&m, PF_LOCATION_LINE, l.bytes, l.size);
	}
	pf_wire_bytes(b, PF_PROFILE_LOCATION, m.bytes, m.size);
	pf_buffer_release(&m);
	pf_buffer_release(&l);
}

/*
 * Go's compiler makes no edge of a leaf at the very address from which it was called, though another address of the same
 * line is one; and counts what is inlined at such an address once.
 */
static void
a_place_that_calls_itself_is_no_edge(void **state)
{
	struct pf_buffer b = {.maximum = 1 << 20};
	uint64_t inlined[][2] = {{STEP, 33}, {WORK, 22}};
	struct pf_profile *p;
	char *text;
	(void)state;

	add_names(&b);
	add_location(&b, 1, 0, 0x100, WORK, 22);
	add_location(&b, 2, 0, 0x200, WORK, 22);
	add_inlined(&b, 3, inlined, 2);
	add_sample(&b, (uint64_t[]){1, 1}, 2, (int64_t[]){5}, 1, 0);
	add_sample(&b, (uint64_t[]){2, 1}, 2, (int64_t[]){7}, 1, 0);
	add_sample(&b, (uint64_t[]){3, 3}, 2, (int64_t[]){1}, 1, 0);
	p = parse(&b);
	text = convert(p, PF_CONVERT_GO_PREPROFILE, 100, NULL);
	assert_string_equal(
	    text, "GO PREPROFILE V1\nwork\nwork\n2 7\nstep\nwork\n3 1\nwork\nstep\n2 1\n");
	free(text);
	pf_profile_free(p);
}

/* main@11 → [step ← work@22] twice with different callers, and a light edge above a heavy one. */
static struct pf_profile *
inlined_profile(void)
{
	struct pf_buffer b = {.maximum = 1 << 20};

	add_names(&b);
	add_inlined(&b, 1, (uint64_t[][2]){{STEP, 33}, {WORK, 22}}, 2);
	add_inlined(&b, 2, (uint64_t[][2]){{STEP, 35}, {WORK, 22}}, 2);
	add_location(&b, 3, 0, 0, MAIN, 11);
	add_location(&b, 4, 0, 0, LEAF, 47);
	add_sample(&b, (uint64_t[]){1, 3}, 2, (int64_t[]){60}, 1, 0);
	add_sample(&b, (uint64_t[]){2, 3}, 2, (int64_t[]){30}, 1, 0);
	add_sample(&b, (uint64_t[]){1, 4}, 2, (int64_t[]){1}, 1, 0);
	return parse(&b);
}

static void
inlined_functions_are_edges_too(void **state)
{
	struct pf_profile *p = inlined_profile();
	char *text = convert(p, PF_CONVERT_GO_PREPROFILE, 100, NULL);
	(void)state;

	assert_string_equal(
	    text, "GO PREPROFILE V1\nwork\nstep\n2 91\nmain\nwork\n1 90\nleaf\nwork\n7 1\n");
	free(text);
	pf_profile_free(p);
}

static void
trimming_leaves_the_heavy_edges_their_whole_weight(void **state)
{
	struct pf_profile *p = inlined_profile();
	char *text = convert(p, PF_CONVERT_GO_PREPROFILE, 99, NULL);
	(void)state;

	assert_string_equal(text, "GO PREPROFILE V1\nwork\nstep\n2 91\nmain\nwork\n1 90\n");
	free(text);
	text = convert(p, PF_CONVERT_GO_PREPROFILE, 1, NULL);
	assert_string_equal(text, "GO PREPROFILE V1\nwork\nstep\n2 91\n");
	free(text);
	pf_profile_free(p);
}

static void
the_profile_has_the_edges_of_the_text(void **state)
{
	struct pf_profile *p = inlined_profile(), *written;
	struct pf_convert_options options = PF_CONVERT_OPTIONS_INIT;
	struct pf_go_edges edges = {0};
	struct pf_convert *c;
	const void *bytes;
	size_t size;
	(void)state;

	options.format = PF_CONVERT_GO_PGO;
	options.trim = 99;
	assert_int_equal(pf_convert_new(&c, &options, NULL), 0);
	assert_int_equal(pf_convert_add(c, p, "test", NULL), 0);
	assert_int_equal(pf_convert_run(c, NULL), 0);
	bytes = pf_convert_bytes(c, &size);
	assert_int_equal(pf_profile_parse(&written, "written", bytes, size, NULL, NULL), 0);
	/* what main calls, and that which lost its light edge */
	assert_int_equal(pf_profile_sample_count(written), 2);
	assert_int_equal(pf_go_edges_read(&edges, written, NULL), 0);
	assert_int_equal(edges.count, 2);
	assert_int_equal(edges.items[0].weight, 91);
	assert_int_equal(edges.items[0].offset, 2);
	assert_string_equal(pf_profile_string(written, edges.items[1].caller), "main");
	assert_true(pf_go_edges_weight(&edges) == 181);
	pf_go_edges_release(&edges);
	pf_profile_free(written);
	pf_convert_free(c);
	pf_profile_free(p);
}

static void
set_program(struct pf_profile *p, const char *path)
{
	p->mappings = calloc(1, sizeof *p->mappings);
	assert_non_null(p->mappings);
	p->mapping_count = p->mapping_capacity = 1;
	assert_int_equal(
	    pf_strings_add(&p->strings, path, strlen(path), &p->mappings[0].filename, NULL), 0);
}

/* Whether a conversion of profiles of these programs says that they are several. */
static bool
is_of_several(const char *one, const char *other)
{
	struct pf_profile *p[] = {inlined_profile(), inlined_profile()};
	struct pf_convert_options options = PF_CONVERT_OPTIONS_INIT;
	struct pf_convert *c;
	bool said = false;

	set_program(p[0], one);
	set_program(p[1], other);
	p[1]->values[0] += 7; /* the same profile again would count once */
	options.format = PF_CONVERT_GO_PGO;
	assert_int_equal(pf_convert_new(&c, &options, NULL), 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pf_convert_add(c, p[i], i ? "other" : "one", NULL), 0);
	assert_int_equal(pf_convert_run(c, NULL), 0);
	for (size_t i = 0; i < PF_NOTES; i++)
		said |= strstr(c->report.notes[i], "several programs") != NULL;
	pf_convert_free(c);
	pf_profile_free(p[0]);
	pf_profile_free(p[1]);
	return said;
}

static void
profiles_of_several_programs_are_told(void **state)
{
	(void)state;

	assert_true(is_of_several("/srv/a/shop", "/srv/a/till"));
	assert_false(is_of_several("/srv/a/shop", "/srv/b/shop"));
	assert_false(is_of_several("/srv/a/shop", ""));
}

/* What go build would ignore without a word is refused. */
static void
profiles_of_no_use_are_refused_with_the_reason(void **state)
{
	struct pf_buffer b = {.maximum = 1 << 20};
	struct pf_error err = {0};
	struct pf_profile *p;
	(void)state;

	add_names(&b);
	add_location(&b, 1, 0, 0, NONE, 11);
	add_location(&b, 2, 0, 0, LEAF, 44);
	add_sample(&b, (uint64_t[]){2, 1}, 2, (int64_t[]){5}, 1, 0);
	p = parse(&b);
	assert_null(convert(p, PF_CONVERT_GO_PGO, 100, &err));
	assert_int_equal(err.code, PF_EINPUT);
	assert_message_has(err, "no start lines");
	pf_profile_free(p);

	add_names(&b);
	add_location(&b, 1, 0, 0, LEAF, 44);
	add_sample(&b, (uint64_t[]){1}, 1, (int64_t[]){5}, 1, 0);
	p = parse(&b);
	assert_null(convert(p, PF_CONVERT_GO_PGO, 100, &err));
	assert_message_has(err, "no sample has a caller");
	pf_profile_free(p);

	add_names(&b);
	p = parse(&b);
	assert_null(convert(p, PF_CONVERT_GO_PGO, 100, &err));
	assert_message_has(err, "no samples");
	pf_profile_free(p);

	add_names(&b);
	add_location(&b, 1, 0, 0x1234, 0, 0);
	add_sample(&b, (uint64_t[]){1, 1}, 2, (int64_t[]){5}, 1, 0);
	p = parse(&b);
	assert_null(convert(p, PF_CONVERT_GO_PGO, 100, &err));
	assert_message_has(err, "--binary");
	pf_profile_free(p);
}

/* main.main in main.go below runtime.main, and C's `work` in work.c, with so many samples each. */
static struct pf_profile *
of_two_languages(int64_t go, int64_t c, bool named)
{
	static const char *const strings[] = {"", "samples", "count", "runtime.main", "main.main",
	    "work", "/go/proc.go", "/src/main.go", "/src/work.c"};
	struct pf_buffer b = {.maximum = 1 << 20}, m = {.maximum = 1 << 20};

	for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
		add_string(&b, strings[i]);
	add_type(&b, 1, 2);
	for (uint64_t i = 1; i <= 3; i++) {
		pf_buffer_clear(&m);
		pf_wire_varint(&m, PF_FUNCTION_ID, i);
		pf_wire_varint(&m, PF_FUNCTION_NAME, i + 2);
		pf_wire_varint(&m, PF_FUNCTION_START_LINE, 10);
		if (named)
			pf_wire_varint(&m, PF_FUNCTION_FILENAME, i + 5);
		pf_wire_bytes(&b, PF_PROFILE_FUNCTION, m.bytes, m.size);
		add_location(&b, i, 0, 0, i, 12);
	}
	pf_buffer_release(&m);
	add_sample(&b, (uint64_t[]){2, 1}, 2, (int64_t[]){go}, 1, 0);
	add_sample(&b, (uint64_t[]){3}, 1, (int64_t[]){c}, 1, 0);
	return parse(&b);
}

static void
profiles_of_go_programs_are_for_its_own_compiler(void **state)
{
	static const enum pf_convert_format formats[] = {
	    PF_CONVERT_TEXT, PF_CONVERT_EXTBINARY, PF_CONVERT_GCC};
	struct pf_profile *go = of_two_languages(9, 1, true), *c = of_two_languages(1, 9, true),
			  *unnamed = of_two_languages(1, 9, false);
	(void)state;

	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		struct pf_error err = {0};
		char *text;

		assert_null(convert(go, formats[i], 100, &err));
		assert_int_equal(err.code, PF_EINPUT);
		assert_message_has(err, "--format go-pgo");
		assert_null(convert(unnamed, formats[i], 100, &err));
		text = convert(c, formats[i], 100, &err);
		assert_non_null(text);
		free(text);
	}
	pf_profile_free(go);
	pf_profile_free(c);
	pf_profile_free(unnamed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_the_innermost_two_locations_count),
	    cmocka_unit_test(a_place_that_calls_itself_is_no_edge),
	    cmocka_unit_test(inlined_functions_are_edges_too),
	    cmocka_unit_test(trimming_leaves_the_heavy_edges_their_whole_weight),
	    cmocka_unit_test(the_profile_has_the_edges_of_the_text),
	    cmocka_unit_test(profiles_of_several_programs_are_told),
	    cmocka_unit_test(profiles_of_no_use_are_refused_with_the_reason),
	    cmocka_unit_test(profiles_of_go_programs_are_for_its_own_compiler),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
