/*
 * store_private.h: the inside of a store handle, shared by lib/store/.
 *
 * Order of truth: segments, then journals, then the catalog. A record is durable
 * when its journal is synced; sealing writes segments first, tells the catalog
 * next and removes the journal last, so that at every moment a record is in at
 * least one of them.
 */
#ifndef PF_STORE_PRIVATE_H
#define PF_STORE_PRIVATE_H

#include <profuse/store.h>

#include "store/catalog.h"
#include "store/layout.h"
#include "store/record.h"

struct pf_journal {
	int fd; /* -1: none is open */
	char path[PF_LAYOUT_PATH];
	uint64_t synced, end; /* committed up to, written up to */
	int64_t first_nanos;  /* collected_nanos of its first record; 0: none */
};

struct pf_store {
	struct pf_store_options options;
	char *path, *catalog_path;
	int root, lock; /* lock -1: reading */
	struct pf_catalog catalog;
	struct pf_journal journal;
	uint64_t next_journal;
	bool catalog_behind; /* the last attempt to bring it up to date failed */
	struct pf_buffer header;
	struct pf_store_parsed parsed;
};

enum { PF_JOURNAL_START = 8 }; /* its magic */

void pf_store_warn(const struct pf_store *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What a walk over a journal's records found. */
struct pf_journal_walk {
	uint64_t end;     /* behind the last whole record */
	uint64_t skipped; /* bytes of damage between whole records */
	/* Called for each; a code other than 0 ends the walk. May be NULL. */
	int (*each)(void *data, uint64_t offset, const struct pf_store_entry *entry);
	void *data;
};

/*
 * Walks the records from `from` (0: the beginning) to `end`. `bytes_too` reads and
 * checks the profiles as well and looks for whole records behind damage; without
 * it, the first that is not whole is the end. PF_EINPUT: no journal.
 */
int pf_journal_walk(struct pf_store *s, int fd, const char *path, uint64_t from, uint64_t end,
    bool bytes_too, struct pf_journal_walk *walk, struct pf_error *err);

/* Tells the catalog of the records up to `end` that it doesn't know yet, in one transaction. */
int pf_journal_catalog(struct pf_store *s, int fd, const char *path, uint64_t end, bool bytes_too,
    struct pf_journal_walk *walk, struct pf_error *err);

/* Opens or makes the catalog and brings it into line with what is on the disk. repair.c. */
int pf_store_repair(struct pf_store *s, enum pf_catalog_mode mode, struct pf_error *err);

/*
 * Whether a profile was stored longer ago than a writer takes to tell the
 * catalog; and whether the catalog lacks such a one: the writer can't, most
 * likely because the disk is full. repair.c.
 */
enum { PF_CATALOG_PATIENCE = 5 }; /* seconds */
bool pf_store_overdue(const struct pf_store_entry *entry);
bool pf_store_catalog_stands_still(struct pf_store *s);

/* Seals one journal by its path: segments, catalog, then the file goes. */
int pf_journal_seal(struct pf_store *s, const char *path, struct pf_error *err);
/*
 * Writes what the catalog has in `file` (open as fd) into new segments, but for
 * the rows `without` (ascending), and lets the catalog forget the file and those.
 */
int pf_store_resegment(struct pf_store *s, int fd, int64_t file, const int64_t *without,
    size_t count, struct pf_error *err);
/* Closes the current journal; what was not committed is cut off. */
void pf_journal_close(struct pf_store *s);

/* PF_EUSAGE unless the store is open for writing. */
int pf_store_check_writing(const struct pf_store *s, struct pf_error *err);

/* Where the bytes of a profile are, read and checked into `bytes`. PF_EIO gone; PF_EINPUT damaged. */
int pf_store_read(struct pf_store *s, const char *file, uint64_t offset,
    const uint8_t id[PF_STORE_ID_SIZE], struct pf_buffer *bytes, struct pf_error *err);

/* What a filter selects, as rows of one store's catalog. */
int pf_selection_rows(
    const struct pf_selection *selection, int64_t **rows, size_t *count, struct pf_error *err);

#endif
