/*
 * detect_outside_go.c: memory that grows outside of Go's heap: what C code allocates in a process of Go's (cgo).
 *
 * No profile of Go's has it. MemStats at the end of heap?debug=1 say how much the process had resident at most
 * (MaxRSS), and all that the runtime ever asked the kernel for (Sys); neither ever falls. What the first is above the
 * second is not Go's: C code's, or mapped files.
 */
#include "tuner/detect.h"

#include <math.h>

enum { MUCH = 16 << 20, GROWN = 8 << 20 };

#define GROWN_SHARE 0.1 /* of all that is outside */

static bool
tells(const struct pf_evidence_stats *s)
{
	return !s->base && s->go.max_rss > 0 && s->go.sys > 0;
}

static double
outside_of(const struct pf_evidence_stats *s)
{
	return fmax(0, s->go.max_rss - s->go.sys);
}

/* The kernel's word, where it is known, on memory that is no file's. */
static bool
are_files(const struct pf_evidence *e, const struct pf_evidence_stats *now)
{
	const struct pf_evidence_stats *proc = pf_evidence_stats_last(e, PF_STATS_PROC, NULL);

	return proc && proc->proc.rss_anonymous < now->go.sys + MUCH;
}

static void
report(struct pf_findings *f, const struct pf_evidence_stats *then,
    const struct pf_evidence_stats *now)
{
	double grown = outside_of(now) - outside_of(then),
	       seconds = now->go.last_gc - then->go.last_gc;
	char by[PF_AMOUNT_ROOM];
	struct pf_finding *finding =
	    pf_findings_add(f, "leak", PF_SEVERITY_MEDIUM, PF_CONFIDENCE_LOW,
		pf_say(f, "Memory outside of Go's heap grew by %s: C code's (cgo), or mapped",
		    pf_amount(by, grown, "bytes")));

	finding->bytes_saved = grown;
	pf_add_number(f, "grown", grown, "bytes");
	pf_add_number(f, "outside_before", outside_of(then), "bytes");
	pf_add_number(f, "outside_now", outside_of(now), "bytes");
	pf_add_number(f, "resident_at_most", now->go.max_rss, "bytes");
	pf_add_number(f, "of_go", now->go.sys, "bytes");
	if (seconds > 0) /* a live service was asked for a collection before each */
		pf_add_number(f, "growth", grown / seconds, "bytes_per_second");
	pf_add_caveat(f, PF_CONFIDENCE_LOW,
	    pf_say(f, "Two looks at what was ever resident can't tell a leak from a cache of C "
		      "code that fills up, nor from a file that is mapped and read (a "
		      "database's): look again later, or for longer (--seconds 300)."));
	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f,
		    "Find what C code allocates and doesn't free: Go's profiles know nothing of "
		    "it, the agent has profiles of malloc. What C.CString, C.CBytes and C.malloc "
		    "return is freed by C.free only."),
		.how = pf_say(f, "LD_PRELOAD=libprofuse-agent.so before the service's command, "
				 "then profuse tune --service of the agent's port")});
}

int
pf_detect_outside_go(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	const struct pf_evidence_stats *now = NULL, *then = NULL, *s = NULL;
	double grown;

	while ((s = pf_evidence_stats_last(e, PF_STATS_GO, s))) {
		if (!tells(s))
			continue;
		now = now ? now : s;
		then = s;
	}
	if (!now || now == then || outside_of(now) < MUCH || are_files(e, now))
		return 0;
	grown = outside_of(now) - outside_of(then);
	if (grown >= GROWN && grown >= GROWN_SHARE * outside_of(now))
		report(f, then, now);
	return pf_findings_check(f, err);
}
