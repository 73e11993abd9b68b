/*
 * race.h: the most promising settings of a search against today's, in rounds of their own.
 *
 * Today's setting and up to PF_RACERS others run in rounds, and after every few
 * rounds each is compared with today's in pairs. One that is behind the leader, or
 * that can't be better than today's by enough to matter, drops out, so that the
 * rounds go where they decide something. The race ends when a setting is borne out
 * as better and the pairs rule out that another is ahead of it by enough to matter,
 * when none is left, or after the last round.
 *
 * All looks at all settings together are wrong with a chance of at most 5 %
 * (two-sided; that a recommended one is really worse: half of that): each setting
 * has its part of it (Bonferroni), spent over the looks as stats/spending.h says.
 * The intervals are those of the last look (repeated confidence intervals, Jennison
 * and Turnbull 1989): they hold however the race came to its end. What drops out
 * only gives up chances to be recommended.
 *
 * Where today's setting breaks a cap, nobody drops out for being slower than it, and a
 * setting is borne out when such an interval of its own runs lies within the caps
 * while today's, beside them, are above. Of those, the one that costs least is ahead.
 */
#ifndef PF_TUNER_RACE_H
#define PF_TUNER_RACE_H

#include "stats/random.h"
#include "tuner/runner.h"

/*
 * Races the first of `which` (the most promising first) that promise anything, no
 * two of them neighbours on a dial, over at most `pairs` rounds; fills
 * s->validations. Fails as the runner does where today's setting does not run; PF_ENOMEM.
 */
int pf_race(struct pf_search *s, struct pf_runner *runner, const size_t *which, size_t n,
    size_t pairs, struct pf_random *rng, struct pf_error *err);

/* At most so many runs. */
size_t pf_race_runs(size_t pairs);

#endif
