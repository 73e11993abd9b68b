/*
 * doubts.c: see doubts.h.
 *
 * Snapshots that somebody named come in the order of their times. A clock may have
 * gone backwards between them: what was ever allocated, which only grows, tells. Where
 * it falls in the order of times and rises all along in the order in which they were
 * given, two witnesses stand against the clock, and the latter is taken.
 */
#include "tuner/doubts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"

static const char *
build_id(const struct pf_profile *p)
{
	return p->mapping_count ? pf_profile_string(p, p->mappings[0].build_id) : "";
}

static const char *
binary(const struct pf_profile *p)
{
	return p->mapping_count ? pf_base_name(pf_profile_string(p, p->mappings[0].filename)) : "";
}

/* Where a file is mapped lowest; UINT64_MAX: nowhere. */
static uint64_t
lowest(const struct pf_profile *p, const char *file)
{
	uint64_t start = UINT64_MAX;

	for (size_t i = 0; i < p->mapping_count; i++) {
		const struct pf_mapping *m = &p->mappings[i];
		if (strcmp(pf_profile_string(p, m->filename), file) == 0 && m->start < start)
			start = m->start;
	}
	return start;
}

/*
 * Whether a file of both is mapped elsewhere: programs, libraries and the kernel's page are put at
 * random addresses when a process starts, and stay there.
 */
static bool
is_moved(const struct pf_profile *a, const struct pf_profile *b)
{
	for (size_t i = 0; i < a->mapping_count; i++) {
		const char *file = pf_profile_string(a, a->mappings[i].filename);
		uint64_t there = *file ? lowest(b, file) : UINT64_MAX;

		if (there != UINT64_MAX && there != lowest(a, file))
			return true;
	}
	return false;
}

bool
pf_may_be_one_process(const struct pf_evidence_profile *a, const struct pf_evidence_profile *b)
{
	return a->series == b->series && !isnan(a->allocated + b->allocated) &&
	       !pf_is_restarted(a, b) && !(a->p && b->p && is_moved(a->p, b->p));
}

/* Two neighbours of one kind, the earlier first; within a store's series nothing is in doubt. */
static void
compare_neighbours(struct pf_snapshot_doubts *d, const struct pf_evidence_profile *a,
    const struct pf_evidence_profile *b)
{
	const char *one, *other;

	if (!a->p || !b->p || (a->series && b->series))
		return;
	one = build_id(a->p);
	other = build_id(b->p);
	if (a->time_nanos <= 0 || b->time_nanos <= 0 || a->time_nanos == b->time_nanos)
		d->times_missing = true;
	else if (a->time_nanos > b->time_nanos && !d->clock[0])
		d->times_disordered = true; /* the base is younger than what it is the base of */
	else if (a->order > b->order && isnan(a->allocated + b->allocated) && !d->reordered[0]) {
		d->reordered[0] = a;
		d->reordered[1] = b;
	}
	if ((*one && *other && strcmp(one, other) != 0) ||
	    (*binary(a->p) && *binary(b->p) && strcmp(binary(a->p), binary(b->p)) != 0))
		d->builds_differ = true;
	if (!d->restarted[0] && pf_is_restarted(a, b)) {
		d->restarted[0] = a;
		d->restarted[1] = b;
	}
	if (!a->base && !d->mixed[0] && !d->builds_differ && is_moved(a->p, b->p)) {
		d->mixed[0] = a;
		d->mixed[1] = b;
	}
}

/* A store's youngest is what a base is compared with, and no neighbour of it. */
static void
compare_base(struct pf_evidence *e, enum pf_profile_kind kind)
{
	const struct pf_evidence_profile *base = pf_evidence_base(e, kind),
					 *last = pf_evidence_last(e, kind);

	if (base && last && last->series)
		compare_neighbours(&e->doubts[kind], base, last);
}

