/* metrics.c: the collector's own figures in Prometheus' text format. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fleet.h"
#include "net/transfer.h"
#include "runtime/proc.h"

static void
head(struct pf_buffer *b, const char *name, const char *type, const char *help)
{
	pf_buffer_printf(b, "# HELP profuse_collect_%s %s\n# TYPE profuse_collect_%s %s\n", name,
	    help, name, type);
}

static void
one(struct pf_buffer *b, const char *name, const char *type, const char *help, double value)
{
	head(b, name, type, help);
	pf_buffer_printf(b, "profuse_collect_%s %.17g\n", name, value);
}

/* A label's value: backslash, quote and line break escaped. */
static void
label(struct pf_buffer *b, const char *name, const char *value)
{
	pf_buffer_printf(b, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			pf_buffer_byte(b, '\\');
		if (*value == '\n')
			pf_buffer_string(b, "\\n");
		else
			pf_buffer_byte(b, (uint8_t)*value);
	}
	pf_buffer_byte(b, '"');
}

static void
by_service(struct pf_fleet *f, struct pf_buffer *b, const char *name, const char *type,
    const char *help, double (*value)(const struct pf_service *s))
{
	head(b, name, type, help);
	for (size_t i = 0; i < f->service_count; i++) {
		pf_buffer_printf(b, "profuse_collect_%s{", name);
		label(b, "service", f->services[i]->name);
		pf_buffer_printf(b, "} %.17g\n", value(f->services[i]));
	}
}

static double
targets(const struct pf_service *s)
{
	return (double)s->targets;
}

static double
stored(const struct pf_service *s)
{
	return (double)s->counts.stored;
}

static double
failed(const struct pf_service *s)
{
	uint64_t sum = 0;

	for (int i = 1; i < PF_OUTCOMES; i++)
		sum += s->counts.outcomes[i];
	return (double)sum;
}

static double
is_open(const struct pf_service *s)
{
	return s->breaker.state != PF_BREAKER_CLOSED;
}

static double
spent(const struct pf_service *s)
{
	return s->account.spent;
}

static void
outcomes(struct pf_fleet *f, struct pf_buffer *b)
{
	head(b, "attempts_total", "counter", "Profiles asked for, by what came of it.");
	for (int i = 0; i < PF_OUTCOMES; i++)
		pf_buffer_printf(b, "profuse_collect_attempts_total{outcome=\"%s\"} %" PRIu64 "\n",
		    pf_outcome_name((enum pf_outcome)i), f->counts.outcomes[i]);
	head(b, "skipped_total", "counter", "Visits and profiles left out, by the reason.");
	pf_buffer_printf(b,
	    "profuse_collect_skipped_total{reason=\"budget\"} %" PRIu64
	    "\nprofuse_collect_skipped_total{reason=\"backoff\"} %" PRIu64
	    "\nprofuse_collect_skipped_total{reason=\"breaker\"} %" PRIu64
	    "\nprofuse_collect_skipped_total{reason=\"store\"} %" PRIu64
	    "\nprofuse_collect_skipped_total{reason=\"busy\"} %" PRIu64 "\n",
	    f->counts.skipped_budget, f->counts.skipped_backoff, f->counts.skipped_breaker,
	    f->counts.skipped_store, f->counts.skipped_busy);
}

static void
lag(struct pf_fleet *f, struct pf_buffer *b)
{
	static const double quantiles[] = {0.5, 0.9, 0.99, 1};

	head(b, "schedule_lag_seconds", "summary",
	    "How late visits began, compared with their plan.");
	for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
		pf_buffer_printf(b, "profuse_collect_schedule_lag_seconds{quantile=\"%g\"} %.6f\n",
		    quantiles[i], (double)pf_histogram_quantile(&f->lag, quantiles[i]) * 1e-6);
	pf_buffer_printf(b,
	    "profuse_collect_schedule_lag_seconds_sum %.6f\n"
	    "profuse_collect_schedule_lag_seconds_count %" PRIu64 "\n",
	    pf_histogram_mean(&f->lag) * (double)f->lag.total * 1e-6, f->lag.total);
}

static void
triggers(struct pf_fleet *f, struct pf_buffer *b)
{
	head(b, "trigger_fired_total", "counter", "Instances that a trigger fired for.");
	for (size_t i = 0; i < f->triggers.count; i++) {
		pf_buffer_string(b, "profuse_collect_trigger_fired_total{");
		label(b, "trigger", f->triggers.items[i].config->name);
		pf_buffer_printf(b, "} %" PRIu64 "\n", f->triggers.items[i].fired);
	}
}

