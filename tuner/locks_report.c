/*
 * locks_report.c: see locks.h.
 *
 * Who holds is told to hold it for less, who waits to find out who holds: a block profile alone, or one look at
 * what stands at locks, says nothing of that.
 */
#include "tuner/locks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LONG_WAIT 0.01  /* seconds: a writer's, beside readers */
#define ALL_OF_IT 0.995 /* of all waiting at locks: others are not worth a word */

enum { MANY_TURNS = 10, OWNER_ROOM = 1024 };

/* Whether a sample's lock is one that readers share already. */
static int
is_shared(const struct pf_evidence_profile *ep, size_t sample, bool *shared, struct pf_error *err)
{
	struct pf_stack s = {0};
	int rc = pf_stack_read(&s, ep, sample, err);

	*shared = !rc && strcmp(pf_sample_text(ep->p, sample, "object"), "rwlock") == 0;
	*shared |= pf_stack_locks(&s, ep, "rwlock") || pf_stack_locks(&s, ep, "RWMutex");
	pf_stack_release(&s);
	return rc;
}

static void
measure(struct pf_findings *f)
{
	pf_add_measurement(f, "p99", "seconds",
	    pf_say(f, "profuse bench --before CMD --after CMD --load URL --rate N, at the rate of "
		      "production"));
}

static const char *
sharing(bool shared, bool go)
{
	return shared ? "let readers go without it (copy on write)"
	       : go   ? "let readers share it (RWMutex, copy on write)"
		      : "let readers share it (a readers-writer lock, copy on write)";
}

static uint32_t
risk_of_sharing(struct pf_findings *f, bool shared)
{
	return shared ? 0
		      : pf_say(f, "A readers-writer lock pays only where sections are long and "
				  "writes rare.");
}

static void
advise_holder(struct pf_findings *f, const char *owner, bool shared, bool go)
{
	pf_add_advice(
	    f, (struct pf_advice){
		   .action = pf_say(f,
		       "Hold the lock in %s for less: do what needs no protection "
		       "(input, output, formatting, hashing, waking others) outside of it; split "
		       "it by key (shards); %s; or count in atomics.",
		       owner, sharing(shared, go)),
		   .risk = risk_of_sharing(f, shared)});
	measure(f);
}

/* Who waits is known, and not who makes it wait. */
static void
advise_waiter(struct pf_findings *f, const char *owner, bool shared, bool go)
{
	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f,
		    "Find out who holds the lock while %s waits for it (that may be %s too, in "
		    "another %s): a mutex profile says it. There hold it for less: do what needs "
		    "no protection (input, output, formatting, hashing, waking others) outside of "
		    "it; split it by "
		    "key (shards); or %s.",
		    owner, owner, go ? "goroutine" : "thread", sharing(shared, go)),
		.how =
		    go ? pf_say(f, "GET /debug/pprof/mutex, after runtime.SetMutexProfileFraction")
		       : pf_say(f, "GET /debug/pprof/mutex?seconds=30, of a service with "
				   "libprofuse-agent"),
		.risk = risk_of_sharing(f, shared)});
	measure(f);
}

/* How often the lock was let go, of so often in all, while one waited to write. */
static double
turns_of(const struct pf_lock *l, double count)
{
	const struct pf_waited *w = &l->waited;

	return w->writer ? count * fmin(1, w->written / l->window) : count / w->first_count;
}

/* Readers that take turns let no writer in. */
static bool
is_starved(const struct pf_lock *l, bool shared)
{
	const struct pf_waited *w = &l->waited;
	struct pf_stack s = {0};
	double least, most;
	bool writes;

	pf_sum_interval(l->count, l->errors.count, &least, &most);
	if (!shared || l->go || !(w->ep || w->writer) ||
	    !(turns_of(l, isnan(least) ? l->count : least) >= MANY_TURNS))
		return false;
	if (w->writer)
		return w->written >= LONG_WAIT;
	writes = !pf_stack_read(&s, w->ep, w->sample, NULL) && pf_stack_locks(&s, w->ep, "wrlock");
	pf_stack_release(&s);
	return writes && w->first_delay >= LONG_WAIT * w->first_count;
}

