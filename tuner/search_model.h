/*
 * search_model.h: what a few runs say of each setting.
 *
 * The logarithm of what counts in a run is the sum of its round's level, its setting's
 * effect and noise. Settings that have something in common tell about each other:
 * their effects are a Gaussian process (Rasmussen and Williams 2006, chapter 2) whose
 * covariance is the sum of a part by allocator, one by what they set alike ("arenas 1"),
 * and one of each setting's own; along a dial (GOGC) a part by how near they are within
 * a series, one over all series, and one of their own. How large each part is and how
 * large the noise is come from the runs: the mode of their marginal likelihood under a
 * wide prior (a factor of e either way), because forty runs alone would tell little.
 */
#ifndef PF_TUNER_SEARCH_MODEL_H
#define PF_TUNER_SEARCH_MODEL_H

#include "tuner/search.h"

/*
 * From the changes of all runs (search_score.h): fills every trial's rank (of what
 * counts, in the logarithm, against today's) and doubt (its standard deviation), and
 * s->scales, from which the next call goes on. 0 or PF_ENOMEM.
 */
int pf_search_estimate(struct pf_search *s, struct pf_error *err);

#endif
