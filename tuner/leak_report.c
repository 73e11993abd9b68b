/* leak_report.c: how what grows is told: where, by how much, how sure that is, and what to do. */
#include "tuner/leak.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "tuner/owner_stacks.h"

enum {
	MANY_CONNECTIONS = 100,     /* so many more, and… */
	OF_A_CONNECTION = 64 << 10, /* bytes that each may hold */
};

enum { MUCH_BYTES = 64 << 20, MANY_STEPS = 3, MOST_STACKS = 4 };

#define NEARLY_ALL 0.95  /* of what an owner holds: the other stacks are not shown */
#define OF_THE_WHOLE 0.5 /* of what an owner grew by: if the heap grew by less it may be none */
#define SURE_SIGMAS 3.0

/* Seconds: below the first nothing is sure, below the second little. */
#define YOUNG 120
#define STILL_YOUNG 600

#define SOON 86400 /* seconds until a limit is met */

const char *
pf_leak_name(const struct pf_leak *g)
{
	return pf_strings_get(g->process->owners, g->owner);
}

/* Who allocates it for somebody else; NULL: nobody. */
static const char *
through(const struct pf_leak *g)
{
	return g->parts ? pf_strings_get(g->whole->owners, g->parts->through) : NULL;
}

static int
has_caller(const struct pf_evidence_profile *ep, size_t sample, const struct pf_leak *g, bool *has,
    struct pf_error *err)
{
	struct pf_stack s = {0};
	int rc = g->parts ? pf_stack_read(&s, ep, sample, err) : 0;

	*has = !g->parts || pf_stack_has(&s, ep, pf_leak_name(g));
	pf_stack_release(&s);
	return rc;
}

/* The heaviest stacks of an owner in the last snapshot, each with what it holds itself, until they are nearly all. */
static int
show_owner(struct pf_findings *f, const struct pf_leak *g, struct pf_error *err)
{
	const struct pf_growth *h = g->process;
	const struct pf_evidence_profile *ep = h->profiles[h->snapshots - 1];
	const char *wanted = g->parts ? through(g) : pf_leak_name(g);
	uint32_t column, name;
	struct pf_owner_stacks stacks;
	double all = 0, shown = 0, total;
	int rc;

	if (!ep->p) /* of one process too many that ended long ago */
		return 0;
	name = pf_strings_find(&ep->frames.names, wanted, strlen(wanted));
	column = pf_evidence_column(ep, pf_in_use_columns);
	if (name == PF_NONE)
		return 0;
	total = pf_column_total(ep, column);
	rc = pf_owner_stacks_of(&stacks, ep, column, NULL, name, err);
	for (size_t i = 0; !rc && i < stacks.count; i++) {
		bool has;

		rc = has_caller(ep, stacks.items[i].sample, g, &has, err);
		if (!has)
			stacks.items[i].value = 0;
		all += stacks.items[i].value;
	}
	for (size_t i = 0, count = 0;
	    !rc && i < stacks.count && count < MOST_STACKS && shown < NEARLY_ALL * all; i++) {
		const struct pf_owner_stack *s = &stacks.items[i];

		if (s->value == 0)
			continue;
		rc = pf_show_stack(f, ep, s->sample, s->value, s->value / total, "bytes", err);
		shown += s->value;
		count++;
	}
	pf_owner_stacks_release(&stacks);
	return rc;
}

/* "load allocates", or "load allocates through xmalloc". */
static uint32_t
place_of(struct pf_findings *f, const struct pf_leak *g)
{
	return g->parts ? pf_say(f, "%s allocates through %s", pf_leak_name(g), through(g))
			: pf_say(f, "%s allocates", pf_leak_name(g));
}

static void
advise(struct pf_findings *f, uint32_t place)
{
	struct pf_advice advice = {0};

	advice.action = pf_say(f,
	    "Find what keeps the memory that %s reachable, and bound it: a limit and an eviction "
	    "for "
	    "a cache or a map, a free on every path, an end for what is appended to.",
	    pf_said(f, place));
	advice.how = pf_say(f,
	    "profuse show flame --base EARLIER LATER --sample-type inuse_space -o growth.html; of "
	    "a "
	    "running service take the two some time apart: profuse collect URL -t heap -o FILE");
	advice.risk = pf_say(
	    f, "A restart hides a leak and does not cure it; no allocator setting does either.");
	pf_add_advice(f, advice);
}

