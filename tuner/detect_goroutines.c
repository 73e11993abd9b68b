/*
 * detect_goroutines.c: goroutines and threads that pile up.
 *
 * Many goroutines are normal where each serves a connection: those that wait
 * for a next request are left out, and those of a client's connections are told
 * only where they become more. A pile is a thousand and more in one
 * place, or a number that rises from snapshot to snapshot (Kendall's test). Threads
 * cost more: hundreds in one place are a pile. Threads that wait for others of the
 * program, at a condition or a semaphore, are a pool until they rise: only where they
 * are very many, and no series shows that they stay as they are, is it said, and as unsure.
 */
#include "tuner/detect.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "stats/trend.h"
#include "tuner/pile.h"

enum {
	PILE_OF_GOROUTINES = 1000,
	MANY_PILES = 5, /* as many as so many piles */
	RISING_THREADS = 20,
	STACK_OF_GOROUTINE = 2048, /* bytes, at least */
	SHORT_WATCH = 120,         /* seconds */
	COURSE_ROOM = 192,
};

/* The number at a site over all snapshots of the process. */
static void
read_series(struct pf_pile_series *s, const struct pf_evidence *e,
    const struct pf_evidence_profile *from, const char *owner)
{
	uint32_t id = pf_strings_find(&e->strings, owner, strlen(owner));

	s->count = 0;
	for (const struct pf_evidence_profile *ep = from; ep && s->count < PF_PILE_MOST_SERIES;
	    ep = pf_evidence_next(e, ep)) {
		const struct pf_holding *held = pf_holdings_find(&ep->held, id);

		s->times[s->count] = pf_evidence_is_timed(e, ep->kind)
					 ? (double)ep->time_nanos / 1e9
					 : (double)s->count;
		s->values[s->count++] = held ? held->value : 0;
	}
}

static double
grown_in_series(const struct pf_pile *p)
{
	return p->series.values[p->series.count - 1] - p->series.values[0];
}

/*
 * Whether there are more in every snapshot than in the one before: by chance once in n! series, of each place that is
 * looked at. Load goes up so as well, for a while.
 */
static bool
rises_slowly(const struct pf_pile *p, size_t places)
{
	const struct pf_pile_series *s = &p->series;

	if (p->ep->kind != PF_PROFILE_GOROUTINE || !p->is_series ||
	    grown_in_series(p) < PF_PILE_RISING_SLOWLY || p->trend.p_rising * (double)places > 0.05)
		return false;
	for (size_t i = 1; i < s->count; i++) {
		if (s->values[i] <= s->values[i - 1])
			return false;
	}
	return pf_trend_goes_on(&p->trend, s->times, s->count);
}

static bool
is_in_part(const struct pf_pile *p, const struct pf_owner_stack *s)
{
	bool idle = p->ep->kind == PF_PROFILE_THREADS && pf_wait_of(s->traits) == PF_CODE_CHANNEL;

	return p->part == PF_PILE_ALL || idle == (p->part == PF_PILE_IDLE);
}

static void
choose_part(struct pf_pile *p, enum pf_pile_part part)
{
	double of[32] = {0}; /* by the bit of what they wait for */

	p->part = part;
	p->count = p->sends = 0;
	p->wait = 0;
	for (size_t i = 0; i < p->stacks.count; i++) {
		const struct pf_owner_stack *s = &p->stacks.items[i];
		uint32_t wait = pf_wait_of(s->traits);

		if (!is_in_part(p, s))
			continue;
		p->count += s->value;
		p->sends += s->traits & PF_CODE_SENDS ? s->value : 0;
		if (wait)
			of[__builtin_ctz(wait)] += s->value;
	}
	for (int i = 0; i < 32; i++) {
		if (of[i] > 0 && of[i] >= 0.9 * p->count)
			p->wait = UINT32_C(1) << i;
	}
}

static int
show_stacks(struct pf_findings *f, const struct pf_pile *p, struct pf_error *err)
{
	enum { MOST_SHOWN = 3 };
	double total = pf_column_total(p->ep, pf_evidence_column(p->ep, pf_count_columns));
	int rc = 0;

	for (size_t i = 0, shown = 0; !rc && i < p->stacks.count && shown < MOST_SHOWN; i++) {
		const struct pf_owner_stack *s = &p->stacks.items[i];

		if (!is_in_part(p, s))
			continue;
		rc = pf_show_stack(f, p->ep, s->sample, s->value, s->value / total, p->what, err);
		shown++;
	}
	return rc;
}