/* Of what was waited at locks, whatever was for this owner's. */
static double
waited_for(const struct pf_lock *l)
{
	return l->delay * fmin(1, l->share);
}

/* Who waited longest, at any lock. */
static uint32_t
say_first(struct pf_findings *f, const struct pf_lock *l)
{
	const struct pf_waited *w = &l->waited;
	char of[PF_AMOUNT_ROOM], all[PF_AMOUNT_ROOM], each[PF_AMOUNT_ROOM];

	return pf_say(f, "%s%s%s%s waited longest, %s in %.0f wait%s of %s on average.",
	    l->share < ALL_OF_IT ? "Of " : "",
	    l->share < ALL_OF_IT ? pf_amount(of, l->delay, "seconds") : "",
	    l->share < ALL_OF_IT ? " at all locks " : "", pf_site_name(w->ep, w->first),
	    pf_amount(all, w->first_delay, "seconds"), w->first_count,
	    w->first_count == 1 ? "" : "s",
	    pf_amount(each, w->first_delay / w->first_count, "seconds"));
}

static uint32_t
summary_of(struct pf_findings *f, const struct pf_lock *l, bool starved)
{
	const struct pf_waited *w = &l->waited;
	char all[PF_AMOUNT_ROOM], share[PF_AMOUNT_ROOM];
	uint32_t said = w->ep ? say_first(f, l) : 0;

	if (starved && w->writer)
		said = pf_say(f,
		    "%s has waited %s to write, and waits still, while readers take turns: the "
		    "lock was let go some %.0f times meanwhile, and never free.",
		    w->writer, pf_amount(all, w->written, "seconds"), turns_of(l, l->count));
	else if (starved)
		said = pf_say(f,
		    "%s It waits to write while readers take turns: the lock was let go some %.0f "
		    "times during each of these waits, and never free.",
		    pf_said(f, said), turns_of(l, l->count));
	else if (w->go_on)
		said = pf_say(f,
		    "Who waits waits still: of waits that have ended the block profile of that "
		    "time has %s only.",
		    pf_amount(all, w->delay, "seconds"));
	if (w->standing)
		said = pf_say(f,
		    "%s%s%s had waited %s for a lock in one look at all threads, and waited still: "
		    "no "
		    "profile of waits has it yet.",
		    pf_said(f, said), said ? " " : "", w->standing,
		    pf_amount(all, w->stood, "seconds"));
	if (l->place.function)
		said = pf_say(f,
		    "%s%sIn %zu of %zu looks at all threads, the one that the others waited for "
		    "stood in %s.",
		    pf_said(f, said), said ? " " : "", l->place.looks, l->place.of,
		    l->place.function);
	if (l->call.looks)
		said = pf_say(f,
		    "%s%sIn %zu of %zu looks at all threads in which others waited, the only one "
		    "that "
		    "was in %s without waiting for a lock was in %s%s.",
		    pf_said(f, said), said ? " " : "", l->call.looks, l->call.of,
		    l->place.function ? l->place.function : l->owner, l->call.word,
		    l->call.asked ? ", for another server's answer" : "");
	else if (l->call.word)
		said = pf_say(f,
		    "%s%sThreads that are in %s and wait for no lock spend %s of that time in "
		    "%s%s: if that is under the lock, it is what the others wait for.",
		    pf_said(f, said), said ? " " : "",
		    l->place.function ? l->place.function : l->owner,
		    pf_amount(share, l->call.share, "share"), l->call.word,
		    l->call.asked ? ", for another server's answer" : "");
	return said;
}

/* With its interval, unless somebody waits still, longer than all of the error: there is no upper bound then. */
static void
add_waiting(struct pf_findings *f, const struct pf_lock *l, const char *name, double value,
    double variance, const char *unit)
{
	if (l->waited.go_on || l->waited.standing)
		pf_add_number(f, name, value, unit);
	else
		pf_add_sum(f, name, value, variance, unit);
}

