/* pile.h: goroutines or threads in one place, between who judges them (detect_goroutines.c) and what is advised. */
#ifndef PF_TUNER_PILE_H
#define PF_TUNER_PILE_H

#include "stats/trend.h"
#include "tuner/connections.h"
#include "tuner/detect.h"
#include "tuner/owner_stacks.h"

#define PF_PILE_IN_STEP 0.8 /* of what a place grew by: so many more connections explain it */

enum {
	PF_PILE_MOST_SERIES = 500,
	PF_PILE_RISING = 100,       /* goroutines more in a series, at least */
	PF_PILE_RISING_SLOWLY = 20, /* with more in each snapshot: they are counted, not sampled */
};

struct pf_pile_series {
	double times[PF_PILE_MOST_SERIES], values[PF_PILE_MOST_SERIES];
	size_t count;
};

/* Which of those at a place are told of. */
enum pf_pile_part {
	PF_PILE_ALL,
	PF_PILE_BUSY, /* all but threads that wait for others */
	PF_PILE_IDLE  /* these */
};

struct pf_pile {
	const struct pf_evidence_profile *first, *ep; /* of its process, and the youngest */
	struct pf_site site;
	const char *owner, *what; /* what: "goroutines" */
	struct pf_pile_series series;
	struct pf_connections then, now; /* of its process's first snapshot, and of the youngest */
	struct pf_trend trend;           /* p_rising is 1 where it is not known */
	bool is_series; /* enough snapshots in the order of time: the trend is known */
	bool rising;
	bool
	    slow; /* in every snapshot there are more than in the one before, and yet by fewer than a rise takes */
	double base;                   /* NaN: no base */
	struct pf_owner_stacks stacks; /* owned */
	enum pf_pile_part part;
	double count;  /* of the part */
	double sends;  /* of these, what waits to send to others of the program */
	uint32_t wait; /* what nine tenths of it wait for; 0: different things, or nothing */
};

/* What whoever they are told as is known to be; 0: the service's own. */
uint32_t pf_pile_traits(const struct pf_pile *p);
/* Whether they are a client library's loops: one for each connection. */
bool pf_pile_is_client(const struct pf_pile *p);
/* Adds to the finding being built what to do about them. */
void pf_pile_advise(struct pf_findings *f, const struct pf_pile *p);

#endif