/* By how many a place must have grown. */
static double
least_growth(const struct pf_pile *p)
{
	return p->what[0] == 't' ? RISING_THREADS : PF_PILE_RISING;
}

static bool
grew_since_base(const struct pf_pile *p)
{
	return !isnan(p->base) && p->count - p->base >= least_growth(p) && p->count > 2 * p->base;
}

/* From the first half of the snapshots to the last one, be they too few for a trend. What goes and comes back is no leak. */
static bool
grew_in_series(const struct pf_pile *p)
{
	const struct pf_pile_series *s = &p->series;
	double most = 0;

	for (size_t i = 0; i < (s->count + 1) / 2; i++)
		most = fmax(most, s->values[i]);
	for (size_t i = 1; i < s->count; i++) {
		if (s->values[i - 1] - s->values[i] >= least_growth(p))
			return false;
	}
	return s->count > 1 && s->values[s->count - 1] - most >= least_growth(p);
}

/*
 * Goroutines that wait for others of the program, for what their profile does not say (it leaves the
 * runtime's own frames out), or in a library's loop for what comes from the network.
 */
static bool
is_at_rest(const struct pf_pile *p)
{
	return p->ep->kind == PF_PROFILE_GOROUTINE &&
	       (!p->wait || p->wait == PF_CODE_CHANNEL ||
		   (p->wait == PF_CODE_OUTSIDE && pf_pile_traits(p)));
}

/* Of whom nothing shows that they become more: one each for who subscribed or is connected. */
static bool
may_be_subscribers(const struct pf_pile *p)
{
	return is_at_rest(p) && !p->rising && !p->slow && !grew_since_base(p) && !grew_in_series(p);
}

static double
pile_of(const struct pf_pile *p)
{
	return p->what[0] == 't' ? PF_PILE_OF_THREADS : PILE_OF_GOROUTINES;
}

/*
 * Of those who are asleep nothing shows that they become more: they look at something now and then. So many that one
 * process hardly has as much to look at are taken for these only where a series shows it.
 */
static bool
may_be_pollers(const struct pf_pile *p)
{
	return p->wait == PF_CODE_SLEEP && !p->rising && !p->slow && !grew_since_base(p) &&
	       !grew_in_series(p) && (p->is_series || p->count < MANY_PILES * pile_of(p));
}

/* Who waits for somebody to take what it sends is no subscriber: it is held up, or forgotten. */
static bool
send(const struct pf_pile *p)
{
	return p->sends >= 0.9 * p->count;
}

/* Whether snapshots show that these stay as they are, and as healthy services have them. */
static bool
stays(const struct pf_pile *p)
{
	return p->is_series && ((may_be_subscribers(p) && !send(p)) ||
				   (may_be_pollers(p) && p->count < MANY_PILES * pile_of(p)));
}

/*
 * Whether they become more as connections do that wait for their clients: one each for who is there. What waits to
 * send, or for others than its client, is not at rest.
 */
static bool
comes_with_connections(const struct pf_pile *p)
{
	return is_at_rest(p) && !(p->sends > 0.1 * p->count) &&
	       p->now.served - p->then.served >= PF_PILE_IN_STEP * grown_in_series(p);
}

/* A client's connections that are no more than its requests that wait for an answer: told of those who ask. */
static bool
are_asked(const struct pf_pile *p)
{
	return pf_pile_is_client(p) && p->wait == PF_CODE_OUTSIDE &&
	       p->now.asking >= PF_PILE_IN_STEP * p->count;
}

/* Whether it was seen to rise for so short a time that the start of a pool may look the same. */
static bool
is_short(const struct pf_evidence *e, const struct pf_pile *p)
{
	const struct pf_pile_series *s = &p->series;

	return (p->rising || p->slow) && pf_evidence_is_timed(e, p->ep->kind) &&
	       s->times[s->count - 1] - s->times[0] < SHORT_WATCH;
}

/* A pool that fills is mostly one of threads. */
static void
add_short_caveat(struct pf_findings *f, const struct pf_pile *p)
{
	const struct pf_pile_series *s = &p->series;

	pf_add_caveat(f,
	    p->what[0] == 't' && p->wait == PF_CODE_CHANNEL ? PF_CONFIDENCE_LOW
							    : PF_CONFIDENCE_MEDIUM,
	    pf_say(f,
		"They were watched for %.0f s only: a pool that fills, or load that rises, "
		"looks the same. Snapshots over minutes tell (--seconds 300).",
		s->times[s->count - 1] - s->times[0]));
}

