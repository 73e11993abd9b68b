/*
 * expire.h: which profiles retention lets go.
 *
 * A profile belongs to the first rule that it fits. Of what belongs to a rule the
 * oldest go: those beyond its age, and as many as are more than its size. So only
 * the old end of each class is looked at, whatever else the store holds, and one
 * profile of it where nothing has to go.
 */
#ifndef PF_STORE_EXPIRE_H
#define PF_STORE_EXPIRE_H

#include <profuse/store.h>

#include "store/catalog.h"

/* Columns of the rows that are told, and of others that look like them. */
#define PF_EXPIRE_COLUMNS "SELECT id, sha, file, size, collected FROM profile"
enum pf_expire_column {
	PF_EXPIRE_ROW,
	PF_EXPIRE_SHA,
	PF_EXPIRE_FILE,
	PF_EXPIRE_SIZE,
	PF_EXPIRE_COLLECTED
};

/* Calls each(data, row) for every profile that is to go; stops at a code other than 0. */
int pf_store_expired(struct pf_catalog *c, const struct pf_store_rule *rules, size_t count,
    int64_t now, int (*each)(void *data, sqlite3_stmt *row), void *data, struct pf_error *err);

#endif