/* Where others gave up about as much, the first thing is to know whether there is a leak at all. */
static void
advise_to_watch(struct pf_findings *f, uint32_t place)
{
	struct pf_advice advice = {0};

	advice.action = pf_say(f,
	    "Watch whether the heap as a whole grows, once nothing else shrinks any more: only "
	    "then is "
	    "what %s to be bounded.",
	    pf_said(f, place));
	advice.how = pf_say(f,
	    "profuse show top FILE --sample-type inuse_space shows how much each function holds; a "
	    "longer series (--seconds 600) tells");
	pf_add_advice(f, advice);
}

/* Whether it grows at a pace that is known. */
static bool
is_paced(const struct pf_evidence *e, const struct pf_leak *g)
{
	return g->series && !g->steps && !g->replaces && !g->enlarged &&
	       pf_evidence_is_timed(e, PF_PROFILE_HEAP);
}

/* When what grows this fast meets the limit, from what is resident now. */
static void
time_to_limit(const struct pf_evidence *e, struct pf_findings *f, const struct pf_leak *g)
{
	double rss = pf_evidence_rss(e), left = e->memory_limit - rss, slope = g->trend.slope;

	if (!is_paced(e, g) || !(slope > 0))
		return;
	pf_add_estimate(f, "growth", slope, g->trend.low, g->trend.high, "bytes_per_second");
	if (isinf(left) || isnan(left) || left <= 0)
		return;
	pf_add_estimate(f, "time_to_limit", left / slope, left / g->trend.high,
	    g->trend.low > 0 ? left / g->trend.low : INFINITY, "seconds");
	pf_add_number(f, "memory_limit", e->memory_limit, "bytes");
}

/* "heap-1.pb.gz" of a path; what comes from a store has no path. */
static const char *
short_name(const struct pf_evidence_profile *ep)
{
	return ep->series ? ep->name : pf_base_name(ep->name);
}

/* What a later look shows of a leak, and what of all that looks like one now. */
static void
write_next(char *text, size_t room, const struct pf_evidence *e, const struct pf_leak *g)
{
	char more[PF_AMOUNT_ROOM];

	*more = '\0';
	if (is_paced(e, g) && g->trend.slope > 0)
		pf_amount(more, STILL_YOUNG * g->trend.slope, "bytes");
	snprintf(text, room,
	    "in %d minutes: a leak has grown %s%s until then; a cache that is full by then, or a "
	    "batch that has read its input, grows no more.",
	    STILL_YOUNG / 60, *more ? "by about another " : "on", more);
}

/* A young process fills its caches, and entries that are to live for minutes have not ended yet. */
static void
doubt_young(const struct pf_evidence *e, struct pf_findings *f, const struct pf_leak *g)
{
	struct pf_age age = pf_growth_age(e, g->process);
	char text[PF_AMOUNT_ROOM], next[256];

	if (!(age.seconds < STILL_YOUNG))
		return;
	pf_amount(text, age.seconds, "seconds");
	write_next(next, sizeof next, e, g);
	pf_add_caveat(f, age.seconds < YOUNG ? PF_UNSURE : PF_CONFIDENCE_LOW,
	    age.of == PF_AGE_OF_PROCESS
		? pf_say(f,
		      "The process had run for %s only (or had been watched for no longer) when it "
		      "was looked at last: a cache that fills up, or keeps entries for minutes, "
		      "looks the same. Look again %s",
		      text, next)
	    : age.of == PF_AGE_OF_WORK
		? pf_say(f,
		      "At the pace at which it allocates now, all that the process ever allocated "
		      "takes %s only: it may have begun, or its load may have, so short a time "
		      "ago, and a cache that fills up looks the same. Look again %s",
		      text, next)
		: pf_say(f,
		      "The snapshots are of %s only: a cache that fills up, or keeps entries for "
		      "minutes, looks the same. Take one more %s",
		      text, next));
}

