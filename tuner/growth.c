/* growth.c: see growth.h. */
#include "tuner/growth.h"

#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "report/text.h"
#include "tuner/detect.h"
#include "tuner/doubts.h"

enum {
	MOST_SNAPSHOTS = 1000,
	PLOTTED = 6,
	LEAST_STEPPED = 1 << 20,
	LEAST_STEPS = 2,
	LEAST_SPAN = 120,
	LONG_WATCH = 600
};

/* Samples of what leaked that it takes: each of the last intervals must have one, or growth stand out of its error. */
#define SEEN_IN_SERIES 24
#define SEEN_IN_PAIR 13

#define STEP 1.2   /* a jump: arrays grow by a quarter (Go's) to twice of what they were */
#define LEVEL 0.98 /* and fall by no more than this otherwise */
#define AS_MANY 1.1
#define BY_NUMBER 0.15 /* of the growth: as much may be due to more blocks */

void
pf_growth_release(struct pf_growth *g)
{
	free(g->held);
	free(g->profiles);
	free(g->times);
}

static double
time_of(const struct pf_evidence *e, const struct pf_evidence_profile *ep, size_t i)
{
	return pf_evidence_is_timed(e, PF_PROFILE_HEAP) ? (double)ep->time_nanos / 1e9 : (double)i;
}

static void
take_snapshots(struct pf_growth *g, const struct pf_evidence *e,
    const struct pf_evidence_profile *base, const struct pf_evidence_profile *from)
{
	if (base)
		g->profiles[g->snapshots++] = base;
	for (const struct pf_evidence_profile *ep = from; ep && g->snapshots < MOST_SNAPSHOTS;
	    ep = base ? NULL : pf_evidence_next(e, ep)) {
		g->times[g->snapshots] = time_of(e, ep, g->snapshots);
		g->profiles[g->snapshots++] = ep;
	}
}

static const struct pf_holding *
last_of(const struct pf_growth *g, uint32_t owner)
{
	return &g->held[(g->snapshots - 1) * g->room + owner];
}

/* What an owner ever allocated never falls within one. */
static bool
is_one_process(const struct pf_growth *g)
{
	if (!g->snapshots || !pf_may_be_one_process(g->profiles[0], g->profiles[g->snapshots - 1]))
		return false;
	for (uint32_t owner = 1; owner < g->room; owner++) {
		if (last_of(g, owner)->allocated < g->held[owner].allocated)
			return false;
	}
	return true;
}

int
pf_growth_init(struct pf_growth *g, const struct pf_evidence *e,
    const struct pf_evidence_profile *base, const struct pf_evidence_profile *from,
    struct pf_error *err)
{
	int rc;

	*g = (struct pf_growth){.owners = &e->strings, .room = e->strings.count};
	rc = PF_CALLOC(g->profiles, e->profile_count + 1, err);
	if (!rc)
		rc = PF_CALLOC(g->times, e->profile_count + 1, err);
	if (rc)
		return rc;
	take_snapshots(g, e, base, from);
	rc = PF_CALLOC(g->held, g->room * g->snapshots, err);
	for (size_t i = 0; !rc && i < g->snapshots; i++) {
		const struct pf_holdings *held = &g->profiles[i]->held;
		for (size_t k = 0; k < held->count; k++)
			g->held[i * g->room + held->items[k].owner] = held->items[k];
	}
	if (!rc)
		g->one_process = is_one_process(g);
	return rc;
}

double
pf_growth_variance(const struct pf_growth *g, uint32_t owner)
{
	const struct pf_holding *a = &g->held[owner], *b = last_of(g, owner);
	double came = b->allocated_variance - a->allocated_variance;
	double went = b->freed_variance - a->freed_variance;

	if (!g->one_process || isnan(came + went))
		return a->variance + b->variance;
	return fmin(fmax(0, came), b->variance) + fmin(fmax(0, went), a->variance);
}

