/*
 * detect_locks.c: time lost at locks.
 *
 * A mutex profile charges waiting to the critical section that caused it, a
 * block profile to whoever waited. Both sum since the start, or over a window,
 * and a sum alone says little: what counts is the waiting per contention, and how
 * it compares with the window, where that is known, or how many wait right
 * now. A lock is contended where waiting adds up to a tenth of the window and
 * more, or where, without one, waits are many and long (a thousandth of a second
 * each and a second in all). Below half a thread on average it is told with low
 * confidence: a holder that loses its processor to other programs looks the same.
 *
 * A function that unlocks last is gone from the stack by then where the compiler made
 * a jump of that call: the lock is charged to its caller. The agent puts it back where the code
 * tells it, and says so where it doesn't (label `caller`). Then, and where an older agent says
 * nothing, it is told by who waits: where this caller never waits itself, but a function that
 * it calls does. Else the looks at threads may show where holders stand.
 *
 * Whoever waits is not who holds: a block profile alone says nothing of the latter. What a mutex
 * profile counts are releases, of which a readers-writer lock has many during one wait: how many
 * waited, and how long each, says the block profile of the same time.
 */
#include "tuner/detect.h"

#include <math.h>
#include <string.h>

#include "tuner/dead_waits.h"
#include "tuner/locks.h"
#include "tuner/readers.h"
#include "tuner/unlockers.h"

static const char *const delays[] = {"delay", NULL};
static const char *const contentions[] = {"contentions", NULL};

enum { LEAST_CONTENTIONS = 100, WAITING_NOW = 8 };

#define LONG_STAND 1.0   /* seconds, and… */
#define MANY_TIMES 20.0  /* the mean wait: who waits so long may be starved */
#define NEARLY_ALL 0.995 /* of what was sampled at locks */
#define SIGMAS 5.0       /* and… */
#define MUCH_OFF 0.1     /* beyond both a sample and a count are not of the same waits */

static bool
at_lock(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	/* Neither a name nor a label: a wait for who knows what. */
	if (s->count && (ep->traits[s->names[0]] & PF_CODE_WRAPPER) &&
	    !(s->traits & (PF_CODE_LOCK | PF_CODE_CHANNEL)))
		return false;
	/* In a mutex profile everything is a lock; unlocking of the runtime's own is not the service's. */
	if (ep->kind == PF_PROFILE_LOCKS)
		return !pf_stack_in_allocator(s, ep) &&
		       ((s->traits & PF_CODE_LOCK) || pf_stack_own(s, ep) < s->count);
	return pf_stack_waits_at_lock(s, ep);
}

/* Of waits in a block profile: those of one function, and the greatest below a call that it makes. */
struct waiters {
	double all, of_function;
	struct pf_sites called; /* by who waits */
};

/* Whether the function is among the callers of the one that waits; of those next to it, unless they may be anywhere. */
static bool
is_called_by(const struct pf_stack *s, const struct pf_evidence_profile *ep, size_t own,
    const char *function, bool anywhere)
{
	for (size_t i = own + 1; i < s->count; i++) {
		if (strcmp(pf_site_name(ep, s->names[i]), function) == 0)
			return true;
		if (!anywhere && !ep->traits[s->names[i]])
			return false;
	}
	return false;
}

static int
read_waiters(struct waiters *w, const struct pf_lock *l, const struct pf_evidence_profile *ep,
    uint32_t column, struct pf_error *err)
{
	struct pf_stack s = {0};
	int rc = 0;

	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		size_t own;

		rc = pf_stack_read(&s, ep, i, err);
		if (rc || !at_lock(&s, ep))
			continue;
		w->all += pf_value(ep, i, column);
		own = pf_stack_own(&s, ep);
		if (own < s.count && strcmp(pf_site_name(ep, s.names[own]), l->owner) == 0)
			w->of_function += pf_value(ep, i, column);
		else if (own < s.count &&
			 is_called_by(&s, ep, own, l->owner, l->caller_label == PF_CALLER_UNKNOWN))
			rc = pf_sites_add(
			    &w->called, s.names[own], pf_value(ep, i, column), 1, i, err);
	}
	pf_stack_release(&s);
	pf_sites_sort(&w->called);
	return rc;
}

