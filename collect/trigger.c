/* trigger.c: see trigger.h. */
#include "trigger.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "fleet.h"
#include "net/transfer.h"

enum { SCRAPE_TIMEOUT = 10, SCRAPE_MAX = 64 << 20 };

struct pf_watched {
	struct pf_fleet *fleet;
	struct pf_target *target; /* not counted: the target owns this */
	struct pf_timer timer;
	struct pf_fetch fetch;
	struct pf_exposition last; /* the scrape before */
	double last_at;            /* 0: there is none */
	struct pf_point *points;   /* owned, one a trigger */
	size_t point_count;
};

static bool
is_among(const struct pf_words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++) {
		if (strcmp(words->items[i], word) == 0)
			return true;
	}
	return words->count == 0;
}

bool
pf_trigger_concerns(const struct pf_trigger *t, const struct pf_target *target)
{
	return target->present && target->job &&
	       is_among(&t->config->jobs, target->job->config->name) &&
	       is_among(&t->config->services, target->service->name);
}

void
pf_trigger_set_error(struct pf_trigger *t, const char *error)
{
	if (error ? t->error && strcmp(t->error, error) == 0 : !t->error)
		return;
	if (error)
		pf_log(&t->fleet->log, PF_LOG_WARN, "a trigger can't be judged",
		    {"trigger", t->config->name}, {"error", error});
	else
		pf_log(&t->fleet->log, PF_LOG_INFO, "a trigger can be judged again",
		    {"trigger", t->config->name});
	free(t->error);
	t->error = NULL;
	pf_copy_string(&t->error, error, NULL);
}

/* The first instances within an interval count as one firing; then it is quiet. */
static bool
may_fire(struct pf_trigger *t, double now)
{
	const struct pf_trigger_config *c = t->config;

	if (t->fired_at > 0 && now - t->fired_at < c->interval && t->burst < c->most) {
		t->burst++;
		return true;
	}
	if (t->fired_at > 0 && now - t->fired_at < c->cooldown) {
		t->suppressed++;
		return false;
	}
	t->fired_at = now;
	t->burst = 1;
	return true;
}

void
pf_trigger_fire(struct pf_trigger *t, struct pf_target *target, const char *reason)
{
	double now = pf_net_now();
	struct pf_error err;

	if (!may_fire(t, now))
		return;
	t->fired++;
	snprintf(
	    t->last, sizeof t->last, "%s: %s", pf_frozen_get(target->labels, "instance"), reason);
	pf_log(&t->fleet->log, PF_LOG_WARN, "trigger fired", {"trigger", t->config->name},
	    {"service", target->service->name},
	    {"instance", pf_frozen_get(target->labels, "instance")}, {"reason", reason});
	if (pf_visit_plan(target, &t->config->types, (uint32_t)t->config->seconds, now,
		t->config->name, reason, &err))
		pf_log(&t->fleet->log, PF_LOG_ERROR, "a visit can't be planned",
		    {"error", err.message});
}

/* Names and values for exposition.h, out of the configuration's mapping. */
static const char **
matchers_of(const struct pf_trigger_config *c, const char *name, const char *value)
{
	const char **matchers = calloc(2 * c->match.count + 3, sizeof *matchers);
	size_t n = 0;

	for (size_t i = 0; matchers && i < c->match.count; i++) {
		matchers[n++] = c->match.items[i].name;
		matchers[n++] = c->match.items[i].value;
	}
	if (matchers && name) {
		matchers[n++] = name;
		matchers[n] = value;
	}
	return matchers;
}

/* A quantile of what was observed between the scrapes; of a summary, what it says itself. */
static double
quantile_of(const struct pf_trigger_config *c, const char **matchers,
    const struct pf_exposition *scrape, const struct pf_exposition *before)
{
	struct pf_exposition_histogram now = {0}, then = {0};
	double value = NAN;
	char text[32];
	const char **more;

	if (pf_exposition_histogram(scrape, c->metric, matchers, &now, NULL) == 0) {
		if (before &&
		    pf_exposition_histogram(before, c->metric, matchers, &then, NULL) == 0 &&
		    pf_exposition_histogram_subtract(&now, &then, NULL) == 0)
			value = pf_exposition_histogram_quantile(&now, c->quantile);
	} else {
		snprintf(text, sizeof text, "%g", c->quantile);
		more = matchers_of(c, "quantile", text);
		if (more) {
			const struct pf_exposition_sample *s =
			    pf_exposition_find(scrape, c->metric, more, NULL);
			value = s ? s->value : NAN;
		}
		free(more);
	}
	pf_exposition_histogram_release(&now);
	pf_exposition_histogram_release(&then);
	return value;
}

