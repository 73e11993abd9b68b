/* go_figures.c: see go_figures.h. */
#include "bench/go_figures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/load.h"
#include "bench/run.h"
#include "core/error.h"
#include "core/memory.h"
#include "net/http.h"
#include "stats/quantile.h"

enum { TRACE_MAXIMUM = 64 << 20, SCRAPE_MAXIMUM = 64 << 20 };

/* What was written to the file in [from, to). */
static int
read_window(const struct pf_go_window *w, struct pf_buffer *out, struct pf_error *err)
{
	size_t at = w->from;

	while (at < w->to && out->size < TRACE_MAXIMUM) {
		size_t want = w->to - at < 65536 ? w->to - at : 65536;
		uint8_t *room = pf_buffer_reserve(out, want);
		ssize_t n = room ? pread(w->errors, room, want, (off_t)at) : -1;

		if (n <= 0)
			break;
		out->size += (size_t)n;
		at += (size_t)n;
	}
	return pf_buffer_check(out, err);
}

static int
fill_traced(const struct pf_gctrace *t, struct pf_block *k, struct pf_error *err)
{
	double *pauses, *live, sum = 0, cpu = 0;
	int rc = PF_CALLOC(pauses, 3 * t->count, err);

	if (rc)
		return rc;
	live = pauses + 2 * t->count;
	for (size_t i = 0; i < t->count; i++) {
		const struct pf_gc_cycle *c = &t->cycles[i];
		pauses[2 * i] = c->stop_sweep;
		pauses[2 * i + 1] = c->stop_mark;
		live[i] = c->live;
		sum += c->stop_sweep + c->stop_mark;
		/* Idle marking took time that nobody else wanted. */
		cpu += c->cpu_stop_sweep + c->cpu_assist + c->cpu_background + c->cpu_stop_mark;
	}
	pf_sort(pauses, 2 * t->count);
	pf_sort(live, t->count);
	k->value[PF_METRIC_GC_PAUSE_P99] = pf_quantile(pauses, 2 * t->count, 0.99);
	k->value[PF_METRIC_GC_PAUSE_MEAN] = sum / (2 * (double)t->count);
	k->value[PF_METRIC_GC_PAUSE_TOTAL] = sum / k->seconds;
	k->value[PF_METRIC_GC_CYCLES] = (double)t->count / k->seconds;
	k->value[PF_METRIC_GC_CPU] = k->cpu > 0 ? cpu / k->cpu : NAN;
	k->value[PF_METRIC_HEAP_LIVE] = pf_quantile(live, t->count, 0.5);
	free(pauses);
	return 0;
}

int
pf_go_figures_traced(const struct pf_go_window *w, struct pf_block *k, struct pf_error *err)
{
	struct pf_gctrace trace = {0};
	struct pf_buffer text;
	int rc;

	pf_buffer_init(&text, TRACE_MAXIMUM + 65536);
	rc = read_window(w, &text, err);
	if (!rc && text.size)
		rc = pf_gctrace_parse(&trace, "the trace", text.bytes, text.size, err);
	/* No trace, no figures: the program may be none of Go's, or have had no collection. */
	rc = rc == PF_EINPUT ? 0 : rc;
	if (!rc && trace.count)
		rc = fill_traced(&trace, k, err);
	pf_gctrace_release(&trace);
	pf_buffer_release(&text);
	return rc;
}

/* "/metrics" means the service's own. */
static int
fetch(const char *url, const struct pf_load *load, struct pf_http_result *result,
    struct pf_error *err)
{
	struct pf_tls_settings tls = {.ca_file = load->ca_file, .insecure = load->insecure};
	struct pf_http_request request = {.tls = &tls,
	    .limits = {.connect_timeout = 5,
		.timeout = 10,
		.stall_timeout = 10,
		.max_body = SCRAPE_MAXIMUM}};
	bool six = strchr(load->host, ':') != NULL;
	struct pf_url *parsed = NULL;
	char whole[2048];
	int rc;

	if (url[0] == '/')
		snprintf(whole, sizeof whole, "%s://%s%s%s:%s%s", load->tls ? "https" : "http",
		    six ? "[" : "", load->host, six ? "]" : "", load->port, url);
	else
		snprintf(whole, sizeof whole, "%s", url);
	rc = pf_url_parse(&parsed, whole, err);
	request.url = parsed;
	if (!rc)
		rc = pf_http_get(&request, result, err);
	if (!rc && result->answer.status != 200)
		rc = pf_error_set(
		    err, PF_EIO, "%s: status %ld instead of metrics", whole, result->answer.status);
	pf_url_free(parsed);
	return rc;
}

int
pf_go_scrape(
    struct pf_go_scrape *s, const char *url, const struct pf_load *load, struct pf_error *err)
{
	struct pf_http_result result = {0};
	struct pf_exposition e = {0};
	int rc = fetch(url, load, &result, err);

	s->at = pf_run_now();
	if (!rc)
		rc = pf_exposition_parse(
		    &e, url, result.answer.body.bytes, result.answer.body.size, err);
	if (!rc)
		rc = pf_go_metrics_read(&s->stats, url, &e, err);
	/* The histogram is newer than the summary: client_golang exports it on request. */
	if (!rc && pf_exposition_histogram(
		       &e, "go_sched_pauses_total_gc_seconds", NULL, &s->pauses, NULL)) {
		pf_exposition_histogram_release(&s->pauses);
		s->pauses = (struct pf_exposition_histogram){0};
	}
	s->pause_sum = rc ? NAN : pf_exposition_sum(&e, "go_gc_duration_seconds_sum", NULL);
	s->pause_count = rc ? NAN : pf_exposition_sum(&e, "go_gc_duration_seconds_count", NULL);
	pf_exposition_release(&e);
	pf_http_result_release(&result);
	return rc;
}

void
pf_go_scrape_release(struct pf_go_scrape *s)
{
	pf_exposition_histogram_release(&s->pauses);
	*s = (struct pf_go_scrape){0};
}

int
pf_go_figures_scraped(
    struct pf_go_scrape *from, struct pf_go_scrape *to, struct pf_block *k, struct pf_error *err)
{
	double time = to->at - from->at, count = to->pause_count - from->pause_count,
	       sum = to->pause_sum - from->pause_sum;
	const struct pf_go_stats *a = &from->stats, *b = &to->stats;
	int rc = 0;

	if (count < 0)
		return pf_error_set(err, PF_EINPUT,
		    "the service's GC counters fell while it was measured: did it start anew?");
	if (to->pauses.count && from->pauses.count)
		rc = pf_exposition_histogram_subtract(&to->pauses, &from->pauses, err);
	if (rc)
		return rc;
	if (to->pauses.count)
		k->value[PF_METRIC_GC_PAUSE_P99] =
		    pf_exposition_histogram_quantile(&to->pauses, 0.99);
	if (count > 0)
		k->value[PF_METRIC_GC_PAUSE_MEAN] = sum / count;
	k->value[PF_METRIC_GC_PAUSE_TOTAL] = sum / time;
	k->value[PF_METRIC_GC_CYCLES] = count / time;
	k->value[PF_METRIC_HEAP_LIVE] = isnan(b->live) ? b->heap_alloc : b->live;
	k->value[PF_METRIC_ALLOCATED] = (b->total_alloc - a->total_alloc) / time;
	if (b->total_cpu - a->total_cpu > 0)
		k->value[PF_METRIC_GC_CPU] =
		    (b->gc_cpu - a->gc_cpu) / (b->total_cpu - a->total_cpu);
	return 0;
}