/* Takes the function that the owner calls for the owner, where that one waits most and the owner never. */
static int
look_below(struct pf_lock *l, const struct pf_evidence *e, struct pf_error *err)
{
	const struct pf_evidence_profile *block = pf_evidence_last(e, PF_PROFILE_BLOCK);
	uint32_t column = block ? pf_evidence_column(block, delays) : PF_NONE;
	struct waiters w = {0};
	int rc = 0;

	if (l->go || l->caller_label == PF_CALLER_KNOWN || column == PF_NONE)
		return 0;
	rc = read_waiters(&w, l, block, column, err);
	if (!rc && w.called.count && w.of_function == 0 && w.called.items[0].value >= 0.5 * w.all) {
		l->caller = l->owner;
		l->owner = pf_site_name(block, w.called.items[0].name);
	}
	pf_sites_release(&w.called);
	return rc;
}

/* What the agent says of the owner's stacks: whether it was the one that let go. */
static int
read_caller(struct pf_lock *l, uint32_t name, uint32_t column, struct pf_error *err)
{
	struct pf_stack s = {0};
	double known = 0, unknown = 0;
	int rc = 0;

	for (size_t i = 0; !rc && i < l->ep->p->sample_count; i++) {
		const char *label = pf_sample_text(l->ep->p, i, "caller");

		if (!*label)
			continue;
		rc = pf_stack_read(&s, l->ep, i, err);
		if (!rc && pf_stack_owner(&s, l->ep) == name)
			*(strcmp(label, "unknown") == 0 ? &unknown : &known) +=
			    pf_value(l->ep, i, column);
	}
	pf_stack_release(&s);
	if (known + unknown > 0)
		l->caller_label = unknown > known ? PF_CALLER_UNKNOWN : PF_CALLER_KNOWN;
	return rc;
}

/* What was waited at locks of any kind, by the sample; seconds. */
static double
sampled_delay(const struct pf_evidence_profile *ep, uint32_t column)
{
	double sum = 0;

	for (size_t i = 0; i < ep->p->sample_count; i++) {
		const char *object = pf_sample_text(ep->p, i, "object");
		if (strcmp(object, "mutex") == 0 || strcmp(object, "rwlock") == 0)
			sum += pf_value(ep, i, column);
	}
	return sum * pf_delay_unit(ep, column);
}

/*
 * Puts what the agent counted of all waits at locks in place of what its sample makes of them, where all of these are
 * in question (an allocator's own locks are not), and the sample is of the same time.
 */
static bool
take_counted(const struct pf_evidence_profile *ep, uint32_t column, double *count, double *delay,
    struct pf_wait_errors *errors)
{
	struct pf_wait_totals all = pf_wait_totals_of(ep->p);

	if (!(*delay >= NEARLY_ALL * sampled_delay(ep, column)) || !(all.count > 0) ||
	    !(fabs(all.delay - *delay) <= SIGMAS * sqrt(errors->delay) + MUCH_OFF * all.delay))
		return false;
	*count = all.count;
	*delay = all.delay;
	errors->count = 0;
	return true;
}

