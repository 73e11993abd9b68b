/* pile_advice.c: what is advised where goroutines or threads pile up (pile.h). */
#include "tuner/pile.h"

/* Requests that wait for answers have no deadline, or the other side is slow; others have no end. */
static uint32_t
action_for(struct pf_findings *f, const struct pf_pile *p)
{
	if (p->wait == PF_CODE_OUTSIDE && p->now.asking >= PF_PILE_IN_STEP * p->count)
		return pf_say(f,
		    "Give the requests that %s sends a deadline (http.Client.Timeout, or a "
		    "context with a timeout of the request that it serves): whom it asks does not "
		    "answer, or not as fast as it is asked.",
		    p->owner);
	return pf_say(f,
	    "Give each goroutine of %s an end: a context that is cancelled, a deadline or a timer, "
	    "a channel that is closed or has room; bound how many are started.",
	    p->owner);
}

static void
advise(struct pf_findings *f, const struct pf_pile *p, bool threads)
{
	struct pf_advice advice = {
	    .action = threads ? pf_say(f,
				    "Let a pool of bounded size do what threads are started for in "
				    "%s, and join or detach each thread that ends.",
				    p->owner)
			      : action_for(f, p),
	    .how = threads ? pf_say(f, "profuse collect URL --type threads -o THREADS.pb.gz")
			   : pf_say(f, "GET /debug/pprof/goroutine?debug=2 shows how long each has "
				       "been waiting")};

	pf_add_advice(f, advice);
}

/* Whose connections they are is in no stack. */
static void
advise_client(struct pf_findings *f, const struct pf_pile *p)
{
	bool unread = p->wait == PF_CODE_CHANNEL;

	pf_add_advice(f,
	    (struct pf_advice){
		.action =
		    unread
			? pf_say(f, "Close the body of each answer (defer resp.Body.Close()), also "
				    "where only its status is wanted: these connections wait until "
				    "somebody has read theirs to the end, or closed it. Who got it "
				    "is in none of their stacks: search for Get(, Post( and Do( "
				    "whose answer's Body is not closed on every path.")
			: pf_say(f, "Let all requests share one http.Client, or http.Transport: "
				    "each transport keeps the connections that it opened, and "
				    "these are at rest. Bound them (MaxConnsPerHost, "
				    "MaxIdleConnsPerHost) and let them end (IdleConnTimeout, which "
				    "a new http.Transport has not). Who opened them is in none of "
				    "their stacks: search for http.Transport{."),
		.how = unread ? pf_say(f, "the linter bodyclose finds most")
			      : pf_say(f, "grep -rn 'http.Transport{' --include=*.go ."),
		.risk = unread ? 0
			       : pf_say(f, "Too low a MaxConnsPerHost makes requests wait for "
					   "each other.")});
}

uint32_t
pf_pile_traits(const struct pf_pile *p)
{
	return p->site.name == PF_NONE ? PF_CODE_LIBRARY : p->ep->traits[p->site.name];
}

bool
pf_pile_is_client(const struct pf_pile *p)
{
	return (pf_pile_traits(p) & PF_CODE_CLIENT) != 0;
}

void
pf_pile_advise(struct pf_findings *f, const struct pf_pile *p)
{
	if (pf_pile_is_client(p))
		advise_client(f, p);
	else
		advise(f, p, p->what[0] == 't');
}
