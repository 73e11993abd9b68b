/*
 * condition.h: whether one series of values says that something is wrong.
 *
 * A trigger's condition, without network or profiles: a limit, a jump over what
 * is usual (the median of the last values that were not themselves odd), or too
 * large a share of the service. It must hold for as long as the trigger says.
 */
#ifndef PF_COLLECT_CONDITION_H
#define PF_COLLECT_CONDITION_H

#include "config.h"

/* The past of one series. A zeroed struct has none. */
struct pf_point {
	double *usual; /* owned; a ring of the last values */
	size_t count, next, room;
	double since; /* the condition holds since then; 0: it doesn't */
	double value; /* the last one */
	double at;    /* when that was; 0: never */
};

/* What of the rest of the service is known, for an imbalance. */
struct pf_point_context {
	double sum; /* of all instances */
	size_t instances;
};

/*
 * Takes the next value at this time (monotonic seconds). True: the condition
 * holds and has held long enough; `reason` is then a sentence of at most `room` bytes.
 */
bool pf_condition_judge(struct pf_point *point, const struct pf_trigger_config *trigger,
    double value, const struct pf_point_context *context, double now, char *reason, size_t room);
void pf_point_release(struct pf_point *point);

/* A counter's increase a second between two values, or NaN: it began anew, or there was none before. */
double pf_counter_rate(double before, double at_before, double value, double at);

#endif
