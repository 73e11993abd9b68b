/* verify.c: every byte of a store against its names, its checksums and the catalog. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <profuse/profile.h>

#include "core/error.h"
#include "core/sha256.h"
#include "store/segment.h"
#include "store/store_private.h"

struct verifying {
	struct pf_store *store;
	struct pf_store_verified *verified;
	void (*report)(void *data, const char *sentence);
	void *data;
	bool decode;
	const char *path; /* of the file at hand */
	int fd;
	struct pf_buffer bytes, header;
	struct pf_error *err;
};

static void finding(struct verifying *v, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
finding(struct verifying *v, const char *format, ...)
{
	char sentence[1200];
	va_list args;

	v->verified->damaged++;
	va_start(args, format);
	vsnprintf(sentence, sizeof sentence, format, args);
	va_end(args);
	if (v->report)
		v->report(v->data, sentence);
}

static void
check_content(struct verifying *v, uint64_t offset, const struct pf_store_entry *e)
{
	uint8_t sha[PF_SHA256_SIZE];
	struct pf_profile *profile;
	struct pf_error err;

	pf_sha256(sha, v->bytes.bytes, v->bytes.size);
	if (memcmp(sha, e->id, sizeof sha) != 0) {
		finding(v, "%s: the profile at offset %llu does not fit its id", v->path,
		    (unsigned long long)offset);
		return;
	}
	if (!v->decode)
		return;
	if (pf_profile_parse(&profile, v->path, v->bytes.bytes, v->bytes.size, NULL, &err))
		finding(v, "%s: the profile at offset %llu: %s", v->path,
		    (unsigned long long)offset, err.message);
	else
		pf_profile_free(profile);
}

/* The catalog must have the profile, here or in another file that holds it too; soon, where a writer just stored it. */
static int
check_catalog(struct verifying *v, uint64_t offset, const struct pf_store_entry *e)
{
	bool known;
	int rc = pf_catalog_has(&v->store->catalog, e->id, &known, v->err);

	if (!rc && !known && pf_store_overdue(e))
		finding(v,
		    "%s: the catalog lacks the profile at offset %llu; profuse store verify "
		    "--rebuild makes it anew",
		    v->path, (unsigned long long)offset);
	return rc;
}

static int
check_record(void *data, uint64_t offset, const struct pf_store_entry *e)
{
	struct verifying *v = data;
	struct pf_record record;
	enum pf_record_state state = pf_record_read(v->fd, offset, UINT64_MAX, &record, &v->header);

	if (state == PF_RECORD_WHOLE)
		state = pf_record_bytes(v->fd, offset, &record, &v->bytes);
	if (state == PF_RECORD_UNREADABLE && errno == ENOMEM)
		return pf_error_nomem(v->err);
	if (state != PF_RECORD_WHOLE) {
		finding(v, "%s: the profile at offset %llu is %s", v->path,
		    (unsigned long long)offset,
		    state == PF_RECORD_TORN ? "damaged" : strerror(errno));
		return 0;
	}
	v->verified->profiles++;
	v->verified->bytes += v->bytes.size;
	check_content(v, offset, e);
	return check_catalog(v, offset, e);
}

static int
check_segment(void *data, const char *path)
{
	struct verifying *v = data;
	int rc;

	v->path = path;
	v->fd = openat(v->store->root, path, O_RDONLY | O_CLOEXEC);
	if (v->fd < 0 && errno == ENOENT)
		return 0; /* pruned meanwhile */
	if (v->fd < 0) {
		finding(v, "%s: %s", path, strerror(errno));
		return 0;
	}
	rc = pf_segment_each(v->fd, path, check_record, v, v->err);
	close(v->fd);
	v->verified->segments++;
	if (rc == PF_EINPUT || rc == PF_EIO) {
		finding(v, "%s", v->err->message);
		rc = 0;
	}
	return rc;
}

static int
check_journal(void *data, const char *name)
{
	struct verifying *v = data;
	struct pf_journal_walk walk = {.each = check_record, .data = v};
	char path[PF_LAYOUT_PATH];
	struct stat st;
	int rc;

	if (!pf_layout_journal_number(name))
		return 0;
	snprintf(path, sizeof path, "journal/%s", name);
	v->path = path;
	v->fd = openat(v->store->root, path, O_RDONLY | O_CLOEXEC);
	if (v->fd < 0 || fstat(v->fd, &st)) {
		if (v->fd >= 0)
			close(v->fd);
		return 0; /* sealed meanwhile */
	}
	rc = pf_journal_walk(v->store, v->fd, path, 0, (uint64_t)st.st_size, true, &walk, v->err);
	close(v->fd);
	v->verified->journals++;
	if (rc == PF_EINPUT)
		finding(v, "%s", v->err->message);
	else if (!rc && walk.skipped)
		finding(v, "%s: %llu bytes between whole records are damaged", path,
		    (unsigned long long)walk.skipped);
	return rc == PF_EINPUT ? 0 : rc;
}

/* Names in the catalog that lead nowhere. */
static int
check_files(struct verifying *v)
{
	struct pf_catalog *c = &v->store->catalog;
	sqlite3_stmt *q;
	bool row = true;
	int rc = pf_catalog_prepare(c,
	    "SELECT path, (SELECT count(*) FROM profile WHERE file = file.id) FROM file", &q,
	    v->err);

	while (!rc && row) {
		rc = pf_catalog_step(c, q, &row, v->err);
		if (!rc && row && sqlite3_column_int64(q, 1) &&
		    faccessat(v->store->root, pf_catalog_text(q, 0), F_OK, 0))
			finding(v, "%s: missing, with %lld profiles in it", pf_catalog_text(q, 0),
			    (long long)sqlite3_column_int64(q, 1));
	}
	sqlite3_finalize(q);
	return rc;
}

int
pf_store_verify(struct pf_store *s, bool decode, void (*report)(void *data, const char *sentence),
    void *data, struct pf_store_verified *verified, struct pf_error *err)
{
	struct pf_error local;
	struct verifying v = {.store = s,
	    .verified = verified,
	    .report = report,
	    .data = data,
	    .decode = decode,
	    .err = err ? err : &local};
	int rc;

	*verified = (struct pf_store_verified){0};
	pf_buffer_init(&v.bytes, PF_BUFFER_NO_MAXIMUM);
	pf_buffer_init(&v.header, PF_STORE_HEADER_MAX);
	rc = pf_layout_each_segment(s->root, check_segment, &v, v.err);
	if (!rc)
		rc = pf_layout_each(s->root, "journal", check_journal, &v, v.err);
	if (!rc)
		rc = check_files(&v);
	pf_buffer_release(&v.bytes);
	pf_buffer_release(&v.header);
	return rc;
}
