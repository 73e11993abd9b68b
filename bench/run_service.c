/* run_service.c: a block of a service: start, wait until ready, load, measure, stop. */
#include "bench/run.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "bench/load.h"
#include "bench/load_client.h"
#include "bench/load_probe.h"
#include "bench/tree.h"
#include "core/error.h"

enum { PROBE_EVERY_MS = 20 };

struct service {
	const struct pf_run *run;
	struct pf_subject subject;
	struct pf_tree tree;
	struct pf_load_result result;
	struct pf_usage from, to;
	double cpu_from, cpu_to;
	char where[64];
};

/* It was to run until told to stop; in the background, if its first process left it there and ended well. */
static bool
has_died(const struct pf_subject *s)
{
	return s->gone || (s->ended && !pf_subject_succeeded(s));
}

static int
wait_ready(struct service *v, double *seconds, struct pf_error *err)
{
	const struct pf_bench_options *o = &v->run->bench->options;
	double began = pf_run_now();
	char reason[PF_PROBE_REASON] = "", where[128];

	snprintf(where, sizeof where, "before it was ready, %s", v->where);
	while (!pf_probe_ready(v->run->load, reason)) {
		struct pollfd fds[] = {{.fd = v->subject.notes, .events = POLLIN},
		    {.fd = o->stop_fd, .events = POLLIN}};
		int n = poll(fds, 2, PROBE_EVERY_MS), rc = 0;

		if (n > 0 && fds[1].revents)
			return pf_error_set(err, PF_EINCONCLUSIVE, "interrupted");
		if (n > 0 && fds[0].revents)
			rc = pf_subject_next(&v->subject, err);
		if (!rc && has_died(&v->subject))
			rc = pf_subject_failure(&v->subject, where, err);
		if (!rc && pf_run_now() - began > o->ready_timeout)
			rc = pf_error_set(err, PF_EIO,
			    "%s: \"%.120s\" was not ready within %g s %s: %s at http://%s:%s; "
			    "--ready URL names "
			    "another page, --ready-timeout gives more time",
			    v->subject.name, v->subject.command, o->ready_timeout, v->where, reason,
			    v->run->load->host, v->run->load->port);
		if (rc)
			return rc;
	}
	*seconds = pf_run_now() - began;
	return 0;
}

static int
window_begins(void *context, struct pf_error *err)
{
	struct service *v = context;

	pf_usage_read(&v->from);
	return pf_tree_cpu(&v->tree, v->subject.keeper, &v->cpu_from, err);
}

static int
window_ends(void *context, struct pf_error *err)
{
	struct service *v = context;

	pf_usage_read(&v->to);
	return pf_tree_cpu(&v->tree, v->subject.keeper, &v->cpu_to, err);
}

static int
watched(void *context, struct pf_error *err)
{
	struct service *v = context;
	int rc = pf_subject_next(&v->subject, err);

	return rc || !has_died(&v->subject) ? rc : pf_subject_failure(&v->subject, v->where, err);
}

static double
seconds_at(const struct pf_histogram *h, double q)
{
	return (double)pf_histogram_quantile(h, q) / 1e9;
}