/* Whether what grows meets a limit within a day; of steps and pairs, with the next growth like this one. */
static bool
meets_limit(const struct pf_evidence *e, const struct pf_leak *g)
{
	double left = e->memory_limit - pf_evidence_rss(e);

	return !g->replaces && isfinite(left) &&
	       left < (is_paced(e, g) ? g->trend.slope * SOON : g->grown);
}

/* " over 18 s" of a series whose times are known. */
static void
write_length(char *text, size_t room, const struct pf_growth *h)
{
	const struct pf_evidence_profile *a = h->profiles[0], *b = h->profiles[h->snapshots - 1];
	char length[PF_AMOUNT_ROOM];

	*text = '\0';
	if (a->time_nanos > 0 && b->time_nanos > a->time_nanos)
		snprintf(text, room, " over %s",
		    pf_amount(length, (double)(b->time_nanos - a->time_nanos) / 1e9, "seconds"));
}

/* Whether clients that have connected meanwhile may hold what it grew by. */
bool
pf_leak_comes_with_connections(const struct pf_leak *g, double connections)
{
	return connections >= MANY_CONNECTIONS && g->grown <= OF_A_CONNECTION * connections;
}

static uint32_t
summary(struct pf_findings *f, const struct pf_leak *g, size_t watched)
{
	const struct pf_growth *h = g->process;
	const char *first = short_name(h->profiles[0]);
	const char *last = short_name(h->profiles[h->snapshots - 1]);
	char from[PF_AMOUNT_ROOM], to[PF_AMOUNT_ROOM], spread[96] = "", wrapped[512] = "",
						       length[64], course[64] = "";
	bool same = strcmp(first, last) == 0;

	if (g->steps)
		snprintf(course, sizeof course, ", in %zu steps", g->steps);
	else if (g->series)
		snprintf(course, sizeof course, ", rising from snapshot to snapshot");
	if (watched > 1)
		snprintf(spread, sizeof spread, " It grows in %zu of %zu processes.", g->processes,
		    watched);
	write_length(length, sizeof length, h);
	if (g->parts)
		snprintf(wrapped, sizeof wrapped,
		    " This is its own part: %.300s allocates for %u functions in all.", through(g),
		    g->parts->names.count - 1);
	return pf_say(f, "It held %s in %s%s and %s in %s%s%s.%s%s%s",
	    pf_amount(from, g->first, "bytes"), same ? "the first " : "", first,
	    pf_amount(to, g->last, "bytes"), same ? "the last" : last, course, length,
	    g->steps || g->enlarged ? " Its blocks became bigger, and not more." : "", wrapped,
	    spread);
}

/* What takes the place of older entries of a bounded table grows as a leak does, and the table doesn't. */
static void
doubt_replaced(struct pf_findings *f, const struct pf_leak *g)
{
	const struct pf_replaced *r = &g->replaced;
	char gave[PF_AMOUNT_ROOM], more[PF_AMOUNT_ROOM], most[384] = "", whole[96];
	bool grew = r->total > OF_THE_WHOLE * g->grown;

	if (!g->replaces)
		return;
	if (r->who)
		snprintf(most, sizeof most, ", most of all what %.300s allocated", r->who);
	if (grew || r->total > PF_LEAST_GROWN)
		snprintf(whole, sizeof whole, "grew by %s%s", pf_amount(more, r->total, "bytes"),
		    grew ? "" : " only");
	else
		snprintf(whole, sizeof whole, "did not grow");
	pf_add_caveat(f, grew ? PF_CONFIDENCE_LOW : PF_UNSURE,
	    pf_say(f,
		"Meanwhile other memory became less by %s%s, and the heap as a whole %s: what "
		"takes "
		"the place of older entries of a table that is bounded looks so, as does a leak "
		"beside something that shrinks. What freeing it would save isn't known.",
		pf_amount(gave, r->bytes, "bytes"), most, whole));
}

static uint32_t
title(struct pf_findings *f, const struct pf_leak *g, uint32_t place)
{
	char grown[PF_AMOUNT_ROOM], gave[PF_AMOUNT_ROOM];

	pf_amount(grown, g->grown, "bytes");
	return g->replaces
		   ? pf_say(f,
			 "Memory that %s grew by %s, while other memory became "
			 "less by %s",
			 pf_said(f, place), grown, pf_amount(gave, g->replaced.bytes, "bytes"))
		   : pf_say(f, "Memory that %s grew by %s and was not freed", pf_said(f, place),
			 grown);
}