static void
add_lock_numbers(struct pf_findings *f, const struct pf_lock *l)
{
	const struct pf_waited *w = &l->waited;
	double count = w->ep ? w->count : l->count, of = fmin(1, l->share), low, high;
	bool exact = w->ep ? w->exact : l->exact;
	struct pf_wait_errors errors = {
	    w->ep ? w->errors.count : l->errors.count, exact ? 0 : l->errors.delay};
	bool all =
	    l->share <
	    ALL_OF_IT; /* figures of other locks, too: profiles of waits don't tell for whose */

	/* Of what is counted, the sample tells whose a share it is. */
	add_waiting(f, l, "waited", waited_for(l),
	    of * l->errors.delay * (exact ? fmax(0, 1 - of) : 1), "seconds");
	if (all)
		add_waiting(f, l, "waited_at_all_locks", l->delay, errors.delay, "seconds");
	if (!w->go_on) {
		pf_add_sum(f, all ? "waits_at_all_locks" : "waits", count, errors.count, "count");
		pf_mean_interval(l->delay, count, errors, &low, &high);
		pf_add_estimate(f, all ? "mean_wait_at_all_locks" : "mean_wait", l->delay / count,
		    low, high, "seconds");
	}
	if (w->ep || w->go_on)
		pf_add_sum(f, all ? "releases_of_all_locks" : "releases", l->count, l->errors.count,
		    "count");
	pf_add_number(f, "share_of_waiting", l->share, "share");
	add_waiting(f, l, all ? "waiting_on_average_at_all_locks" : "waiting_on_average",
	    l->delay / l->window, errors.delay / (l->window * l->window), "threads");
}

static void
add_lock_caveats(struct pf_findings *f, const struct pf_lock *l)
{
	double per_second = l->delay / l->window;

	if (isnan(l->window))
		pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
		    pf_say(f, "The profile sums since the service began, which it does not say: "
			      "fetch it over a window (--seconds 30) to see today's rate."));
	if (l->caller)
		pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
		    pf_say(f,
			"The stacks that let the lock go begin in %s, which never waits for one: "
			"that it is %s follows from who waits. The compiler made its last call, "
			"the unlock, a jump.",
			l->caller, l->owner));
	else if (l->caller_label == PF_CALLER_UNKNOWN)
		pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
		    pf_say(f,
			"Which function let the lock go is not known: %s, or one that it called, "
			"for compilers make a jump of a function's last call, which leaves no "
			"frame. Compiled with -fno-optimize-sibling-calls the stack shows it.",
			l->owner));
	if (l->unlocker)
		pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
		    pf_say(f,
			"What lets the lock go is %s, which never waits for one and is hardly seen "
			"to work: that most of the waiting is for what %s does before it calls it "
			"follows from who calls it.",
			l->unlocker, l->owner));
	if (l->doubtful)
		pf_add_caveat(f, PF_UNSURE,
		    pf_say(f,
			"Few of these waits were met by a sample: within the error of sampling it "
			"may be no contention to speak of. A longer window says more "
			"(--seconds)."));
	if (per_second < PF_FEW_WAIT)
		pf_add_caveat(f, per_second < PF_FEW_WAIT / 2 ? PF_UNSURE : PF_CONFIDENCE_LOW,
		    pf_say(f,
			"On average %.2g threads wait. Where the machine is busy with other "
			"programs, a lock that is held for microseconds makes others wait as long "
			"when its holder loses the processor.",
			per_second));
}

static uint32_t
title_of(struct pf_findings *f, const struct pf_lock *l)
{
	char all[PF_AMOUNT_ROOM];

	pf_amount(all, waited_for(l), "seconds");
	if (l->ep->kind != PF_PROFILE_LOCKS)
		return pf_say(f, "%s waited %s for locks", l->owner, all);
	return pf_say(f,
	    l->caller_label == PF_CALLER_UNKNOWN && !l->caller
		? "Others waited %s for locks that %s, or a function that it called, held"
		: "Others waited %s for locks that %s held",
	    all, l->owner);
}

