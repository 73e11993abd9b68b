/*
 * select.c: what fits a filter, over several stores, nothing counted twice.
 *
 * Rows are brought into the order of instances and windows first, where what was
 * measured twice stands side by side, then into the order of time.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/strings.h"
#include "store/labels.h"
#include "store/pins.h"
#include "store/query.h"
#include "store/store_private.h"

/* Windows that meet by less than this share of the shorter one follow each other: clocks are adjusted. */
#define PF_SELECT_TOLERANCE 0.02

struct row {
	uint8_t id[PF_STORE_ID_SIZE];
	int64_t number; /* in its catalog */
	int64_t start, duration, collected;
	uint64_t size, samples, offset;
	uint32_t store, file; /* which of the stores; a string */
	uint32_t service, instance, type, build_id, trigger, reason, labels; /* strings */
	bool pinned;
};

struct pf_selection {
	struct pf_store **stores; /* owned array of borrowed stores */
	size_t store_count;
	struct pf_strings strings;
	struct row *rows; /* owned */
	size_t count, capacity;
	size_t *stored; /* owned; the order on the disk */
	uint64_t same, overlapping;
	struct pf_labels labels; /* of the entry last asked for */
	struct pf_buffer bytes;
};

void
pf_selection_free(struct pf_selection *s)
{
	if (!s)
		return;
	pf_strings_release(&s->strings);
	pf_buffer_release(&s->bytes);
	pf_labels_release(&s->labels);
	free(s->stores);
	free(s->stored);
	free(s->rows);
	free(s);
}

static int
intern(struct pf_selection *s, sqlite3_stmt *q, enum pf_query_column column, uint32_t *id,
    struct pf_error *err)
{
	const char *text = pf_catalog_text(q, column);

	return pf_strings_add(&s->strings, text, strlen(text), id, err);
}

static int
add_strings(struct pf_selection *s, sqlite3_stmt *q, struct row *r, struct pf_error *err)
{
	int rc = intern(s, q, PF_QUERY_SERVICE, &r->service, err);

	rc = rc ? rc : intern(s, q, PF_QUERY_INSTANCE, &r->instance, err);
	rc = rc ? rc : intern(s, q, PF_QUERY_TYPE, &r->type, err);
	rc = rc ? rc : intern(s, q, PF_QUERY_BUILD_ID, &r->build_id, err);
	rc = rc ? rc : intern(s, q, PF_QUERY_TRIGGER, &r->trigger, err);
	rc = rc ? rc : intern(s, q, PF_QUERY_REASON, &r->reason, err);
	rc = rc ? rc : intern(s, q, PF_QUERY_LABELS, &r->labels, err);
	return rc ? rc : intern(s, q, PF_QUERY_FILE, &r->file, err);
}

static int
add_row(struct pf_selection *s, sqlite3_stmt *q, uint32_t store, struct pf_error *err)
{
	int rc = PF_GROW(s->rows, s->capacity, s->count + 1, err);
	struct row *r;

	if (rc)
		return rc;
	r = &s->rows[s->count];
	*r = (struct row){.store = store,
	    .number = sqlite3_column_int64(q, PF_QUERY_ROW),
	    .start = sqlite3_column_int64(q, PF_QUERY_START),
	    .duration = sqlite3_column_int64(q, PF_QUERY_DURATION),
	    .collected = sqlite3_column_int64(q, PF_QUERY_COLLECTED),
	    .size = (uint64_t)sqlite3_column_int64(q, PF_QUERY_SIZE),
	    .samples = (uint64_t)sqlite3_column_int64(q, PF_QUERY_SAMPLES),
	    .offset = (uint64_t)sqlite3_column_int64(q, PF_QUERY_OFFSET)};
	if (sqlite3_column_bytes(q, PF_QUERY_SHA) == PF_STORE_ID_SIZE)
		memcpy(r->id, sqlite3_column_blob(q, PF_QUERY_SHA), PF_STORE_ID_SIZE);
	rc = add_strings(s, q, r, err);
	if (!rc)
		s->count++;
	return rc;
}

static int
add_store(struct pf_selection *s, uint32_t store, const struct pf_store_filter *filter,
    struct pf_error *err)
{
	struct pf_catalog *c = &s->stores[store]->catalog;
	sqlite3_stmt *q;
	bool row = true;
	int rc = pf_query_prepare(c, filter, &q, err);

	while (!rc && row) {
		rc = pf_catalog_step(c, q, &row, err);
		if (!rc && row)
			rc = add_row(s, q, store, err);
	}
	sqlite3_finalize(q);
	return rc;
}

static int
order(uint64_t x, uint64_t y)
{
	return (x > y) - (x < y);
}

