/*
 * unjudged.c: what the evidence leaves open. A report without findings reads as an all-clear, which
 * it is not where samples are too few, functions have no names or snapshots show no growth.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tuner/absent.h"
#include "tuner/detect.h"
#include "tuner/growth.h"
#include "tuner/pile.h"
#include "tuner/locks.h"
#include "tuner/outside_heap.h"
#include "tuner/programs.h"
#include "tuner/sites.h"
#include "tuner/tune.h"
#include "tuner/unjudged.h"

enum { WORTH_BYTES = 32 << 20, LONG_WATCH = 600 /* seconds */ };

/* Nothing where nothing was written; PF_ENOMEM also where that is for want of memory. */
static int
say(struct pf_tune *t, const struct pf_buffer *sentence, struct pf_error *err)
{
	uint32_t id;
	int rc = pf_buffer_check(sentence, err);

	return rc || !sentence->size ? rc
				     : pf_strings_add(&t->unjudged, (const char *)sentence->bytes,
					   sentence->size, &id, err);
}

/* An idle service's CPU profile shows nothing. */
static void
write_few_samples(const struct pf_evidence *e, struct pf_buffer *out)
{
	const struct pf_evidence_profile *ep = pf_evidence_last(e, PF_PROFILE_CPU);
	double samples = ep ? pf_cpu_samples(ep) : PF_LEAST_SAMPLES;

	if (samples < PF_LEAST_SAMPLES)
		pf_buffer_printf(out,
		    "The CPU profile has %.0f sample%s, too few to judge by: take a longer one, "
		    "under load.",
		    samples, samples == 1 ? "" : "s");
}

/* Beside other evidence an empty heap profile is no error, and shows nothing. */
static void
write_empty_heap(const struct pf_evidence *e, struct pf_buffer *out)
{
	const struct pf_evidence_profile *ep = pf_evidence_last(e, PF_PROFILE_HEAP);

	if (ep && !ep->p->sample_count)
		pf_buffer_printf(out,
		    "The heap profile %s has no sample: who holds memory was not judged.",
		    pf_base_name(ep->name));
}

/* The figures of the kernel, or of a runtime, alone show neither who holds memory nor who uses the processor. */
static void
write_figures_only(const struct pf_evidence *e, struct pf_buffer *out)
{
	bool allocator = false, go = false;

	if (e->profile_count || e->has_trace || e->has_goroutines)
		return;
	for (size_t i = 0; i < e->stats_count; i++) {
		allocator |= e->stats[i].has_allocator;
		go |= e->stats[i].has_go;
	}
	if (go)
		pf_buffer_string(out,
		    "No profile was given, so who holds memory, who uses CPU time and who waits "
		    "were not judged. --service URL fetches profiles from a service with Go's "
		    "pprof.");
	else if (e->stats_count && !allocator)
		pf_buffer_string(out,
		    "No profile and no allocator's statistics were given, so who holds memory, "
		    "what of it is free, who uses CPU time and who waits were not judged. "
		    "--service URL fetches all of it from a service with the agent or Go's pprof; "
		    "--stats FILE takes what the allocator says of itself (glibc: malloc_info(0, "
		    "file)).");
	else if (e->stats_count)
		pf_buffer_string(out,
		    "No profile was given, so who holds memory, who uses CPU time and who waits "
		    "were not judged. --service URL fetches profiles from a service with the "
		    "agent.");
}

/* A master does next to nothing itself, and what a process is set to says its environment. */
static void
write_workers(const struct pf_evidence *e, struct pf_buffer *out)
{
	if (e->workers)
		pf_buffer_printf(out,
		    "Process %ld has %zu child process%s of the same program, whose work was not "
		    "judged: look at one of them (--pid %ld; with PROFUSE_PORT=auto the agent "
		    "answers in each).",
		    (long)e->process, e->workers, e->workers == 1 ? "" : "es", (long)e->worker);
}

static void
write_environment(const struct pf_evidence *e, struct pf_buffer *out)
{
	if (e->process && !e->has_environment)
		pf_buffer_printf(out,
		    "The environment of process %ld can't be read (it is another user's): advice "
		    "does not know today's settings.",
		    (long)e->process);
}