int
pf_leak_report(const struct pf_evidence *e, struct pf_findings *f, const struct pf_leak *g,
    size_t watched, double connections, struct pf_error *err)
{
	const struct pf_growth *h = g->process;
	uint32_t place = place_of(f, g);
	double share = g->grown / fmax(g->last, 1);
	bool strong = g->series && !g->steps && g->trend.p_rising < 0.001;
	struct pf_finding *finding;

	finding = pf_findings_add(f, "leak",
	    (g->grown >= MUCH_BYTES && !g->steps) || (strong && share > 0.5) ? PF_SEVERITY_HIGH
									     : PF_SEVERITY_MEDIUM,
	    strong ? PF_CONFIDENCE_HIGH : PF_CONFIDENCE_MEDIUM, title(f, g, place));
	finding->summary = summary(f, g, watched);
	finding->bytes_saved = g->replaces ? 0 : g->grown;
	pf_add_estimate(
	    f, "grown", g->grown, g->grown - 1.96 * g->error, g->grown + 1.96 * g->error, "bytes");
	pf_add_number(f, "in_use_before", g->first, "bytes");
	pf_add_number(f, "in_use_now", g->last, "bytes");
	if (g->replaces) {
		pf_add_number(f, "others_shrank", g->replaced.bytes, "bytes");
		pf_add_number(f, "heap_grew", g->replaced.total, "bytes");
	}
	if (g->steps)
		pf_add_number(f, "steps", (double)g->steps, "count");
	else if (g->series)
		pf_add_number(f, "trend_p", g->trend.p_rising, "probability");
	pf_add_number(f, "snapshots", (double)h->snapshots, "count");
	if (watched > 1) {
		pf_add_number(f, "processes_growing", (double)g->processes, "count");
		pf_add_number(f, "processes_watched", (double)watched, "count");
	}
	time_to_limit(e, f, g);
	if (!g->series)
		pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
		    pf_say(f, "Two snapshots can't tell a leak from a cache that is still filling: "
			      "four and more "
			      "over time can."));
	if (g->steps)
		pf_add_caveat(f, g->steps < MANY_STEPS ? PF_UNSURE : PF_CONFIDENCE_LOW,
		    pf_say(f, "So grows what is enlarged when it is full: an array that is "
			      "appended to without end, and a table that has found its size with "
			      "the last step. A longer series tells them apart."));
	else if (g->enlarged)
		pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
		    pf_say(f, "What is enlarged when it is full grows in bursts: how fast it "
			      "grows over more time, these snapshots don't tell."));
	if (!g->steps && g->series && h->snapshots == PF_LEAST_SERIES)
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f, "Four snapshots can't tell a leak from a table that was loaded once: "
			      "five and more can."));
	if (!g->series && g->grown < SURE_SIGMAS * g->error)
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f, "The profiles are sampled, and so few samples stand behind this "
			      "growth that one time in a "
			      "hundred it is chance."));
	if (g->grown <= 1.96 * g->error)
		pf_add_caveat(f, PF_UNSURE,
		    pf_say(f, "The profiles are sampled, and so few samples stand behind the first "
			      "and the last snapshot that they may be alike: what it grew by may "
			      "be nothing."));
	doubt_replaced(f, g);
	doubt_young(e, f, g);
	if (pf_leak_comes_with_connections(g, connections))
		pf_add_caveat(f, PF_UNSURE,
		    pf_say(f,
			"Meanwhile %.0f more clients have connected, and what the service holds "
			"for each looks the same.",
			connections));
	pf_add_snapshot_caveats(e, PF_PROFILE_HEAP, f);
	if (finding->confidence == PF_UNSURE && !meets_limit(e, g))
		finding->severity = PF_SEVERITY_LOW;
	if (g->replaces) {
		advise_to_watch(f, place);
	} else {
		advise(f, place);
		pf_add_prediction(f, "heap_in_use", "bytes", g->last, g->first, g->first, g->last,
		    pf_say(f, "what it grew by is held no more"));
	}
	return show_owner(f, g, err);
}
