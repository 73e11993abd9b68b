/* Merging, and every view of the result, under each failed allocation in turn. */
#include "support/each_allocation.h"

#include <profuse/merge.h>

#include "report/view.h"
#include "support/sample_profile.h"

enum { MEBIBYTE = 1 << 20 };

/* The sample profile with a symbolized and labelled stack, inlined frames, a comment and a filter of frames. */
static void
rich_profile(struct pf_buffer *b)
{
	struct pf_buffer m = {.maximum = MEBIBYTE}, l = {.maximum = MEBIBYTE};

	sample_profile(b, 0x10000, 1);
	add_string(b, "main.work"); /* 9 */
	add_string(b, "malloc");
	add_string(b, "worker");
	add_function(b, 40, 9, 9);
	add_function(b, 41, 10, 3);
	add_location(b, 77, 1, 0x10100, 40, 12);
	add_location(b, 78, 1, 0x10200, 41, 13);
	pf_wire_varint(&m, PF_SAMPLE_LOCATION_ID, 78);
	pf_wire_varint(&m, PF_SAMPLE_LOCATION_ID, 77);
	pf_buffer_string(&l, "\x07\x32"); /* 7 and 50 */
	pf_wire_bytes(&m, PF_SAMPLE_VALUE, l.bytes, l.size);
	pf_buffer_clear(&l);
	pf_wire_varint(&l, PF_LABEL_KEY, 11);
	pf_wire_varint(&l, PF_LABEL_STRING, 9);
	pf_wire_bytes(&m, PF_SAMPLE_LABEL, l.bytes, l.size);
	pf_wire_bytes(b, PF_PROFILE_SAMPLE, m.bytes, m.size);
	pf_wire_varint(b, PF_PROFILE_COMMENT, 9);
	pf_wire_varint(b, PF_PROFILE_DROP_FRAMES, 10);
	pf_buffer_release(&m);
	pf_buffer_release(&l);
}

static int
view(const struct pf_profile *p, struct pf_error *err)
{
	struct pf_view_options o = {.focus = "app|main", .granularity = PF_BY_LINE};
	struct pf_buffer out;
	struct pf_view v;
	int rc = pf_view_init(&v, p, &o, err);

	pf_buffer_init(&out, MEBIBYTE);
	if (!rc)
		rc = pf_view_top(&v, &out, err);
	if (!rc)
		rc = pf_view_tree(&v, &out, err);
	if (!rc)
		rc = pf_view_diff(&v, &out, err);
	if (!rc)
		rc = pf_view_flame(&v, "title", &out, err);
	if (!rc)
		rc = pf_view_raw(p, NULL, &out, err);
	pf_buffer_release(&out);
	pf_view_release(&v);
	return rc;
}

static int
merge_and_view(void *data, struct pf_error *err)
{
	static const char *const filters[] = {"worker=main.work"}, *const drops[] = {"other"};
	struct pf_merge_options options = PF_MERGE_OPTIONS_INIT;
	struct pf_profile *const *in = data, *sum = NULL;
	struct pf_merge *m;
	int rc;

	options.scale_by_duration = options.label_base = true;
	options.label_filters = filters;
	options.label_filter_count = 1;
	options.drop_labels = drops;
	options.drop_label_count = 1;
	rc = pf_merge_new(&m, &options, err);
	if (rc)
		return rc;
	rc = pf_merge_add(m, in[0], "first", err);
	if (!rc)
		rc = pf_merge_add(m, in[1], "second", err);
	if (!rc)
		rc = pf_merge_subtract(m, in[1], "base", err);
	if (!rc)
		rc = pf_merge_finish(m, &sum, err);
	pf_merge_free(m);
	if (!rc)
		rc = view(sum, err);
	pf_profile_free(sum);
	return rc;
}

static int
merge_all_of_it(void *data, struct pf_error *err)
{
	struct pf_profile *const *in = data, *sum = NULL;
	struct pf_merge *m;
	int rc = pf_merge_new(&m, NULL, err);

	if (rc)
		return rc;
	rc = pf_merge_add(m, in[0], "first", err);
	if (!rc)
		rc = pf_merge_add(m, in[1], "second", err);
	if (!rc)
		rc = pf_merge_finish(m, &sum, err);
	pf_merge_free(m);
	pf_profile_free(sum);
	return rc;
}

static void
merging_and_viewing_survive_every_failed_allocation(void **state)
{
	struct pf_buffer b = {.maximum = MEBIBYTE};
	struct pf_profile *in[2];
	(void)state;

	rich_profile(&b);
	for (int i = 0; i < 2; i++) {
		if (pf_profile_parse(&in[i], "test", b.bytes, b.size, NULL, NULL))
			fail_msg("the test's own profile does not parse");
	}
	in[1]->type_count = 1;
	fail_each_allocation(merge_all_of_it, in);
	fail_each_allocation(merge_and_view, in);
	pf_profile_free(in[0]);
	pf_profile_free(in[1]);
	pf_buffer_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(merging_and_viewing_survive_every_failed_allocation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