double
pf_trigger_value(const struct pf_trigger_config *c, const struct pf_exposition *scrape, double at,
    const struct pf_exposition *before, double before_at)
{
	const char **matchers = matchers_of(c, NULL, NULL);
	double value = NAN;

	if (!matchers)
		return NAN;
	if (c->quantile > 0)
		value = quantile_of(c, matchers, scrape, before);
	else
		value = pf_exposition_sum(scrape, c->metric, matchers);
	if (c->rate && c->quantile <= 0)
		value = before ? pf_counter_rate(pf_exposition_sum(before, c->metric, matchers),
				     before_at, value, at)
			       : NAN;
	free(matchers);
	return value;
}

/* The sum over the service's instances, of their values that are not old. */
static struct pf_point_context
context_of(const struct pf_trigger *t, const struct pf_target *target, double value, double now)
{
	const struct pf_setup *setup = t->fleet->setup;
	size_t number = (size_t)(t - t->fleet->triggers.items);
	struct pf_point_context c = {.sum = value, .instances = 1};

	for (size_t i = 0; i < setup->config->job_count; i++) {
		const struct pf_job *job = &setup->jobs[i];
		for (size_t k = 0; k < job->target_count; k++) {
			const struct pf_target *other = job->targets[k];
			const struct pf_point *p;
			if (other == target || other->service != target->service ||
			    !other->watched || number >= other->watched->point_count)
				continue;
			p = &other->watched->points[number];
			if (p->at > 0 && now - p->at < 3 * t->fleet->triggers.interval) {
				c.sum += p->value;
				c.instances++;
			}
		}
	}
	return c;
}

static void
judge(struct pf_watched *w, const struct pf_exposition *scrape, double now)
{
	struct pf_triggers *all = &w->fleet->triggers;
	char reason[256];

	for (size_t i = 0; i < all->count && i < w->point_count; i++) {
		struct pf_trigger *t = &all->items[i];
		struct pf_point_context context = {0};
		double value;
		if (!t->config->metric || !pf_trigger_concerns(t, w->target))
			continue;
		value = pf_trigger_value(
		    t->config, scrape, now, w->last_at > 0 ? &w->last : NULL, w->last_at);
		if (t->config->kind == PF_TRIGGER_IMBALANCE && !isnan(value))
			context = context_of(t, w->target, value, now);
		if (pf_condition_judge(
			&w->points[i], t->config, value, &context, now, reason, sizeof reason))
			pf_trigger_fire(t, w->target, reason);
	}
}

static void
take_scrape(struct pf_watched *w, const struct pf_http_answer *a)
{
	struct pf_exposition scrape = {0};
	double now = pf_net_now();
	struct pf_error err;

	if (a->status != 200)
		return;
	if (pf_exposition_parse(&scrape, w->target->metrics,
		a->body.bytes ? (const char *)a->body.bytes : "", a->body.size, &err)) {
		pf_exposition_release(&scrape);
		pf_target_note_scrape(w->fleet, w->target, err.message);
		return;
	}
	pf_target_note_scrape(w->fleet, w->target, NULL);
	judge(w, &scrape, now);
	pf_exposition_release(&w->last);
	w->last = scrape;
	w->last_at = now;
}

static void
on_scraped(struct pf_fetch *fetch, enum pf_outcome outcome, const struct pf_error *err)
{
	struct pf_watched *w = PF_CONTAINER(fetch, struct pf_watched, fetch);

	if (outcome == PF_OUTCOME_OK)
		take_scrape(w, &fetch->transfer.answer);
	else
		pf_target_note_scrape(w->fleet, w->target, err->message);
	pf_fetch_release(&w->fleet->fetches, fetch);
	pf_timer_set(&w->fleet->loop, &w->timer, pf_net_now() + w->fleet->triggers.interval, NULL);
}