/* Resident memory that neither a profile nor the allocator accounts for. */
static void
write_allocator(const struct pf_evidence *e, struct pf_buffer *out)
{
	const struct pf_evidence_stats *s = pf_evidence_stats_last(e, PF_STATS_ALLOCATOR, NULL);
	double rss = pf_evidence_rss(e);
	char text[PF_AMOUNT_ROOM];

	if (!e->profile_count || !(rss >= WORTH_BYTES) || pf_evidence_is_go(e) ||
	    (s && !isnan(s->allocator.releasable)))
		return;
	pf_buffer_printf(out, "How much of the %s that are resident is free was not judged: %s.",
	    pf_amount(text, rss, "bytes"),
	    s ? "the allocator's statistics do not say"
	      : "no allocator's statistics were given (--stats FILE; the agent has those of glibc "
		"and others)");
}

/*
 * Of a Go program: memory that its runtime didn't ask for. All that it did may be resident, for the kernel may put huge
 * pages where it gave some back; where the kernel's word on anonymous memory is missing, files may be a part.
 */
static void
write_outside_go(const struct pf_evidence *e, struct pf_buffer *out)
{
	const struct pf_evidence_stats *go = pf_evidence_stats_last(e, PF_STATS_GO, NULL),
				       *proc = pf_evidence_stats_last(e, PF_STATS_PROC, NULL);
	double all = proc ? proc->proc.rss_anonymous : NAN, outside, least = WORTH_BYTES;
	char text[PF_AMOUNT_ROOM], whole[PF_AMOUNT_ROOM];

	while (go && isnan(go->go.sys))
		go = pf_evidence_stats_last(e, PF_STATS_GO, go);
	if (isnan(all)) {
		all = pf_evidence_rss(e);
		all = isnan(all) && go ? go->go.max_rss : all;
		least *= 4;
	}
	outside = go ? all - go->go.sys : NAN;
	if (!(outside >= least) || outside < all / 4)
		return;
	pf_buffer_printf(out,
	    "%s of the %s that are resident are not of Go's runtime: C code's (cgo), or mapped. "
	    "Go's "
	    "profiles know nothing of them, so who holds them was not judged: the agent "
	    "(LD_PRELOAD=libprofuse-agent.so) has profiles of what C code allocates.",
	    pf_amount(text, outside, "bytes"), pf_amount(whole, all, "bytes"));
}

static const struct pf_evidence_profile *
unlike_base(const struct pf_evidence *e)
{
	for (size_t i = 0; i < e->profile_count; i++) {
		if (e->profiles[i].unlike)
			return &e->profiles[i];
	}
	return NULL;
}

/* Without a base, and with no series that is long enough: what grows isn't seen. */
static void
write_growth(const struct pf_evidence *e, struct pf_buffer *out)
{
	size_t most = 0;

	if (pf_evidence_base(e, PF_PROFILE_HEAP) || unlike_base(e))
		return;
	for (const struct pf_evidence_profile *first = NULL;
	    (first = pf_evidence_next_series(e, PF_PROFILE_HEAP, first));) {
		size_t snapshots = 0;
		if (first->p && !first->p->sample_count && !pf_evidence_next(e, first))
			continue; /* said already */
		for (const struct pf_evidence_profile *ep = first; ep; ep = pf_evidence_next(e, ep))
			snapshots++;
		most = snapshots > most ? snapshots : most;
	}
	if (most >= PF_LEAST_SERIES && e->collections && e->collections < PF_LEAST_SERIES)
		pf_buffer_printf(out,
		    "Whether memory grows was not judged: Go's heap profiles change with each "
		    "collection only, and these %zu snapshots are of %zu. Take them over more "
		    "time, or "
		    "with a collection each (heap?gc=1).",
		    most, e->collections);
	else if (most && most < PF_LEAST_SERIES)
		pf_buffer_printf(out,
		    "Whether memory grows was not judged: that needs four heap snapshots of a "
		    "process, and here %s %zu; or an earlier one as --base FILE.",
		    most > 1 ? "are" : "is", most);
}

/* What grows in one of two processes isn't seen where their snapshots take turns. */
static void
write_mixed(const struct pf_evidence *e, struct pf_buffer *out)
{
	const struct pf_evidence_profile *const *mixed = e->doubts[PF_PROFILE_HEAP].mixed;

	if (mixed[0])
		pf_buffer_printf(out,
		    "Whether memory grows was judged as if the heap snapshots were of one process, "
		    "and they are of several (programs or libraries lie at other addresses in %s "
		    "than in %s): give those of one process at a time.",
		    pf_base_name(mixed[1]->name), pf_base_name(mixed[0]->name));
}