/* "Over 6 snapshots they became no more", or how many more. */
static const char *
write_course(char *text, size_t room, const struct pf_pile *p)
{
	const struct pf_pile_series *s = &p->series;
	double grown = grown_in_series(p);

	if (grown <= 0)
		snprintf(text, room, "Over %zu snapshots they became no more", s->count);
	else
		snprintf(text, room,
		    "Over %zu snapshots they became %.0f more (of %.0f), which is too little to "
		    "tell from what comes and goes",
		    s->count, grown, s->values[0]);
	return text;
}

/* How many more, in which time, and by what share. */
static void
add_slow_caveat(const struct pf_evidence *e, struct pf_findings *f, const struct pf_pile *p)
{
	const struct pf_pile_series *s = &p->series;
	double grown = grown_in_series(p);
	char length[PF_AMOUNT_ROOM], in[PF_AMOUNT_ROOM + 8] = "", share[PF_AMOUNT_ROOM + 8] = "";

	if (pf_evidence_is_timed(e, p->ep->kind))
		snprintf(in, sizeof in, " in %s",
		    pf_amount(length, s->times[s->count - 1] - s->times[0], "seconds"));
	if (s->values[0] > 0)
		snprintf(share, sizeof share, ", %.2g %%", 100 * grown / s->values[0]);
	pf_add_caveat(f, is_short(e, p) ? PF_UNSURE : PF_CONFIDENCE_LOW,
	    pf_say(f,
		"There are %.0f more%s%s, and in each of %zu snapshots more than in the one "
		"before: a slow leak looks so, as does load that goes up a little. Only what they "
		"became more by may be one.",
		grown, in, share, s->count));
}

static void
add_pollers_caveat(struct pf_findings *f, const struct pf_pile *p)
{
	char course[COURSE_ROOM];

	if (p->is_series)
		pf_add_caveat(f, PF_UNSURE,
		    pf_say(f,
			"%s: they may be pollers, each of which looks at something of its own now "
			"and then.",
			write_course(course, sizeof course, p)));
	else
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f, "Nothing shows that they become more (one moment never does): they "
			      "may be pollers, each of which looks at something of its own now and "
			      "then. Snapshots over minutes, or an earlier one as --base, show "
			      "whether they become more."));
}

static struct pf_finding *
begin(const struct pf_evidence *e, struct pf_findings *f, const struct pf_pile *p, bool threads)
{
	double n = p->count;
	bool many = n >= MANY_PILES * pile_of(p) && p->part != PF_PILE_IDLE,
	     waits = (p->wait & (PF_CODE_SLEEP | PF_CODE_CHANNEL | PF_CODE_LOCK_WAIT)) != 0,
	     subscribers = may_be_subscribers(p), pollers = may_be_pollers(p);
	char course[COURSE_ROOM];
	struct pf_finding *finding = pf_findings_add(f, threads ? "thread-leak" : "goroutine-leak",
	    subscribers || pollers || p->slow        ? PF_SEVERITY_LOW
	    : many || (p->rising && !is_short(e, p)) ? PF_SEVERITY_HIGH
						     : PF_SEVERITY_MEDIUM,
	    p->rising || waits ? PF_CONFIDENCE_HIGH : PF_CONFIDENCE_MEDIUM,
	    pf_pile_is_client(p)
		? pf_say(
		      f, "%.0f connections of net/http's client are open, and they become more", n)
	    : p->ep->kind == PF_PROFILE_CREATED
		? pf_say(f, "%.0f threads were created for %s", n, p->owner)
		: pf_say(f, "%.0f %s are %s %s%s", n, p->what, pf_wait_words(p->wait, threads),
		      p->owner, p->rising || p->slow ? ", and they become more" : ""));

	if (subscribers && p->is_series)
		pf_add_caveat(f, PF_UNSURE,
		    pf_say(f,
			"%s. Each waits for somebody who takes what it sends: nobody is left who "
			"does, or they take turns at a slow one.",
			write_course(course, sizeof course, p)));
	else if (subscribers)
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f, "Nothing shows that they become more (one moment never does): they "
			      "may be as many as there are "
			      "subscribers or connections, each waiting for what comes. Snapshots "
			      "over minutes, or an earlier one as --base, show whether they become "
			      "more."));
	if (pollers)
		add_pollers_caveat(f, p);
	if (p->slow)
		add_slow_caveat(e, f, p);
	if (is_short(e, p))
		add_short_caveat(f, p);
	if (p->part == PF_PILE_IDLE)
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f, "They may be a pool that waits for work: snapshots over minutes show "
			      "whether they become more."));
	return finding;
}