double
pf_growth_allocated(const struct pf_growth *g, uint32_t owner)
{
	return g->one_process ? last_of(g, owner)->allocated - g->held[owner].allocated : NAN;
}

/* Whether blocks became bigger, and hardly more: their number is sampled, as their size is. */
static bool
became_bigger(const struct pf_holding *first, const struct pf_holding *last)
{
	double bytes = last->value / first->value, objects = last->objects / first->objects;

	return first->objects > 0 && objects <= fmax(AS_MANY, 1 + BY_NUMBER * (bytes - 1));
}

/* The first snapshot in which it holds enough to tell. */
static size_t
first_of(const struct pf_growth *g, uint32_t owner)
{
	size_t first = 0;

	while (first < g->snapshots - 1 && pf_growth_at(g, first, owner) < LEAST_STEPPED)
		first++;
	return first;
}

bool
pf_growth_is_enlarged(const struct pf_growth *g, uint32_t owner)
{
	const struct pf_holding *first = &g->held[first_of(g, owner) * g->room + owner];

	return last_of(g, owner)->value >= STEP * first->value &&
	       became_bigger(first, last_of(g, owner));
}

size_t
pf_growth_steps(const struct pf_growth *g, uint32_t owner)
{
	size_t first = first_of(g, owner), before = 0, last = 0, steps = 0, end = g->snapshots - 1;
	double pace = 0;

	for (size_t i = first + 1; i <= end; i++) {
		double ratio = pf_growth_at(g, i, owner) / pf_growth_at(g, i - 1, owner);

		if (ratio < LEVEL)
			return 0;
		if (ratio < STEP)
			continue;
		steps++;
		before = last ? last : first + 1;
		last = i;
		pace = ratio;
	}
	if (steps < LEAST_STEPS ||
	    !became_bigger(&g->held[first * g->room + owner], last_of(g, owner)))
		return 0;
	/* What fills up evenly is full again after as many times the last room's time as it was enlarged by. */
	return g->times[end] - g->times[last] > pace * (g->times[last] - g->times[before - 1])
		   ? 0
		   : steps;
}

/* As the last snapshot, or the kernel, says. */
static double
age_of_process(const struct pf_evidence *e, const struct pf_evidence_profile *last)
{
	const struct pf_evidence_stats *s = NULL;
	double age = NAN;

	if (last->p && pf_profile_duration_nanos(last->p) > 0)
		age = (double)pf_profile_duration_nanos(last->p) / 1e9;
	while (!last->series && last->time_nanos > 0 &&
	       (s = pf_evidence_stats_last(e, PF_STATS_PROC, s))) {
		if (!isnan(s->began))
			age = fmin(age, fmax(0, (double)last->time_nanos / 1e9 - s->began));
	}
	return age;
}

/* How long all that was ever allocated takes at the pace of these snapshots. */
static double
age_of_work(const struct pf_growth *g, double span)
{
	double now = g->profiles[g->snapshots - 1]->allocated;

	return now > 0 ? span * now / fmax(0, now - g->profiles[0]->allocated) : NAN;
}

struct pf_age
pf_growth_age(const struct pf_evidence *e, const struct pf_growth *g)
{
	const struct pf_evidence_profile *first = g->profiles[0],
					 *last = g->profiles[g->snapshots - 1];
	double span, work;
	struct pf_age age = {age_of_process(e, last), PF_AGE_OF_PROCESS};

	if (!isnan(age.seconds) || !pf_evidence_is_timed(e, PF_PROFILE_HEAP) ||
	    first->time_nanos <= 0)
		return age;
	span = (double)(last->time_nanos - first->time_nanos) / 1e9;
	work = age_of_work(g, span);
	/* A live service was looked at for as long as it was asked to; whoever names files may have had more of them. */
	if (work >= span && (e->asked || span >= LEAST_SPAN))
		return (struct pf_age){work, PF_AGE_OF_WORK};
	return (struct pf_age){e->asked ? NAN : span, PF_AGE_OF_SERIES};
}

