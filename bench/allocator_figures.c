/* allocator_figures.c: see allocator_figures.h. */
#include "bench/allocator_figures.h"

#include <math.h>
#include <unistd.h>

#include "core/buffer.h"
#include "runtime/allocator.h"

enum { STATISTICS_MAXIMUM = 1 << 20 };

int
pf_allocator_figures(int errors, struct pf_block *k, struct pf_error *err)
{
	off_t end = lseek(errors, 0, SEEK_END);
	off_t from = end > STATISTICS_MAXIMUM ? end - STATISTICS_MAXIMUM : 0;
	struct pf_allocator_stats s;
	struct pf_buffer text;
	uint8_t *room;
	ssize_t n;
	int rc;

	if (end <= 0)
		return 0;
	pf_buffer_init(&text, STATISTICS_MAXIMUM);
	room = pf_buffer_reserve(&text, (size_t)(end - from));
	n = room ? pread(errors, room, (size_t)(end - from), from) : 0;
	text.size = n > 0 ? (size_t)n : 0;
	pf_allocator_stats_init(&s);
	rc = pf_buffer_check(&text, err);
	if (!rc && pf_allocator_recognise(text.bytes, text.size) != PF_ALLOCATOR_UNKNOWN)
		rc = pf_allocator_parse(&s, "standard error", text.bytes, text.size, err);
	pf_buffer_release(&text);
	if (rc)
		return rc == PF_ENOMEM ? rc : 0; /* a message that only looks like statistics */
	if (!isnan(s.in_use))
		k->value[PF_METRIC_HEAP_LIVE] = s.in_use;
	k->value[PF_METRIC_HELD] = isnan(s.resident) ? s.active : s.resident;
	if (s.active > 0 && s.in_use >= 0)
		k->value[PF_METRIC_FRAGMENTATION] = fmax(0, 1 - s.in_use / s.active);
	return 0;
}
