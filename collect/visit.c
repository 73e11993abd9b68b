/*
 * visit.c: one turn at a target.
 *
 * Its profiles come one after the other, so that a target is never asked for two
 * at once. Each must be paid for first. A busy target is asked again while the
 * round lasts; a connection that fails ends the visit; what was answered goes to
 * the keeper, and what that says of it counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "backoff.h"
#include "core/error.h"
#include "core/memory.h"
#include "fleet.h"

enum { CONNECT_TIMEOUT = 10, STALL_TIMEOUT = 10, RATIO = 200, MAX_SIZE = 256 << 20 };
enum { QUEUE_MOST = 64 << 20 };

#define PF_WAIT_FOR_ROOM 0.05 /* seconds until a visit that found no room looks again */
#define PF_WAIT_FOR_TURN 0.25 /* and one whose address is being visited */

static void next_profile(struct pf_visit *v);

/*
 * Whom a visit disturbs is an address, not a target: several jobs may have it, and a target
 * that a list lost and has again is another one, while a visit to the first still goes on.
 */
static struct pf_visit **
bucket(const struct pf_visit *v)
{
	return &v->fleet->under_way[v->target->address % PF_ADDRESS_BUCKETS];
}

static bool
must_wait(const struct pf_visit *v)
{
	const struct pf_visit *other = *bucket(v);

	while (other && other->target->address != v->target->address)
		other = other->next_under_way;
	return other != NULL;
}

static void
enter(struct pf_visit *v)
{
	if (v->target->planned == v)
		v->target->planned = NULL;
	v->under_way = true;
	v->next_under_way = *bucket(v);
	*bucket(v) = v;
}

static void
leave(struct pf_visit *v)
{
	struct pf_visit **at = bucket(v);

	if (v->target->planned == v)
		v->target->planned = NULL;
	while (v->under_way && *at != v)
		at = &(*at)->next_under_way;
	if (v->under_way)
		*at = v->next_under_way;
	v->under_way = false;
}

/* Looks again after so long. */
static void
put_off(struct pf_visit *v, double delay)
{
	if (pf_timer_set(&v->fleet->loop, &v->timer, pf_net_now() + delay, NULL))
		pf_visit_free(v);
}

void
pf_visit_free(struct pf_visit *v)
{
	struct pf_fleet *f = v->fleet;

	pf_timer_cancel(&f->loop, &v->timer);
	f->in_flight -= v->request.running;
	pf_fetch_release(&f->fetches, &v->request);
	pf_endpoint_release(&v->endpoint);
	if (v->previous)
		v->previous->next = v->next;
	else
		f->visits = v->next;
	if (v->next)
		v->next->previous = v->previous;
	f->visit_count--;
	if (v->probing && v->target->service->breaker.state == PF_BREAKER_PROBING)
		v->target->service->breaker.state =
		    PF_BREAKER_OPEN; /* nothing was tried after all */
	leave(v);
	pf_target_unref(v->target);
	pf_setup_unref(v->setup);
	free(v->trigger);
	free(v->reason);
	free(v);
}

/* A window that the server would cut: half of it next time, until it fits. */
static void
shorten(struct pf_visit *v, const char *message)
{
	struct pf_target *t = v->target;
	uint32_t shorter = v->endpoint.seconds / 2;

	t->most_seconds = shorter ? shorter : 1;
	t->cuts = 0;
	pf_log(&v->fleet->log, PF_LOG_WARN,
	    "the service ends long answers: a shorter window is used",
	    {"service", t->service->name}, {"instance", pf_frozen_get(t->labels, "instance")},
	    {"seconds", .number = t->most_seconds, .numeric = true}, {"error", message});
}

static void
advance(struct pf_visit *v)
{
	pf_fetch_release(&v->fleet->fetches, &v->request);
	v->at++;
	v->attempt = 0;
	next_profile(v);
}

/* Ends the attempt, and with it the visit where the next profile would fare no better. */
static void
end_attempt(struct pf_visit *v, enum pf_outcome outcome, const char *message, bool go_on)
{
	bool cut = outcome == PF_OUTCOME_CUT && v->endpoint.seconds > 1 &&
		   pf_net_now() - v->request.transfer.started > 1;

	pf_target_note(v->fleet, v->target, v->endpoint.type, outcome, message);
	v->probing = false;
	if (outcome == PF_OUTCOME_WRITE_TIMEOUT || (cut && ++v->target->cuts >= 2))
		shorten(v, message);
	if (go_on)
		advance(v);
	else
		pf_visit_free(v);
}

static void
on_retry(struct pf_timer *timer, double now)
{
	(void)now;
	next_profile(PF_CONTAINER(timer, struct pf_visit, timer));
}