static void
on_watch(struct pf_timer *timer, double now)
{
	struct pf_watched *w = PF_CONTAINER(timer, struct pf_watched, timer);
	struct pf_http_limits limits = {.connect_timeout = SCRAPE_TIMEOUT,
	    .timeout = SCRAPE_TIMEOUT,
	    .stall_timeout = SCRAPE_TIMEOUT,
	    .max_body = SCRAPE_MAX};
	struct pf_error err;
	struct pf_url *url = NULL;
	int rc = PF_EIO;

	if (w->target->present && w->target->job)
		rc = pf_url_parse(&url, w->target->metrics, &err);
	if (!rc) {
		w->fetch = (struct pf_fetch){.done = on_scraped};
		rc = pf_fetch_start(&w->fleet->fetches, &w->fetch, url,
		    &w->target->job->config->client, &limits, &err);
	}
	pf_url_free(url);
	if (rc)
		pf_timer_set(&w->fleet->loop, timer, now + w->fleet->triggers.interval, NULL);
}

void
pf_watched_free(struct pf_watched *w)
{
	if (!w)
		return;
	pf_timer_cancel(&w->fleet->loop, &w->timer);
	pf_fetch_release(&w->fleet->fetches, &w->fetch);
	pf_exposition_release(&w->last);
	for (size_t i = 0; i < w->point_count; i++)
		pf_point_release(&w->points[i]);
	free(w->points);
	w->target->watched = NULL;
	free(w);
}

static void
watch(struct pf_triggers *all, struct pf_target *target, double now)
{
	struct pf_watched *w;

	if (PF_CALLOC(w, 1, NULL))
		return; /* the next look tries again */
	if (PF_CALLOC(w->points, all->count, NULL)) {
		free(w);
		return;
	}
	w->fleet = all->fleet;
	w->target = target;
	w->point_count = all->count;
	w->timer.fire = on_watch;
	target->watched = w;
	pf_timer_set(&all->fleet->loop, &w->timer,
	    now + pf_mix_unit(target->key, 'm') * all->interval, NULL);
}

static bool
is_watched_for(const struct pf_triggers *all, const struct pf_target *target)
{
	for (size_t i = 0; i < all->count; i++) {
		if (all->items[i].config->metric && pf_trigger_concerns(&all->items[i], target))
			return true;
	}
	return false;
}

/* Finds targets that are not watched yet. */
static void
on_look(struct pf_timer *timer, double now)
{
	struct pf_triggers *all = PF_CONTAINER(timer, struct pf_triggers, timer);
	const struct pf_setup *setup = all->fleet->setup;

	for (size_t i = 0; i < setup->config->job_count; i++) {
		for (size_t k = 0; k < setup->jobs[i].target_count; k++) {
			struct pf_target *target = setup->jobs[i].targets[k];
			if (!target->watched && is_watched_for(all, target))
				watch(all, target, now);
		}
	}
	pf_timer_set(&all->fleet->loop, timer, now + all->interval, NULL);
}

int
pf_triggers_start(struct pf_triggers *all, struct pf_setup *setup, struct pf_error *err)
{
	const struct pf_config *c = setup->config;
	int rc = PF_CALLOC(all->items, c->trigger_count, err);

	if (rc)
		return rc;
	all->fleet = setup->fleet;
	all->count = c->trigger_count;
	all->interval = 0;
	for (size_t i = 0; i < all->count; i++) {
		struct pf_trigger *t = &all->items[i];
		*t = (struct pf_trigger){.fleet = setup->fleet, .config = &c->triggers[i]};
		if (t->config->query)
			pf_query_start(t);
		else if (all->interval <= 0 || t->config->interval < all->interval)
			all->interval = t->config->interval;
	}
	all->timer.fire = on_look;
	return all->interval > 0 ? pf_timer_set(&all->fleet->loop, &all->timer, pf_net_now(), err)
				 : 0;
}

void
pf_triggers_stop(struct pf_triggers *all)
{
	if (!all->fleet)
		return;
	pf_timer_cancel(&all->fleet->loop, &all->timer);
	for (size_t i = 0; i < all->count; i++) {
		pf_query_stop(&all->items[i]);
		free(all->items[i].error);
	}
	free(all->items);
	*all = (struct pf_triggers){0};
}
