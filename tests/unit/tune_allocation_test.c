/* A whole tuning, from bytes to every report, under each failed allocation in turn. */
#include "support/each_allocation.h"

#include <profuse/tune.h>

#include "support/read_fixture.h"
#include "support/temporary.h"
#include "tuner/tune.h"

struct input {
	const char *fixture;
	bool base;
	struct pf_buffer bytes;
};

static struct input inputs[] = {
    {"tune/leak/heap-0.pb.gz", true},
    {"tune/leak/heap-7.pb.gz", false},
    {"tune/contention/mutex.pb.gz", false},
    {"tune/deadlock/goroutine.txt", false},
    {"runtime/go-cache.gctrace", false},
    {"runtime/glibc.malloc_info.xml", false},
    {"runtime/glibc.smaps_rollup", false},
    {"tune/arenas/wall.pb.gz", false},
    {"runtime/go-default.metrics", false},
};

/* Which of them: all, of which the last profile is another program's, and that program's. */
struct part {
	size_t from, to;
};
static struct part all = {0, sizeof inputs / sizeof *inputs}, of_other = {5, 8};

static int
tune(void *data, struct pf_error *err)
{
	const struct part *part = data;
	static int (*const reports[])(const struct pf_tune *, struct pf_buffer *,
	    struct pf_error *) = {pf_tune_text, pf_tune_markdown, pf_tune_json, pf_tune_html};
	struct pf_tune *t = NULL;
	int rc = pf_tune_new(&t, NULL, err);

	for (size_t i = part->from; !rc && i < part->to; i++)
		rc = pf_tune_add(t, inputs[i].fixture, inputs[i].bytes.bytes, inputs[i].bytes.size,
		    inputs[i].base, err);
	if (!rc)
		rc = pf_tune_run(t, err);
	for (size_t i = 0; !rc && i < sizeof reports / sizeof *reports; i++) {
		struct pf_buffer out = {.maximum = 64 << 20};
		rc = reports[i](t, &out, err);
		if (!rc)
			rc = pf_buffer_check(&out, err);
		pf_buffer_release(&out);
	}
	pf_tune_free(t);
	return rc;
}

static void
each_failed_allocation_is_told_and_leaks_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
		inputs[i].bytes = read_fixture(inputs[i].fixture);
	fail_each_allocation(tune, &all);
	fail_each_allocation(tune, &of_other);
	for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
		pf_buffer_release(&inputs[i].bytes);
}

struct fleet {
	char report[96], page[96];
};

static int
show_fleet(void *data, struct pf_error *err)
{
	struct fleet *f = data;
	const char *const reports[] = {f->report, f->report};

	return pf_tune_fleet(reports, 2, PF_TUNE_HTML, f->page, err);
}

static void
a_fleets_page_comes_whole_or_not_at_all(void **state)
{
	struct pf_buffer bytes = read_fixture("tune/leak/heap-0.pb.gz");
	struct pf_buffer later = read_fixture("tune/leak/heap-7.pb.gz");
	const char *folder = temporary_make();
	struct pf_error err = {0};
	struct pf_tune *t;
	struct fleet f;
	(void)state;

	snprintf(f.report, sizeof f.report, "%s/service.json", folder);
	snprintf(f.page, sizeof f.page, "%s/fleet.html", folder);
	assert_int_equal(pf_tune_new(&t, NULL, &err), 0);
	assert_int_equal(pf_tune_add(t, "base", bytes.bytes, bytes.size, true, &err), 0);
	assert_int_equal(pf_tune_add(t, "now", later.bytes, later.size, false, &err), 0);
	assert_int_equal(pf_tune_run(t, &err), 0);
	assert_int_equal(pf_tune_write(t, PF_TUNE_JSON, f.report, &err), 0);
	pf_tune_free(t);
	pf_buffer_release(&bytes);
	pf_buffer_release(&later);
	fail_each_allocation(show_fleet, &f);
	assert_int_equal(access(f.page, R_OK), 0);
	temporary_remove(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_failed_allocation_is_told_and_leaks_nothing),
	    cmocka_unit_test(a_fleets_page_comes_whole_or_not_at_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