/* Later in this round, or not at all. */
static void
retry_busy(struct pf_visit *v, double retry_after, const char *message)
{
	double now = pf_net_now();
	double delay = pf_backoff_delay(v->attempt, retry_after, v->target->key);

	if (now + delay > v->retry_until) {
		end_attempt(v, PF_OUTCOME_BUSY, message, true);
		return;
	}
	v->fleet->counts.retried++;
	v->target->service->counts.retried++;
	v->timer.fire = on_retry;
	if (pf_timer_set(&v->fleet->loop, &v->timer, now + delay, NULL))
		pf_visit_free(v);
}

static int start_request(struct pf_visit *v, struct pf_error *err);

/* The profile's other address, where there is one and it was not tried. */
static bool
try_fallback(struct pf_visit *v)
{
	struct pf_error err;

	if (!v->endpoint.fallback || v->on_fallback)
		return false;
	v->on_fallback = true;
	return start_request(v, &err) == 0;
}

static enum pf_outcome
refused_outcome(const struct pf_http_answer *a)
{
	if (a->status == 401 || a->status == 403 || a->status == 407)
		return PF_OUTCOME_AUTH;
	if (a->body.size && memmem(a->body.bytes, a->body.size, "WriteTimeout", 12))
		return PF_OUTCOME_WRITE_TIMEOUT;
	return PF_OUTCOME_HTTP;
}

/* An answer that is no profile: what it says decides what comes next. */
static void
judge_refusal(struct pf_visit *v, enum pf_answer_kind kind)
{
	struct pf_http_result shown = {.answer = v->request.transfer.answer, .url = v->request.url};
	bool have = pf_credentials_any(&v->job->client.credentials);
	double retry_after = shown.answer.retry_after;
	enum pf_outcome outcome = refused_outcome(&shown.answer);
	struct pf_error err;

	pf_answer_explain(&shown, have, &err);
	pf_fetch_release(&v->fleet->fetches, &v->request);
	if (kind == PF_ANSWER_BUSY) {
		retry_busy(v, retry_after, err.message);
	} else if (kind == PF_ANSWER_ABSENT) {
		if (!try_fallback(v))
			end_attempt(v, PF_OUTCOME_ABSENT, err.message, true);
	} else {
		end_attempt(v, outcome, err.message, outcome != PF_OUTCOME_AUTH);
	}
}

static void
judge_answer(struct pf_visit *v)
{
	struct pf_http_answer *a = &v->request.transfer.answer;
	enum pf_answer_kind kind;
	struct pf_error err = {0};

	if (a->status != 200)
		pf_answer_decode(a, pf_url_display(v->request.url), RATIO, &err);
	kind = pf_answer_classify(a);
	if (kind != PF_ANSWER_BODY) {
		judge_refusal(v, kind);
		return;
	}
	if (pf_visit_hand_over(v, &err)) {
		end_attempt(v, PF_OUTCOME_MEMORY, err.message, false);
		return;
	}
	v->probing = false; /* the keeper's word will count */
	advance(v);
}

static void
on_done(struct pf_fetch *request, enum pf_outcome outcome, const struct pf_error *err)
{
	struct pf_visit *v = PF_CONTAINER(request, struct pf_visit, request);

	v->fleet->in_flight--;
	if (outcome == PF_OUTCOME_OK)
		judge_answer(v);
	else
		end_attempt(v, outcome, err->message, outcome == PF_OUTCOME_TOO_BIG);
}

static int
start_request(struct pf_visit *v, struct pf_error *err)
{
	double window = v->endpoint.seconds;
	struct pf_http_limits limits = {.connect_timeout = CONNECT_TIMEOUT,
	    .timeout = window + v->job->timeout,
	    .stall_timeout = STALL_TIMEOUT,
	    .quiet = window,
	    .max_body = v->job->max_size ? (size_t)v->job->max_size : (size_t)MAX_SIZE};
	int rc;

	v->request = (struct pf_fetch){.done = on_done};
	rc = pf_fetch_start(&v->fleet->fetches, &v->request,
	    v->on_fallback ? v->endpoint.fallback : v->endpoint.url, &v->job->client, &limits, err);
	v->fleet->in_flight += !rc;
	return rc;
}

static bool
is_paid(struct pf_visit *v, const char *type)
{
	struct pf_fleet *f = v->fleet;
	struct pf_account *accounts[] = {
	    &v->target->account, &v->target->service->account, &f->account};
	uint32_t seconds = v->seconds;

	if (v->target->most_seconds && v->target->most_seconds < seconds)
		seconds = v->target->most_seconds;
	if (pf_account_take(accounts, 3, pf_net_now(), pf_profile_cost(v->job, type, seconds),
		v->trigger ? 0 : f->setup->config->budget.trigger_reserve))
		return true;
	f->counts.skipped_budget++;
	v->target->service->counts.skipped_budget++;
	return false;
}

