/*
 * segment.h: sealed profiles: immutable, named by what is in them.
 *
 *	"PFSEG1\0\0"
 *	records, as in record.h
 *	footer: of each record {1 offset · 2 header}, a message each, length before it
 *	8 bytes size of the footer · 4 CRC-32 of it · 4 bytes "PFSE"
 *
 * The name is the SHA-256 of the footer, whose headers hold the SHA-256 of every
 * profile: whoever checks both has checked every byte. The same profiles give
 * the same segment.
 */
#ifndef PF_STORE_SEGMENT_H
#define PF_STORE_SEGMENT_H

#include "store/layout.h"
#include "store/record.h"

struct pf_segment_writer {
	int root, fd;
	char temporary[PF_LAYOUT_PATH];
	uint64_t end; /* where the next record goes */
	struct pf_buffer footer, header, copy;
};

/* Starts a segment in tmp/. Abandon a writer that was begun, in any case; it removes what is unfinished. */
int pf_segment_begin(struct pf_segment_writer *w, int root, struct pf_error *err);
/* Copies the whole record at `offset` of `fd`; *at is its offset in the segment. PF_EINPUT: it is damaged. */
int pf_segment_copy(
    struct pf_segment_writer *w, int fd, uint64_t offset, uint64_t *at, struct pf_error *err);
/* Puts it in place, durably; `path` (PF_LAYOUT_PATH bytes) is then its relative path. */
int pf_segment_finish(
    struct pf_segment_writer *w, int64_t hour, unsigned bucket, char *path, struct pf_error *err);
void pf_segment_abandon(struct pf_segment_writer *w);

/*
 * Reads the footer of an open segment and checks it, against its name too; then
 * each(data, offset, entry) for every record. PF_EINPUT damaged; PF_EIO.
 */
int pf_segment_each(int fd, const char *path,
    int (*each)(void *data, uint64_t offset, const struct pf_store_entry *entry), void *data,
    struct pf_error *err);

#endif
