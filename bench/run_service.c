/* run_service.c: a block of a service: start (unless it runs), wait until ready, load, measure, stop. */
#include "bench/run.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/allocator_figures.h"
#include "bench/go_figures.h"
#include "bench/listener.h"
#include "bench/load.h"
#include "bench/load_client.h"
#include "bench/load_probe.h"
#include "bench/tree.h"
#include "core/error.h"
#include "stats/histogram_code.h"

enum { PROBE_EVERY_MS = 20, LATENCY_TEXT_MAXIMUM = 16 << 20 };

/* What is read at both edges of the measured window. */
struct edge {
	struct pf_usage machine;
	struct pf_tree_usage used;
	double counters[PF_COUNTERS];
	size_t errors; /* bytes on its standard error */
	struct pf_go_scrape go;
};

struct service {
	const struct pf_run *run;
	struct pf_load *load;
	struct pf_subject subject; /* of one that runs already: only its name */
	struct pf_tree tree;
	pid_t root; /* of the tree; 0: not on this machine */
	struct pf_load_result result;
	struct edge from, to;
	double resident; /* sum of the samples */
	double most_resident;
	size_t samples;
	size_t sockets; /* open before the load began */
	char where[64];
};

/* It was to run until told to stop; in the background, if its first process left it there and ended well. */
static bool
has_died(const struct pf_subject *s)
{
	return s->gone || (s->ended && !pf_subject_succeeded(s));
}

/* Waits up to `ms` for a word from the keeper or the wish to stop. */
static int
watch_for(struct service *v, int ms, const char *where, struct pf_error *err)
{
	struct pollfd fds[] = {{.fd = v->subject.notes, .events = POLLIN},
	    {.fd = v->run->bench->options.stop_fd, .events = POLLIN}};
	int n = poll(fds, 2, ms), rc = 0;

	if (n > 0 && fds[1].revents)
		return pf_error_set(err, PF_EINCONCLUSIVE, "interrupted");
	if (n > 0 && fds[0].revents)
		rc = pf_subject_next(&v->subject, err);
	if (!rc && !v->run->bench->running && has_died(&v->subject))
		rc = pf_subject_failure(&v->subject, where, err);
	return rc;
}

static int
wait_ready(struct service *v, double *seconds, struct pf_error *err)
{
	const struct pf_bench_options *o = &v->run->bench->options;
	double began = pf_run_now();
	char reason[PF_PROBE_REASON] = "", where[128];

	snprintf(where, sizeof where, "before it was ready, %s", v->where);
	while (!pf_probe_ready(v->load, reason)) {
		int rc = watch_for(v, PROBE_EVERY_MS, where, err);

		if (!rc && pf_run_now() - began > o->ready_timeout)
			rc = pf_error_set(err, PF_EIO,
			    "%s: \"%.120s\" was not ready within %g s %s: %s at %s://%s:%s; "
			    "--ready URL names "
			    "another page, --ready-timeout gives more time",
			    v->subject.name, v->subject.command, o->ready_timeout, v->where, reason,
			    v->load->tls ? "https" : "http", v->load->host, v->load->port);
		if (rc)
			return rc;
	}
	*seconds = pf_run_now() - began;
	return 0;
}

static size_t
written_to(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? (size_t)st.st_size : 0;
}

static int
read_edge(struct service *v, struct edge *edge, struct pf_error *err)
{
	int rc = 0;

	pf_usage_read(&edge->machine);
	if (v->root)
		rc = pf_tree_usage(&v->tree, v->root, &edge->used, err);
	if (!rc && v->subject.keeper)
		rc = pf_subject_count(&v->subject, err);
	memcpy(edge->counters, v->subject.counts, sizeof edge->counters);
	edge->errors = written_to(v->subject.errors);
	return rc;
}

static int
window_begins(void *context, struct pf_error *err)
{
	struct service *v = context;

	return read_edge(v, &v->from, err);
}

static int
window_ends(void *context, struct pf_error *err)
{
	struct service *v = context;

	return read_edge(v, &v->to, err);
}

static int
watched(void *context, struct pf_error *err)
{
	struct service *v = context;

	return watch_for(v, 0, v->where, err);
}

static void
sampled(void *context)
{
	struct service *v = context;
	double now;

	if (!v->root)
		return;
	now = (double)pf_tree_resident(&v->tree);
	v->resident += now;
	v->most_resident = fmax(v->most_resident, now);
	v->samples++;
}

static double
seconds_at(const struct pf_histogram *h, double q)
{
	return (double)pf_histogram_quantile(h, q) / 1e9;
}

