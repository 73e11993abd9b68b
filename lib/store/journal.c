/*
 * journal.c: what was just collected: appended, synced, told to the catalog.
 *
 * Records are written behind each other and synced together (pf_store_commit);
 * the catalog is told afterwards, always from the file itself and from where it
 * stopped, so that the ordinary commit and the one after a crash are one code.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/sha256.h"
#include "core/utf8.h"
#include "store/point.h"
#include "store/store_private.h"

static const char magic[PF_JOURNAL_START] = "PFJRN1\0";

enum { FILE_MODE = 0640, PROFILE_MAX = 1 << 30, SCAN = 1 << 16 };

void
pf_journal_close(struct pf_store *s)
{
	struct pf_journal *j = &s->journal;

	if (j->fd >= 0) {
		if (j->end > j->synced && ftruncate(j->fd, (off_t)j->synced))
			pf_store_warn(s, "%s/%s: cannot cut off what was not committed: %s",
			    s->path, j->path, strerror(errno));
		close(j->fd);
	}
	*j = (struct pf_journal){.fd = -1};
}

static int
open_journal(struct pf_store *s, struct pf_error *err)
{
	struct pf_journal *j = &s->journal;

	pf_layout_journal(j->path, s->next_journal);
	j->fd = openat(s->root, j->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
	if (j->fd < 0)
		return pf_error_errno(err, "cannot write the store's", j->path);
	if (pf_write_at(j->fd, 0, magic, sizeof magic) || fsync(j->fd)) {
		int rc = pf_error_errno(err, "cannot write the store's", j->path);
		unlinkat(s->root, j->path, 0);
		pf_journal_close(s);
		return rc;
	}
	s->next_journal++;
	j->synced = j->end = sizeof magic;
	pf_store_point("journal-made");
	return pf_layout_sync(s->root, j->path, err);
}

static int
write_record(struct pf_store *s, const void *bytes, size_t size, struct pf_error *err)
{
	struct pf_journal *j = &s->journal;
	uint8_t frame[PF_RECORD_FRAME];
	uint64_t at = j->end;

	pf_record_frame(frame, &s->header, bytes, size);
	if (pf_write_at(j->fd, at, frame, sizeof frame) ||
	    pf_write_at(j->fd, at + sizeof frame, s->header.bytes, s->header.size)) {
		goto failed;
	}
	pf_store_point("record-torn");
	if (pf_write_at(j->fd, at + sizeof frame + s->header.size, bytes, size))
		goto failed;
	j->end = at + sizeof frame + s->header.size + size;
	return 0;

failed:
	pf_error_errno(err, "cannot write the store's", j->path);
	if (ftruncate(j->fd, (off_t)at))
		pf_store_warn(s, "%s/%s: cannot cut off a half-written record: %s", s->path,
		    j->path, strerror(errno));
	return err ? err->code : PF_EIO;
}

static int
check_entry(const struct pf_store_entry *e, size_t size, struct pf_error *err)
{
	if (size == 0 || size > PROFILE_MAX)
		return pf_error_set(err, PF_EINPUT, "a profile of %zu bytes can't be stored", size);
	for (size_t i = 0; i < e->label_count; i++) {
		const char *name = e->labels[i].name, *value = e->labels[i].value;
		if (i && strcmp(e->labels[i - 1].name, name) >= 0)
			return pf_error_set(
			    err, PF_EUSAGE, "labels must be sorted by name, each name once");
		if (!pf_utf8_valid(name, strlen(name)) || !pf_utf8_valid(value, strlen(value)))
			return pf_error_set(err, PF_EUSAGE, "label %zu is no valid UTF-8", i + 1);
	}
	if (e->collected_nanos <= 0)
		return pf_error_set(err, PF_EUSAGE, "a profile must say when it was collected");
	return 0;
}

int
pf_store_append(struct pf_store *s, struct pf_store_entry *e, const void *bytes, size_t size,
    bool *known, struct pf_error *err)
{
	struct pf_error local;
	bool there = false;
	int rc = pf_store_check_writing(s, err);

	err = err ? err : &local;
	if (!rc)
		rc = check_entry(e, size, err);
	if (rc)
		return rc;
	pf_sha256(e->id, bytes, size);
	e->size = size;
	if (!e->start_nanos)
		e->start_nanos = e->collected_nanos - e->duration_nanos;
	rc = pf_catalog_has(&s->catalog, e->id, &there, err);
	if (known)
		*known = !rc && there;
	if (rc || there)
		return rc;
	pf_buffer_clear(&s->header);
	pf_store_entry_encode(&s->header, e);
	rc = pf_buffer_check(&s->header, err);
	if (!rc && s->journal.fd < 0)
		rc = open_journal(s, err);
	if (!rc)
		rc = write_record(s, bytes, size, err);
	if (!rc && !s->journal.first_nanos)
		s->journal.first_nanos = e->collected_nanos;
	return rc;
}

/* The offset of the next whole record at or after `from`; `end` if there is none. */
static uint64_t
find_record(struct pf_store *s, int fd, uint64_t from, uint64_t end, struct pf_buffer *bytes)
{
	uint8_t chunk[SCAN];

	while (from + PF_RECORD_FRAME <= end) {
		size_t size = end - from < SCAN ? (size_t)(end - from) : SCAN;
		if (pf_read_at(fd, from, chunk, size))
			return end;
		for (size_t i = 0; i + 4 <= size; i++) {
			struct pf_record r;
			if (memcmp(chunk + i, "PFR1", 4) == 0 &&
			    pf_record_read(fd, from + i, end, &r, &s->header) == PF_RECORD_WHOLE &&
			    pf_record_bytes(fd, from + i, &r, bytes) == PF_RECORD_WHOLE)
				return from + i;
		}
		from += size - 3;
	}
	return end;
}

