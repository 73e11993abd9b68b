/*
 * catalog.h: where each profile lies and what is known of it, in SQLite.
 *
 * A cache, never the truth: everything in it can be read again from segments and
 * journals, so a catalog that is broken, of another version or gone is made
 * anew. Tables (docs/store.md): file, target (a set of labels), profile, trace, class.
 */
#ifndef PF_STORE_CATALOG_H
#define PF_STORE_CATALOG_H

#include <sqlite3.h>

#include "store/entry.h"

enum pf_catalog_mode {
	PF_CATALOG_WRITE,  /* the file, made if it is not there */
	PF_CATALOG_READ,   /* the file, read only */
	PF_CATALOG_MEMORY, /* an empty one of our own */
};

enum pf_catalog_statement {
	PF_CATALOG_HAS,
	PF_CATALOG_FILE,
	PF_CATALOG_ADD_FILE,
	PF_CATALOG_SET_INDEXED,
	PF_CATALOG_DROP_FILE,
	PF_CATALOG_DROP_PROFILES,
	PF_CATALOG_DROP_TRACES,
	PF_CATALOG_TARGET,
	PF_CATALOG_ADD_TARGET,
	PF_CATALOG_ADD,
	PF_CATALOG_ADD_TRACES,
	PF_CATALOG_MOVE,
	PF_CATALOG_REMOVE,
	PF_CATALOG_REMOVE_TRACES,
	PF_CATALOG_LOCATE,
	PF_CATALOG_STATEMENTS
};

struct pf_catalog {
	sqlite3 *db;
	sqlite3_stmt *statements[PF_CATALOG_STATEMENTS];
};

/* Opens into a zeroed struct; closed on failure. *stale (may be NULL): it is no catalog, or of another version. */
int pf_catalog_open(struct pf_catalog *c, const char *path, enum pf_catalog_mode mode, bool *stale,
    struct pf_error *err);
void pf_catalog_close(struct pf_catalog *c);

int pf_catalog_begin(struct pf_catalog *c, struct pf_error *err);
/* Ends the transaction: with 0 it is kept, with a code it is undone; returns the code, or why it can't be kept. */
int pf_catalog_end(struct pf_catalog *c, int rc, struct pf_error *err);

/* The file of this relative path; *id 0: not known. *indexed: how far it was read. */
int pf_catalog_file(
    struct pf_catalog *c, const char *path, int64_t *id, uint64_t *indexed, struct pf_error *err);
int pf_catalog_add_file(struct pf_catalog *c, const char *path, int64_t *id, struct pf_error *err);
int pf_catalog_set_indexed(
    struct pf_catalog *c, int64_t file, uint64_t indexed, struct pf_error *err);
/* Forgets a file and the profiles in it. */
int pf_catalog_drop_file(struct pf_catalog *c, int64_t file, struct pf_error *err);

/* Whether the profile of this id is known. */
int pf_catalog_has(
    struct pf_catalog *c, const uint8_t id[PF_STORE_ID_SIZE], bool *known, struct pf_error *err);
/* Where it lies: file path (to be freed) and offset; *path NULL: not known. */
int pf_catalog_locate(struct pf_catalog *c, const uint8_t id[PF_STORE_ID_SIZE], char **path,
    uint64_t *offset, struct pf_error *err);
/* Adds a profile, unless its id is there already. */
int pf_catalog_add(struct pf_catalog *c, int64_t file, uint64_t offset,
    const struct pf_store_entry *entry, struct pf_error *err);
/* Row `profile` lies elsewhere now; is gone. */
int pf_catalog_move(
    struct pf_catalog *c, int64_t profile, int64_t file, uint64_t offset, struct pf_error *err);
int pf_catalog_remove(struct pf_catalog *c, int64_t profile, struct pf_error *err);

/* A statement of the caller's own, to be finalized by it. */
int pf_catalog_prepare(
    struct pf_catalog *c, const char *sql, sqlite3_stmt **statement, struct pf_error *err);
/* One step: *row tells whether there is one. */
int pf_catalog_step(struct pf_catalog *c, sqlite3_stmt *statement, bool *row, struct pf_error *err);
/* What SQLite last complained about, as our error. */
int pf_catalog_error(struct pf_catalog *c, const char *doing, struct pf_error *err);

/* A column's text, "" where it has none. */
static inline const char *
pf_catalog_text(sqlite3_stmt *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement, column);

	return text ? (const char *)text : "";
}

#endif
