/*
 * detect_fragmentation.c: resident memory that is lost between live objects: only another layout helps (fewer arenas,
 * another allocator, other sizes).
 *
 * What glibc has in fast bins looks the same until it is joined. Where that may be all of it, and the service allocates
 * and frees as much while it is looked at, it is room that it needs again: no finding.
 */
#include "tuner/detect.h"

#include <math.h>

#include "core/number.h"
#include "tuner/absent.h"
#include "tuner/sites.h"

/* Bytes in pages that hold something live, and are not it: `absent` of what could be given back is not there. */
static double
lost_bytes(const struct pf_allocator_stats *a, double rss, double absent)
{
	double cached = pf_or_zero(a->thread_cached) + pf_or_zero(a->central_cached);

	if (a->allocator == PF_ALLOCATOR_GLIBC)
		return fmin(a->free_bytes - absent, rss - a->in_use) - (a->releasable - absent);
	return a->active - a->in_use - (a->allocator == PF_ALLOCATOR_TCMALLOC ? cached : 0);
}

#define ROUGHLY \
	0.1 /* of what is lost: how far the allocator's own counts go, so less is no interval */

/* By what of it is there, and may come back: between these. */
static void
add_lost(struct pf_findings *f, const struct pf_allocator_stats *a, double rss,
    const struct pf_absent *absent, double lost, double more)
{
	double low = fmin(lost_bytes(a, rss, absent->least), lost) - more,
	       high = fmax(lost_bytes(a, rss, absent->most), lost);

	if (high - low > ROUGHLY * lost)
		pf_add_estimate(f, "fragmented", lost, fmax(0, low), high, "bytes");
	else
		pf_add_number(f, "fragmented", lost, "bytes");
}

/* Of what seems lost, what malloc_trim may bring back all the same; 0 where that is little. */
static double
may_come_back(const struct pf_allocator_stats *a, double lost)
{
	double more = a->releasable_most - a->releasable;

	return more >= PF_WORTH_SHARE * lost ? fmin(more, lost)
					     : 0; /* NaN: nothing is in fast bins */
}

/* Who asks for it knows. */
static void
doubt_fragmentation(struct pf_findings *f, double more)
{
	char text[PF_AMOUNT_ROOM];

	pf_add_caveat(f, PF_CONFIDENCE_LOW,
	    pf_say(f,
		"Up to %s of it may be whole pages once malloc_trim has joined the pieces in fast "
		"bins with their neighbours: no statistics tell how what stays lies between them.",
		pf_amount(text, more, "bytes")));
	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f, "See first what a release brings: it is one call, and nothing "
				    "else has to change."),
		.how = pf_say(f, "call malloc_trim(0) once, when idle, and compare VmRSS in "
				 "/proc/PID/status before and after"),
		.versions = pf_say(f, "glibc 2.8 and later"),
		.undo = pf_say(f, "don't call it")});
}

static void
advise_layout(struct pf_findings *f, const struct pf_allocator_stats *a)
{
	bool fewer = a->allocator == PF_ALLOCATOR_GLIBC && a->arenas > 1;

	pf_add_advice(f,
	    (struct pf_advice){.action = pf_say(f, "Keep objects that live long apart from those "
						   "that come and go: allocate them first, or "
						   "in an arena or pool of their own; no release "
						   "brings back pages that hold something."),
		.risk = pf_say(f, "A change of the code; a heap profile with lifetimes says which "
				  "objects stay.")});
	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f, "Try other allocators%s: they place objects differently.",
		    fewer ? " and fewer arenas" : ""),
		.how = pf_say(f, "profuse tune --try CMD --weight cpu=1,rss=1"),
		.risk = fewer ? pf_say(f, "With fewer arenas threads wait for each other, the more "
					  "so where one frees what another allocated: it has "
					  "doubled a program's time.")
			      : 0});
}

/* Whether so much was allocated while a process was looked at, and freed again: what is free now was in use a moment ago. */
static bool
is_in_rotation(const struct pf_evidence *e, double bytes)
{
	const struct pf_evidence_profile *first = pf_evidence_next_series(e, PF_PROFILE_HEAP, NULL),
					 *last = pf_evidence_last(e, PF_PROFILE_HEAP);
	uint32_t before, after;

	if (!first || !last || first == last || !first->p || !last->p ||
	    first->series != last->series)
		return false;
	before = pf_evidence_column(first, pf_in_use_columns);
	after = pf_evidence_column(last, pf_in_use_columns);
	if (before == PF_NONE || after == PF_NONE)
		return false;
	return last->allocated - first->allocated -
		   fmax(0, pf_column_total(last, after) - pf_column_total(first, before)) >=
	       bytes;
}

int
pf_detect_fragmentation(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	struct pf_allocator_stats a;
	double rss = pf_evidence_rss(e), lost, more;
	char text[PF_AMOUNT_ROOM], live[PF_AMOUNT_ROOM];
	struct pf_absent absent;
	bool claimed;

	if (!pf_allocator_known(e, &a))
		return 0;
	claimed = isnan(rss);
	if (claimed)
		rss = a.mapped;
	absent = pf_absent_of(e, &a);
	lost = lost_bytes(&a, rss, absent.likely);
	if (!(lost >= PF_WORTH_BYTES) || !(lost >= PF_WORTH_SHARE * rss))
		return 0;
	more = may_come_back(&a, lost);
	if (lost - more < PF_WORTH_BYTES && is_in_rotation(e, lost))
		return 0;
	pf_findings_add(f, "fragmentation",
	    lost >= 0.5 * rss ? PF_SEVERITY_HIGH : PF_SEVERITY_MEDIUM, PF_CONFIDENCE_HIGH,
	    pf_say(f,
		more > 0 ? "%s are in small free pieces, or lie between live objects: the program "
			   "uses %s"
			 : "%s lie between live objects: the program uses %s",
		pf_amount(text, lost, "bytes"), pf_amount(live, a.in_use, "bytes")));
	pf_add_number(f, claimed ? "taken" : "resident", rss, "bytes");
	pf_add_number(f, "in_use", a.in_use, "bytes");
	add_lost(f, &a, rss, &absent, lost, more);
	pf_add_number(f, claimed ? "share_of_taken" : "share_of_resident", lost / rss, "share");
	pf_add_number(f, "arenas", a.arenas, "count");
	if (more > 0)
		doubt_fragmentation(f, more);
	advise_layout(f, &a);
	pf_add_measurement(f, "rss_idle", "bytes",
	    pf_say(f, "profuse tune --try CMD: what another layout brings does not follow from a "
		      "snapshot"));
	return pf_findings_check(f, err);
}