static int
ask(struct pf_visit *v, const char *type, struct pf_error *err)
{
	uint32_t seconds = v->seconds;
	int rc;

	if (v->target->most_seconds && v->target->most_seconds < seconds)
		seconds = v->target->most_seconds;
	pf_endpoint_release(&v->endpoint);
	rc = pf_endpoint_init(
	    &v->endpoint, v->target->base, type, strcmp(type, "cpu") == 0 ? seconds : 0, err);
	v->on_fallback = false;
	if (!rc)
		rc = start_request(v, err);
	if (!rc) {
		v->fleet->counts.attempts++;
		v->target->service->counts.attempts++;
	}
	return rc;
}

/* The next profile that can be paid; when none is left, the visit is over. */
static void
next_profile(struct pf_visit *v)
{
	static const char none[] = "";
	struct pf_error err;

	for (; v->at < v->types.count; v->at++) {
		const char *type = v->types.items[v->at];
		if (!v->attempt++) {
			double window = strcmp(type, "cpu") == 0 ? v->seconds : 0;
			v->retry_until = pf_net_now() + window + v->job->timeout;
		}
		if (v->attempt == 1 && !is_paid(v, type)) {
			v->attempt = 0;
			continue;
		}
		if (ask(v, type, &err) == 0) {
			return;
		}
		pf_target_note(v->fleet, v->target, type,
		    err.code == PF_ENOMEM ? PF_OUTCOME_MEMORY : PF_OUTCOME_HTTP,
		    err.message[0] ? err.message : none);
		break;
	}
	pf_visit_free(v);
}

/* There is room for another request, and for what it brings. */
static bool
has_room(struct pf_fleet *f)
{
	struct pf_keeper_state state;

	if (f->in_flight >= f->most_in_flight)
		return false;
	pf_keeper_state(f->keeper, &state);
	return state.queued_bytes < QUEUE_MOST;
}

/* Whether the visit should not be made at all, counted by the reason. */
static bool
is_skipped(struct pf_visit *v, double now)
{
	struct pf_fleet *f = v->fleet;
	struct pf_service *s = v->target->service;
	uint64_t *ours = NULL, *services = NULL;
	struct pf_keeper_state state;

	pf_keeper_state(f->keeper, &state);
	if (state.failing && !f->store_probe) {
		ours = &f->counts.skipped_store;
		services = &s->counts.skipped_store;
	} else if (now < v->target->not_before && !v->trigger) {
		ours = &f->counts.skipped_backoff;
		services = &s->counts.skipped_backoff;
	} else if (!pf_breaker_allows(&s->breaker, now)) {
		ours = &f->counts.skipped_breaker;
		services = &s->counts.skipped_breaker;
	} else {
		f->store_probe = false;
		v->probing = s->breaker.state == PF_BREAKER_PROBING;
		return false;
	}
	++*ours;
	++*services;
	return true;
}

static void
on_start(struct pf_timer *timer, double now)
{
	struct pf_visit *v = PF_CONTAINER(timer, struct pf_visit, timer);
	struct pf_fleet *f = v->fleet;

	if (!v->target->present) { /* gone since another trigger planned this */
		pf_visit_free(v);
		return;
	}
	if (must_wait(v)) {
		v->waiting = true;
		put_off(v, PF_WAIT_FOR_TURN);
		return;
	}
	if (!has_room(f)) {
		put_off(v, PF_WAIT_FOR_ROOM);
		return;
	}
	if (!v->waiting)
		pf_histogram_record(&f->lag, (int64_t)((now - v->due) * 1e6));
	if (is_skipped(v, now)) {
		pf_visit_free(v);
		return;
	}
	enter(v);
	next_profile(v);
}

static int
fill(struct pf_visit *v, struct pf_target *t, const char *trigger, const char *reason,
    struct pf_error *err)
{
	int rc = pf_copy_string(&v->trigger, trigger, err);

	if (!rc)
		rc = pf_copy_string(&v->reason, reason, err);
	if (!rc)
		rc = pf_timer_set(&v->fleet->loop, &v->timer, v->due, err);
	if (rc)
		return rc;
	v->next = v->fleet->visits;
	if (v->next)
		v->next->previous = v;
	v->fleet->visits = v;
	v->fleet->visit_count++;
	t->references++;
	if (!t->planned || !t->planned->trigger) { /* one of a trigger is taken as well as this */
		if (t->planned)
			pf_visit_free(t->planned);
		t->planned = v;
	}
	pf_setup_ref(v->setup);
	return 0;
}

int
pf_visit_plan(struct pf_target *t, const struct pf_words *types, uint32_t seconds, double due,
    const char *trigger, const char *reason, struct pf_error *err)
{
	struct pf_visit *v;
	int rc = PF_CALLOC(v, 1, err);

	if (rc)
		return rc;
	*v = (struct pf_visit){.fleet = t->job->setup->fleet,
	    .setup = t->job->setup,
	    .job = t->job->config,
	    .target = t,
	    .types = *types,
	    .seconds = seconds,
	    .due = due,
	    .timer.fire = on_start};
	rc = fill(v, t, trigger, reason, err);
	if (rc) {
		free(v->trigger);
		free(v->reason);
		free(v);
	}
	return rc;
}
