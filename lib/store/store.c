/* store.c: opening and closing, and what every part of a store needs; see profuse/store.h. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/memory.h"
#include "store/store_private.h"

enum { DEFAULT_PATIENCE = 2, DEFAULT_JOURNAL = 64 << 20 };

void
pf_store_warn(const struct pf_store *s, const char *format, ...)
{
	char sentence[1200];
	va_list args;

	if (!s->options.warn)
		return;
	va_start(args, format);
	vsnprintf(sentence, sizeof sentence, format, args);
	va_end(args);
	s->options.warn(s->options.warn_data, sentence);
}

static int
new_store(struct pf_store **store, const char *path, const struct pf_store_options *options,
    struct pf_error *err)
{
	struct pf_store *s;
	size_t length = strlen(path) + sizeof "/catalog.db";
	int rc = PF_CALLOC(*store, 1, err);

	if (rc)
		return rc;
	s = *store;
	s->root = s->lock = s->journal.fd = -1;
	s->options = (struct pf_store_options)PF_STORE_OPTIONS_INIT;
	if (options)
		memcpy(&s->options, options,
		    options->struct_size < sizeof s->options ? options->struct_size
							     : sizeof s->options);
	if (s->options.lock_patience <= 0)
		s->options.lock_patience = DEFAULT_PATIENCE;
	if (!s->options.journal_size)
		s->options.journal_size = DEFAULT_JOURNAL;
	pf_buffer_init(&s->header, PF_STORE_HEADER_MAX);
	rc = pf_copy_string(&s->path, path, err);
	if (!rc)
		rc = PF_CALLOC(s->catalog_path, length, err);
	if (!rc)
		snprintf(s->catalog_path, length, "%s/catalog.db", path);
	return rc;
}

void
pf_store_close(struct pf_store *s)
{
	if (!s)
		return;
	pf_journal_close(s);
	pf_catalog_close(&s->catalog);
	if (s->lock >= 0)
		close(s->lock);
	if (s->root >= 0)
		close(s->root);
	pf_buffer_release(&s->header);
	pf_store_parsed_release(&s->parsed);
	free(s->catalog_path);
	free(s->path);
	free(s);
}

const char *
pf_store_path(const struct pf_store *s)
{
	return s->path;
}

int
pf_store_check_writing(const struct pf_store *s, struct pf_error *err)
{
	return s->lock >= 0
		   ? 0
		   : pf_error_set(err, PF_EUSAGE, "the store %s is open for reading only", s->path);
}

static int
open_writing(struct pf_store *s, struct pf_error *err)
{
	int rc = pf_layout_open(&s->root, s->path, true, err);

	if (!rc)
		rc = pf_layout_lock(
		    s->root, s->path, s->options.lock_patience, false, &s->lock, err);
	if (!rc && s->lock < 0)
		rc = pf_layout_locked(s->root, s->path, err);
	return rc ? rc : pf_store_repair(s, PF_CATALOG_WRITE, err);
}

int
pf_store_create(struct pf_store **store, const char *path, const struct pf_store_options *options,
    struct pf_error *err)
{
	struct pf_error local;
	int rc;

	err = err ? err : &local;
	*store = NULL;
	rc = new_store(store, path, options, err);
	if (!rc)
		rc = open_writing(*store, err);
	if (rc) {
		pf_store_close(*store);
		*store = NULL;
	}
	return rc;
}

/* Repairs what the last writer left, if nobody writes now and we may; gives the lock back. */
static int
repair_as_writer(struct pf_store *s, bool *busy, struct pf_error *err)
{
	int rc = pf_layout_lock(s->root, s->path, 0, true, &s->lock, err);

	*busy = !rc && s->lock < 0;
	if (rc || *busy)
		return rc;
	rc = pf_store_repair(s, PF_CATALOG_WRITE, err);
	pf_journal_close(s);
	close(s->lock);
	s->lock = -1;
	return rc;
}

static int
open_reading(struct pf_store *s, struct pf_error *err)
{
	bool busy = false;
	int rc = pf_layout_open(&s->root, s->path, false, err);

	if (rc)
		return rc;
	if (faccessat(s->root, ".", W_OK, AT_EACCESS) == 0) {
		rc = repair_as_writer(s, &busy, err);
		if (rc != PF_EIO && !busy)
			return rc;
		pf_catalog_close(&s->catalog);
		if (busy && !pf_store_repair(s, PF_CATALOG_READ, err)) {
			if (!pf_store_catalog_stands_still(s))
				return 0; /* the writer keeps it up to date */
			pf_catalog_close(&s->catalog);
		}
	}
	return pf_store_repair(s, PF_CATALOG_MEMORY, err);
}

int
pf_store_open(struct pf_store **store, const char *path, const struct pf_store_options *options,
    struct pf_error *err)
{
	struct pf_error local;
	int rc;

	err = err ? err : &local;
	*store = NULL;
	rc = new_store(store, path, options, err);
	if (!rc)
		rc = open_reading(*store, err);
	if (rc) {
		pf_store_close(*store);
		*store = NULL;
	}
	return rc;
}

int
pf_store_totals(struct pf_store *s, uint64_t *profiles, uint64_t *bytes, struct pf_error *err)
{
	struct pf_error local;
	sqlite3_stmt *q;
	bool row = false;
	int rc = pf_catalog_prepare(&s->catalog, "SELECT total(profiles), total(bytes) FROM class",
	    &q, err = err ? err : &local);

	if (!rc)
		rc = pf_catalog_step(&s->catalog, q, &row, err);
	*profiles = row ? (uint64_t)sqlite3_column_double(q, 0) : 0;
	*bytes = row ? (uint64_t)sqlite3_column_double(q, 1) : 0;
	sqlite3_finalize(q);
	return rc;
}
