/*
 * trigger.h: metrics are watched, and what looks wrong is profiled while it is.
 *
 * Values come from the targets' own metrics (every target that a trigger is
 * about is scraped once an interval, for all its triggers) or from a
 * Prometheus server's query API. A trigger that fires plans a visit at once, of
 * all its profile types, and says why; then it is quiet for its cool-down.
 */
#ifndef PF_COLLECT_TRIGGER_H
#define PF_COLLECT_TRIGGER_H

#include "condition.h"
#include "core/strings.h"
#include "fetch.h"
#include "runtime/exposition.h"

struct pf_fleet;
struct pf_setup;
struct pf_target;

/* A series that a query gives. */
struct pf_series {
	char *key; /* owned; its labels as text */
	struct pf_point point;
};

struct pf_trigger {
	struct pf_fleet *fleet;
	const struct pf_trigger_config *config;
	double fired_at; /* monotonic; 0: never */
	uint64_t burst;  /* instances that it fired for since */
	uint64_t fired, suppressed;
	char last[300]; /* why, the last time */
	char *error;    /* owned; why it can't be judged now */
	/* of a query */
	struct pf_timer timer;
	struct pf_fetch fetch;
	struct pf_series *series;
	size_t series_count, series_capacity;
};

struct pf_triggers {
	struct pf_fleet *fleet;
	struct pf_trigger *items; /* owned, one for each of the configuration's */
	size_t count;
	double interval;       /* of scrapes; 0: none is needed */
	struct pf_timer timer; /* looks for targets to be watched */
};

/* One target's metrics, scraped again and again. */
struct pf_watched;

/* Starts what the setup's configuration says. PF_ENOMEM. */
int pf_triggers_start(struct pf_triggers *triggers, struct pf_setup *setup, struct pf_error *err);
void pf_triggers_stop(struct pf_triggers *triggers);
/* A target that goes is no longer watched. */
void pf_watched_free(struct pf_watched *watched);

/* Whether a trigger is about this target. */
bool pf_trigger_concerns(const struct pf_trigger *trigger, const struct pf_target *target);
/* Profiles a target because of this trigger, unless that is cooling down. */
void pf_trigger_fire(struct pf_trigger *trigger, struct pf_target *target, const char *reason);
/* Says, once, why a trigger can't be judged; NULL: it can again. */
void pf_trigger_set_error(struct pf_trigger *trigger, const char *error);

/* query.c: a trigger that asks a Prometheus server. */
void pf_query_start(struct pf_trigger *trigger);
void pf_query_stop(struct pf_trigger *trigger);

/* The value that a scrape has for a trigger; NaN: none. `before`, `before_at`: of the scrape before, or NULL. */
double pf_trigger_value(const struct pf_trigger_config *config, const struct pf_exposition *scrape,
    double at, const struct pf_exposition *before, double before_at);

#endif
