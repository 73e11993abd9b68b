/*
 * connections.c: see connections.h.
 *
 * net/http reads ahead for each request that it serves, to see when the client goes away; HTTP/2 and gRPC have a
 * reader for each connection. As many of these as there are connections wait for clients, and they end with them:
 * what becomes more in step with them is held by clients that are there, and not left behind by those that went.
 */
#include "tuner/connections.h"

#include <math.h>

#include "tuner/holdings.h"
#include "tuner/sites.h"

int
pf_connections_of(
    const struct pf_evidence_profile *ep, struct pf_connections *c, struct pf_error *err)
{
	uint32_t column = ep->p ? pf_evidence_column(ep, pf_count_columns) : PF_NONE;
	struct pf_stack s = {0};
	int rc = 0;

	*c = (struct pf_connections){0};
	if (column == PF_NONE) {
		*c = (struct pf_connections){NAN, NAN};
		return 0;
	}
	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		rc = pf_stack_read(&s, ep, i, err);
		if (rc)
			break;
		if ((s.traits & PF_CODE_SERVER) && !(s.traits & PF_CODE_CLIENT))
			c->served += pf_value(ep, i, column);
		if (pf_stack_has(&s, ep, "net/http.(*persistConn).roundTrip"))
			c->asking += pf_value(ep, i, column);
	}
	pf_stack_release(&s);
	return rc;
}

static int
grew_in(const struct pf_evidence *e, const struct pf_evidence_profile *first, size_t *snapshots,
    double *grown, struct pf_error *err)
{
	const struct pf_evidence_profile *last = first;
	struct pf_connections then, now;
	int rc;

	*snapshots = 1;
	for (const struct pf_evidence_profile *ep = first; (ep = pf_evidence_next(e, ep));
	    last = ep)
		++*snapshots;
	rc = pf_connections_of(first, &then, err);
	if (!rc)
		rc = pf_connections_of(last, &now, err);
	if (!rc)
		*grown = now.served - then.served;
	return rc;
}

int
pf_connections_grew(const struct pf_evidence *e, double *grown, struct pf_error *err)
{
	const struct pf_evidence_profile *first = NULL;
	size_t most = 1;
	int rc = 0;

	*grown = NAN;
	while (!rc && (first = pf_evidence_next_series(e, PF_PROFILE_GOROUTINE, first))) {
		double by = NAN;
		size_t snapshots;

		rc = grew_in(e, first, &snapshots, &by, err);
		if (!rc && snapshots > most) {
			most = snapshots;
			*grown = by;
		}
	}
	return rc;
}
