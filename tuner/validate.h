/*
 * validate.h: the setting that a search has chosen against today's, in pairs of their own.
 *
 * The chosen one and today's run in fresh rounds, and after every few rounds they are
 * compared in pairs. It ends when the chosen one is borne out as better, when it can't
 * be better by enough to matter, or after the last round.
 *
 * All looks together are wrong with a chance of at most 5 % (two-sided; that a
 * recommended setting is really worse: half of that), spent over the looks as
 * stats/spending.h says. The interval is that of the last look (repeated confidence
 * intervals, Jennison and Turnbull 1989): it holds however the comparison came to its
 * end. To end early without a proof only gives up a chance to recommend.
 *
 * Where today's setting breaks a cap, nothing ends early for being slower, and the
 * chosen one is borne out when such an interval of its own runs lies within the caps
 * while today's, beside them, are above.
 */
#ifndef PF_TUNER_VALIDATE_H
#define PF_TUNER_VALIDATE_H

#include "stats/random.h"
#include "tuner/runner.h"

#define PF_MATTERS \
	0.03 /* of what counts: a setting that can't be better by so much is not worth having */

/*
 * Compares trial `chosen` over at most `pairs` rounds and adds to s->validations what
 * came of it; its runs and today's are added to those of the search, and say what else
 * is worth comparing where this one is not borne out. Fails as the runner does where
 * today's setting does not run; PF_ENOMEM.
 */
int pf_validate(struct pf_search *s, struct pf_runner *runner, size_t chosen, size_t pairs,
    struct pf_random *rng, struct pf_error *err);

/*
 * How many settings may be compared, one after the other; each has its part of the 5 %.
 * With n pairs no two-sided test gives less than 2^(1 - n): 6 pairs decide for one, 7 for two.
 */
size_t pf_candidates(size_t pairs);

#endif