struct peak {
	uint32_t owner;
	double last;
};

static int
greatest_first(const void *a, const void *b)
{
	const struct peak *x = a, *y = b;

	if (x->last != y->last)
		return x->last < y->last ? 1 : -1;
	return x->owner < y->owner ? -1 : x->owner > y->owner;
}

static void
write_series(
    const struct pf_growth *g, const struct peak *peaks, size_t count, struct pf_buffer *out)
{
	for (size_t i = 0; i < count; i++) {
		pf_buffer_string(out, i ? ",{\"name\":" : "{\"name\":");
		pf_json_text(out, pf_strings_get(g->owners, peaks[i].owner));
		pf_buffer_string(out, ",\"values\":[");
		for (size_t s = 0; s < g->snapshots; s++)
			pf_buffer_printf(
			    out, "%s%.0f", s ? "," : "", pf_growth_at(g, s, peaks[i].owner));
		pf_buffer_string(out, "]}");
	}
}

/* What the owner that grew most grew by. */
static double
greatest_growth(const struct pf_growth *g)
{
	double greatest = 0;

	for (uint32_t owner = 1; g->snapshots && owner < g->room; owner++)
		greatest = fmax(
		    greatest, pf_growth_at(g, g->snapshots - 1, owner) - pf_growth_at(g, 0, owner));
	return greatest;
}

/* The series with the greatest growth, the youngest of equals. */
static int
choose_series(struct pf_growth *chosen, const struct pf_evidence *e, struct pf_error *err)
{
	const struct pf_evidence_profile *from = NULL;
	int rc = 0;

	while (!rc && (from = pf_evidence_next_series(e, PF_PROFILE_HEAP, from))) {
		struct pf_growth g;

		rc = pf_growth_init(&g, e, NULL, from, err);
		if (!rc && (g.snapshots < 3 || greatest_growth(&g) < greatest_growth(chosen))) {
			pf_growth_release(&g);
			continue;
		}
		pf_growth_release(chosen);
		*chosen = g;
	}
	return rc;
}

static void
write_growth(const struct pf_evidence *e, const struct pf_growth *g, const struct peak *peaks,
    size_t count, struct pf_buffer *out)
{
	pf_buffer_printf(out, ",\n\"growth\":{\"timed\":%s,\"instance\":",
	    pf_evidence_is_timed(e, PF_PROFILE_HEAP) ? "true" : "false");
	pf_json_text(out, pf_strings_get(&e->strings, g->profiles[0]->instance));
	pf_buffer_string(out, ",\"times\":[");
	for (size_t i = 0; i < g->snapshots; i++)
		pf_buffer_printf(out, "%s%.3f", i ? "," : "", g->times[i]);
	pf_buffer_string(out, "],\"series\":[");
	write_series(g, peaks, count < PLOTTED ? count : PLOTTED, out);
	pf_buffer_string(out, "]}");
}

int
pf_growth_json(const struct pf_evidence *e, struct pf_buffer *out, struct pf_error *err)
{
	struct peak *peaks = NULL;
	struct pf_growth g = {0};
	size_t count = 0;
	int rc = choose_series(&g, e, err);

	if (!rc && g.snapshots >= 3)
		rc = PF_CALLOC(peaks, g.room + 1, err);
	if (!rc && peaks) {
		for (uint32_t owner = 1; owner < g.room; owner++) {
			double last = pf_growth_at(&g, g.snapshots - 1, owner);
			if (last > 0)
				peaks[count++] = (struct peak){owner, last};
		}
		qsort(peaks, count, sizeof *peaks, greatest_first);
		write_growth(e, &g, peaks, count, out);
	}
	free(peaks);
	pf_growth_release(&g);
	return rc;
}

struct watched {
	const struct pf_evidence_profile *first, *last;
	double seconds, held; /* held: in use in the last snapshot */
	double sampled;       /* bytes: less growth is met by too few samples to be seen for sure */
	bool pair;            /* a base, and what is compared with it */
};

