/*
 * outcome.c: what came of an attempt: counted, told, and drawn conclusions from;
 * and the way of an answer to the keeper and back.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/error.h"
#include "core/memory.h"
#include "fleet.h"
#include "net/transfer.h"
#include "store/entry.h"

#define PF_FIRST_BACKOFF 30.0
#define PF_LAST_BACKOFF 900.0

/* Failures come by the thousand when a network does: the log gets some of them. */
static bool
may_log(struct pf_fleet *f)
{
	if (f->log_tokens) {
		f->log_tokens--;
		return true;
	}
	f->log_suppressed++;
	return false;
}

static void
remember_error(struct pf_target *t, enum pf_outcome outcome, const char *message)
{
	t->outcome = outcome;
	free(t->error);
	t->error = NULL;
	if (message)
		pf_copy_string(&t->error, message, NULL);
}

static void
back_off(struct pf_target *t, double now)
{
	double delay = PF_FIRST_BACKOFF * pow(2, t->failures < 6 ? t->failures : 6);
	double spread = pf_mix_unit(t->key, t->failures);

	delay = delay < PF_LAST_BACKOFF ? delay : PF_LAST_BACKOFF;
	t->failures++;
	t->not_before = now + delay * (0.8 + 0.4 * spread);
}

/* Whether this outcome says that the service is not well; a missing or busy profile doesn't. */
static bool
is_failure(enum pf_outcome outcome)
{
	return outcome != PF_OUTCOME_OK && outcome != PF_OUTCOME_ABSENT &&
	       outcome != PF_OUTCOME_BUSY && outcome != PF_OUTCOME_STORE &&
	       outcome != PF_OUTCOME_MEMORY;
}

static void
note_breaker(struct pf_fleet *f, struct pf_target *t, bool failed)
{
	const struct pf_breaker_config *c = &f->setup->config->breaker;
	struct pf_breaker_rule rule = {c->failure_share, c->pause, (unsigned)c->least};
	double now = pf_net_now();

	if (pf_breaker_note(&t->service->breaker, &rule, now, failed))
		pf_log(&f->log, PF_LOG_WARN, "service fails too often and is left alone",
		    {"service", t->service->name}, {"error", t->error},
		    {"seconds", .number = t->service->breaker.until - now, .numeric = true});
}

void
pf_target_note(struct pf_fleet *f, struct pf_target *t, const char *type, enum pf_outcome outcome,
    const char *message)
{
	bool changed = t->outcome != outcome, failed = is_failure(outcome);

	f->counts.outcomes[outcome]++;
	t->service->counts.outcomes[outcome]++;
	if (outcome == PF_OUTCOME_ABSENT) { /* it will be absent in every round */
		changed = !t->absent_told;
		t->absent_told = true;
	}
	remember_error(t, outcome, message);
	if (outcome != PF_OUTCOME_OK && changed && may_log(f))
		pf_log(&f->log, failed ? PF_LOG_WARN : PF_LOG_INFO, "no profile",
		    {"service", t->service->name},
		    {"instance", pf_frozen_get(t->labels, "instance")}, {"type", type},
		    {"reason", pf_outcome_name(outcome)}, {"error", message});
	if (failed)
		back_off(t, pf_net_now());
	else if (outcome == PF_OUTCOME_OK)
		t->failures = t->cuts = 0;
	if (failed || outcome == PF_OUTCOME_OK)
		note_breaker(f, t, failed);
}

void
pf_target_note_scrape(struct pf_fleet *f, struct pf_target *t, const char *error)
{
	if (error && !t->scrape_failed && may_log(f))
		pf_log(&f->log, PF_LOG_WARN, "metrics can't be read", {"service", t->service->name},
		    {"instance", pf_frozen_get(t->labels, "instance")}, {"error", error});
	t->scrape_failed = error != NULL;
}

static int64_t
wall_nanos(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static struct pf_frozen_labels *
copy_labels(const struct pf_frozen_labels *from)
{
	struct pf_labelset set = {0};
	struct pf_frozen_labels *copy = NULL;
	int rc = 0;

	for (size_t i = 0; !rc && i < from->count; i++)
		rc = pf_labelset_set(&set, from->labels[i].name, from->labels[i].value, NULL);
	if (!rc)
		copy = pf_labelset_freeze(&set, NULL);
	pf_labelset_release(&set);
	return copy;
}

int
pf_visit_hand_over(struct pf_visit *v, struct pf_error *err)
{
	struct pf_fetch *r = &v->request;
	struct pf_kept *kept;
	int rc = PF_CALLOC(kept, 1, err);

	if (rc)
		return rc;
	*kept = (struct pf_kept){.owner = v->target,
	    .seconds = v->endpoint.seconds,
	    .collected_nanos = wall_nanos(),
	    .limits = PF_READ_OPTIONS_INIT};
	memcpy(kept->type, v->endpoint.type, sizeof kept->type);
	if (v->job->max_size) {
		kept->limits.max_size = v->job->max_size;
		kept->limits.max_ratio = 0;
	}
	kept->labels = copy_labels(v->target->labels);
	rc = kept->labels ? 0 : pf_error_nomem(err);
	rc = rc ? rc : pf_copy_string(&kept->trigger, v->trigger, err);
	rc = rc ? rc : pf_copy_string(&kept->reason, v->reason, err);
	if (rc) {
		pf_kept_free(kept);
		return rc;
	}
	kept->result.answer = r->transfer.answer;
	kept->result.url = r->url;
	kept->result.redirects = r->redirects.taken;
	r->transfer.answer = (struct pf_http_answer){0};
	r->url = NULL;
	v->target->references++;
	pf_keeper_put(v->fleet->keeper, kept);
	return 0;
}

static void
count_stored(struct pf_counts *c, const struct pf_kept *kept)
{
	c->stored += !kept->known;
	c->known += kept->known;
	c->bytes += kept->bytes;
	c->samples += kept->samples;
	c->profiled_seconds += (double)kept->duration_nanos * 1e-9;
}

static void
log_stored(struct pf_fleet *f, const struct pf_target *t, const struct pf_kept *kept)
{
	char hex[2 * PF_STORE_ID_SIZE + 1];

	if (f->log.least > PF_LOG_DEBUG && !kept->trigger)
		return;
	pf_store_hex(hex, kept->id);
	pf_log(&f->log, kept->trigger ? PF_LOG_INFO : PF_LOG_DEBUG,
	    kept->known ? "stored already" : "stored", {"service", t->service->name},
	    {"instance", pf_frozen_get(t->labels, "instance")}, {"type", kept->type}, {"id", hex},
	    {"bytes", .number = (double)kept->bytes, .numeric = true},
	    {"samples", .number = (double)kept->samples, .numeric = true},
	    {"trigger", kept->trigger});
}

void
pf_fleet_take_kept(struct pf_fleet *f)
{
	struct pf_kept *kept;

	while ((kept = pf_keeper_take(f->keeper))) {
		struct pf_target *t = kept->owner;
		if (kept->outcome == PF_OUTCOME_OK) {
			count_stored(&f->counts, kept);
			count_stored(&t->service->counts, kept);
			t->stored++;
			t->last_stored = pf_net_now();
			log_stored(f, t, kept);
		}
		pf_target_note(f, t, kept->type, kept->outcome,
		    kept->outcome == PF_OUTCOME_OK ? NULL : kept->err.message);
		pf_target_unref(t);
		pf_kept_free(kept);
	}
}
