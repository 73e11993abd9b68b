/*
 * inflate.h: gzip data inflated piece by piece, under caps.
 *
 * Members follow one another; zeros after the last are padding, anything else
 * there is an error. Checksums and sizes are verified. ISA-L does the work, at
 * less than half of zlib's cost.
 */
#ifndef PF_CORE_INFLATE_H
#define PF_CORE_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pf_error;
struct pf_inflater;

/* One inflater serves any number of inputs, one after the other. PF_ENOMEM. */
int pf_inflater_new(struct pf_inflater **inflater, struct pf_error *err);
void pf_inflater_free(struct pf_inflater *inflater);

/*
 * Begins an input that messages call `name` (which must outlive it). Once over
 * 16 MiB of output, output : input may not exceed max_ratio (0: no limit), nor
 * output max_size.
 */
void pf_inflater_begin(
    struct pf_inflater *inflater, const char *name, uint64_t max_size, uint32_t max_ratio);

/* The next piece of input, which must stay until it is used up; `last`: nothing follows it. */
void pf_inflater_feed(struct pf_inflater *inflater, const void *bytes, size_t size, bool last);

/*
 * Inflates into [to, to + room); *made bytes of it are filled. Fewer than room
 * mean that the piece is used up or the data has ended. PF_EINPUT names the
 * input, the offset in it and the reason; PF_EINPUT at the caps, too.
 */
int pf_inflater_step(
    struct pf_inflater *inflater, void *to, size_t room, size_t *made, struct pf_error *err);

/* Whether all members and their padding have been read, to the end of the last piece. */
bool pf_inflater_ended(const struct pf_inflater *inflater);

#endif
