/* record.c: see record.h. */
#include "store/record.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <libdeflate.h>

#include "core/cursor.h"

static const char magic[4] = {'P', 'F', 'R', '1'};

static void
put(uint8_t *to, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t
crc(const void *bytes, size_t size)
{
	return libdeflate_crc32(0, bytes, size);
}

void
pf_record_frame(
    uint8_t frame[PF_RECORD_FRAME], const struct pf_buffer *header, const void *bytes, size_t size)
{
	memcpy(frame, magic, sizeof magic);
	put(frame + 4, header->size, 4);
	put(frame + 8, size, 8);
	put(frame + 16, crc(header->bytes, header->size), 4);
	put(frame + 20, crc(bytes, size), 4);
	put(frame + 24, crc(frame, 24), 4);
	put(frame + 28, 0, 4);
}

int
pf_read_at(int fd, uint64_t offset, void *to, size_t size)
{
	for (uint8_t *at = to; size;) {
		ssize_t n = pread(fd, at, size, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			return -1;
		at += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

int
pf_write_at(int fd, uint64_t offset, const void *from, size_t size)
{
	for (const uint8_t *at = from; size;) {
		ssize_t n = pwrite(fd, at, size, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		at += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

/* A frame that contradicts itself is none. */
static bool
decode_frame(const uint8_t *frame, struct pf_record *r)
{
	struct pf_cursor c;
	uint32_t frame_crc, spare;

	pf_cursor_init(&c, "record", frame, PF_RECORD_FRAME);
	pf_cursor_skip(&c, 4);
	r->header_size = pf_cursor_u32(&c);
	r->bytes_size = pf_cursor_u64(&c);
	r->header_crc = pf_cursor_u32(&c);
	r->bytes_crc = pf_cursor_u32(&c);
	frame_crc = pf_cursor_u32(&c);
	spare = pf_cursor_u32(&c);
	return memcmp(frame, magic, sizeof magic) == 0 && frame_crc == crc(frame, 24) && !spare &&
	       r->header_size <= PF_STORE_HEADER_MAX;
}

enum pf_record_state
pf_record_read(int fd, uint64_t offset, uint64_t end, struct pf_record *r, struct pf_buffer *header)
{
	uint8_t frame[PF_RECORD_FRAME];
	uint64_t left = end > offset ? end - offset : 0;

	if (left < PF_RECORD_FRAME)
		return PF_RECORD_TORN;
	if (pf_read_at(fd, offset, frame, sizeof frame))
		return PF_RECORD_UNREADABLE;
	if (!decode_frame(frame, r) || r->header_size > left - PF_RECORD_FRAME ||
	    r->bytes_size > left - PF_RECORD_FRAME - r->header_size)
		return PF_RECORD_TORN;
	pf_buffer_clear(header);
	if (!pf_buffer_reserve(header, r->header_size)) {
		errno = ENOMEM;
		return PF_RECORD_UNREADABLE;
	}
	if (pf_read_at(fd, offset + PF_RECORD_FRAME, header->bytes, r->header_size))
		return PF_RECORD_UNREADABLE;
	header->size = r->header_size;
	return crc(header->bytes, header->size) == r->header_crc ? PF_RECORD_WHOLE : PF_RECORD_TORN;
}

enum pf_record_state
pf_record_bytes(int fd, uint64_t offset, const struct pf_record *r, struct pf_buffer *bytes)
{
	pf_buffer_clear(bytes);
	if (r->bytes_size > SIZE_MAX || !pf_buffer_reserve(bytes, (size_t)r->bytes_size)) {
		errno = ENOMEM;
		return PF_RECORD_UNREADABLE;
	}
	if (pf_read_at(
		fd, offset + PF_RECORD_FRAME + r->header_size, bytes->bytes, (size_t)r->bytes_size))
		return PF_RECORD_UNREADABLE;
	bytes->size = (size_t)r->bytes_size;
	return crc(bytes->bytes, bytes->size) == r->bytes_crc ? PF_RECORD_WHOLE : PF_RECORD_TORN;
}
