/*
 * unjudged_channels.c: see unjudged.h. A channel may be a lock, a limit, a queue or an answer, and a block profile says of
 * who waits there only where, not who is at the other end. Workers that wait for work are none of it: told are those
 * that send, and those that serve a request meanwhile.
 */
#include <string.h>

#include "tuner/detect.h"
#include "tuner/sites.h"
#include "tuner/unjudged.h"

enum { LEAST_WAITS = 100 };

#define LEAST_DELAY 1.0    /* seconds in all, and… */
#define LEAST_MEAN 1e-3    /* each; and… */
#define LEAST_WAITING 0.25 /* goroutines on average, where the window is known */
#define NEARLY_ALL 0.95

/* What the leaf does at a channel; NULL: it is at none. */
static const char *
done_by(const char *leaf)
{
	return strncmp(leaf, "runtime.chansend", 16) == 0   ? "to send"
	       : strncmp(leaf, "runtime.chanrecv", 16) == 0 ? "to receive"
	       : strcmp(leaf, "runtime.selectgo") == 0      ? "in a select"
							    : NULL;
}

/* A profile's own request waits until its time is over. */
static bool
takes_profile(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	for (size_t i = 0; i < s->count; i++) {
		if (strncmp(pf_site_name(ep, s->names[i]), "net/http/pprof.", 15) == 0)
			return true;
	}
	return false;
}

static bool
waits_at_channel(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	return s->count && (s->traits & (PF_CODE_SENDS | PF_CODE_REQUEST)) &&
	       done_by(pf_site_name(ep, s->names[0])) && pf_stack_own(s, ep) < s->count &&
	       !takes_profile(s, ep);
}

static bool
is_worth_a_word(const struct pf_evidence_profile *ep, double count, double delay)
{
	double window = (double)pf_profile_duration_nanos(ep->p) / 1e9;

	return count >= LEAST_WAITS && delay >= LEAST_DELAY && delay / count >= LEAST_MEAN &&
	       (!(window > 0) || delay >= LEAST_WAITING * window);
}

static int
write_waits(const struct pf_evidence_profile *ep, const struct pf_sites *times, double count,
    double unit, struct pf_buffer *out, struct pf_error *err)
{
	double delay = times->total * unit, share = times->items[0].value / times->total;
	char all[PF_AMOUNT_ROOM], each[PF_AMOUNT_ROOM], part[PF_AMOUNT_ROOM];
	struct pf_stack s = {0};
	int rc = pf_stack_read(&s, ep, times->items[0].sample, err);

	if (!rc)
		pf_buffer_printf(out,
		    "Waits at channels were not judged: by the block profile goroutines waited %s "
		    "there to send or while they served requests, in %.0f waits of %s on average, "
		    "%s of it %s in %s. Such a channel may be a lock or a limit that lets few in "
		    "at a time, a full queue, or an answer to wait for; a block profile doesn't "
		    "say who is at the other end. A CPU profile tells whether those there are "
		    "busy, and "
		    "a goroutine dump (goroutine?debug=2) where they stand.",
		    pf_amount(all, delay, "seconds"), count,
		    pf_amount(each, delay / count, "seconds"),
		    share >= NEARLY_ALL ? "nearly all" : pf_amount(part, share, "share"),
		    done_by(pf_site_name(ep, s.names[0])), pf_site_name(ep, times->items[0].name));
	pf_stack_release(&s);
	return rc;
}

int
pf_write_channel_waits(const struct pf_evidence *e, struct pf_buffer *out, struct pf_error *err)
{
	static const char *const delays[] = {"delay", NULL}, *const counts[] = {
								 "contentions", NULL};
	const struct pf_evidence_profile *ep = pf_evidence_last(e, PF_PROFILE_BLOCK);
	uint32_t delay = ep ? pf_evidence_column(ep, delays) : PF_NONE,
		 count = ep ? pf_evidence_column(ep, counts) : PF_NONE;
	struct pf_sites times, waits = {0};
	double unit;
	int rc;

	if (delay == PF_NONE || count == PF_NONE)
		return 0;
	unit = pf_delay_unit(ep, delay);
	rc = pf_sites_of(&times, ep, delay, waits_at_channel, err);
	if (!rc)
		rc = pf_sites_of(&waits, ep, count, waits_at_channel, err);
	if (!rc && is_worth_a_word(ep, waits.total, times.total * unit))
		rc = write_waits(ep, &times, waits.total, unit, out, err);
	pf_sites_release(&times);
	pf_sites_release(&waits);
	return rc;
}
