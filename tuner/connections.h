/* connections.h: connections of a Go service, told from what its goroutines wait for. */
#ifndef PF_TUNER_CONNECTIONS_H
#define PF_TUNER_CONNECTIONS_H

#include "tuner/evidence.h"

struct pf_connections {
	double
	    served; /* goroutines that wait for what clients send next: one for each connection, or a few */
	double asking; /* that wait for the answer to a request of net/http's client */
};

/* Of one snapshot; NaN where it is kept as sums only. PF_ENOMEM. */
int pf_connections_of(
    const struct pf_evidence_profile *ep, struct pf_connections *c, struct pf_error *err);

/*
 * How many more goroutines wait for clients at the end of the longest series of goroutine snapshots than at
 * its beginning; NaN: nothing tells. PF_ENOMEM.
 */
int pf_connections_grew(const struct pf_evidence *e, double *grown, struct pf_error *err);

#endif