/* The threads that there are, whoever created them; NaN: not told. */
static double
living_threads(const struct pf_evidence *e)
{
	const struct pf_evidence_profile *now = pf_evidence_last(e, PF_PROFILE_THREADS);

	return now ? pf_column_total(now, pf_evidence_column(now, pf_count_columns)) : NAN;
}

/*
 * Threads that were created and are there still are judged by what they do. No profile says who
 * created those that live: where a pile of all that were created has ended, it may be this one.
 */
static bool
are_alive(const struct pf_evidence *e, const struct pf_pile *p)
{
	double living = living_threads(e), created;

	if (p->ep->kind != PF_PROFILE_CREATED || !(living >= p->site.value))
		return false;
	created = pf_column_total(p->ep, pf_evidence_column(p->ep, pf_count_columns));
	return created - living < PF_PILE_OF_THREADS;
}

static int
report(const struct pf_evidence *e, struct pf_findings *f, struct pf_pile *p, struct pf_error *err)
{
	bool threads = p->what[0] == 't';
	double n = p->count;
	struct pf_finding *finding = begin(e, f, p, threads);

	if (p->ep->series)
		finding->summary = pf_say(f, "Seen in %s.", p->ep->name);
	pf_add_number(f, p->what, n, "count");
	pf_add_number(f, "share_of_all",
	    n / pf_column_total(p->ep, pf_evidence_column(p->ep, pf_count_columns)), "share");
	pf_add_number(f, "in_base", p->base, "count");
	if (p->rising || p->slow) {
		if (pf_evidence_is_timed(e, p->ep->kind))
			pf_add_estimate(
			    f, "growth", p->trend.slope, p->trend.low, p->trend.high, "per_second");
		pf_add_number(f, "trend_p", p->trend.p_rising, "probability");
	}
	if (!threads && !p->slow) {
		finding->bytes_saved = n * STACK_OF_GOROUTINE;
		pf_add_prediction(f, "stack_memory", "bytes", n * STACK_OF_GOROUTINE, 0, 0,
		    n * STACK_OF_GOROUTINE,
		    pf_say(f,
			"2 KiB for each, the least that a stack takes; deeper stacks and what "
			"they keep reachable come on top, and no profile of goroutines says "
			"how much"));
	}
	pf_pile_advise(f, p);
	if (p->ep->kind == PF_PROFILE_CREATED && !p->rising && living_threads(e) >= n &&
	    !are_alive(e, p))
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f, "Many of all the threads that were created have ended, but no "
			      "profile says which: these may be among those that live."));
	if (p->rising || p->slow || !isnan(p->base))
		pf_add_snapshot_caveats(e, p->ep->kind, f);
	return show_stacks(f, p, err);
}

static int
base_of(const struct pf_evidence *e, struct pf_pile *p, struct pf_error *err)
{
	const struct pf_evidence_profile *base = pf_evidence_base(e, p->ep->kind);
	struct pf_sites sites;
	int rc;

	p->base = NAN;
	if (!base)
		return 0;
	p->base = 0;
	rc =
	    pf_sites_of(&sites, base, pf_evidence_column(base, pf_count_columns), pf_is_stuck, err);
	for (size_t i = 0; !rc && i < sites.count; i++) {
		if (strcmp(pf_site_name(base, sites.items[i].name), p->owner) == 0)
			p->base = sites.items[i].value;
	}
	pf_sites_release(&sites);
	return rc;
}

/* Whether there are too many at the place, and who. */
static bool
is_pile(const struct pf_evidence *e, struct pf_pile *p, size_t processes, size_t places)
{
	double pile = pile_of(p);

	choose_part(p, PF_PILE_ALL);
	p->rising = p->is_series && p->trend.p_rising * (double)processes <= 0.05 &&
		    grown_in_series(p) >= least_growth(p) &&
		    pf_trend_goes_on(&p->trend, p->series.times, p->series.count);
	p->slow = !p->rising && !grew_since_base(p) && rises_slowly(p, places) &&
		  !comes_with_connections(p);
	if (are_asked(p) || (p->rising && comes_with_connections(p)))
		return false;
	if (p->rising || p->slow || grew_since_base(p))
		return true;
	if (are_alive(e, p) || pf_pile_is_client(p))
		return false;
	choose_part(p, PF_PILE_BUSY);
	if (p->count >= pile && !stays(p))
		return true;
	choose_part(p, PF_PILE_IDLE);
	return p->count >= MANY_PILES * pile && !p->is_series;
}

