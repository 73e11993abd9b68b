/* retention.c: see retention.h. */
#include "retention.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/memory.h"

/* A clock that leaps further than this between two looks is not trusted with ages. */
enum { LEAP_SECONDS = 600, DISTRUST_SECONDS = 3600 };

static int
copy_words(struct pf_pool *pool, const struct pf_words *words, struct pf_store_any *any,
    struct pf_error *err)
{
	const char **items = pf_pool_get(pool, (words->count + 1) * sizeof *items, err);

	for (size_t i = 0; items && i < words->count; i++) {
		items[i] = pf_pool_copy(pool, words->items[i], strlen(words->items[i]), err);
		if (!items[i])
			return PF_ENOMEM;
	}
	*any = (struct pf_store_any){items, words->count};
	return items ? 0 : PF_ENOMEM;
}

int
pf_retention_rules_new(struct pf_retention_rules **rules, const struct pf_retention_config *from,
    size_t count, struct pf_error *err)
{
	struct pf_retention_rules *r;
	int rc = PF_CALLOC(*rules, 1, err);

	if (rc)
		return rc;
	r = *rules;
	r->items = pf_pool_get(&r->pool, (count + 1) * sizeof *r->items, err);
	rc = r->items ? 0 : PF_ENOMEM;
	for (size_t i = 0; !rc && i < count; i++) {
		r->items[i] = (struct pf_store_rule){.triggered = from[i].triggered,
		    .max_age = from[i].max_age,
		    .max_bytes = from[i].max_bytes};
		rc = copy_words(&r->pool, &from[i].types, &r->items[i].types, err);
		r->count++;
	}
	if (rc) {
		pf_retention_rules_free(r);
		*rules = NULL;
	}
	return rc;
}

void
pf_retention_rules_free(struct pf_retention_rules *rules)
{
	if (rules)
		pf_pool_release(&rules->pool);
	free(rules);
}

void
pf_retention_init(struct pf_retention *r)
{
	*r = (struct pf_retention){
	    .wall_ahead = pf_clock_seconds(CLOCK_REALTIME) - pf_clock_seconds(CLOCK_MONOTONIC)};
}

void
pf_retention_release(struct pf_retention *r)
{
	pf_retention_rules_free(r->rules);
	r->rules = NULL;
}

void
pf_retention_replace(struct pf_retention *r, struct pf_retention_rules **rules)
{
	pf_retention_rules_free(r->rules);
	r->rules = *rules;
	*rules = NULL;
}

bool
pf_retention_trusts(struct pf_retention *r, double wall, double monotonic, const struct pf_log *log)
{
	double ahead = wall - monotonic;

	if (fabs(ahead - r->wall_ahead) > LEAP_SECONDS) {
		pf_log(log, PF_LOG_WARN,
		    "the clock leapt: nothing is removed by its age for an hour",
		    {"seconds", .number = ahead - r->wall_ahead, .numeric = true});
		r->distrust_until = monotonic + DISTRUST_SECONDS;
	}
	r->wall_ahead = ahead;
	return monotonic >= r->distrust_until;
}

int
pf_retention_enforce(struct pf_retention *r, struct pf_store *store, const struct pf_log *log,
    struct pf_store_pruned *pruned, struct pf_error *err)
{
	double wall = pf_clock_seconds(CLOCK_REALTIME);
	bool ages = pf_retention_trusts(r, wall, pf_clock_seconds(CLOCK_MONOTONIC), log);
	struct pf_store_rule *rules;
	int rc;

	if (!r->rules || !r->rules->count)
		return 0;
	rc = PF_CALLOC(rules, r->rules->count, err);
	for (size_t i = 0; !rc && i < r->rules->count; i++) {
		rules[i] = r->rules->items[i];
		rules[i].max_age = ages ? rules[i].max_age : 0;
	}
	if (!rc)
		rc = pf_store_prune(store, rules, r->rules->count, (int64_t)(wall * 1e9), false,
		    false, pruned, err);
	free(rules);
	return rc;
}