/* A base that comes after what it is compared with: what grew between them seems to shrink. */
static void
write_base_order(const struct pf_evidence *e, struct pf_buffer *out)
{
	const struct pf_snapshot_doubts *d = &e->doubts[PF_PROFILE_HEAP];
	const struct pf_evidence_profile *base = pf_evidence_base(e, PF_PROFILE_HEAP),
					 *last = pf_evidence_last(e, PF_PROFILE_HEAP);

	if (!base || !last)
		return;
	pf_buffer_printf(out, "Whether memory grew was judged from the base %s to %s, and ",
	    pf_base_name(base->name), pf_base_name(last->name));
	if (d->times_disordered)
		pf_buffer_string(out, "by their times the base is the younger one");
	if (d->restarted[0])
		pf_buffer_printf(out,
		    "%swhat was ever allocated falls: they are of different processes, or mixed up",
		    d->times_disordered ? "; " : "");
	pf_buffer_string(out, ". Give the older one as --base.");
}

/* A file that was given for both: it differs from itself in nothing. */
static void
write_same_base(const struct pf_evidence *e, struct pf_buffer *out)
{
	const struct pf_evidence_profile *base = pf_evidence_base(e, PF_PROFILE_HEAP),
					 *last = pf_evidence_last(e, PF_PROFILE_HEAP);

	if (base && last && base->p && last->p && base->p->digest &&
	    base->p->digest == last->p->digest)
		pf_buffer_printf(out,
		    "Whether memory grew was not judged: the base %s and %s are the same "
		    "snapshot. "
		    "Take two some time apart.",
		    pf_base_name(base->name), pf_base_name(last->name));
}

/* Growth is judged in an order: who takes the wrong one sees none. */
static void
write_order(const struct pf_evidence *e, struct pf_buffer *out)
{
	const struct pf_snapshot_doubts *d = &e->doubts[PF_PROFILE_HEAP];

	if (d->clock[0])
		pf_buffer_printf(out,
		    "The times of the heap snapshots are wrong: by its time %s comes before %s, "
		    "though "
		    "it was given after it and more had ever been allocated in it. A clock went "
		    "backwards, so growth was judged in the order given, and not how fast it is.",
		    pf_base_name(d->clock[1]->name), pf_base_name(d->clock[0]->name));
	else if (d->times_disordered || (d->restarted[0] && pf_evidence_base(e, PF_PROFILE_HEAP)))
		write_base_order(e, out);
	else if (d->restarted[0] && !d->mixed[0])
		pf_buffer_printf(out,
		    "Whether memory grows was judged as if the heap snapshots were of one process "
		    "in "
		    "the order of their times, and what was ever allocated falls from %s to %s: it "
		    "was "
		    "restarted between them, or a clock went backwards. Give those of one process "
		    "at a "
		    "time, oldest first.",
		    pf_base_name(d->restarted[0]->name), pf_base_name(d->restarted[1]->name));
	else if (d->reordered[0])
		pf_buffer_printf(out,
		    "By their times the heap snapshots follow each other in another order than "
		    "they "
		    "were given in (%s before %s), and nothing else in them tells which one is "
		    "right: "
		    "growth was judged by their times.",
		    pf_base_name(d->reordered[0]->name), pf_base_name(d->reordered[1]->name));
}

/* A base's trace has nothing to be compared with: the collector is judged as it is now. */
static void
write_base_trace(const struct pf_evidence *e, struct pf_buffer *out)
{
	if (e->base_trace)
		pf_buffer_printf(out,
		    "The base's gctrace (%s) was not compared: of traces, that of now is judged by "
		    "itself.",
		    pf_base_name(e->base_trace));
}