static int
judge_site(const struct pf_evidence *e, struct pf_findings *f, struct pf_pile *p, size_t processes,
    size_t places, bool *found, struct pf_error *err)
{
	int rc = base_of(e, p, err);

	read_series(&p->series, e, p->first, p->owner);
	p->is_series =
	    p->series.count >= PF_LEAST_SERIES && !e->doubts[p->ep->kind].times_disordered;
	p->trend.p_rising = 1;
	if (!rc && p->is_series)
		rc = pf_trend(p->series.times, p->series.values, p->series.count, &p->trend, err);
	if (!rc)
		rc = pf_connections_of(p->first, &p->then, err);
	if (!rc)
		rc = pf_connections_of(p->ep, &p->now, err);
	if (!rc)
		rc = pf_owner_stacks_of(&p->stacks, p->ep,
		    pf_evidence_column(p->ep, pf_count_columns), pf_is_stuck, p->site.name, err);
	*found = !rc && is_pile(e, p, processes, places);
	if (*found)
		rc = report(e, f, p, err);
	pf_owner_stacks_release(&p->stacks);
	return rc;
}

/* Places where many wait, in the youngest snapshot of each process. */
struct places {
	struct place {
		const struct pf_evidence_profile *first, *ep;
		struct pf_site site;
		const char *owner;
		bool told;
	} *items; /* owned */
	size_t count, capacity, processes;
};

static int
add_places(struct places *all, const struct pf_evidence *e, const struct pf_evidence_profile *first,
    struct pf_error *err)
{
	enum { MOST_OF_A_PROCESS = 16 };
	const struct pf_evidence_profile *ep = first, *next;
	struct pf_sites sites = {0};
	int rc;

	while ((next = pf_evidence_next(e, ep)))
		ep = next;
	if (!ep->p || pf_evidence_column(ep, pf_count_columns) == PF_NONE)
		return 0;
	all->processes++;
	rc = pf_sites_of(&sites, ep, pf_evidence_column(ep, pf_count_columns), pf_is_stuck, err);
	for (size_t i = 0; !rc && i < sites.count && i < MOST_OF_A_PROCESS; i++) {
		rc = PF_GROW(all->items, all->capacity, all->count + 1, err);
		if (!rc)
			all->items[all->count++] = (struct place){.first = first,
			    .ep = ep,
			    .site = sites.items[i],
			    .owner = pf_site_name(ep, sites.items[i].name)};
	}
	pf_sites_release(&sites);
	return rc;
}

static int
most_first(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->site.value != y->site.value)
		return x->site.value < y->site.value ? 1 : -1;
	return x->ep != y->ep
		   ? (x->ep < y->ep ? 1 : -1)
		   : (x->site.sample > y->site.sample) - (x->site.sample < y->site.sample);
}

/* What piles up in several processes is told of the one where it is most. */
static bool
is_told(const struct places *all, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (all->items[k].told && strcmp(all->items[k].owner, all->items[i].owner) == 0)
			return true;
	}
	return false;
}

int
pf_detect_piles(const struct pf_evidence *e, struct pf_findings *f, enum pf_profile_kind kind,
    const char *what, struct pf_error *err)
{
	enum { MOST_PILES = 3 };
	const struct pf_evidence_profile *first = NULL;
	struct places all = {0};
	struct pf_pile *p = NULL;
	size_t reported = 0;
	int rc = 0;

	while (!rc && (first = pf_evidence_next_series(e, kind, first)))
		rc = add_places(&all, e, first, err);
	if (!rc && all.count) {
		qsort(all.items, all.count, sizeof *all.items, most_first);
		rc = PF_CALLOC(p, 1, err);
	}
	for (size_t i = 0; !rc && i < all.count && reported < MOST_PILES; i++) {
		struct place *at = &all.items[i];

		if (is_told(&all, i))
			continue;
		*p = (struct pf_pile){.first = at->first,
		    .ep = at->ep,
		    .site = at->site,
		    .owner = at->owner,
		    .what = what};
		rc = judge_site(e, f, p, all.processes, all.count, &at->told, err);
		reported += at->told;
	}
	free(p);
	free(all.items);
	return rc;
}

int
pf_detect_goroutines(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	return pf_detect_piles(e, f, PF_PROFILE_GOROUTINE, "goroutines", err);
}
