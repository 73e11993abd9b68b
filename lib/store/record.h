/*
 * record.h: one profile in a journal or segment: a frame, a header, the bytes.
 *
 *	4 bytes  "PFR1"
 *	4        size of the header           all little-endian
 *	8        size of the bytes
 *	4        CRC-32 of the header
 *	4        CRC-32 of the bytes
 *	4        CRC-32 of the 24 bytes before
 *	4        zero
 *	header   see entry.h
 *	bytes    the profile as it came
 *
 * A journal is sealed by copying such records as they are.
 */
#ifndef PF_STORE_RECORD_H
#define PF_STORE_RECORD_H

#include "store/entry.h"

enum { PF_RECORD_FRAME = 32 };

struct pf_record {
	uint32_t header_size, header_crc, bytes_crc;
	uint64_t bytes_size;
};

/* Size of a whole record in its file. */
static inline uint64_t
pf_record_size(const struct pf_record *r)
{
	return PF_RECORD_FRAME + (uint64_t)r->header_size + r->bytes_size;
}

/* Fills `frame` for this header and these bytes. */
void pf_record_frame(
    uint8_t frame[PF_RECORD_FRAME], const struct pf_buffer *header, const void *bytes, size_t size);

enum pf_record_state {
	PF_RECORD_WHOLE,
	PF_RECORD_TORN, /* no whole record here: the end of a journal that a crash cut, or damage */
	PF_RECORD_UNREADABLE, /* errno says why */
};

/*
 * Reads the record's frame and header at `offset` of a file that ends at `end`;
 * the header's bytes go into `header`. Checks frame and header.
 */
enum pf_record_state pf_record_read(
    int fd, uint64_t offset, uint64_t end, struct pf_record *record, struct pf_buffer *header);
/* Reads the profile's bytes of that record into `bytes`, and checks them. */
enum pf_record_state pf_record_bytes(
    int fd, uint64_t offset, const struct pf_record *record, struct pf_buffer *bytes);

/* Reads exactly `size` bytes at `offset`: 0, or -1 with errno (EIO where the file ends before). */
int pf_read_at(int fd, uint64_t offset, void *to, size_t size);
/* Writes exactly `size` bytes at `offset`: 0, or -1 with errno. */
int pf_write_at(int fd, uint64_t offset, const void *from, size_t size);

#endif