/* Of what a base is compared with is memory in use, and how many goroutines or threads there are. */
static void
write_base_profile(const struct pf_evidence *e, struct pf_buffer *out)
{
	for (size_t i = 0; i < e->profile_count; i++) {
		const struct pf_evidence_profile *ep = &e->profiles[i];

		if (!ep->base || ep->apart || ep->unlike || ep->kind == PF_PROFILE_HEAP ||
		    ep->kind == PF_PROFILE_GOROUTINE || ep->kind == PF_PROFILE_THREADS ||
		    ep->kind == PF_PROFILE_CREATED)
			continue;
		pf_buffer_printf(out,
		    "No finding compares anything with the base %s: of bases only memory in use "
		    "and "
		    "the number of goroutines and threads are compared, the rest is judged as it "
		    "is "
		    "now.",
		    pf_base_name(ep->name));
		return;
	}
}

/* Such a base is set aside. */
static void
write_nameless_base(const struct pf_evidence *e, struct pf_buffer *out)
{
	const struct pf_evidence_profile *base = unlike_base(e),
					 *last = pf_evidence_last(e, PF_PROFILE_HEAP);

	if (base && last)
		pf_buffer_printf(out,
		    "What grew since the base was not judged: %s has addresses only, and %s has "
		    "names, so that nothing can be compared. --binary FILE gives names to both.",
		    pf_base_name(base->frames.has_lines ? last->name : base->name),
		    pf_base_name(base->frames.has_lines ? base->name : last->name));
}

/* A cut text reads as a shorter one. */
static void
write_cut(const struct pf_evidence *e, struct pf_buffer *out)
{
	if (e->has_goroutines && e->goroutines.cut)
		pf_buffer_string(out,
		    "The goroutine dump ends within a line: where it was cut off, goroutines are "
		    "missing from it.");
	else if (e->has_trace && e->trace.malformed)
		pf_buffer_printf(out,
		    "%zu of %zu lines of the gctrace are damaged or cut off, and were left out.",
		    e->trace.malformed, e->trace.malformed + e->trace.count);
}

static void
write_short_trace(const struct pf_evidence *e, struct pf_buffer *out)
{
	if (e->has_trace && e->trace.count < PF_LEAST_CYCLES)
		pf_buffer_printf(out,
		    "The gctrace has %zu cycle%s, too few to judge by: take it for minutes, under "
		    "load.",
		    e->trace.count, e->trace.count == 1 ? "" : "s");
}

/* Who waits for whom is recorded only where a service asks for it. */
static void
write_unrecorded(const struct pf_evidence *e, struct pf_buffer *out)
{
	static const enum pf_profile_kind kinds[] = {PF_PROFILE_LOCKS, PF_PROFILE_BLOCK};
	const char *empty[2] = {NULL};
	size_t count = 0;

	if (!pf_evidence_is_go(e))
		return;
	for (size_t i = 0; i < 2; i++) {
		const struct pf_evidence_profile *ep = pf_evidence_last(e, kinds[i]);
		if (ep && ep->p && !ep->p->sample_count)
			empty[count++] = i ? "blocking" : "locks";
	}
	if (count)
		pf_buffer_printf(out,
		    "Waiting (%s%s%s) was not judged: %s no sample, for nothing had to wait, or it "
		    "isn't recorded: Go does only after runtime.SetMutexProfileFraction or "
		    "runtime.SetBlockProfileRate.",
		    empty[0], count > 1 ? " and " : "", count > 1 ? empty[1] : "",
		    count > 1 ? "the profiles have" : "the profile has");
}

static int
say_nameless(struct pf_tune *t, struct pf_buffer *sentence, struct pf_error *err)
{
	const struct pf_evidence *e = &t->evidence;
	const struct pf_evidence_profile *heap = pf_evidence_last(e, PF_PROFILE_HEAP);
	uint32_t column;
	const struct pf_evidence_profile *cpu = pf_cpu_profile(e, &column);
	bool said = false;
	int rc = 0;

	if (cpu)
		rc =
		    pf_write_nameless(t, cpu, column, "CPU time is spent in or for", sentence, err);
	said = sentence->size > 0;
	if (!rc)
		rc = say(t, sentence, err);
	pf_buffer_clear(sentence);
	column = heap ? pf_evidence_column(heap, pf_in_use_columns) : PF_NONE;
	if (!rc && column != PF_NONE)
		rc = pf_write_nameless(t, heap, column, "memory in use is held by", sentence, err);
	if (!rc && !said && !sentence->size)
		pf_write_addresses_only(t, sentence);
	return rc ? rc : say(t, sentence, err);
}