/* The record at `at`, whole: 1 and its size; not whole: 0; else -1. */
static int
read_whole(struct pf_store *s, int fd, uint64_t at, uint64_t end, bool bytes_too,
    struct pf_buffer *bytes, uint64_t *size)
{
	struct pf_record r;
	enum pf_record_state state = pf_record_read(fd, at, end, &r, &s->header);

	if (state == PF_RECORD_WHOLE && bytes_too)
		state = pf_record_bytes(fd, at, &r, bytes);
	*size = state == PF_RECORD_WHOLE ? pf_record_size(&r) : 0;
	return state == PF_RECORD_WHOLE ? 1 : state == PF_RECORD_TORN ? 0 : -1;
}

int
pf_journal_walk(struct pf_store *s, int fd, const char *path, uint64_t from, uint64_t end,
    bool bytes_too, struct pf_journal_walk *walk, struct pf_error *err)
{
	char head[PF_JOURNAL_START] = "";
	uint64_t at = from > PF_JOURNAL_START ? from : PF_JOURNAL_START, size;
	struct pf_buffer bytes;
	int rc = 0, whole;

	pf_buffer_init(&bytes, PROFILE_MAX);
	walk->end = at < end ? at : end;
	walk->skipped = 0;
	if (end < PF_JOURNAL_START || pf_read_at(fd, 0, head, sizeof head) ||
	    memcmp(head, magic, sizeof head) != 0)
		return pf_error_set(err, PF_EINPUT, "%s: no journal, or a damaged one", path);
	while (!rc && at < end) {
		whole = read_whole(s, fd, at, end, bytes_too, &bytes, &size);
		if (whole < 0) {
			rc = pf_error_errno(err, "cannot read the store's", path);
		} else if (!whole) {
			uint64_t next = bytes_too ? find_record(s, fd, at + 1, end, &bytes) : end;
			walk->skipped += next < end ? next - at : 0;
			at = next;
		} else {
			rc = pf_store_entry_decode(
			    &s->parsed, path, s->header.bytes, s->header.size, err);
			if (!rc && walk->each)
				rc = walk->each(walk->data, at, &s->parsed.entry);
			at += size;
			walk->end = at;
		}
	}
	pf_buffer_release(&bytes);
	return rc;
}

struct cataloguing {
	struct pf_store *store;
	int64_t file;
	struct pf_error *err;
};

static int
add_to_catalog(void *data, uint64_t offset, const struct pf_store_entry *entry)
{
	struct cataloguing *c = data;

	return pf_catalog_add(&c->store->catalog, c->file, offset, entry, c->err);
}

int
pf_journal_catalog(struct pf_store *s, int fd, const char *path, uint64_t end, bool bytes_too,
    struct pf_journal_walk *walk, struct pf_error *err)
{
	struct cataloguing c = {.store = s, .err = err};
	uint64_t indexed = 0;
	int rc = pf_catalog_begin(&s->catalog, err);

	if (rc)
		return rc;
	walk->each = add_to_catalog;
	walk->data = &c;
	rc = pf_catalog_file(&s->catalog, path, &c.file, &indexed, err);
	if (!rc && indexed > end) { /* it was longer once: nothing known of it holds */
		rc = pf_catalog_drop_file(&s->catalog, c.file, err);
		c.file = 0;
		indexed = 0;
	}
	if (!rc && !c.file)
		rc = pf_catalog_add_file(&s->catalog, path, &c.file, err);
	if (!rc)
		rc = pf_journal_walk(s, fd, path, indexed, end, bytes_too, walk, err);
	if (!rc)
		rc = pf_catalog_set_indexed(&s->catalog, c.file, walk->end, err);
	return pf_catalog_end(&s->catalog, rc, err);
}

int
pf_store_commit(struct pf_store *s, struct pf_error *err)
{
	struct pf_journal *j = &s->journal;
	struct pf_journal_walk walk;
	struct pf_error local;
	int rc = pf_store_check_writing(s, err);

	if (rc || j->fd < 0 || (j->end == j->synced && !s->catalog_behind))
		return rc;
	pf_store_point("journal-written");
	if (fdatasync(j->fd)) {
		/* What the kernel did with the pages is unknown now: this file is over. */
		rc = pf_error_errno(err, "cannot write the store's", j->path);
		pf_journal_close(s);
		return rc;
	}
	j->synced = j->end;
	pf_store_point("journal-synced");
	if (pf_journal_catalog(s, j->fd, j->path, j->synced, false, &walk, &local)) {
		if (!s->catalog_behind)
			pf_store_warn(s,
			    "%s; profiles are stored nevertheless, and listed once it works again",
			    local.message);
		s->catalog_behind = true;
		return 0;
	}
	s->catalog_behind = false;
	pf_store_point("journal-catalogued");
	return 0;
}

bool
pf_store_wants_seal(const struct pf_store *s, int64_t now_nanos)
{
	struct pf_store_entry first = {.collected_nanos = s->journal.first_nanos},
			      now = {.collected_nanos = now_nanos};

	if (s->journal.fd < 0 || !s->journal.first_nanos)
		return false;
	return s->journal.synced >= s->options.journal_size ||
	       pf_store_hour(&first) != pf_store_hour(&now);
}
