/* status.c: how the collector is doing, as JSON: profuse collect status shows it. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "fleet.h"
#include "net/text.h"
#include "net/transfer.h"

enum { MOST_ERRORS = 20 };

static json_t *
integer(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* What services say may be no UTF-8. */
static json_t *
text(const char *string)
{
	char safe[1024];
	json_t *value = json_string(string ? string : "");

	return value ? value
		     : json_string(pf_text_excerpt(safe, sizeof safe, string, strlen(string)));
}

static json_t *
counts(const struct pf_counts *c)
{
	json_t *o = json_object(), *failed = json_object();

	for (int i = 1; i < PF_OUTCOMES; i++) {
		if (c->outcomes[i])
			json_object_set_new(
			    failed, pf_outcome_name((enum pf_outcome)i), integer(c->outcomes[i]));
	}
	json_object_set_new(o, "attempts", integer(c->attempts));
	json_object_set_new(o, "stored", integer(c->stored));
	json_object_set_new(o, "known", integer(c->known));
	json_object_set_new(o, "bytes", integer(c->bytes));
	json_object_set_new(o, "failed", failed);
	json_object_set_new(o, "skipped",
	    json_pack("{s:I, s:I, s:I, s:I, s:I}", "budget", (json_int_t)c->skipped_budget,
		"backoff", (json_int_t)c->skipped_backoff, "breaker",
		(json_int_t)c->skipped_breaker, "store", (json_int_t)c->skipped_store, "busy",
		(json_int_t)c->skipped_busy));
	return o;
}

static json_t *
jobs(struct pf_fleet *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->setup->config->job_count; i++) {
		const struct pf_job *j = &f->setup->jobs[i];
		json_t *errors = json_array();
		for (size_t k = 0; k < j->provider_count; k++) {
			for (size_t s = 0; s < j->providers[k].count; s++) {
				if (j->providers[k].sources[s].error)
					json_array_append_new(
					    errors, text(j->providers[k].sources[s].error));
			}
		}
		json_array_append_new(
		    list, json_pack("{s:o, s:I, s:I, s:I, s:f, s:f, s:o}", "job",
			      text(j->config->name), "targets", (json_int_t)j->target_count,
			      "dropped", (json_int_t)j->dropped, "round", (json_int_t)j->round,
			      "interval_seconds", j->config->interval, "next_round_seconds",
			      j->round_timer.place ? j->round_timer.due - pf_net_now() : 0.0,
			      "discovery_errors", errors));
	}
	return list;
}

static double
share(double spent, double seconds)
{
	return seconds > 0 ? spent / seconds : 0;
}

static json_t *
services(struct pf_fleet *f)
{
	static const char *const states[] = {"closed", "open", "probing"};
	json_t *list = json_array();
	double up = pf_net_now() - f->started;

	for (size_t i = 0; i < f->service_count; i++) {
		const struct pf_service *s = f->services[i];
		json_t *o = counts(&s->counts);
		json_object_set_new(o, "service", text(s->name));
		json_object_set_new(o, "targets", integer(s->targets));
		json_object_set_new(o, "breaker", json_string(states[s->breaker.state]));
		json_object_set_new(
		    o, "overhead", json_real(share(s->account.spent, up * (double)s->targets)));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *
errors(struct pf_fleet *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->setup->config->job_count; i++) {
		const struct pf_job *j = &f->setup->jobs[i];
		for (size_t k = 0; k < j->target_count && json_array_size(list) < MOST_ERRORS;
		    k++) {
			const struct pf_target *t = j->targets[k];
			if (t->outcome == PF_OUTCOME_OK)
				continue;
			json_array_append_new(
			    list, json_pack("{s:o, s:o, s:s, s:o, s:I}", "service",
				      text(t->service->name), "instance",
				      text(pf_frozen_get(t->labels, "instance")), "reason",
				      pf_outcome_name(t->outcome), "error", text(t->error),
				      "failures", (json_int_t)t->failures));
		}
	}
	return list;
}

static json_t *
triggers(struct pf_fleet *f)
{
	json_t *list = json_array();
	double now = pf_net_now();

	for (size_t i = 0; i < f->triggers.count; i++) {
		const struct pf_trigger *t = &f->triggers.items[i];
		bool cooling = t->fired_at > 0 && now - t->fired_at < t->config->cooldown;
		json_array_append_new(
		    list, json_pack("{s:o, s:I, s:I, s:s, s:o, s:o}", "trigger",
			      text(t->config->name), "fired", (json_int_t)t->fired, "suppressed",
			      (json_int_t)t->suppressed, "state",
			      t->error  ? "failing"
			      : cooling ? "cooling"
					: "watching",
			      "last", text(t->last), "error", text(t->error)));
	}
	return list;
}

static json_t *
store(struct pf_fleet *f)
{
	struct pf_keeper_state s;

	pf_keeper_state(f->keeper, &s);
	return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:b, s:o}", "path", text(f->store_path),
	    "profiles", (json_int_t)s.profiles, "bytes", (json_int_t)s.bytes, "queued",
	    (json_int_t)s.queued, "queued_bytes", (json_int_t)s.queued_bytes, "pruned",
	    (json_int_t)s.pruned, "failing", s.failing, "failure", text(s.failure));
}