/* Where no goroutine leak was found in a short series: how many more there must be in that time to be told. */
static void
write_slow_goroutines(const struct pf_evidence *e, struct pf_buffer *out)
{
	double longest = 0;
	char span[PF_AMOUNT_ROOM];

	if (!pf_evidence_is_timed(e, PF_PROFILE_GOROUTINE))
		return;
	for (const struct pf_evidence_profile *first = NULL;
	    (first = pf_evidence_next_series(e, PF_PROFILE_GOROUTINE, first));) {
		const struct pf_evidence_profile *last = first;
		size_t snapshots = 1;

		for (const struct pf_evidence_profile *ep = first; (ep = pf_evidence_next(e, ep));
		    snapshots++)
			last = ep;
		if (snapshots >= PF_LEAST_SERIES && first->time_nanos > 0)
			longest =
			    fmax(longest, (double)(last->time_nanos - first->time_nanos) / 1e9);
	}
	if (!(longest > 0) || longest >= LONG_WATCH)
		return;
	pf_buffer_printf(out,
	    "Goroutines were watched for %s: fewer than %d more in one place in that time (%d, "
	    "where "
	    "each snapshot has more than the one before) are not told. Snapshots over more time "
	    "(--seconds 600) show slower leaks.",
	    pf_amount(span, longest, "seconds"), PF_PILE_RISING, PF_PILE_RISING_SLOWLY);
}

static bool
has_finding(const struct pf_findings *f, const char *kind)
{
	size_t i = 0;

	while (i < f->finding_count && strcmp(f->findings[i].kind, kind) != 0)
		i++;
	return i < f->finding_count;
}

/* What needs no word where a finding tells it. */
static const struct remainder {
	void (*write)(const struct pf_evidence *, struct pf_buffer *);
	int (*read)(
	    const struct pf_evidence *, struct pf_buffer *, struct pf_error *); /* or this */
	const char *told[2];
} remainders[] = {
    {.read = pf_write_standing, .told = {"deadlock", "lock-contention"}},
    {.read = pf_write_channel_waits},
    {.read = pf_write_turns},
    {.read = pf_write_own_locks},
    {.write = pf_growth_write_slow, .told = {"leak"}},
    {.write = write_slow_goroutines, .told = {"goroutine-leak"}},
    {.write = pf_absent_write, .told = {"unreturned-memory"}},
};

static bool
is_told(const struct remainder *r, const struct pf_findings *f)
{
	for (size_t i = 0; i < 2; i++) {
		if (r->told[i] && has_finding(f, r->told[i]))
			return true;
	}
	return false;
}

static int
say_remainder(
    struct pf_tune *t, const struct remainder *r, struct pf_buffer *sentence, struct pf_error *err)
{
	int rc = 0;

	if (is_told(r, &t->findings))
		return 0;
	pf_buffer_clear(sentence);
	if (r->read)
		rc = r->read(&t->evidence, sentence, err);
	else
		r->write(&t->evidence, sentence);
	return rc ? rc : say(t, sentence, err);
}

int
pf_tune_find_unjudged(struct pf_tune *t, struct pf_error *err)
{
	static void (*const writers[])(const struct pf_evidence *, struct pf_buffer *) = {
	    pf_evidence_write_programs, write_figures_only, write_workers, write_environment,
	    write_few_samples, write_empty_heap, write_allocator, write_outside_go,
	    pf_write_outside_malloc, write_growth, write_mixed, write_order, write_same_base,
	    write_base_trace, pf_write_other_statistics, write_base_profile, write_unrecorded,
	    write_nameless_base, write_cut, write_short_trace};
	struct pf_buffer sentence;
	int rc;

	pf_buffer_init(&sentence, PF_BUFFER_NO_MAXIMUM);
	rc = say_nameless(t, &sentence, err);
	for (size_t i = 0; !rc && i < sizeof writers / sizeof *writers; i++) {
		pf_buffer_clear(&sentence);
		writers[i](&t->evidence, &sentence);
		rc = say(t, &sentence, err);
	}
	for (size_t i = 0; !rc && i < sizeof remainders / sizeof *remainders; i++)
		rc = say_remainder(t, &remainders[i], &sentence, err);
	pf_buffer_release(&sentence);
	return rc;
}
