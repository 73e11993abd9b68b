/* query.c: triggers that ask a Prometheus server: its HTTP API's instant queries. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/error.h"
#include "core/memory.h"
#include "fleet.h"
#include "net/text.h"
#include "net/transfer.h"

enum { QUERY_TIMEOUT = 30, QUERY_MAX = 64 << 20 };

static struct pf_series *
series_of(struct pf_trigger *t, const char *key)
{
	struct pf_series *s;

	for (size_t i = 0; i < t->series_count; i++) {
		if (strcmp(t->series[i].key, key) == 0)
			return &t->series[i];
	}
	if (PF_GROW(t->series, t->series_capacity, t->series_count + 1, NULL))
		return NULL;
	s = &t->series[t->series_count];
	*s = (struct pf_series){0};
	if (pf_copy_string(&s->key, key, NULL))
		return NULL;
	t->series_count++;
	return s;
}

static const char *
label(json_t *metric, const char *name)
{
	const char *value = json_string_value(json_object_get(metric, name));

	return value ? value : "";
}

/* Whether a series may be about a target: what labels both have must agree. */
static bool
is_about(json_t *metric, const struct pf_target *target)
{
	static const char *const names[] = {"instance", "job", "service"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *theirs = label(metric, names[i]),
			   *ours = pf_frozen_get(target->labels, names[i]);
		if (strcmp(names[i], "service") == 0 && !*ours)
			ours = target->service->name;
		if (*theirs && *ours && strcmp(theirs, ours) != 0)
			return false;
	}
	return true;
}

/* Fires for the instances that the series is about: those first that chance says. */
static void
fire_for(struct pf_trigger *t, json_t *metric, const char *reason)
{
	const struct pf_setup *setup = t->fleet->setup;
	uint64_t chance = pf_mix(t->fleet->seed, t->fired + 1);
	struct pf_target *best;
	uint64_t least, above = 0;

	for (uint64_t n = 0; n < t->config->most; n++) {
		best = NULL;
		least = UINT64_MAX;
		for (size_t i = 0; i < setup->config->job_count; i++) {
			for (size_t k = 0; k < setup->jobs[i].target_count; k++) {
				struct pf_target *target = setup->jobs[i].targets[k];
				uint64_t order = pf_mix(chance, target->key);
				if (order > above && order < least &&
				    pf_trigger_concerns(t, target) && is_about(metric, target)) {
					best = target;
					least = order;
				}
			}
		}
		if (!best)
			return;
		pf_trigger_fire(t, best, reason);
		above = least;
	}
}

static void
judge_series(struct pf_trigger *t, json_t *metric, const char *text, double now)
{
	char *key = json_dumps(metric, JSON_COMPACT | JSON_SORT_KEYS);
	struct pf_series *s = key ? series_of(t, key) : NULL;
	struct pf_point_context none = {0};
	char reason[256];

	if (s && pf_condition_judge(&s->point, t->config, text ? strtod(text, NULL) : NAN, &none,
		     now, reason, sizeof reason))
		fire_for(t, metric, reason);
	free(key);
}

/* {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {…}, "value": [time, "1"]}]}} */
static void
judge_answer(struct pf_trigger *t, const struct pf_http_answer *a)
{
	json_t *root = json_loadb((const char *)a->body.bytes, a->body.size, 0, NULL);
	json_t *data = json_object_get(root, "data"), *result = json_object_get(data, "result"),
	       *one;
	const char *type = json_string_value(json_object_get(data, "resultType"));
	double now = pf_net_now();
	char said[200], error[300];
	size_t i;

	if (a->status != 200 || !type) {
		const char *why = json_string_value(json_object_get(root, "error"));
		pf_text_excerpt(said, sizeof said, why ? why : "", why ? strlen(why) : 0);
		snprintf(error, sizeof error, "%s: the server answered %ld: \"%s\"",
		    t->config->prometheus, a->status, said);
		pf_trigger_set_error(t, error);
		json_decref(root);
		return;
	}
	pf_trigger_set_error(t, NULL);
	if (strcmp(type, "vector") == 0) {
		json_array_foreach(result, i, one)
		{
			judge_series(t, json_object_get(one, "metric"),
			    json_string_value(json_array_get(json_object_get(one, "value"), 1)),
			    now);
		}
	} else if (strcmp(type, "scalar") == 0) {
		json_t *none = json_object();
		judge_series(t, none, json_string_value(json_array_get(result, 1)), now);
		json_decref(none);
	} else {
		pf_trigger_set_error(t, "the query must give a vector or a scalar");
	}
	json_decref(root);
}

static void
on_answer(struct pf_fetch *fetch, enum pf_outcome outcome, const struct pf_error *err)
{
	struct pf_trigger *t = PF_CONTAINER(fetch, struct pf_trigger, fetch);

	if (outcome == PF_OUTCOME_OK)
		judge_answer(t, &fetch->transfer.answer);
	else
		pf_trigger_set_error(t, err->message);
	pf_fetch_release(&t->fleet->fetches, fetch);
	pf_timer_set(&t->fleet->loop, &t->timer, pf_net_now() + t->config->interval, NULL);
}

static void
add_escaped(struct pf_buffer *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
			pf_buffer_byte(out, c);
		else
			pf_buffer_printf(out, "%%%02X", c);
	}
}

static int
query_url(const struct pf_trigger_config *c, struct pf_url **url, struct pf_error *err)
{
	size_t size = strlen(c->prometheus);
	struct pf_buffer text;
	int rc;

	pf_buffer_init(&text, 1 << 20);
	while (size && c->prometheus[size - 1] == '/')
		size--;
	pf_buffer_add(&text, c->prometheus, size);
	pf_buffer_string(&text, "/api/v1/query?query=");
	add_escaped(&text, c->query);
	pf_buffer_byte(&text, 0);
	rc = pf_buffer_check(&text, err);
	if (!rc)
		rc = pf_url_parse(url, (const char *)text.bytes, err);
	pf_buffer_release(&text);
	return rc;
}

static void
on_timer(struct pf_timer *timer, double now)
{
	struct pf_trigger *t = PF_CONTAINER(timer, struct pf_trigger, timer);
	struct pf_http_limits limits = {.connect_timeout = QUERY_TIMEOUT,
	    .timeout = QUERY_TIMEOUT,
	    .stall_timeout = QUERY_TIMEOUT,
	    .max_body = QUERY_MAX};
	struct pf_url *url = NULL;
	struct pf_error err;
	int rc = query_url(t->config, &url, &err);

	if (!rc) {
		t->fetch = (struct pf_fetch){.done = on_answer};
		rc = pf_fetch_start(
		    &t->fleet->fetches, &t->fetch, url, &t->config->client, &limits, &err);
	}
	pf_url_free(url);
	if (rc) {
		pf_trigger_set_error(t, err.message);
		pf_timer_set(&t->fleet->loop, timer, now + t->config->interval, NULL);
	}
}

void
pf_query_start(struct pf_trigger *t)
{
	t->timer.fire = on_timer;
	pf_timer_set(&t->fleet->loop, &t->timer, pf_net_now(), NULL);
}

void
pf_query_stop(struct pf_trigger *t)
{
	pf_timer_cancel(&t->fleet->loop, &t->timer);
	pf_fetch_release(&t->fleet->fetches, &t->fetch);
	for (size_t i = 0; i < t->series_count; i++) {
		pf_point_release(&t->series[i].point);
		free(t->series[i].key);
	}
	free(t->series);
	t->series = NULL;
	t->series_count = t->series_capacity = 0;
}
