/*
 * source.h: the bytes of an input, inflated on the way, seen through a window.
 *
 * The window [at, end) is a run of consecutive bytes in memory; whoever reads
 * moves `at` and asks for more with pf_source_need(). An input of up to
 * PF_SOURCE_WHOLE bytes (inflated) lies in the window as a whole from the
 * start; a longer one slides through a small one, so it may be larger than
 * memory, and is read again by pf_source_rewind().
 *
 * The first failure is sticky: the window is then empty and at its end, so that
 * a reader may run out and ask once.
 */
#ifndef PF_CORE_SOURCE_H
#define PF_CORE_SOURCE_H

#include <profuse/error.h>

#include "core/buffer.h"
#include "core/inflate.h"

enum { PF_SOURCE_WHOLE = 48 << 20, PF_SOURCE_WINDOW = 256 << 10 };

struct pf_source {
	const uint8_t *at, *end; /* the window; its bytes are good until the next call */
	bool ended;              /* nothing follows `end` */
	bool whole;              /* the window holds everything from the first byte */
	const char *name;        /* for messages */
	int code;                /* 0, or why reading failed; the sentence is in `failure` */
	struct pf_error failure;

	/* Set by pf_source_init(); tests make them small. */
	size_t most_whole; /* PF_SOURCE_WHOLE */
	size_t window;     /* PF_SOURCE_WINDOW: how long the sliding window is at least */

	/* The rest is source.c's own. */
	uint64_t max_size;
	uint32_t max_ratio;
	bool packed, from_memory;
	uint64_t base;         /* offset of the first byte held */
	const uint8_t *first;  /* the first byte held: in `held`, or somebody else's */
	struct pf_buffer held; /* owned: what the window shows unless that is somebody else's */
	const uint8_t *input;  /* all of the input, where it lies in memory */
	size_t input_size, input_taken;
	struct pf_buffer piece; /* owned: the piece of a file being inflated, or a pipe's content */
	int fd;                 /* -1: none */
	bool input_ended;
	uint64_t input_count;         /* bytes read from the file */
	struct pf_inflater *inflater; /* owned; made when first needed */
	uint64_t digest, digested;    /* of all bytes seen so far, and how many */
};

/* A zeroed struct with fd -1; nothing is allocated. */
void pf_source_init(struct pf_source *s);
void pf_source_release(struct pf_source *s);

/*
 * Begins a file ("-": standard input), or bytes that somebody keeps until the
 * source is released or begun anew; `name` must live as long. What a source
 * holds is used again for the next input. A pipe's content is kept, in memory
 * or, past PF_SOURCE_WHOLE, in an unnamed temporary file, since it can be read
 * only once. PF_EIO; PF_EINPUT for bad gzip data and for more than max_size
 * bytes, packed or not; PF_ENOMEM.
 */
int pf_source_open(struct pf_source *s, const char *path, uint64_t max_size, uint32_t max_ratio,
    struct pf_error *err);
int pf_source_borrow(struct pf_source *s, const char *name, const void *bytes, size_t size,
    uint64_t max_size, uint32_t max_ratio, struct pf_error *err);

/* Makes the window at least `size` bytes long, unless the input ends before. */
int pf_source_need(struct pf_source *s, size_t size, struct pf_error *err);

/* Back to the first byte. */
int pf_source_rewind(struct pf_source *s, struct pf_error *err);

/* The offset of `at`. */
static inline uint64_t
pf_source_offset(const struct pf_source *s)
{
	return s->base + (uint64_t)(s->at - s->first);
}

/* Ends the source with this failure, unless it has one; returns the code. */
int pf_source_fail(struct pf_source *s, int code, const struct pf_error *failure);

/*
 * 64 bits over all bytes, once they have all been seen, never 0: the same for
 * the same bytes however they were packed; others agree by chance only. No
 * defence against somebody who makes two agree on purpose.
 */
uint64_t pf_source_digest(const struct pf_source *s);

#endif
