/*
 * seal.c: from a journal to immutable segments, one for each hour and bucket.
 *
 * Items are in one order, so that sealing the same records again, after a crash
 * on the way, writes the same segments under the same names.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/memory.h"
#include "store/point.h"
#include "store/segment.h"
#include "store/store_private.h"

/* One record to be sealed. */
struct item {
	int64_t row, hour;
	unsigned bucket;
	uint8_t id[PF_STORE_ID_SIZE];
	uint64_t offset;
	int64_t file; /* where it lies afterwards */
};

struct sealing {
	struct item *items;
	size_t count, capacity;
};

static int
by_place(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->hour != y->hour)
		return x->hour < y->hour ? -1 : 1;
	if (x->bucket != y->bucket)
		return x->bucket < y->bucket ? -1 : 1;
	return memcmp(x->id, y->id, sizeof x->id);
}

static int
add_item(struct sealing *sealing, sqlite3_stmt *q, struct pf_error *err)
{
	struct pf_store_label service = {"service", pf_catalog_text(q, 5)};
	struct pf_store_entry entry = {.collected_nanos = sqlite3_column_int64(q, 2),
	    .type = pf_catalog_text(q, 3),
	    .build_id = pf_catalog_text(q, 4),
	    .labels = &service,
	    .label_count = 1};
	int rc = PF_GROW(sealing->items, sealing->capacity, sealing->count + 1, err);
	struct item *item;

	if (rc)
		return rc;
	item = &sealing->items[sealing->count++];
	*item = (struct item){.row = sqlite3_column_int64(q, 0),
	    .offset = (uint64_t)sqlite3_column_int64(q, 6),
	    .hour = pf_store_hour(&entry),
	    .bucket = pf_store_bucket(&entry)};
	if (sqlite3_column_bytes(q, 1) == PF_STORE_ID_SIZE)
		memcpy(item->id, sqlite3_column_blob(q, 1), PF_STORE_ID_SIZE);
	return 0;
}

/* What of this file is to be sealed: what the catalog has there and nowhere else. */
static int
list_items(struct pf_store *s, int64_t file, struct sealing *sealing, struct pf_error *err)
{
	sqlite3_stmt *q;
	bool row = true;
	int rc = pf_catalog_prepare(&s->catalog,
	    "SELECT profile.id, sha, collected, type, build_id, service, offset FROM profile"
	    " JOIN target ON target.id = target WHERE file = ?1",
	    &q, err);

	if (!rc)
		sqlite3_bind_int64(q, 1, file);
	while (!rc && row) {
		rc = pf_catalog_step(&s->catalog, q, &row, err);
		if (!rc && row)
			rc = add_item(sealing, q, err);
	}
	sqlite3_finalize(q);
	if (!rc && sealing->count)
		qsort(sealing->items, sealing->count, sizeof *sealing->items, by_place);
	return rc;
}

/* The catalog's number for a segment; it may know it from a sealing that a crash cut short. */
static int
segment_file(struct pf_store *s, const char *path, int64_t *file, struct pf_error *err)
{
	uint64_t indexed;
	int rc = pf_catalog_file(&s->catalog, path, file, &indexed, err);

	return rc || *file ? rc : pf_catalog_add_file(&s->catalog, path, file, err);
}

/* Writes the segment of items [from, to), and notes where each lies now. */
static int
seal_group(
    struct pf_store *s, int fd, struct item *items, size_t from, size_t to, struct pf_error *err)
{
	struct pf_segment_writer w;
	char path[PF_LAYOUT_PATH];
	int64_t file = 0;
	int rc = pf_segment_begin(&w, s->root, err);

	for (size_t i = from; !rc && i < to; i++)
		rc = pf_segment_copy(&w, fd, items[i].offset, &items[i].offset, err);
	if (!rc)
		rc = pf_segment_finish(&w, items[from].hour, items[from].bucket, path, err);
	if (!rc)
		rc = segment_file(s, path, &file, err);
	for (size_t i = from; !rc && i < to; i++)
		items[i].file = file;
	pf_segment_abandon(&w);
	return rc;
}

static int
write_segments(struct pf_store *s, int fd, struct sealing *sealing, struct pf_error *err)
{
	struct item *items = sealing->items;
	int rc = 0;

	for (size_t from = 0, to; !rc && from < sealing->count; from = to) {
		for (to = from + 1; to < sealing->count && items[to].hour == items[from].hour &&
				    items[to].bucket == items[from].bucket;
		    to++)
			continue;
		rc = seal_group(s, fd, items, from, to, err);
	}
	return rc;
}