/* What the client saw. */
static int
fill_load(const struct service *v, struct pf_block *k, struct pf_error *err)
{
	const struct pf_load_result *r = &v->result;
	uint64_t failed = r->failed_status + r->failed_connection + r->timed_out;
	struct pf_buffer text;
	int rc;

	k->seconds = r->seconds;
	k->foreign = pf_usage_foreign(&v->from.machine, &v->to.machine, k->cpu);
	k->steal = pf_usage_steal(&v->from.machine, &v->to.machine);
	k->pressure = pf_usage_pressure(&v->from.machine, &v->to.machine);
	k->client_cpu = v->to.machine.own - v->from.machine.own;
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
	k->latency_most = (double)r->latency.most / 1e9;
	k->value[PF_METRIC_P50] = seconds_at(&r->latency, 0.5);
	k->value[PF_METRIC_P90] = seconds_at(&r->latency, 0.9);
	k->value[PF_METRIC_P99] = seconds_at(&r->latency, 0.99);
	k->value[PF_METRIC_P999] = seconds_at(&r->latency, 0.999);
	k->value[PF_METRIC_THROUGHPUT] = r->seconds > 0 ? (double)r->completed / r->seconds : 0;
	k->value[PF_METRIC_ERRORS] = r->requests ? (double)failed / (double)r->requests : 0;
	pf_buffer_init(&text, LATENCY_TEXT_MAXIMUM);
	pf_histogram_encode(&r->latency, &text);
	pf_buffer_byte(&text, 0);
	rc = pf_buffer_check(&text, err);
	k->latency = (char *)text.bytes;
	return rc;
}

/* What the kernel says that the service used; counts are per good answer. */
static void
fill_used(const struct service *v, struct pf_block *k)
{
	const struct pf_tree_usage *from = &v->from.used, *to = &v->to.used;
	double each = v->result.completed ? 1 / (double)v->result.completed : 0;

	if (!v->root)
		return;
	k->cpu = to->cpu - from->cpu;
	k->value[PF_METRIC_CPU_PER_REQUEST] = k->cpu * each;
	k->value[PF_METRIC_RSS_PEAK] = (double)pf_tree_peak(&v->tree);
	k->value[PF_METRIC_PSS] = (double)pf_tree_proportional(&v->tree);
	if (v->samples)
		k->value[PF_METRIC_RSS] = v->resident / (double)v->samples;
	/* The kernel notes the peak late, and by thread: what was seen beside it may be more. */
	k->value[PF_METRIC_RSS_PEAK] = fmax(k->value[PF_METRIC_RSS_PEAK], v->most_resident);
	/* A thread that ended took its count with it: what is left may be less than before. */
	k->value[PF_METRIC_FAULTS] = fmax(0, to->faults - from->faults) * each;
	k->value[PF_METRIC_MAJOR_FAULTS] = fmax(0, to->major_faults - from->major_faults) * each;
	k->value[PF_METRIC_SWITCHES] = fmax(0, to->switches - from->switches) * each;
	k->value[PF_METRIC_PREEMPTIONS] = fmax(0, to->preemptions - from->preemptions) * each;
	for (int i = 0; i < PF_COUNTERS; i++)
		k->value[PF_METRIC_INSTRUCTIONS + i] =
		    v->subject.counted ? (v->to.counters[i] - v->from.counters[i]) * each : NAN;
	for (enum pf_metric m = PF_METRIC_RSS_PEAK; m <= PF_METRIC_PSS; m++)
		k->value[m] = k->value[m] > 0 ? k->value[m] : NAN; /* /proc didn't tell */
}

/* Left alone for a while, what does it keep? */
static int
measure_idle(struct service *v, struct pf_block *k, struct pf_error *err)
{
	double end = pf_run_now() + v->run->bench->options.idle, left;
	int rc = 0;

	while (!rc && (left = end - pf_run_now()) > 0)
		rc = watch_for(v, (int)(left * 1000) + 1, v->where, err);
	if (!rc && v->root)
		rc = pf_tree_list(&v->tree, v->root, err);
	if (!rc && v->root && v->tree.count) {
		size_t now = pf_tree_sockets(&v->tree);
		k->value[PF_METRIC_RSS_IDLE] = (double)pf_tree_resident(&v->tree);
		/* The client has closed all of its connections by now. */
		if (v->run->bench->options.idle > 0 && now > v->sockets)
			k->left_open = now - v->sockets;
	}
	return rc;
}

