/*
 * leak.h: what grows, between who judges it (detect_leak.c) and who tells it (leak_report.c).
 */
#ifndef PF_TUNER_LEAK_H
#define PF_TUNER_LEAK_H

#include "stats/trend.h"
#include "tuner/detect.h"
#include "tuner/growth.h"
#include "tuner/parts.h"
#include "tuner/replaced.h"

#define PF_LEAST_GROWN 1048576.0 /* bytes */

struct pf_leak {
	const struct pf_growth *process; /* or the parts of one of its owners */
	uint32_t owner;
	const struct pf_growth *whole; /* of the process */
	const struct pf_parts
	    *parts; /* whose part it is, of parts->through; NULL: the owner itself */
	double first, last, grown, error; /* error: one standard deviation of `grown` */
	struct pf_trend trend;            /* p_rising is corrected for the number of candidates */
	bool series;
	bool settled; /* a series that rises, and yet is no leak: see has_ended() */
	bool leaks;
	bool enlarged; /* a series whose blocks became bigger, and not more */
	bool replaces; /* others gave up about as much: see replaced.h */
	struct pf_replaced replaced;
	size_t steps;     /* in which it grew, where that is no trend; else 0 */
	size_t processes; /* in which this owner leaks */
};

/* Who answers for it; of a part, who has it allocated. */
const char *pf_leak_name(const struct pf_leak *g);
/* Whether so many more clients that have connected meanwhile may hold what it grew by; NaN: not told. */
bool pf_leak_comes_with_connections(const struct pf_leak *g, double connections);
/* A finding of it, of `watched` processes that were looked at. PF_ENOMEM. */
int pf_leak_report(const struct pf_evidence *e, struct pf_findings *f, const struct pf_leak *g,
    size_t watched, double connections, struct pf_error *err);

#endif