static void
fill_block(const struct service *v, struct pf_block *k)
{
	const struct pf_load_result *r = &v->result;
	uint64_t failed = r->failed_status + r->failed_connection + r->timed_out;

	k->cpu = v->cpu_to - v->cpu_from;
	k->seconds = r->seconds;
	k->foreign = pf_usage_foreign(&v->from, &v->to, k->cpu);
	k->steal = pf_usage_steal(&v->from, &v->to);
	k->client_cpu = v->to.own - v->from.own;
	k->requests = r->requests;
	k->completed = r->completed;
	k->failed_status = r->failed_status;
	k->failed_connection = r->failed_connection;
	k->timed_out = r->timed_out;
	k->repeated = r->repeated;
	k->lag_p50 = seconds_at(&r->lag, 0.5);
	k->lag_p99 = seconds_at(&r->lag, 0.99);
	k->lag_most = (double)r->lag.most / 1e9;
	k->service_p50 = seconds_at(&r->service, 0.5);
	k->service_p99 = seconds_at(&r->service, 0.99);
	k->value[PF_METRIC_CPU_PER_REQUEST] = r->completed ? k->cpu / (double)r->completed : 0;
	k->value[PF_METRIC_P50] = seconds_at(&r->latency, 0.5);
	k->value[PF_METRIC_P90] = seconds_at(&r->latency, 0.9);
	k->value[PF_METRIC_P99] = seconds_at(&r->latency, 0.99);
	k->value[PF_METRIC_P999] = seconds_at(&r->latency, 0.999);
	k->value[PF_METRIC_THROUGHPUT] = r->seconds > 0 ? (double)r->completed / r->seconds : 0;
	k->value[PF_METRIC_ERRORS] = r->requests ? (double)failed / (double)r->requests : 0;
	k->value[PF_METRIC_RSS_PEAK] = (double)pf_tree_peak(&v->tree);
}

/* From the first probe to the end of the load; the subject runs. */
static int
measure(struct service *v, size_t pair, struct pf_block *block, struct pf_error *err)
{
	struct pf_load_hooks hooks = {.context = v,
	    .window_begins = window_begins,
	    .window_ends = window_ends,
	    .watched = watched,
	    .watch_fd = v->subject.notes,
	    .stop_fd = v->run->bench->options.stop_fd};
	int rc = wait_ready(v, &block->ready, err);

	if (!rc)
		rc = pf_tree_list(&v->tree, v->subject.keeper, err);
	if (rc)
		return rc;
	pf_tree_reset_peak(&v->tree);
	if (v->run->bench->pinned)
		sched_setaffinity(0, sizeof v->run->client_cpus, &v->run->client_cpus);
	rc = pf_load_run(v->run->load, pair, &hooks, &v->result, err);
	if (v->run->bench->pinned)
		sched_setaffinity(0, sizeof v->run->own_cpus, &v->run->own_cpus);
	if (!rc && v->result.completed == 0)
		rc = pf_error_set(err, PF_EIO,
		    "%s: none of %llu requests was answered well %s (%llu timed out, %llu broken, "
		    "%llu with "
		    "status 400 or above); is the --load URL right?",
		    v->subject.name, (unsigned long long)v->result.requests, v->where,
		    (unsigned long long)v->result.timed_out,
		    (unsigned long long)v->result.failed_connection,
		    (unsigned long long)v->result.failed_status);
	if (!rc)
		fill_block(v, block);
	return rc;
}

int
pf_run_service(
    const struct pf_run *run, int side, size_t pair, struct pf_block *block, struct pf_error *err)
{
	struct service v = {.run = run, .where = "in warm-up"};
	char output[4096];
	struct pf_subject_spec spec = pf_run_spec(run, side, pair, output, sizeof output);
	int rc;

	*block = (struct pf_block){.start = pf_run_now() - run->started};
	if (pair)
		snprintf(v.where, sizeof v.where, "in pair %zu", pair);
	if (pf_probe_port_taken(run->load))
		return pf_error_set(err, PF_EIO,
		    "%s:%s is already in use %s, before %s was started: stop what listens there, "
		    "or "
		    "use another port",
		    run->load->host, run->load->port, v.where, spec.name);
	spec.service = true;
	if (run->bench->pinned)
		spec.cpus = &run->server_cpus;
	rc = pf_load_result_init(&v.result, err);
	if (!rc)
		rc = pf_subject_start(&v.subject, &spec, err);
	if (!rc) {
		rc = measure(&v, pair, block, err);
		pf_subject_stop(&v.subject);
	}
	pf_tree_release(&v.tree);
	pf_load_result_release(&v.result);
	return rc;
}