static void
store(struct pf_fleet *f, struct pf_buffer *b)
{
	struct pf_keeper_state s;

	pf_keeper_state(f->keeper, &s);
	one(b, "store_profiles", "gauge", "Profiles in the store.", (double)s.profiles);
	one(b, "store_bytes", "gauge", "Bytes of all profiles in the store.", (double)s.bytes);
	one(b, "store_commits_total", "counter", "Syncs of the journal.", (double)s.commits);
	one(b, "store_commit_seconds_total", "counter", "Time spent in them.", s.commit_seconds);
	one(b, "store_seals_total", "counter", "Journals sealed into segments.", (double)s.seals);
	one(b, "store_pruned_total", "counter", "Profiles that retention removed.",
	    (double)s.pruned);
	one(b, "store_failing", "gauge", "1 while the store can't be written.", s.failing);
	one(b, "queue_profiles", "gauge", "Answers that wait for the store.", (double)s.queued);
	one(b, "queue_bytes", "gauge", "Bytes of them.", (double)s.queued_bytes);
}

static void
process(struct pf_buffer *b)
{
	struct rusage usage;
	struct pf_proc proc;

	getrusage(RUSAGE_SELF, &usage);
	pf_buffer_printf(b,
	    "# HELP process_cpu_seconds_total CPU time of the collector.\n"
	    "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total %.6f\n",
	    (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec * 1e-6 +
		(double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec * 1e-6);
	pf_proc_init(&proc);
	if (pf_proc_read(&proc, getpid(), NULL) == 0)
		pf_buffer_printf(b,
		    "# HELP process_resident_memory_bytes Memory of the collector.\n"
		    "# TYPE process_resident_memory_bytes gauge\n"
		    "process_resident_memory_bytes %.0f\n",
		    proc.rss);
}

/* The share of the fleet's CPU that profiling has cost, as it is assumed. */
static double
overhead(const struct pf_fleet *f)
{
	double elapsed =
	    f->elapsed_targets + (pf_net_now() - f->last_second) * (double)f->target_count;

	return elapsed > 0 ? f->account.spent / elapsed : 0;
}

void
pf_fleet_metrics(struct pf_fleet *f, struct pf_buffer *b)
{
	head(b, "build_info", "gauge", "1, with the version.");
	pf_buffer_printf(b, "profuse_collect_build_info{version=\"%s\"} 1\n", pf_version());
	one(b, "uptime_seconds", "gauge", "Since the start.", pf_net_now() - f->started);
	one(b, "targets", "gauge", "Targets there are.", (double)f->target_count);
	one(b, "in_flight", "gauge", "Requests under way.", (double)f->in_flight);
	one(b, "in_flight_limit", "gauge", "How many there may be.", (double)f->most_in_flight);
	one(b, "visits", "gauge", "Visits planned or under way.", (double)f->visit_count);
	one(b, "profiles_stored_total", "counter", "Profiles stored durably.",
	    (double)f->counts.stored);
	one(b, "profiles_known_total", "counter", "Profiles that were in the store already.",
	    (double)f->counts.known);
	one(b, "profile_bytes_total", "counter", "Bytes of profiles taken.",
	    (double)f->counts.bytes);
	one(b, "profiled_seconds_total", "counter", "Windows measured, in all.",
	    f->counts.profiled_seconds);
	one(b, "retries_total", "counter", "Busy targets asked again.", (double)f->counts.retried);
	outcomes(f, b);
	one(b, "overhead_seconds_total", "counter",
	    "CPU time of targets that profiling has cost, as assumed.", f->account.spent);
	one(b, "overhead_ratio", "gauge", "That as a share of all targets' time since the start.",
	    overhead(f));
	one(b, "overhead_limit_ratio", "gauge", "The fleet's ceiling.",
	    f->setup->config->budget.fleet);
	by_service(f, b, "service_targets", "gauge", "Targets of a service.", targets);
	by_service(f, b, "service_stored_total", "counter", "Profiles of a service.", stored);
	by_service(f, b, "service_failed_total", "counter", "Its failed attempts.", failed);
	by_service(f, b, "service_breaker_open", "gauge",
	    "1 while a service is left alone because it failed.", is_open);
	by_service(f, b, "service_overhead_seconds_total", "counter",
	    "CPU time of a service that profiling has cost, as assumed.", spent);
	triggers(f, b);
	lag(f, b);
	store(f, b);
	one(b, "config_reloads_total", "counter", "Attempts to take over a configuration.",
	    (double)f->reloads);
	one(b, "config_last_reload_successful", "gauge", "0 after a bad configuration.",
	    !f->reload_failed);
	process(b);
}