static int
read_waited(struct pf_lock *l, const struct pf_evidence *e, struct pf_error *err)
{
	const struct pf_evidence_profile *ep = pf_evidence_last(e, PF_PROFILE_BLOCK);
	uint32_t delay = ep ? pf_evidence_column(ep, delays) : PF_NONE,
		 count = ep ? pf_evidence_column(ep, contentions) : PF_NONE;
	struct pf_waited *w = &l->waited;
	struct pf_wait_errors errors;
	struct pf_sites times, many = {0};
	double window, unit;
	int rc;

	if (delay == PF_NONE || count == PF_NONE)
		return 0;
	errors = pf_wait_errors_of(ep);
	window = (double)pf_profile_duration_nanos(ep->p) / 1e9;
	if (window > 0 ? !(fabs(window - l->window) < 0.1 * window) : !isnan(l->window))
		return 0;
	unit = pf_delay_unit(ep, delay);
	rc = pf_sites_of(&times, ep, delay, at_lock, err);
	if (!rc)
		rc = pf_sites_of(&many, ep, count, at_lock, err);
	for (size_t i = 0; !rc && times.count && !w->ep && i < many.count; i++) {
		if (many.items[i].name != times.items[0].name)
			continue;
		*w = (struct pf_waited){.ep = ep,
		    .errors = errors,
		    .count = many.total,
		    .delay = times.total * unit,
		    .first_count = many.items[i].value,
		    .first_delay = times.items[0].value * unit,
		    .first = times.items[0].name,
		    .sample = times.items[0].sample};
		w->exact = take_counted(ep, delay, &w->count, &w->delay, &w->errors);
		w->first_count *= w->count / many.total;
		w->first_delay *= w->delay / (times.total * unit);
	}
	if (!rc && times.total * unit < 0.5 * l->delay) {
		w->ep = NULL;
		w->delay = times.total * unit;
		w->go_on = !l->go && l->caller_label != PF_CALLER_NOT_TOLD;
	}
	pf_sites_release(&times);
	pf_sites_release(&many);
	return rc;
}

static bool
waits_to_write(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	return pf_stack_locks(s, ep, "wrlock");
}

/*
 * Who has waited longest in a look, at a lock of a kind ("": of any), and for more than *waited: a wait that has not
 * ended is in no profile of waits.
 */
static int
find_longest(const char **who, double *waited, const struct pf_evidence *e, const char *kind,
    bool (*waits)(const struct pf_stack *, const struct pf_evidence_profile *),
    struct pf_error *err)
{
	struct pf_stack s = {0};
	int rc = 0;

	for (size_t i = 0; !rc && i < e->profile_count; i++) {
		const struct pf_evidence_profile *ep = &e->profiles[i];

		for (size_t k = 0; pf_is_look(ep) && !rc && k < ep->p->sample_count; k++) {
			double seconds = pf_sample_waited(ep->p, k);

			if ((*kind && strcmp(pf_sample_text(ep->p, k, "wait"), kind) != 0) ||
			    !(seconds > *waited))
				continue;
			rc = pf_stack_read(&s, ep, k, err);
			if (rc || !waits(&s, ep))
				continue;
			*who = pf_site_name(ep, pf_stack_owner(&s, ep));
			*waited = seconds;
		}
	}
	pf_stack_release(&s);
	return rc;
}

/* Who waits still: to write, where most waits have not ended; else for far longer than those that have. */
static int
find_waiting(struct pf_waited *w, const struct pf_evidence *e, struct pf_error *err)
{
	if (w->go_on)
		return find_longest(&w->writer, &w->written, e, "rwlock", waits_to_write, err);
	if (!w->ep)
		return 0;
	w->stood = fmax(LONG_STAND, MANY_TIMES * w->delay / w->count);
	return find_longest(&w->standing, &w->stood, e, "", pf_stack_waits_at_lock, err);
}

/* Takes the function that calls the owner for the owner, where that one does nothing but let the lock go. */
static int
look_above(struct pf_lock *l, const struct pf_evidence *e, uint32_t name, struct pf_error *err)
{
	const char *caller = NULL;
	int rc = l->caller || l->caller_label == PF_CALLER_UNKNOWN
		     ? 0
		     : pf_unlocker_caller(
			   e, l->ep, pf_evidence_column(l->ep, delays), name, &caller, err);

	if (!rc && caller) {
		l->unlocker = l->owner;
		l->owner = caller;
	}
	return rc;
}

/* Where holders stand: below the owner, or below who called it, which jumped to somebody else. */
static int
find_holders(struct pf_lock *l, const struct pf_evidence *e, size_t sample, struct pf_error *err)
{
	struct pf_stack s = {0};
	const char *caller = "";
	int rc = pf_stack_read(&s, l->ep, sample, err);

	for (size_t i = 1; !rc && i < s.count; i++) {
		if (strcmp(pf_site_name(l->ep, s.names[i - 1]), l->owner) == 0)
			caller = pf_site_name(l->ep, s.names[i]);
	}
	pf_stack_release(&s);
	return rc ? rc : pf_holders_place(e, l->owner, caller, &l->place, err);
}