static void
advise(struct pf_findings *f, const struct pf_lock *l, bool shared, bool starved)
{
	char owner[OWNER_ROOM];

	if (l->ep->kind != PF_PROFILE_LOCKS) {
		advise_waiter(f, l->owner, shared, l->go);
		return;
	}
	snprintf(owner, sizeof owner,
	    l->caller_label == PF_CALLER_UNKNOWN && !l->caller && !l->place.function
		? "%s, or in what it calls,"
		: "%s",
	    l->place.function ? l->place.function : l->owner);
	advise_holder(f, owner, shared, l->go);
	if (starved)
		pf_add_advice(f,
		    (struct pf_advice){
			.action =
			    pf_say(f, "Let writers go first, if readers hold it for long anyway."),
			.how = pf_say(f, "pthread_rwlockattr_setkind_np(&attr, "
					 "PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP)"),
			.risk = pf_say(f, "A thread that takes it for reading twice then waits for "
					  "ever once a writer waits.")});
}

int
pf_locks_report(struct pf_findings *f, const struct pf_lock *l, const struct pf_sites *sites,
    struct pf_error *err)
{
	double per_second = l->delay / l->window;
	struct pf_finding *finding;
	bool shared, starved;
	int rc = is_shared(l->ep, sites->items[0].sample, &shared, err);

	if (rc)
		return rc;
	starved = is_starved(l, shared);
	finding = pf_findings_add(f, "lock-contention",
	    per_second >= 1                                 ? PF_SEVERITY_HIGH
	    : per_second < PF_FEW_WAIT || isnan(per_second) ? PF_SEVERITY_LOW
							    : PF_SEVERITY_MEDIUM,
	    isnan(l->window) ? PF_CONFIDENCE_MEDIUM : PF_CONFIDENCE_HIGH, title_of(f, l));
	finding->summary = summary_of(f, l, starved);
	add_lock_numbers(f, l);
	add_lock_caveats(f, l);
	advise(f, l, shared, starved);
	return pf_show_sites(f, l->ep, sites, 3, "nanoseconds", err);
}

static uint32_t
standing_title(struct pf_findings *f, const struct pf_lock_looks *l, const char *owner)
{
	char count[64];

	snprintf(
	    count, sizeof count, l->most > l->least ? "%.0f to %.0f" : "%.0f", l->least, l->most);
	if (l->of < 2)
		return pf_say(
		    f, "%s %s stand at a lock in %s at one moment", count, l->what, owner);
	return l->looks == l->of ? pf_say(f, "%s %s stood at a lock in %s in each of %zu looks",
				       count, l->what, owner, l->of)
				 : pf_say(f, "%s %s stood at a lock in %s in %zu of %zu looks",
				       count, l->what, owner, l->looks, l->of);
}

int
pf_locks_report_standing(struct pf_findings *f, const struct pf_evidence_profile *ep,
    const struct pf_sites *sites, const struct pf_lock_looks *l, struct pf_error *err)
{
	const char *owner = pf_site_name(ep, sites->items[0].name);
	bool shared;
	int rc = is_shared(ep, sites->items[0].sample, &shared, err);

	if (rc)
		return rc;
	pf_findings_add(f, "lock-contention", PF_SEVERITY_MEDIUM, PF_CONFIDENCE_LOW,
	    standing_title(f, l, owner));
	pf_add_number(f, l->what, sites->items[0].value, "count");
	pf_add_caveat(f, PF_CONFIDENCE_LOW,
	    pf_say(f, "%s no rate: a mutex profile over a window says how long the waiting is.",
		l->of < 2 ? "One moment is" : "Looks are"));
	if (l->left_out > 0)
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f,
			"%.0f that a deadlock is told of are not counted here. These may wait for "
			"them, and for ever, too: a lock that is never let go is in no mutex "
			"profile.",
			l->left_out));
	advise_waiter(f, owner, shared, l->go);
	return pf_show_sites(f, ep, sites, 3, l->what, err);
}