static int
run_load(struct service *v, size_t round, struct pf_error *err)
{
	const struct pf_run *run = v->run;
	struct pf_load_hooks hooks = {.context = v,
	    .window_begins = window_begins,
	    .window_ends = window_ends,
	    .watched = watched,
	    .sampled = sampled,
	    .watch_fd = v->subject.notes,
	    .stop_fd = run->bench->options.stop_fd};
	int rc;

	pf_tree_reset_peak(&v->tree);
	if (run->bench->pinned)
		sched_setaffinity(0, sizeof run->client_cpus, &run->client_cpus);
	rc = pf_load_run(v->load, round, &hooks, &v->result, err);
	if (run->bench->pinned)
		sched_setaffinity(0, sizeof run->own_cpus, &run->own_cpus);
	if (!rc && v->result.completed == 0)
		rc = pf_error_set(err, PF_EIO,
		    "%s: none of %llu requests was answered well %s (%llu timed out, %llu broken, "
		    "%llu with "
		    "status 400 or above); is the --load URL right?",
		    v->subject.name, (unsigned long long)v->result.requests, v->where,
		    (unsigned long long)v->result.timed_out,
		    (unsigned long long)v->result.failed_connection,
		    (unsigned long long)v->result.failed_status);
	return rc;
}

/* From the first probe to the end; the subject runs. */
static int
measure(struct service *v, size_t round, struct pf_block *block, struct pf_error *err)
{
	const struct pf_bench_options *o = &v->run->bench->options;
	int rc = wait_ready(v, &block->ready, err);

	if (!rc && v->root)
		rc = pf_tree_list(&v->tree, v->root, err);
	v->sockets = pf_tree_sockets(&v->tree);
	if (!rc && o->metrics_url)
		rc = pf_go_scrape(&v->from.go, o->metrics_url, v->load, err);
	if (!rc)
		rc = run_load(v, round, err);
	if (rc)
		return rc;
	fill_used(v, block);
	rc = fill_load(v, block, err);
	if (!rc && o->metrics_url)
		rc = pf_go_scrape(&v->to.go, o->metrics_url, v->load, err);
	if (!rc && o->metrics_url)
		rc = pf_go_figures_scraped(&v->from.go, &v->to.go, block, err);
	if (!rc && o->go_trace) {
		struct pf_go_window window = {v->subject.errors, v->from.errors, v->to.errors};
		rc = pf_go_figures_traced(&window, block, err);
	}
	return rc ? rc : measure_idle(v, block, err);
}

/* One that runs already: found by its port, if it is on this machine. */
static void
adopt(struct service *v, size_t variant)
{
	const struct pf_bench *b = v->run->bench;
	int pid = b->pids[variant];

	v->subject = (struct pf_subject){.name = b->variants[variant].name,
	    .command = b->variants[variant].origin,
	    .notes = -1,
	    .errors = -1};
	v->root = pid ? pid : pf_listener_find(v->load->address);
	v->tree.with_root = true;
}

static int
start(struct service *v, size_t variant, size_t round, struct pf_error *err)
{
	char output[4096];
	struct pf_subject_spec spec = pf_run_spec(v->run, variant, round, output, sizeof output);
	int rc;

	if (pf_probe_port_taken(v->load))
		return pf_error_set(err, PF_EIO,
		    "%s:%s is already in use %s, before %s was started: stop what listens there, "
		    "or "
		    "use another port",
		    v->load->host, v->load->port, v->where, spec.name);
	spec.service = true;
	if (v->run->bench->pinned)
		spec.cpus = &v->run->server_cpus;
	rc = pf_subject_start(&v->subject, &spec, err);
	v->root = v->subject.keeper;
	return rc;
}

int
pf_run_service(const struct pf_run *run, size_t variant, size_t round, struct pf_block *block,
    struct pf_error *err)
{
	struct service v = {.run = run, .load = run->load[variant]};
	int rc = 0, last_words;

	pf_run_where(run, round, v.where, sizeof v.where);
	if (run->bench->running)
		adopt(&v, variant);
	else
		rc = start(&v, variant, round, err);
	if (rc)
		return rc;
	rc = pf_load_result_init(&v.result, err);
	if (!rc)
		rc = measure(&v, round, block, err);
	last_words = rc || v.subject.errors < 0 ? -1 : dup(v.subject.errors);
	pf_subject_stop(&v.subject);
	/* An allocator speaks when the program ends. */
	if (last_words >= 0) {
		rc = pf_allocator_figures(last_words, block, err);
		close(last_words);
	}
	pf_go_scrape_release(&v.from.go);
	pf_go_scrape_release(&v.to.go);
	pf_tree_release(&v.tree);
	pf_load_result_release(&v.result);
	return rc;
}
