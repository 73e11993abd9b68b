/* query.h: a filter as a question to the catalog. */
#ifndef PF_STORE_QUERY_H
#define PF_STORE_QUERY_H

#include "store/catalog.h"

enum pf_query_column {
	PF_QUERY_ROW,
	PF_QUERY_SHA,
	PF_QUERY_TYPE,
	PF_QUERY_BUILD_ID,
	PF_QUERY_TRIGGER,
	PF_QUERY_REASON,
	PF_QUERY_START,
	PF_QUERY_DURATION,
	PF_QUERY_COLLECTED,
	PF_QUERY_SIZE,
	PF_QUERY_SAMPLES,
	PF_QUERY_FILE,
	PF_QUERY_OFFSET,
	PF_QUERY_LABELS,
	PF_QUERY_SERVICE,
	PF_QUERY_INSTANCE
};

/*
 * A statement whose rows fit the filter, with the columns above; to be
 * finalized. It borrows the filter's strings. PF_EUSAGE: a filter that can't be.
 */
int pf_query_prepare(struct pf_catalog *c, const struct pf_store_filter *filter,
    sqlite3_stmt **statement, struct pf_error *err);

#endif