/* What other evidence says of a lock that a mutex profile shows. */
static int
look_around(struct pf_lock *l, const struct pf_evidence *e, const struct pf_sites *sites,
    struct pf_error *err)
{
	int rc = read_caller(l, sites->items[0].name, pf_evidence_column(l->ep, delays), err);

	if (!rc)
		rc = look_below(l, e, err);
	if (!rc)
		rc = look_above(l, e, sites->items[0].name, err);
	if (!rc)
		rc = read_waited(l, e, err);
	if (!rc)
		rc = find_waiting(&l->waited, e, err);
	/* One figure of what was waited: a mutex profile has a sample of it, and what one wait of many releases was. */
	if (!rc && l->waited.ep) {
		l->delay = l->waited.delay;
		l->errors.delay = l->waited.errors.delay;
	}
	if (!rc && l->caller_label == PF_CALLER_UNKNOWN && !l->caller)
		rc = find_holders(l, e, sites->items[0].sample, err);
	return rc ? rc
		  : pf_holders_call(
			e, l->place.function ? l->place.function : l->owner, &l->call, err);
}

static bool
is_contended(const struct pf_lock *l, double count, double delay)
{
	return isnan(l->window)
		   ? count >= LEAST_CONTENTIONS && delay >= 1 && l->delay / l->count >= 1e-3
		   : count >= LEAST_CONTENTIONS / 4 && delay >= 0.1 * l->window;
}

/* Whether it would be none by the lower bounds of what was sampled. */
static bool
is_doubtful(const struct pf_lock *l)
{
	double count, delay, high;

	pf_sum_interval(l->count, l->errors.count, &count, &high);
	pf_sum_interval(l->delay, l->errors.delay, &delay, &high);
	return !l->exact && !isnan(count) && !isnan(delay) && !is_contended(l, count, delay);
}

static int
judge_profile(const struct pf_evidence *e, enum pf_profile_kind kind, struct pf_findings *f,
    bool *found, struct pf_error *err)
{
	const struct pf_evidence_profile *ep = pf_evidence_last(e, kind);
	uint32_t column, count;
	struct pf_sites sites, waits;
	struct pf_lock l = {.ep = ep, .window = NAN, .go = pf_evidence_is_go(e)};
	struct pf_readers readers = {0};
	bool idle = false;
	int rc;

	*found = false;
	if (!ep)
		return 0;
	column = pf_evidence_column(ep, delays);
	count = pf_evidence_column(ep, contentions);
	if (column == PF_NONE || count == PF_NONE)
		return 0;
	rc = pf_sites_of(&sites, ep, column, at_lock, err);
	if (!rc)
		rc = pf_sites_of(&waits, ep, count, at_lock, err);
	else
		waits = (struct pf_sites){0};
	if (!rc && sites.count && waits.total > 0) {
		l.owner = pf_site_name(ep, sites.items[0].name);
		l.delay = sites.total * pf_delay_unit(ep, column);
		l.share = sites.items[0].value / sites.total;
		l.count = waits.total;
		if (pf_profile_duration_nanos(ep->p) > 0)
			l.window = (double)pf_profile_duration_nanos(ep->p) / 1e9;
		l.errors = pf_wait_errors_of(ep);
		l.exact = take_counted(ep, column, &l.count, &l.delay, &l.errors);
		*found = is_contended(&l, l.count, l.delay);
		l.doubtful = is_doubtful(&l);
		if (*found && kind == PF_PROFILE_LOCKS)
			rc = look_around(&l, e, &sites, err);
		if (!rc && *found && kind == PF_PROFILE_LOCKS)
			rc = pf_readers_look(&l, &sites, &waits, &readers, err);
		if (!rc && *found)
			rc = pf_holders_are_idle(e, l.owner, &idle, err);
		if (!rc && *found && !idle)
			rc = pf_locks_report(f, &l, &sites, err);
		if (!rc && *found && !idle && readers.name)
			pf_readers_say(f, &l, &readers);
	}
	pf_sites_release(&sites);
	pf_sites_release(&waits);
	return rc;
}

