/* detect_threads.c: threads that pile up, by their stacks (detect_goroutines.c) or the kernel's count. */
#include "tuner/detect.h"

/* Without stacks: the kernel's count. */
static void
judge_count(const struct pf_evidence *e, struct pf_findings *f)
{
	const struct pf_evidence_stats *s = pf_evidence_stats_last(e, PF_STATS_PROC, NULL);

	if (!s || !(s->proc.threads >= 5 * PF_PILE_OF_THREADS))
		return;
	pf_findings_add(f, "thread-leak", PF_SEVERITY_MEDIUM, PF_CONFIDENCE_LOW,
	    pf_say(f, "The process has %.0f threads", s->proc.threads));
	pf_add_number(f, "threads", s->proc.threads, "count");
	pf_add_advice(f, (struct pf_advice){.action = pf_say(f, "Look at what the threads do."),
			     .how = pf_say(f, "profuse collect URL --type threads -o "
					      "THREADS.pb.gz; profuse tune THREADS.pb.gz")});
}

int
pf_detect_threads(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	size_t before = f->finding_count;
	int rc = pf_detect_piles(e, f, PF_PROFILE_THREADS, "threads", err);

	if (!rc && f->finding_count == before)
		rc = pf_detect_piles(e, f, PF_PROFILE_CREATED, "threads", err);
	if (!rc && f->finding_count == before)
		judge_count(e, f);
	return rc;
}
