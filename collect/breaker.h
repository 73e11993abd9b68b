/*
 * breaker.h: when a service fails too often, it is left alone for a while.
 *
 * The last attempts decide: once a share of them failed, the breaker opens and
 * nothing is asked; after a pause one attempt is let through, and what comes of
 * it closes the breaker or opens it again, for twice as long each time up to
 * sixteen-fold.
 */
#ifndef PF_COLLECT_BREAKER_H
#define PF_COLLECT_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum { PF_BREAKER_MEMORY = 64 };

enum pf_breaker_state { PF_BREAKER_CLOSED, PF_BREAKER_OPEN, PF_BREAKER_PROBING };

struct pf_breaker {
	uint64_t failures; /* the last attempts, a bit each */
	unsigned attempts; /* of them remembered */
	enum pf_breaker_state state;
	unsigned openings; /* in a row */
	double until;      /* open until then; monotonic seconds */
};

struct pf_breaker_rule {
	double failure_share, pause;
	unsigned least;
};

/* Whether an attempt may be made now; an open one whose pause is over lets one through. */
bool pf_breaker_allows(struct pf_breaker *b, double now);
/* What came of an attempt. True: it has just opened. */
bool pf_breaker_note(
    struct pf_breaker *b, const struct pf_breaker_rule *rule, double now, bool failed);

#endif
