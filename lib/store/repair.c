/*
 * repair.c: opening a store brings its catalog into line with what is on the disk.
 *
 * What a crash can leave: a half-written segment in tmp/ (removed), a journal
 * with a torn end (cut: that was never committed), segments and records that
 * the catalog does not know (read), and names in it of files that are gone
 * (forgotten). A reader that may not write does the same in memory; so does one
 * beside a writer whose catalog stands still, as it does while the disk is full.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/error.h"
#include "core/memory.h"
#include "store/segment.h"
#include "store/store_private.h"

struct repair {
	struct pf_store *store;
	struct pf_error *err;
	bool write;
	int64_t file;
	uint64_t *journals; /* owned; their numbers */
	size_t journal_count, journal_capacity;
};

static int
remove_temporary(void *data, const char *name)
{
	struct repair *r = data;
	char path[PF_LAYOUT_PATH + 256];

	snprintf(path, sizeof path, "tmp/%s", name);
	unlinkat(r->store->root, path, 0);
	return 0;
}

/* Files that the catalog knows and the disk doesn't. */
static int
forget_missing(struct repair *r)
{
	struct pf_catalog *c = &r->store->catalog;
	int64_t *missing = NULL;
	size_t count = 0, capacity = 0;
	sqlite3_stmt *q;
	bool row = true;
	int rc = pf_catalog_prepare(c, "SELECT id, path FROM file", &q, r->err);

	while (!rc && row) {
		rc = pf_catalog_step(c, q, &row, r->err);
		if (rc || !row || faccessat(r->store->root, pf_catalog_text(q, 1), F_OK, 0) == 0)
			continue;
		rc = PF_GROW(missing, capacity, count + 1, r->err);
		if (!rc)
			missing[count++] = sqlite3_column_int64(q, 0);
	}
	sqlite3_finalize(q);
	if (!rc && count)
		rc = pf_catalog_begin(c, r->err);
	for (size_t i = 0; !rc && i < count; i++)
		rc = pf_catalog_drop_file(c, missing[i], r->err);
	if (count)
		rc = pf_catalog_end(c, rc, r->err);
	free(missing);
	return rc;
}

static int
add_record(void *data, uint64_t offset, const struct pf_store_entry *entry)
{
	struct repair *r = data;

	return pf_catalog_add(&r->store->catalog, r->file, offset, entry, r->err);
}

static int
read_segment(struct repair *r, int fd, const char *path)
{
	struct pf_catalog *c = &r->store->catalog;
	int rc = pf_catalog_begin(c, r->err);

	if (rc)
		return rc;
	rc = pf_catalog_add_file(c, path, &r->file, r->err);
	if (!rc)
		rc = pf_segment_each(fd, path, add_record, r, r->err);
	return pf_catalog_end(c, rc, r->err);
}