static int
by_window(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->instance != y->instance)
		return order(x->instance, y->instance);
	if (x->type != y->type)
		return order(x->type, y->type);
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return memcmp(x->id, y->id, sizeof x->id);
}

static int
by_time(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return memcmp(x->id, y->id, sizeof x->id);
}

/* Whether b, which begins no earlier, measured what a had measured. */
static bool
overlaps(const struct row *a, const struct row *b)
{
	int64_t shorter = a->duration < b->duration ? a->duration : b->duration;
	int64_t common;

	if (__builtin_sub_overflow(a->start + a->duration, b->start, &common) || shorter <= 0)
		return false;
	return (double)common > PF_SELECT_TOLERANCE * (double)shorter;
}

/*
 * Leaves one row of each window. An instance without a name could be anybody:
 * there only the same bytes count as the same.
 */
static void
leave_out_repeats(struct pf_selection *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct row *r = &s->rows[i], *last = kept ? &s->rows[kept - 1] : NULL;
		bool same_instance = last && last->instance == r->instance &&
				     last->type == r->type &&
				     *pf_strings_get(&s->strings, r->instance);
		if (last && memcmp(last->id, r->id, sizeof r->id) == 0)
			s->same++;
		else if (same_instance && last->start == r->start)
			s->same++;
		else if (same_instance && overlaps(last, r))
			s->overlapping++;
		else
			s->rows[kept++] = *r;
	}
	s->count = kept;
}

/* Of rows in the order of windows, the last of each service, instance and type. */
static void
leave_latest(struct pf_selection *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct row *r = &s->rows[i];
		const struct row *next = i + 1 < s->count ? r + 1 : NULL;
		if (!next || next->instance != r->instance || next->type != r->type)
			s->rows[kept++] = *r;
	}
	s->count = kept;
}

static int
mark_pinned(struct pf_selection *s, uint32_t store, struct pf_error *err)
{
	struct pf_pins pins = {0};
	int rc = pf_pins_load(&pins, s->stores[store]->root, err);

	for (size_t i = 0; !rc && pins.count && i < s->count; i++) {
		if (s->rows[i].store == store)
			s->rows[i].pinned = pf_pins_has(&pins, s->rows[i].id);
	}
	pf_pins_release(&pins);
	return rc;
}

/* The order is that of one selection: qsort's comparison gets no context, so places are copied. */
struct place {
	uint32_t store, file;
	uint64_t offset;
	size_t row;
};

static int
by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->store != y->store)
		return order(x->store, y->store);
	return x->file != y->file ? order(x->file, y->file) : order(x->offset, y->offset);
}

static int
order_by_place(struct pf_selection *s, struct pf_error *err)
{
	struct place *places;
	int rc = PF_CALLOC(s->stored, s->count, err);

	if (!rc)
		rc = PF_CALLOC(places, s->count, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < s->count; i++)
		places[i] = (struct place){s->rows[i].store, s->rows[i].file, s->rows[i].offset, i};
	qsort(places, s->count, sizeof *places, by_place);
	for (size_t i = 0; i < s->count; i++)
		s->stored[i] = places[i].row;
	free(places);
	return 0;
}

static int
select_rows(struct pf_selection *s, struct pf_store *const *stores, size_t count,
    const struct pf_store_filter *filter, struct pf_error *err)
{
	int rc = pf_strings_init(&s->strings, err);

	pf_buffer_init(&s->bytes, PF_BUFFER_NO_MAXIMUM);
	if (!rc)
		rc = PF_CALLOC(s->stores, count, err);
	for (size_t i = 0; !rc && i < count; i++) {
		s->stores[i] = stores[i];
		s->store_count++;
		rc = add_store(s, (uint32_t)i, filter, err);
	}
	if (rc)
		return rc;
	if (s->count)
		qsort(s->rows, s->count, sizeof *s->rows, by_window);
	if (!filter->keep_duplicates)
		leave_out_repeats(s);
	if (filter->latest)
		leave_latest(s);
	if (s->count)
		qsort(s->rows, s->count, sizeof *s->rows, by_time);
	for (size_t i = 0; !rc && i < count; i++)
		rc = mark_pinned(s, (uint32_t)i, err);
	return rc ? rc : order_by_place(s, err);
}

int
pf_store_select(struct pf_selection **selection, struct pf_store *const *stores, size_t count,
    const struct pf_store_filter *filter, struct pf_error *err)
{
	struct pf_store_filter f = PF_STORE_FILTER_INIT;
	struct pf_error local;
	int rc = PF_CALLOC(*selection, 1, err = err ? err : &local);

	if (rc)
		return rc;
	if (filter)
		memcpy(&f, filter, filter->struct_size < sizeof f ? filter->struct_size : sizeof f);
	rc = select_rows(*selection, stores, count, &f, err);
	if (rc) {
		pf_selection_free(*selection);
		*selection = NULL;
	}
	return rc;
}

