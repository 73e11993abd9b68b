/*
 * outside_heap.c: see outside_heap.h.
 *
 * All that the allocator has asked the kernel for may be its own, and resident; what is more is mapped by somebody else:
 * the program, a library, a language's runtime, or stacks. Files that are mapped are no memory that anybody holds.
 */
#include "tuner/outside_heap.h"

#include <math.h>

#include "core/number.h"
#include "tuner/findings.h"

#define PART 0.25  /* of what is resident */
#define MOSTLY 0.1 /* of what is outside: is worth a word */

enum { WORTH_BYTES = 32 << 20 };

/* At most, by the allocator's own word; NaN: it says nothing. */
static double
held_by(const struct pf_allocator_stats *a)
{
	return fmax(fmax(a->mapped, a->resident), a->in_use);
}

static void
write_kind(struct pf_buffer *out, double bytes, double outside, const char *what, bool *said)
{
	char text[PF_AMOUNT_ROOM];

	if (!(bytes >= MOSTLY * outside))
		return;
	pf_buffer_printf(
	    out, "%s%s %s", *said ? ", " : ": ", pf_amount(text, bytes, "bytes"), what);
	*said = true;
}

static void
write_growth(const struct pf_evidence *e, const struct pf_evidence_stats *s, double resident,
    double outside, struct pf_buffer *out)
{
	double grew = resident - e->first_resident;
	char text[PF_AMOUNT_ROOM], time[PF_AMOUNT_ROOM];

	if (grew >= MOSTLY * outside && s->at > e->first_at)
		pf_buffer_printf(out, " All that is resident grew by %s within %s.",
		    pf_amount(text, grew, "bytes"),
		    pf_amount(time, s->at - e->first_at, "seconds"));
}

void
pf_write_outside_malloc(const struct pf_evidence *e, struct pf_buffer *out)
{
	const struct pf_evidence_stats *a = pf_evidence_stats_last(e, PF_STATS_ALLOCATOR, NULL),
				       *s = pf_evidence_stats_last(e, PF_STATS_PROC, NULL);
	char text[PF_AMOUNT_ROOM], all[PF_AMOUNT_ROOM], held[PF_AMOUNT_ROOM];
	double resident, outside;
	bool said = false;

	if (!a || !s || pf_evidence_is_go(e))
		return;
	resident = s->proc.rss_anonymous + pf_or_zero(s->proc.rss_shared);
	outside = resident - held_by(&a->allocator);
	if (!(outside >= WORTH_BYTES) || outside < PART * resident)
		return;
	pf_buffer_printf(out,
	    "%s of the %s that are resident, and of no file, are not %s's, which has %s",
	    pf_amount(text, outside, "bytes"), pf_amount(all, resident, "bytes"),
	    pf_allocator_name(a->allocator.allocator),
	    pf_amount(held, held_by(&a->allocator), "bytes"));
	write_kind(out, s->proc.rss_shared, outside, "are shared memory", &said);
	write_kind(out, s->proc.stacks, outside, "look like stacks of threads", &said);
	pf_buffer_string(out,
	    ". The program or a library has mapped them (mmap), or they are its variables. Heap "
	    "profiles know nothing of them, so who holds them was not judged: "
	    "/proc/PID/smaps shows them, strace -f -k -e trace=mmap,munmap who asks for more.");
	write_growth(e, s, resident, outside, out);
}
