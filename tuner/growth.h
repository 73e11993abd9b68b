/* growth.h: memory in use by owner over the heap snapshots of a process: what the leak detector judges and pages plot. */
#ifndef PF_TUNER_GROWTH_H
#define PF_TUNER_GROWTH_H

#include "core/buffer.h"
#include "tuner/evidence.h"

/* Owners are functions that answer for memory: strings of the evidence's; 0 is nobody. */
struct pf_growth {
	const struct pf_strings *owners;
	struct pf_holding *held; /* owned; snapshot by snapshot, `room` owners each */
	size_t room, snapshots;
	bool one_process; /* the first and the last are of one, which says what it allocates */
	const struct pf_evidence_profile **profiles; /* owned */
	double *times; /* owned; seconds, or 0, 1, 2, … where times are missing */
};

/*
 * What each owner holds: in `base` and in `from`, where a base is given, else in
 * the snapshots of the series that begins with `from`. PF_ENOMEM. Release it
 * after a failure too.
 */
int pf_growth_init(struct pf_growth *g, const struct pf_evidence *e,
    const struct pf_evidence_profile *base, const struct pf_evidence_profile *from,
    struct pf_error *err);
void pf_growth_release(struct pf_growth *g);

static inline double
pf_growth_at(const struct pf_growth *g, size_t snapshot, uint32_t owner)
{
	return g->held[snapshot * g->room + owner].value;
}

/*
 * The variance, by sampling, of what an owner grew by from the first snapshot to the last. Of one process both show the
 * same samples of what lives on, so only what was allocated or freed between them has an error: no more than what each
 * holds, but of a leak that has run for long far less.
 */
double pf_growth_variance(const struct pf_growth *g, uint32_t owner);

/* What an owner allocated meanwhile, in bytes; NaN: not told. */
double pf_growth_allocated(const struct pf_growth *g, uint32_t owner);

/*
 * How often what an owner holds jumped up without ever falling, where its blocks did not become more but bigger:
 * arrays and tables that are enlarged when they are full. 0: once or never, or it has stayed as it is for longer
 * than the next jump would have taken to come.
 */
size_t pf_growth_steps(const struct pf_growth *g, uint32_t owner);
/* Whether its blocks became bigger, and not more: it grows in bursts then, whose pace is that of no longer time. */
bool pf_growth_is_enlarged(const struct pf_growth *g, uint32_t owner);

/*
 * For how long the process is known to have been at work when it was looked at last: as a snapshot itself or the
 * kernel says (an agent that came later knows of nothing before: its own age counts), else by what it had allocated,
 * else, of snapshots that were named, the time that they span.
 */
struct pf_age {
	double seconds; /* NaN: nothing tells */
	enum { PF_AGE_OF_PROCESS, PF_AGE_OF_WORK, PF_AGE_OF_SERIES } of;
};
struct pf_age pf_growth_age(const struct pf_evidence *e, const struct pf_growth *g);

/*
 * Where no leak was found in a series of less than ten minutes: how fast one must be to be seen in it. No growth in
 * seconds is none that is fast.
 */
void pf_growth_write_slow(const struct pf_evidence *e, struct pf_buffer *out);

/*
 * Appends `,"growth":{…}` for a page: the greatest owners over time, in the process that grew
 * most. Nothing with fewer than three snapshots.
 */
int pf_growth_json(const struct pf_evidence *e, struct pf_buffer *out, struct pf_error *err);

#endif
