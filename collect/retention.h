/*
 * retention.h: what the store keeps, by class, age and size.
 *
 * A clock that leaps makes ages doubtful: for an hour after a leap nothing is
 * removed by its age, so that a wrong date cannot empty a store.
 */
#ifndef PF_COLLECT_RETENTION_H
#define PF_COLLECT_RETENTION_H

#include <profuse/store.h>

#include "config.h"
#include "log.h"

/* A copy of a configuration's rules that outlives it. */
struct pf_retention_rules {
	struct pf_pool pool;
	struct pf_store_rule *items;
	size_t count;
};

int pf_retention_rules_new(struct pf_retention_rules **rules,
    const struct pf_retention_config *from, size_t count, struct pf_error *err);
void pf_retention_rules_free(struct pf_retention_rules *rules);

struct pf_retention {
	struct pf_retention_rules *rules;  /* owned; NULL: everything is kept */
	double wall_ahead, distrust_until; /* of the clocks; seconds */
};

void pf_retention_init(struct pf_retention *retention);
void pf_retention_release(struct pf_retention *retention);
/* Takes over *rules, which becomes NULL. */
void pf_retention_replace(struct pf_retention *retention, struct pf_retention_rules **rules);

/* Whether ages can be trusted now, given what both clocks say (seconds). */
bool pf_retention_trusts(
    struct pf_retention *retention, double wall, double monotonic, const struct pf_log *log);
/* Removes what its class no longer keeps. */
int pf_retention_enforce(struct pf_retention *retention, struct pf_store *store,
    const struct pf_log *log, struct pf_store_pruned *pruned, struct pf_error *err);

#endif
