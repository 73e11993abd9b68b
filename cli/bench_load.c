/* bench_load.c: profuse bench load URL…: one service alone, or the highest rate that it bears. */
#include "bench_settings.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "core/error.h"
#include "interrupts.h"

static void
show_trial(void *context, const struct pf_bench_trial *t)
{
	FILE *to = context;

	fprintf(to, "%10.0f/s  p99 %8.3f ms  errors %6.3f %%  answers %8.0f/s  %s%s\n", t->rate,
	    t->p99 * 1e3, t->errors * 100, t->throughput,
	    t->kept ? "kept" : "not kept: ", t->kept ? "" : t->reason);
	fflush(to);
}

static json_t *
trials_json(const struct pf_bench_search *r)
{
	json_t *all = json_array();

	for (size_t i = 0; i < r->trial_count; i++) {
		const struct pf_bench_trial *t = &r->trials[i];
		json_t *one = json_pack("{s:f, s:b, s:s?, s:f, s:f, s:f}", "rate", t->rate, "kept",
		    t->kept, "reason", t->reason, "p99", t->p99, "errors", t->errors, "throughput",
		    t->throughput);
		if (json_array_append_new(all, one)) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

static int
print_json(const struct pf_bench_search *r, const struct settings *s, struct pf_error *err)
{
	json_t *objectives = json_array(), *root;
	int failed = 0;

	for (size_t i = 0; i < s->slos.count; i++)
		failed |= json_array_append_new(objectives, json_string(s->slos.items[i]));
	root = json_pack("{s:s, s:s, s:o, s:f, s:o, s:b, s:o}", "schema", "profuse.bench.search.v1",
	    "version", pf_version(), "objectives", objectives, "rate", r->rate, "not_kept",
	    r->failed > 0 ? json_real(r->failed) : json_null(), "interrupted", r->interrupted,
	    "trials", trials_json(r));
	failed |= !root || json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	json_decref(root);
	putchar('\n');
	return failed ? pf_error_nomem(err) : 0;
}

static int
search(const struct settings *s, struct pf_bench_options *o, struct pf_error *err)
{
	struct pf_bench_search result = {0};
	bool talks = !s->json || (isatty(STDERR_FILENO) && !s->quiet);
	int rc;

	o->stop_fd = cli_catch_interrupts();
	rc = pf_bench_search(&result, o, s->slos.items, s->slos.count, s->precision / 100,
	    talks ? show_trial : NULL, s->json ? stderr : stdout, err);
	if (o->stop_fd >= 0)
		close(o->stop_fd);
	if (!rc && s->json)
		rc = print_json(&result, s, err);
	else if (!rc && result.rate > 0)
		printf("The highest rate that kept it: %.0f requests/s%s\n", result.rate,
		    result.failed > 0 ? "" : "; a rate that doesn't was not found");
	if (!rc && result.interrupted)
		rc = pf_error_set(err, PF_EINCONCLUSIVE, "interrupted: the search is not finished");
	else if (!rc && !(result.rate > 0))
		rc = pf_error_set(err, PF_ENO, "no rate kept the objectives");
	pf_bench_search_release(&result);
	return rc;
}

int
bench_load(const struct settings *s, const struct cli_arguments *arguments, struct pf_error *err)
{
	struct pf_bench_options o;
	struct pf_bench_variant one = {.name = "service",
	    .command = s->before,
	    .environment = s->before_env.items,
	    .environment_count = s->before_env.count,
	    .origin = s->before_url,
	    .pid = (int)s->before_pid};
	struct pf_bench *bench = NULL;
	int rc = bench_fill_options(s, &o, err);

	if (!rc && arguments->count) {
		o.urls = (const char *const *)arguments->items;
		o.url_count = arguments->count;
	}
	if (!rc && (o.url_count == 0 || s->after || s->after_url || s->variants.count))
		rc = pf_error_set(err, PF_EUSAGE,
		    "load takes the URLs of one service, which runs already or is started by "
		    "--before CMD: profuse bench load URL… --rate N");
	if (rc)
		return rc;
	if (!one.command && !one.origin)
		one.origin = o.urls[0];
	o.variants = &one;
	o.variant_count = 1;
	if (s->slos.count)
		return search(s, &o, err);
	rc = bench_run(&bench, &o, s, err);
	if (!rc)
		rc = bench_write_reports(bench, s, err);
	if (!rc)
		rc = pf_bench_verdict(bench, err);
	pf_bench_free(bench);
	return rc;
}