static json_t *
budget(struct pf_fleet *f)
{
	const struct pf_budget_config *b = &f->setup->config->budget;

	return json_pack("{s:f, s:f, s:f, s:f}", "fleet_overhead",
	    share(f->account.spent, f->elapsed_targets), "fleet_limit", b->fleet, "service_limit",
	    b->service, "target_limit", b->target);
}

static json_t *
target(const struct pf_target *t)
{
	json_t *labels = json_object();
	double now = pf_net_now();

	for (size_t i = 0; i < t->labels->count; i++)
		json_object_set_new(
		    labels, t->labels->labels[i].name, text(t->labels->labels[i].value));
	return json_pack("{s:o, s:o, s:o, s:o, s:I, s:s, s:o, s:f, s:f}", "job",
	    text(t->job->config->name), "service", text(t->service->name), "address", text(t->base),
	    "labels", labels, "stored", (json_int_t)t->stored, "last", pf_outcome_name(t->outcome),
	    "error", text(t->error), "since_stored_seconds",
	    t->last_stored > 0 ? now - t->last_stored : -1.0, "backing_off_seconds",
	    t->not_before > now ? t->not_before - now : 0.0);
}

int
pf_fleet_targets(struct pf_fleet *f, struct pf_buffer *out, struct pf_error *err)
{
	json_t *list = json_array(), *root;
	char *dumped;

	for (size_t i = 0; i < f->setup->config->job_count; i++) {
		const struct pf_job *j = &f->setup->jobs[i];
		for (size_t k = 0; k < j->target_count; k++)
			json_array_append_new(list, target(j->targets[k]));
	}
	root = json_pack(
	    "{s:s, s:s, s:o}", "schema", "profuse.collect.v1", "verb", "targets", "targets", list);
	dumped = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
	json_decref(root);
	if (!dumped)
		return pf_error_nomem(err);
	pf_buffer_printf(out, "%s\n", dumped);
	free(dumped);
	return 0;
}

int
pf_fleet_status(struct pf_fleet *f, struct pf_buffer *out, struct pf_error *err)
{
	struct pf_buffer why = {.maximum = 1024};
	bool healthy = pf_fleet_healthy(f, &why);
	char *dumped;
	json_t *root = json_pack("{s:s, s:s, s:s, s:f, s:b, s:o}", "schema", "profuse.collect.v1",
	    "verb", "status", "version", pf_version(), "uptime_seconds", pf_net_now() - f->started,
	    "healthy", healthy, "config", text(f->config_path));

	json_object_set_new(root, "config_ok", json_boolean(!f->reload_failed));
	json_object_set_new(root, "targets", integer(f->target_count));
	json_object_set_new(root, "in_flight", integer(f->in_flight));
	json_object_set_new(root, "in_flight_limit", integer(f->most_in_flight));
	json_object_set_new(root, "planned_visits", integer(f->visit_count));
	json_object_set_new(root, "schedule_lag_p99_seconds",
	    json_real((double)pf_histogram_quantile(&f->lag, 0.99) * 1e-6));
	json_object_set_new(root, "counts", counts(&f->counts));
	json_object_set_new(root, "budget", budget(f));
	json_object_set_new(root, "store", store(f));
	json_object_set_new(root, "jobs", jobs(f));
	json_object_set_new(root, "services", services(f));
	json_object_set_new(root, "triggers", triggers(f));
	json_object_set_new(root, "errors", errors(f));
	dumped = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
	json_decref(root);
	pf_buffer_release(&why);
	if (!dumped)
		return pf_error_nomem(err);
	pf_buffer_printf(out, "%s\n", dumped);
	free(dumped);
	return 0;
}

bool
pf_fleet_healthy(struct pf_fleet *f, struct pf_buffer *out)
{
	struct pf_keeper_state s;

	pf_keeper_state(f->keeper, &s);
	if (s.failing)
		pf_buffer_printf(out, "the store can't be written: %s\n", s.failure);
	else
		pf_buffer_string(out, "ok\n");
	return !s.failing;
}