static int
by_order(const void *a, const void *b)
{
	const struct pf_evidence_profile *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

static int
by_time(const void *a, const void *b)
{
	const struct pf_evidence_profile *x = a, *y = b;

	return x->time_nanos != y->time_nanos ? x->time_nanos < y->time_nanos ? -1 : 1
					      : by_order(a, b);
}

/* Whether these n can be of one process, one after the other, as far as all that was allocated tells. */
static bool
may_follow(const struct pf_evidence_profile *ep, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (!pf_may_be_one_process(&ep[i - 1], &ep[i]))
			return false;
	}
	return true;
}

/* Of n snapshots that were named, sorted by time: the order in which they were given, where the clock is refuted. */
static void
doubt_clock(struct pf_snapshot_doubts *d, struct pf_evidence_profile *ep, size_t n)
{
	if (n < PF_LEAST_SERIES)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!ep[i].p || ep[i].time_nanos <= 0)
			return;
	}
	if (may_follow(ep, n))
		return;
	qsort(ep, n, sizeof *ep, by_order);
	if (!may_follow(ep, n)) {
		qsort(ep, n, sizeof *ep, by_time);
		return;
	}
	for (size_t i = 1; i < n && !d->clock[0]; i++) {
		if (ep[i - 1].time_nanos > ep[i].time_nanos) {
			d->clock[0] = &ep[i - 1];
			d->clock[1] = &ep[i];
		}
	}
}

void
pf_evidence_doubt(struct pf_evidence *e)
{
	struct pf_evidence_profile *ep = e->profiles;

	for (size_t from = 0, to; from < e->profile_count; from = to) {
		size_t named = 0;

		while (from + named < e->profile_count && ep[from + named].kind == ep[from].kind &&
		       !ep[from].base && !ep[from + named].series)
			named++;
		if (named && ep[from].kind != PF_PROFILE_OTHER)
			doubt_clock(&e->doubts[ep[from].kind], &ep[from], named);
		to = from + (named ? named : 1);
	}
	for (size_t i = 1; i < e->profile_count; i++) {
		if (ep[i].kind == ep[i - 1].kind && ep[i].kind != PF_PROFILE_OTHER)
			compare_neighbours(&e->doubts[ep[i].kind], &ep[i - 1], &ep[i]);
	}
	for (int kind = PF_PROFILE_OTHER + 1; kind < PF_PROFILE_KINDS; kind++)
		compare_base(e, (enum pf_profile_kind)kind);
}

static bool
is_same(const struct pf_holdings *a, const struct pf_holdings *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (a->items[i].owner != b->items[i].owner ||
		    a->items[i].value != b->items[i].value)
			return false;
	}
	return true;
}

/* Whether the second shows the same collection of Go's as the first; not where each snapshot asked for one. */
static bool
shows_same(const struct pf_evidence_profile *a, const struct pf_evidence_profile *b)
{
	return a->allocated == b->allocated && is_same(&a->held, &b->held) &&
	       !strstr(b->name, "gc=1");
}

/* The youngest stays, as of the time when it was seen first. */
static void
join_same(struct pf_evidence_profile *ep, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (!shows_same(&ep[i - 1], &ep[i]))
			continue;
		ep[i].time_nanos = ep[i - 1].time_nanos;
		ep[i - 1].kind = PF_PROFILE_OTHER;
	}
}

bool
pf_evidence_join(struct pf_evidence *e)
{
	bool joined = false, go = pf_evidence_is_go(e);

	for (size_t from = 0, to; go && from < e->profile_count; from = to) {
		struct pf_evidence_profile *ep = e->profiles + from;
		size_t collections = 1;

		for (to = from + 1;
		    to < e->profile_count && ep->kind == PF_PROFILE_HEAP && !ep->base &&
		    e->profiles[to].kind == ep->kind && e->profiles[to].series == ep->series;
		    to++)
			collections += !shows_same(&e->profiles[to - 1], &e->profiles[to]);
		if (ep->kind != PF_PROFILE_HEAP || ep->base)
			continue;
		if (collections > e->collections)
			e->collections = collections;
		if (collections >= PF_LEAST_SERIES && collections < to - from) {
			join_same(ep, to - from);
			joined = true;
		}
	}
	return joined;
}
