/*
 * holdings.h: who holds how much in one snapshot: what is left of it once it is
 * only a point of a series.
 *
 * Of heaps: bytes in use by the function that answers for them, with the variance
 * of sampling. Of goroutines and threads: how many are stuck where.
 */
#ifndef PF_TUNER_HOLDINGS_H
#define PF_TUNER_HOLDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/strings.h"

struct pf_evidence_profile;
struct pf_stack;

struct pf_holding {
	uint32_t owner; /* a string of the evidence's */
	double value, variance;
	double objects; /* of heaps; 0: not counted */
	/* Of heaps, since the process began; NaN: not told. Variances are in bytes squared. */
	double allocated, allocated_variance, freed_variance;
};

/* Of a heap: what one of the service's functions holds by those that called it. */
struct pf_holding_part {
	uint32_t callers
	    [2]; /* strings of the evidence's callers: who called the owner, and who that one; 0: nobody */
	struct pf_holding held;
};

struct pf_holdings {
	struct pf_holding *items; /* owned; by owner */
	size_t count;
	struct pf_holding_part *parts; /* owned; the greatest, of heaps */
	size_t part_count;
};

/*
 * Sums what a snapshot of a kind that makes series holds; nothing of other
 * kinds. An object of s bytes is sampled with probability p = 1 - exp(-s/rate),
 * so n of them are estimated with variance n·s²·(1-p)/p bytes squared.
 * PF_ENOMEM. Release them after a failure too.
 */
int pf_holdings_of(struct pf_holdings *h, const struct pf_evidence_profile *ep,
    struct pf_strings *owners, struct pf_strings *callers, struct pf_error *err);
void pf_holdings_release(struct pf_holdings *h);
/* Adds one holding to another, whose owner stays. */
void pf_holding_add(struct pf_holding *sum, const struct pf_holding *more);
/* All of it together, of no owner. */
struct pf_holding pf_holdings_total(const struct pf_holdings *h);
/* What this owner holds; NULL: nothing. */
const struct pf_holding *pf_holdings_find(const struct pf_holdings *h, uint32_t owner);

/* Whether somebody waits there for good: not for a next request, as servers do. */
bool pf_is_stuck(const struct pf_stack *s, const struct pf_evidence_profile *ep);
/* Columns of memory in use, and of goroutines or threads; NULL-terminated. */
extern const char *const pf_in_use_columns[], *const pf_count_columns[];

#endif
