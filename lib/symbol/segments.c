/* segments.c: walking a binary's loaded segments from outside; see binary.h. */
#include "symbol/binary_private.h"

bool
pf_binary_segment(
    const struct pf_binary *binary, size_t i, uint64_t *start, uint64_t *end, bool *executable)
{
	const struct pf_segment *s;

	if (i >= binary->segment_count)
		return false;
	s = &binary->segments[i];
	*start = s->address;
	*end = s->address + s->size;
	*executable = s->executable;
	return true;
}