/* Those inside of the C library are told by the wall-clock profile, where there is one. */
static bool
stands_at_lock(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	return pf_stack_waits_at_lock(s, ep) && !pf_waits_inside(s, ep);
}

/* In how many looks so many stand in this function. */
static int
count_looks(struct pf_lock_looks *l, const struct pf_evidence *e, enum pf_profile_kind kind,
    pf_sample_wanted *wanted, const char *owner, struct pf_error *err)
{
	struct pf_sites sites;
	int rc = 0;

	for (size_t i = 0; !rc && i < e->profile_count; i++) {
		const struct pf_evidence_profile *ep = &e->profiles[i];
		uint32_t column;

		if (!pf_evidence_is_look(ep, kind))
			continue;
		l->of++;
		column = pf_evidence_column(ep, pf_count_columns);
		if (column == PF_NONE)
			continue;
		rc = pf_sites_of(&sites, ep, column, wanted, err);
		for (size_t k = 0; !rc && k < sites.count; k++) {
			double value = sites.items[k].value;

			if (value < WAITING_NOW ||
			    strcmp(pf_site_name(ep, sites.items[k].name), owner) != 0)
				continue;
			l->least = l->looks ? fmin(l->least, value) : value;
			l->most = fmax(l->most, value);
			l->looks++;
		}
		pf_sites_release(&sites);
	}
	return rc;
}

static int
report_standing(const struct pf_evidence *e, const struct pf_evidence_profile *ep,
    const struct pf_sites *sites, struct pf_lock_looks *l, pf_sample_wanted *wanted,
    struct pf_findings *f, struct pf_error *err)
{
	const char *owner = pf_site_name(ep, sites->items[0].name);
	bool idle = false;
	int rc = pf_holders_are_idle(e, owner, &idle, err);

	if (rc || idle)
		return rc;
	rc = count_looks(l, e, ep->kind, wanted, owner, err);
	return rc ? rc : pf_locks_report_standing(f, ep, sites, l, err);
}

/* How many stand at locks at this moment, from goroutines or threads. */
static int
judge_now(const struct pf_evidence *e, enum pf_profile_kind kind, struct pf_findings *f,
    struct pf_error *err)
{
	const struct pf_evidence_profile *ep = pf_evidence_last(e, kind);
	pf_sample_wanted *wanted =
	    pf_evidence_last(e, PF_PROFILE_WALL) ? stands_at_lock : pf_stack_waits_at_lock;
	struct pf_lock_looks l = {.what = kind == PF_PROFILE_THREADS ? "threads" : "goroutines",
	    .go = pf_evidence_is_go(e)};
	uint32_t column = ep ? pf_evidence_column(ep, pf_count_columns) : PF_NONE;
	struct pf_sites sites;
	int rc;

	if (column == PF_NONE)
		return 0;
	rc = pf_sites_of(&sites, ep, column, wanted, err);
	if (!rc)
		rc = pf_leave_out_dead_waits(e, f, ep, &sites, &l.left_out, err);
	if (!rc && sites.count && sites.items[0].value >= WAITING_NOW)
		rc = report_standing(e, ep, &sites, &l, wanted, f, err);
	pf_sites_release(&sites);
	return rc;
}

int
pf_detect_locks(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	bool found = false;
	int rc = judge_profile(e, PF_PROFILE_LOCKS, f, &found, err);

	if (!rc && !found)
		rc = judge_profile(e, PF_PROFILE_BLOCK, f, &found, err);
	if (!rc && !found)
		rc = judge_now(e, PF_PROFILE_GOROUTINE, f, err);
	if (!rc && !found)
		rc = judge_now(e, PF_PROFILE_THREADS, f, err);
	return rc;
}
