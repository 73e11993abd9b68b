/*
 * prune.c: profiles that are no longer wanted.
 *
 * A segment whose profiles all go is unlinked first and forgotten second, so
 * that room comes free on a full disk too and a crash in between is put right
 * when the store is next opened. One that loses only some is written anew
 * without them, and the old one removed last.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/memory.h"
#include "store/expire.h"
#include "store/pins.h"
#include "store/point.h"
#include "store/store_private.h"

struct victim {
	int64_t file, row;
	uint64_t size;
};

struct pruning {
	struct pf_store *store;
	struct pf_pins pins;
	struct victim *victims;
	size_t count, capacity;
	bool thorough;
	struct pf_store_pruned *pruned;
	struct pf_error *err;
};

/* One that is to go, unless it is pinned. */
static int
add_victim(void *data, sqlite3_stmt *q)
{
	struct pruning *p = data;
	int rc;

	if (sqlite3_column_bytes(q, PF_EXPIRE_SHA) == PF_STORE_ID_SIZE &&
	    pf_pins_has(&p->pins, sqlite3_column_blob(q, PF_EXPIRE_SHA))) {
		p->pruned->pinned++;
		return 0;
	}
	rc = PF_GROW(p->victims, p->capacity, p->count + 1, p->err);
	if (!rc)
		p->victims[p->count++] =
		    (struct victim){.row = sqlite3_column_int64(q, PF_EXPIRE_ROW),
			.file = sqlite3_column_int64(q, PF_EXPIRE_FILE),
			.size = (uint64_t)sqlite3_column_int64(q, PF_EXPIRE_SIZE)};
	return rc;
}

static int
find_rows(struct pruning *p, const int64_t *rows, size_t count)
{
	struct pf_catalog *c = &p->store->catalog;
	sqlite3_stmt *q;
	int rc = pf_catalog_prepare(c, PF_EXPIRE_COLUMNS " WHERE id = ?1", &q, p->err);

	for (size_t i = 0; !rc && i < count; i++) {
		bool row;
		sqlite3_reset(q);
		sqlite3_bind_int64(q, 1, rows[i]);
		rc = pf_catalog_step(c, q, &row, p->err);
		if (!rc && row)
			rc = add_victim(p, q);
	}
	sqlite3_finalize(q);
	return rc;
}