size_t
pf_selection_count(const struct pf_selection *s)
{
	return s->count;
}

bool
pf_selection_pinned(const struct pf_selection *s, size_t i)
{
	return s->rows[i].pinned;
}

const struct pf_store *
pf_selection_store(const struct pf_selection *s, size_t i)
{
	return s->stores[s->rows[i].store];
}

uint64_t
pf_selection_same(const struct pf_selection *s)
{
	return s->same;
}

uint64_t
pf_selection_overlapping(const struct pf_selection *s)
{
	return s->overlapping;
}

size_t
pf_selection_stored(const struct pf_selection *s, size_t i)
{
	return s->stored[i];
}

int
pf_selection_entry(struct pf_selection *s, size_t i, struct pf_store_entry *e, struct pf_error *err)
{
	const struct row *r = &s->rows[i];
	int rc;

	*e = (struct pf_store_entry){.start_nanos = r->start,
	    .duration_nanos = r->duration,
	    .collected_nanos = r->collected,
	    .size = r->size,
	    .sample_count = r->samples,
	    .type = pf_strings_get(&s->strings, r->type),
	    .build_id = pf_strings_get(&s->strings, r->build_id),
	    .trigger = pf_strings_get(&s->strings, r->trigger),
	    .reason = pf_strings_get(&s->strings, r->reason)};
	memcpy(e->id, r->id, sizeof e->id);
	rc = pf_labels_read(&s->labels, pf_strings_get(&s->strings, r->labels), err);
	e->labels = s->labels.items;
	e->label_count = s->labels.count;
	return rc;
}

int
pf_store_read(struct pf_store *s, const char *file, uint64_t offset,
    const uint8_t id[PF_STORE_ID_SIZE], struct pf_buffer *bytes, struct pf_error *err)
{
	struct pf_record record;
	enum pf_record_state state;
	int fd = openat(s->root, file, O_RDONLY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return pf_error_errno(err, "cannot read the store's", file);
	state = pf_record_read(fd, offset, UINT64_MAX, &record, &s->header);
	if (state == PF_RECORD_WHOLE) {
		rc = pf_store_entry_decode(&s->parsed, file, s->header.bytes, s->header.size, err);
		if (!rc && memcmp(s->parsed.entry.id, id, PF_STORE_ID_SIZE) != 0)
			state = PF_RECORD_TORN;
	}
	if (!rc && state == PF_RECORD_WHOLE)
		state = pf_record_bytes(fd, offset, &record, bytes);
	if (!rc && state == PF_RECORD_UNREADABLE)
		rc = pf_error_errno(err, "cannot read the store's", file);
	if (!rc && state == PF_RECORD_TORN)
		rc = pf_error_set(err, PF_EINPUT,
		    "%s/%s: a damaged profile at offset %llu; profuse store verify tells more",
		    s->path, file, (unsigned long long)offset);
	close(fd);
	return rc;
}

/* Where a profile was when it was selected it may not be any more: a writer seals and prunes. */
static int
read_moved(
    struct pf_store *store, const struct row *r, struct pf_buffer *bytes, struct pf_error *err)
{
	char *path;
	uint64_t offset;
	int rc = pf_catalog_locate(&store->catalog, r->id, &path, &offset, err);

	if (!rc && !path)
		rc = pf_error_set(err, PF_EIO,
		    "a profile is no longer in the store %s: it was pruned meanwhile; try again",
		    store->path);
	if (!rc)
		rc = pf_store_read(store, path, offset, r->id, bytes, err);
	free(path);
	return rc;
}

int
pf_selection_bytes(
    struct pf_selection *s, size_t i, const void **bytes, size_t *size, struct pf_error *err)
{
	const struct row *r = &s->rows[i];
	struct pf_store *store = s->stores[r->store];
	struct pf_error local;
	int rc;

	err = err ? err : &local;
	rc = pf_store_read(
	    store, pf_strings_get(&s->strings, r->file), r->offset, r->id, &s->bytes, err);
	if (rc == PF_EIO)
		rc = read_moved(store, r, &s->bytes, err);
	*bytes = rc ? NULL : s->bytes.bytes;
	*size = rc ? 0 : s->bytes.size;
	return rc;
}

int
pf_selection_rows(const struct pf_selection *s, int64_t **rows, size_t *count, struct pf_error *err)
{
	int rc = PF_CALLOC(*rows, s->count, err);

	*count = rc ? 0 : s->count;
	for (size_t i = 0; i < *count; i++)
		(*rows)[i] = s->rows[i].number;
	return rc;
}
