/*
 * search_score.h: what the runs of a search say about its settings.
 *
 * The logarithm of what a run needed is taken as the sum of its setting's effect,
 * its round's level and noise. A round's level is estimated from all of its runs:
 * were it today's run alone, that one run's noise would move all settings of the
 * batch against those of other batches. Effects are drawn towards their mean as if
 * they spread as much as runs do, which ties batches together that share nothing
 * but today's setting (Henderson's mixed model, solved by backfitting).
 */
#ifndef PF_TUNER_SEARCH_SCORE_H
#define PF_TUNER_SEARCH_SCORE_H

#include "tuner/search.h"

/*
 * Fills `change` of all runs, then value, score, rank, capped and pareto of all
 * trials. One of which not everything that was asked for could be measured has
 * failed; PF_EIO where that is today's. PF_ENOMEM.
 */
int pf_search_score(struct pf_search *s, struct pf_error *err);

/* The weighted mean of changes of what counts; NaN where one of them was not measured. */
double pf_weighted_change(const struct pf_search *s, const double *change);

/* How far these values are above the caps: the sum of ln(value / cap) of those that are; 0: none is. What is NaN is above none. */
double pf_cap_excess(const struct pf_search *s, const double *value);

#endif