static void
watch(struct watched *w, const struct pf_evidence_profile *first,
    const struct pf_evidence_profile *last)
{
	double seconds = (double)(last->time_nanos - first->time_nanos) / 1e9;

	if (first->time_nanos <= 0 || seconds <= w->seconds)
		return;
	*w =
	    (struct watched){.first = first, .last = last, .seconds = seconds, .pair = first->base};
	if (last->p && last->p->period > 1)
		w->sampled = (double)last->p->period * (w->pair ? SEEN_IN_PAIR : SEEN_IN_SERIES);
	w->held = pf_holdings_total(&last->held).value;
}

/* The base and the last, or the series that was watched longest; for 0 s: none. */
static struct watched
find_watched(const struct pf_evidence *e)
{
	const struct pf_evidence_profile *base = pf_evidence_base(e, PF_PROFILE_HEAP), *last;
	struct watched w = {0};

	if (base && (last = pf_evidence_last(e, PF_PROFILE_HEAP)))
		watch(&w, base, last);
	for (const struct pf_evidence_profile *first = NULL;
	    !base && (first = pf_evidence_next_series(e, PF_PROFILE_HEAP, first));) {
		size_t snapshots = 1;

		last = first;
		for (const struct pf_evidence_profile *ep = first; (ep = pf_evidence_next(e, ep));
		    snapshots++)
			last = ep;
		if (snapshots >= PF_LEAST_SERIES)
			watch(&w, first, last);
	}
	return w;
}

/* Who grew most from the first to the last, NULL: nobody; and by how much. */
static const char *
who_grew(const struct pf_evidence *e, const struct watched *w, double *grown)
{
	const char *who = NULL;

	*grown = 0;
	for (size_t i = 0; i < w->last->held.count; i++) {
		const struct pf_holding *now = &w->last->held.items[i],
					*then = pf_holdings_find(&w->first->held, now->owner);
		double more = now->value - (then ? then->value : 0);

		if (more <= *grown)
			continue;
		*grown = more;
		who = pf_strings_get(&e->strings, now->owner);
	}
	return who;
}

void
pf_growth_write_slow(const struct pf_evidence *e, struct pf_buffer *out)
{
	struct watched w = find_watched(e);
	char span[PF_AMOUNT_ROOM], rate[PF_AMOUNT_ROOM], all[PF_AMOUNT_ROOM];
	double least = fmax(pf_least_leak(w.held), w.sampled), grown;
	const char *who;

	if (!(w.seconds > 0) || w.seconds >= LONG_WATCH || !(w.held > 0) ||
	    !pf_evidence_is_timed(e, PF_PROFILE_HEAP) ||
	    (e->collections > 1 && e->collections < PF_LEAST_SERIES))
		return;
	who = who_grew(e, &w, &grown);
	if (who && grown >= least) {
		pf_buffer_printf(out,
		    "Memory that %s allocates grew by %s in %s, and was not told as a leak, for "
		    "%s. Snapshots over more time (%s) tell.",
		    who, pf_amount(all, grown, "bytes"), pf_amount(span, w.seconds, "seconds"),
		    w.pair ? "so few samples stand behind two snapshots that it may be chance, or "
			     "clients that have connected meanwhile hold it"
			   : "it did not rise steadily: a cache that has become full looks so, as "
			     "does an array between two enlargements",
		    w.pair ? "a base of ten minutes before" : "--seconds 600");
		return;
	}
	pf_buffer_printf(out,
	    "Memory was %s %s: a leak of less than about %s/s (%s in that time) may not "
	    "show. Snapshots over more time (%s) show slower ones.",
	    w.pair ? "compared over" : "watched for", pf_amount(span, w.seconds, "seconds"),
	    pf_amount(rate, least / w.seconds, "bytes"), pf_amount(all, least, "bytes"),
	    w.pair ? "a base of ten minutes before" : "--seconds 600");
}