/* Whether `row` is among the rows, which ascend. */
static bool
among(const int64_t *rows, size_t count, int64_t row)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (rows[middle] == row)
			return true;
		if (rows[middle] < row)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static void
leave_out(struct sealing *sealing, const int64_t *rows, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < sealing->count; i++) {
		if (!among(rows, count, sealing->items[i].row))
			sealing->items[kept++] = sealing->items[i];
	}
	sealing->count = kept;
}

int
pf_store_resegment(struct pf_store *s, int fd, int64_t file, const int64_t *without, size_t count,
    struct pf_error *err)
{
	struct sealing sealing = {0};
	int rc = list_items(s, file, &sealing, err);

	if (!rc)
		rc = pf_catalog_begin(&s->catalog, err);
	if (!rc) {
		leave_out(&sealing, without, count);
		rc = write_segments(s, fd, &sealing, err);
		if (!rc)
			pf_store_point("segments-written");
		for (size_t i = 0; !rc && i < sealing.count; i++)
			rc = pf_catalog_move(&s->catalog, sealing.items[i].row,
			    sealing.items[i].file, sealing.items[i].offset, err);
		if (!rc)
			rc = pf_catalog_drop_file(&s->catalog, file, err);
		rc = pf_catalog_end(&s->catalog, rc, err);
	}
	free(sealing.items);
	return rc;
}

/* A journal with damage in it is set aside instead of removed: somebody may want to look. */
static int
remove_journal(struct pf_store *s, const char *path, bool damaged, struct pf_error *err)
{
	char aside[PF_LAYOUT_PATH + 16];

	snprintf(aside, sizeof aside, "%s.damaged", path);
	if (damaged ? renameat(s->root, path, s->root, aside) : unlinkat(s->root, path, 0))
		return pf_error_errno(err, "cannot remove the store's", path);
	if (damaged)
		pf_store_warn(
		    s, "%s/%s: damaged between whole records; kept as %s", s->path, path, aside);
	return pf_layout_sync(s->root, path, err);
}

int
pf_journal_seal(struct pf_store *s, const char *path, struct pf_error *err)
{
	struct pf_journal_walk walk;
	uint64_t indexed;
	int64_t file;
	struct stat st;
	int fd = openat(s->root, path, O_RDONLY | O_CLOEXEC), rc = 0;

	if (fd < 0 || fstat(fd, &st)) {
		rc = pf_error_errno(err, "cannot read the store's", path);
		if (fd >= 0)
			close(fd);
		return rc;
	}
	rc = pf_journal_catalog(s, fd, path, (uint64_t)st.st_size, false, &walk, err);
	if (!rc)
		rc = pf_catalog_file(&s->catalog, path, &file, &indexed, err);
	walk = (struct pf_journal_walk){0};
	if (!rc) /* whole, from the beginning: is there anything but records in it? */
		rc = pf_journal_walk(s, fd, path, 0, (uint64_t)st.st_size, true, &walk, err);
	if (!rc)
		rc = pf_store_resegment(s, fd, file, NULL, 0, err);
	close(fd);
	if (rc)
		return rc;
	pf_store_point("journal-sealed");
	return remove_journal(s, path, walk.skipped > 0, err);
}

struct journals {
	uint64_t *numbers; /* owned */
	size_t count, capacity;
	struct pf_error *err;
};

static int
note_journal(void *data, const char *name)
{
	struct journals *j = data;
	uint64_t number = pf_layout_journal_number(name);
	int rc = number ? PF_GROW(j->numbers, j->capacity, j->count + 1, j->err) : 0;

	if (!rc && number)
		j->numbers[j->count++] = number;
	return rc;
}

int
pf_store_seal(struct pf_store *s, struct pf_error *err)
{
	struct pf_error local;
	struct journals journals = {.err = err ? err : &local};
	char path[PF_LAYOUT_PATH];
	int rc = pf_store_commit(s, journals.err);

	if (!rc) {
		pf_journal_close(s);
		rc = pf_layout_each(s->root, "journal", note_journal, &journals, journals.err);
	}
	for (size_t i = 0; !rc && i < journals.count; i++) {
		pf_layout_journal(path, journals.numbers[i]);
		rc = pf_journal_seal(s, path, journals.err);
	}
	free(journals.numbers);
	return rc;
}
