/* readers.c: see readers.h. */
#include "tuner/readers.h"

#include "tuner/detect.h"

#define LEAST_SHARE 0.1 /* of all waiting, that readers are charged with */
#define LEAST_SHARE_OF_WAIT \
	0.5                 /* of a reader's wait behind a writer: what that one waited itself */
#define LEAST_OF_WINDOW 0.5 /* in which writers waited for readers */

static const char *const delays[] = {"delay", NULL};

static int
has_frame(const struct pf_evidence_profile *ep, size_t sample, const char *function, bool *has,
    struct pf_error *err)
{
	struct pf_stack s = {0};
	int rc = pf_stack_read(&s, ep, sample, err);

	*has = !rc && pf_stack_has(&s, ep, function);
	pf_stack_release(&s);
	return rc;
}

/* What each of its waits took on average; 0: it has none. */
static double
mean_of(const struct pf_sites *times, size_t i, const struct pf_sites *counts)
{
	for (size_t k = 0; k < counts->count; k++) {
		if (counts->items[k].name == times->items[i].name && counts->items[k].value > 0)
			return times->items[i].value / counts->items[k].value;
	}
	return 0;
}

int
pf_readers_look(struct pf_lock *l, const struct pf_sites *times, const struct pf_sites *counts,
    struct pf_readers *r, struct pf_error *err)
{
	double unit = pf_delay_unit(l->ep, pf_evidence_column(l->ep, delays));
	bool writes = false, reads = false;
	size_t i = 1;
	int rc = has_frame(l->ep, times->items[0].sample, "sync.(*RWMutex).Unlock", &writes, err);

	for (; !rc && writes && i < times->count; i++) {
		rc = has_frame(
		    l->ep, times->items[i].sample, "sync.(*RWMutex).RUnlock", &reads, err);
		if (reads)
			break;
	}
	if (rc || !reads ||
	    mean_of(times, i, counts) < LEAST_SHARE_OF_WAIT * mean_of(times, 0, counts))
		return rc;
	*r = (struct pf_readers){.writer = l->owner,
	    .name = pf_site_name(l->ep, times->items[i].name),
	    .waited = times->items[i].value * unit,
	    .mean = mean_of(times, i, counts) * unit};
	r->how = times->items[i].value >= LEAST_SHARE * times->total ? PF_READERS_HOLD
		 : r->waited >= LEAST_OF_WINDOW * l->window          ? PF_READERS_HOLD_MOSTLY
								     : PF_READERS_MAY_HOLD;
	if (r->how != PF_READERS_MAY_HOLD) {
		l->owner = r->name;
		l->share += times->items[i].value / times->total;
	}
	return 0;
}

static void
say_readers_may_hold(struct pf_findings *f, const struct pf_readers *r)
{
	char mean[PF_AMOUNT_ROOM];

	pf_add_caveat(f, PF_CONFIDENCE_LOW,
	    pf_say(f,
		"%s waits to write until readers before it have ended, for %s each time that it "
		"has to, and readers that come later wait behind it: what is charged to it may be "
		"how long %s holds the lock for reading.",
		r->writer, pf_amount(mean, r->mean, "seconds"), r->name));
	pf_add_advice(
	    f, (struct pf_advice){.action = pf_say(f,
				      "Where %s does next to nothing under the lock, hold it in "
				      "%s for less.",
				      r->writer, r->name)});
}

void
pf_readers_say(struct pf_findings *f, const struct pf_lock *l, const struct pf_readers *r)
{
	struct pf_finding *finding = pf_findings_last(f);
	const char *said = pf_said(f, finding->summary);
	char waited[PF_AMOUNT_ROOM], window[PF_AMOUNT_ROOM];

	if (r->how == PF_READERS_MAY_HOLD) {
		say_readers_may_hold(f, r);
		return;
	}
	finding->summary = pf_say(f,
	    "%s%s%s waits to write until readers before it have ended, and readers that come later "
	    "wait behind it: what is charged to it is for the most part how long %s holds the lock "
	    "for reading.",
	    said, *said ? " " : "", r->writer, l->owner);
	if (r->how == PF_READERS_HOLD_MOSTLY)
		pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
		    pf_say(f,
			"That it is the readers follows from how long writers waited for them, %s "
			"in %s, as at one lock only one can at a time: where there are many such "
			"locks, it may be less of what is charged.",
			pf_amount(waited, r->waited, "seconds"),
			pf_amount(window, l->window, "seconds")));
}