/* A segment that the catalog doesn't know. A damaged one is left where it is, and out. */
static int
add_segment(void *data, const char *path)
{
	struct repair *r = data;
	uint64_t indexed;
	int fd, rc = pf_catalog_file(&r->store->catalog, path, &r->file, &indexed, r->err);

	if (rc || r->file)
		return rc;
	fd = openat(r->store->root, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0
				       : pf_error_errno(r->err, "cannot read the store's", path);
	rc = read_segment(r, fd, path);
	close(fd);
	if (rc != PF_EINPUT)
		return rc;
	pf_store_warn(r->store, "%s/%s; it is left out", r->store->path, r->err->message);
	return 0;
}

static int
note_journal(void *data, const char *name)
{
	struct repair *r = data;
	uint64_t number = pf_layout_journal_number(name);
	int rc =
	    number ? PF_GROW(r->journals, r->journal_capacity, r->journal_count + 1, r->err) : 0;

	if (!rc && number)
		r->journals[r->journal_count++] = number;
	return rc;
}

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Cuts off what was being written when a crash came. */
static int
cut(struct repair *r, int fd, const char *path, uint64_t end, uint64_t size)
{
	if (end == size || !r->write)
		return 0;
	if (ftruncate(fd, (off_t)end) || fsync(fd))
		return pf_error_errno(r->err, "cannot write the store's", path);
	pf_store_warn(r->store,
	    "%s/%s: %llu bytes at its end were cut off: they were being written when the "
	    "last writer ended, and not yet counted as stored",
	    r->store->path, path, (unsigned long long)(size - end));
	return 0;
}

static int
note_first(void *data, uint64_t offset, const struct pf_store_entry *entry)
{
	int64_t *first = data;

	(void)offset;
	if (!*first)
		*first = entry->collected_nanos;
	return 0;
}

/* Goes on writing where the last writer stopped. */
static int
adopt(struct repair *r, int fd, const char *path, uint64_t end)
{
	struct pf_journal_walk walk = {.each = note_first};
	struct pf_journal *j = &r->store->journal;

	pf_journal_close(r->store);
	*j = (struct pf_journal){.fd = fd, .synced = end, .end = end};
	snprintf(j->path, sizeof j->path, "%s", path);
	walk.data = &j->first_nanos;
	return pf_journal_walk(r->store, fd, path, 0, end, false, &walk, r->err);
}

static int
read_journal(struct repair *r, int fd, const char *path, bool last)
{
	struct pf_journal_walk walk = {0};
	struct stat st;
	int rc;

	if (fstat(fd, &st))
		return pf_error_errno(r->err, "cannot read the store's", path);
	if (st.st_size < PF_JOURNAL_START) { /* was just being made */
		if (r->write && unlinkat(r->store->root, path, 0))
			return pf_error_errno(r->err, "cannot remove the store's", path);
		close(fd);
		return 0;
	}
	rc = pf_journal_catalog(r->store, fd, path, (uint64_t)st.st_size, true, &walk, r->err);
	if (!rc && walk.skipped)
		pf_store_warn(r->store, "%s/%s: %llu bytes between whole records are damaged",
		    r->store->path, path, (unsigned long long)walk.skipped);
	if (!rc)
		rc = cut(r, fd, path, walk.end, (uint64_t)st.st_size);
	if (!rc && r->write && last && !walk.skipped)
		return adopt(r, fd, path, walk.end);
	close(fd);
	return rc;
}

static int
read_journals(struct repair *r)
{
	char path[PF_LAYOUT_PATH];
	int rc = pf_layout_each(r->store->root, "journal", note_journal, r, r->err);

	if (!rc && r->journal_count)
		qsort(r->journals, r->journal_count, sizeof *r->journals, by_number);
	r->store->next_journal = 1;
	for (size_t i = 0; !rc && i < r->journal_count; i++) {
		int fd;
		r->store->next_journal = r->journals[i] + 1;
		pf_layout_journal(path, r->journals[i]);
		fd = openat(r->store->root, path, (r->write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
		rc = fd < 0 ? pf_error_errno(r->err, "cannot read the store's", path)
			    : read_journal(r, fd, path, i + 1 == r->journal_count);
		if (rc == PF_EINPUT) {
			pf_store_warn(
			    r->store, "%s/%s; it is left out", r->store->path, r->err->message);
			close(fd);
			rc = 0;
		}
	}
	return rc;
}

struct lag {
	struct pf_store *store;
	struct pf_error *err;
	bool overdue;
};

static int
first_only(void *data, uint64_t offset, const struct pf_store_entry *entry)
{
	bool *overdue = data;

	(void)offset;
	*overdue = pf_store_overdue(entry);
	return PF_ENO; /* the later ones can only be younger */
}

static int
note_lag(void *data, const char *name)
{
	struct lag *lag = data;
	struct pf_journal_walk walk = {.each = first_only, .data = &lag->overdue};
	char path[PF_LAYOUT_PATH];
	struct stat st;
	uint64_t indexed = 0;
	int64_t file;
	int rc, fd;

	if (!pf_layout_journal_number(name) || lag->overdue)
		return 0;
	snprintf(path, sizeof path, "journal/%s", name);
	rc = pf_catalog_file(&lag->store->catalog, path, &file, &indexed, lag->err);
	if (rc)
		return rc;
	fd = openat(lag->store->root, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0; /* sealed meanwhile */
	if (fstat(fd, &st) == 0 && (uint64_t)st.st_size > indexed)
		pf_journal_walk(
		    lag->store, fd, path, indexed, (uint64_t)st.st_size, false, &walk, lag->err);
	close(fd);
	return 0;
}

bool
pf_store_overdue(const struct pf_store_entry *e)
{
	return time(NULL) - e->collected_nanos / 1000000000 > PF_CATALOG_PATIENCE;
}

bool
pf_store_catalog_stands_still(struct pf_store *s)
{
	struct pf_error err;
	struct lag lag = {.store = s, .err = &err};

	return !pf_layout_each(s->root, "journal", note_lag, &lag, &err) && lag.overdue;
}

static void
remove_catalog(struct pf_store *s)
{
	unlinkat(s->root, "catalog.db", 0);
	unlinkat(s->root, "catalog.db-wal", 0);
	unlinkat(s->root, "catalog.db-shm", 0);
}

static int
open_catalog(struct pf_store *s, enum pf_catalog_mode mode, struct pf_error *err)
{
	bool stale;
	int rc = pf_catalog_open(&s->catalog, s->catalog_path, mode, &stale, err);

	if (!rc || !stale || mode != PF_CATALOG_WRITE)
		return rc;
	pf_store_warn(s, "%s; it is made anew from the segments", err->message);
	remove_catalog(s);
	return pf_catalog_open(&s->catalog, s->catalog_path, mode, NULL, err);
}

int
pf_store_repair(struct pf_store *s, enum pf_catalog_mode mode, struct pf_error *err)
{
	struct repair r = {.store = s, .err = err, .write = mode == PF_CATALOG_WRITE};
	int rc = open_catalog(s, mode, err);

	if (rc || mode == PF_CATALOG_READ)
		return rc;
	if (r.write)
		rc = pf_layout_each(s->root, "tmp", remove_temporary, &r, err);
	if (!rc)
		rc = forget_missing(&r);
	if (!rc)
		rc = pf_layout_each_segment(s->root, add_segment, &r, err);
	if (!rc)
		rc = read_journals(&r);
	free(r.journals);
	return rc;
}

int
pf_store_rebuild(struct pf_store *s, struct pf_error *err)
{
	struct pf_error local;
	int rc = pf_store_check_writing(s, err = err ? err : &local);

	if (!rc)
		rc = pf_store_commit(s, err);
	if (rc)
		return rc;
	pf_journal_close(s);
	pf_catalog_close(&s->catalog);
	remove_catalog(s);
	return pf_store_repair(s, PF_CATALOG_WRITE, err);
}