static int
by_file(const void *a, const void *b)
{
	const struct victim *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

/* A file's path (to be freed), and how much the catalog has in it. */
static int
describe(struct pf_store *s, int64_t file, char **path, uint64_t *profiles, uint64_t *bytes,
    struct pf_error *err)
{
	sqlite3_stmt *q;
	bool row = false;
	int rc = pf_catalog_prepare(&s->catalog,
	    "SELECT path, (SELECT count(*) FROM profile WHERE file = file.id),"
	    " (SELECT total(size) FROM profile WHERE file = file.id) FROM file WHERE id = ?1",
	    &q, err);

	*path = NULL;
	if (!rc) {
		sqlite3_bind_int64(q, 1, file);
		rc = pf_catalog_step(&s->catalog, q, &row, err);
	}
	if (!rc && row) {
		*profiles = (uint64_t)sqlite3_column_int64(q, 1);
		*bytes = (uint64_t)sqlite3_column_double(q, 2);
		rc = pf_copy_string(path, pf_catalog_text(q, 0), err);
	}
	sqlite3_finalize(q);
	return rc;
}

static int
drop_file(struct pf_store *s, int64_t file, struct pf_error *err)
{
	int rc = pf_catalog_begin(&s->catalog, err);

	return rc ? rc
		  : pf_catalog_end(&s->catalog, pf_catalog_drop_file(&s->catalog, file, err), err);
}

/* Its folders go with it where nothing else is in them. */
static int
unlink_segment(struct pf_store *s, const char *path, struct pf_error *err)
{
	char folder[PF_LAYOUT_PATH];
	int rc;

	if (unlinkat(s->root, path, 0) && errno != ENOENT)
		return pf_error_errno(err, "cannot remove the store's", path);
	rc = pf_layout_sync(s->root, path, err);
	snprintf(folder, sizeof folder, "%s", path);
	for (int up = 0; up < 2; up++) {
		*strrchr(folder, '/') = '\0';
		if (unlinkat(s->root, folder, AT_REMOVEDIR))
			break;
	}
	return rc;
}

/* Writes the file's other profiles anew, then removes it. */
static int
rewrite(struct pruning *p, const char *path, const struct victim *victims, size_t count)
{
	struct pf_store *s = p->store;
	int64_t *rows;
	int fd = openat(s->root, path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return pf_error_errno(p->err, "cannot read the store's", path);
	rc = PF_CALLOC(rows, count, p->err);
	for (size_t i = 0; !rc && i < count; i++)
		rows[i] = victims[i].row;
	if (!rc)
		rc = pf_store_resegment(s, fd, victims[0].file, rows, count, p->err);
	free(rows);
	close(fd);
	if (!rc)
		pf_store_point("prune-rewritten");
	return rc ? rc : unlink_segment(s, path, p->err);
}

/* What is to go from one file. *gone tells whether it went. */
static int
prune_file(struct pruning *p, const struct victim *victims, size_t count, bool *gone)
{
	struct pf_store *s = p->store;
	uint64_t profiles = 0, bytes = 0, going = 0;
	char *path;
	int rc = describe(s, victims[0].file, &path, &profiles, &bytes, p->err);

	*gone = false;
	for (size_t i = 0; i < count; i++)
		going += victims[i].size;
	if (rc || !path || strncmp(path, "seg/", 4) != 0) {
		free(path); /* a journal's turn comes when it is sealed */
		return rc;
	}
	if (count == profiles) {
		rc = unlink_segment(s, path, p->err);
		pf_store_point("prune-unlinked");
		if (!rc)
			rc = drop_file(s, victims[0].file, p->err);
		*gone = !rc;
	} else if (p->thorough || going >= bytes / 2) {
		rc = rewrite(p, path, victims, count);
		*gone = !rc;
	}
	free(path);
	return rc;
}

static void
count_pruned(struct pf_store_pruned *pruned, const struct victim *victims, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		pruned->profiles++;
		pruned->bytes += victims[i].size;
	}
}

static int
forget_targets(struct pruning *p)
{
	sqlite3_stmt *q;
	bool row;
	int rc = pf_catalog_prepare(
	    &p->store->catalog, "DELETE FROM target WHERE profiles = 0", &q, p->err);

	if (!rc)
		rc = pf_catalog_step(&p->store->catalog, q, &row, p->err);
	sqlite3_finalize(q);
	return rc;
}

/* Removes the victims, file by file: what fails for one is said and doesn't keep the others. */
static int
remove_victims(struct pruning *p, bool dry)
{
	struct pf_error first = {0};
	bool gone = false;
	int rc = 0;

	if (p->count)
		qsort(p->victims, p->count, sizeof *p->victims, by_file);
	for (size_t from = 0, to; rc != PF_ENOMEM && from < p->count; from = to) {
		for (to = from + 1; to < p->count && p->victims[to].file == p->victims[from].file;
		    to++)
			continue;
		rc = dry ? 0 : prune_file(p, p->victims + from, to - from, &gone);
		if (rc && !first.code)
			first = *p->err;
		if (dry || (!rc && gone))
			count_pruned(p->pruned, p->victims + from, to - from);
	}
	if (first.code)
		*p->err = first;
	else if (!dry && p->pruned->profiles)
		return forget_targets(p);
	return first.code;
}

static int
start(struct pruning *p, struct pf_store *s, struct pf_store_pruned *pruned, struct pf_error *err)
{
	int rc = pf_store_check_writing(s, err);

	*p = (struct pruning){.store = s, .pruned = pruned, .err = err};
	*pruned = (struct pf_store_pruned){0};
	if (!rc)
		rc = pf_store_commit(s, err);
	if (!rc)
		rc = pf_pins_load(&p->pins, s->root, err);
	return rc;
}

static void
finish(struct pruning *p)
{
	pf_pins_release(&p->pins);
	free(p->victims);
}

int
pf_store_prune(struct pf_store *s, const struct pf_store_rule *rules, size_t count, int64_t now,
    bool thorough, bool dry, struct pf_store_pruned *pruned, struct pf_error *err)
{
	struct pf_error local;
	struct pruning p;
	int rc = start(&p, s, pruned, err ? err : &local);

	p.thorough = thorough;
	if (!rc && thorough && !dry)
		rc = pf_store_seal(s, p.err);
	if (!rc)
		rc = pf_store_expired(&s->catalog, rules, count, now, add_victim, &p, p.err);
	if (!rc)
		rc = remove_victims(&p, dry);
	finish(&p);
	return rc;
}

int
pf_store_remove(struct pf_store *s, const struct pf_store_filter *filter, bool dry,
    struct pf_store_pruned *pruned, struct pf_error *err)
{
	struct pf_store_filter all = PF_STORE_FILTER_INIT;
	struct pf_selection *selection = NULL;
	struct pf_error local;
	struct pruning p;
	int64_t *rows = NULL;
	size_t count = 0;
	int rc = start(&p, s, pruned, err ? err : &local);

	p.thorough = true;
	memcpy(&all, filter, filter->struct_size < sizeof all ? filter->struct_size : sizeof all);
	all.keep_duplicates = true;
	if (!rc && !dry)
		rc = pf_store_seal(s, p.err);
	if (!rc)
		rc = pf_store_select(&selection, &s, 1, &all, p.err);
	if (!rc)
		rc = pf_selection_rows(selection, &rows, &count, p.err);
	if (!rc)
		rc = find_rows(&p, rows, count);
	if (!rc)
		rc = remove_victims(&p, dry);
	pf_selection_free(selection);
	free(rows);
	finish(&p);
	return rc;
}
