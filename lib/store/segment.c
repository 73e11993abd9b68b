/* segment.c: see segment.h. */
#include "store/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libdeflate.h>

#include "core/cursor.h"
#include "core/error.h"
#include "core/sha256.h"
#include "core/wire.h"
#include "store/point.h"

enum { MAGIC = 8, TRAILER = 16, COPY = 1 << 18, FILE_MODE = 0640 };
enum { FOOTER_MAX = 256 << 20 };

static const char magic[MAGIC] = "PFSEG1\0";
static const char trailer_magic[4] = {'P', 'F', 'S', 'E'};

int
pf_segment_begin(struct pf_segment_writer *w, int root, struct pf_error *err)
{
	*w = (struct pf_segment_writer){.root = root, .end = MAGIC};
	pf_buffer_init(&w->footer, FOOTER_MAX);
	pf_buffer_init(&w->header, PF_STORE_HEADER_MAX);
	pf_buffer_init(&w->copy, COPY);
	snprintf(w->temporary, sizeof w->temporary, "tmp/segment.%ld", (long)getpid());
	w->fd = openat(root, w->temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
	if (w->fd < 0 || pf_write_at(w->fd, 0, magic, MAGIC))
		return pf_error_errno(err, "cannot write the store's", w->temporary);
	return 0;
}

void
pf_segment_abandon(struct pf_segment_writer *w)
{
	if (w->fd >= 0) {
		close(w->fd);
		unlinkat(w->root, w->temporary, 0);
	}
	w->fd = -1;
	pf_buffer_release(&w->footer);
	pf_buffer_release(&w->header);
	pf_buffer_release(&w->copy);
}

static int
copy_bytes(
    struct pf_segment_writer *w, int fd, uint64_t offset, uint64_t size, struct pf_error *err)
{
	uint8_t *room = pf_buffer_reserve(&w->copy, COPY);

	if (!room)
		return pf_error_nomem(err);
	while (size) {
		size_t part = size < COPY ? (size_t)size : COPY;
		if (pf_read_at(fd, offset, room, part))
			return pf_error_errno(err, "cannot read", "the store");
		if (pf_write_at(w->fd, w->end, room, part))
			return pf_error_errno(err, "cannot write the store's", w->temporary);
		offset += part;
		w->end += part;
		size -= part;
	}
	return 0;
}

static void
add_to_footer(struct pf_segment_writer *w, uint64_t at)
{
	struct pf_buffer message;

	pf_buffer_init(&message, PF_STORE_HEADER_MAX + 64);
	pf_wire_varint(&message, 1, at);
	pf_wire_bytes(&message, 2, w->header.bytes, w->header.size);
	pf_buffer_uleb(&w->footer, message.size);
	pf_buffer_add(&w->footer, message.bytes, message.size);
	w->footer.failed |= message.failed;
	pf_buffer_release(&message);
}

int
pf_segment_copy(
    struct pf_segment_writer *w, int fd, uint64_t offset, uint64_t *at, struct pf_error *err)
{
	struct pf_record record;
	enum pf_record_state state = pf_record_read(fd, offset, UINT64_MAX, &record, &w->header);
	int rc;

	if (state == PF_RECORD_UNREADABLE)
		return pf_error_errno(err, "cannot read", "the store");
	if (state == PF_RECORD_TORN)
		return pf_error_set(err, PF_EINPUT,
		    "the store has a damaged record; profuse store verify finds it");
	*at = w->end;
	rc = copy_bytes(w, fd, offset, pf_record_size(&record), err);
	if (!rc)
		add_to_footer(w, *at);
	return rc ? rc : pf_buffer_check(&w->footer, err);
}

static int
write_footer(struct pf_segment_writer *w, struct pf_error *err)
{
	uint8_t trailer[TRAILER];
	uint32_t crc = libdeflate_crc32(0, w->footer.bytes, w->footer.size);

	for (size_t i = 0; i < 8; i++)
		trailer[i] = (uint8_t)((uint64_t)w->footer.size >> 8 * i);
	for (size_t i = 0; i < 4; i++)
		trailer[8 + i] = (uint8_t)(crc >> 8 * i);
	memcpy(trailer + 12, trailer_magic, sizeof trailer_magic);
	if (pf_write_at(w->fd, w->end, w->footer.bytes, w->footer.size) ||
	    pf_write_at(w->fd, w->end + w->footer.size, trailer, TRAILER) || fsync(w->fd))
		return pf_error_errno(err, "cannot write the store's", w->temporary);
	return 0;
}

int
pf_segment_finish(
    struct pf_segment_writer *w, int64_t hour, unsigned bucket, char *path, struct pf_error *err)
{
	char hex[PF_SHA256_HEX];
	int rc = write_footer(w, err);

	if (rc)
		return rc;
	pf_store_point("segment-written");
	pf_sha256_hex(hex, w->footer.bytes, w->footer.size);
	pf_layout_segment(path, hour, bucket, hex);
	rc = pf_layout_make_way(w->root, path, err);
	if (rc)
		return rc;
	pf_store_point("segment-folder");
	if (renameat(w->root, w->temporary, w->root, path))
		return pf_error_errno(err, "cannot write the store's", path);
	close(w->fd);
	w->fd = -1;
	pf_store_point("segment-renamed");
	return pf_layout_sync(w->root, path, err);
}

/* Reads and checks the footer; *footer_at is where it begins. */
static int
read_footer(int fd, const char *path, struct pf_buffer *footer, struct pf_error *err)
{
	struct stat st;
	uint8_t head[MAGIC], trailer[TRAILER];
	struct pf_cursor c;
	uint64_t size;
	uint32_t crc;

	if (fstat(fd, &st))
		return pf_error_errno(err, "cannot read the store's", path);
	if (st.st_size < MAGIC + TRAILER)
		return pf_error_set(err, PF_EINPUT, "%s: too short for a segment", path);
	if (pf_read_at(fd, 0, head, MAGIC) ||
	    pf_read_at(fd, (uint64_t)st.st_size - TRAILER, trailer, TRAILER))
		return pf_error_errno(err, "cannot read the store's", path);
	pf_cursor_init(&c, path, trailer, TRAILER);
	size = pf_cursor_u64(&c);
	crc = pf_cursor_u32(&c);
	if (memcmp(head, magic, MAGIC) != 0 ||
	    memcmp(trailer + 12, trailer_magic, sizeof trailer_magic) != 0 ||
	    size > (uint64_t)st.st_size - MAGIC - TRAILER || size > FOOTER_MAX)
		return pf_error_set(err, PF_EINPUT, "%s: no segment, or a damaged one", path);
	if (size && !pf_buffer_reserve(footer, (size_t)size))
		return pf_error_nomem(err);
	if (pf_read_at(fd, (uint64_t)st.st_size - TRAILER - size, footer->bytes, (size_t)size))
		return pf_error_errno(err, "cannot read the store's", path);
	footer->size = (size_t)size;
	if (libdeflate_crc32(0, footer->bytes, footer->size) != crc)
		return pf_error_set(err, PF_EINPUT, "%s: damaged footer", path);
	return 0;
}

static int
each_entry(struct pf_cursor message, const char *path, struct pf_store_parsed *parsed,
    int (*each)(void *data, uint64_t offset, const struct pf_store_entry *entry), void *data,
    struct pf_error *err)
{
	struct pf_cursor header = {0};
	uint64_t offset = 0;
	int rc;

	while (pf_cursor_more(&message)) {
		uint64_t tag = pf_cursor_varint(&message), value = pf_cursor_varint(&message);
		if (tag == 1 << 3)
			offset = value;
		else if (tag == (2 << 3 | 2))
			header = pf_cursor_slice(&message, value);
		else
			pf_cursor_fail(&message, "unknown field in the footer");
	}
	rc = pf_cursor_check(&message, err);
	if (!rc)
		rc = pf_store_entry_decode(
		    parsed, path, header.at, header.at ? pf_cursor_left(&header) : 0, err);
	return rc ? rc : each(data, offset, &parsed->entry);
}

int
pf_segment_each(int fd, const char *path,
    int (*each)(void *data, uint64_t offset, const struct pf_store_entry *entry), void *data,
    struct pf_error *err)
{
	struct pf_store_parsed parsed = {0};
	struct pf_buffer footer;
	char hex[PF_SHA256_HEX];
	struct pf_cursor c;
	int rc;

	pf_buffer_init(&footer, FOOTER_MAX);
	rc = read_footer(fd, path, &footer, err);
	if (!rc) {
		pf_sha256_hex(hex, footer.bytes, footer.size);
		if (strcmp(hex, strrchr(path, '/') + 1) != 0)
			rc = pf_error_set(
			    err, PF_EINPUT, "%s: its content does not fit its name", path);
	}
	pf_cursor_init(&c, path, footer.bytes, footer.size);
	while (!rc && pf_cursor_more(&c)) {
		struct pf_cursor message = pf_cursor_slice(&c, pf_cursor_varint(&c));
		rc = each_entry(message, path, &parsed, each, data, err);
	}
	if (!rc)
		rc = pf_cursor_check(&c, err);
	pf_store_parsed_release(&parsed);
	pf_buffer_release(&footer);
	return rc;
}
