/* evidence.c: gathering evidence into one model; see evidence.h. */
#include "tuner/evidence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "tuner/doubts.h"
#include "tuner/programs.h"
#include "tuner/sites.h"

/* A series that is shorter tells no trend; of so many processes that ended, the last snapshot is kept whole. */
enum { MOST_ENDED = 32 };

int
pf_evidence_init(struct pf_evidence *e, const char *service, struct pf_error *err)
{
	int rc;

	*e = (struct pf_evidence){.answered = NAN,
	    .memory_limit = NAN,
	    .cpus = NAN,
	    .first_resident = NAN,
	    .first_at = NAN};
	rc = pf_strings_init(&e->strings, err);
	if (!rc)
		rc = pf_strings_init(&e->callers, err);
	return rc ? rc
		  : pf_copy_string(&e->service, service && *service ? service : "service", err);
}

/* Leaves of a snapshot what its series needs. */
static void
condense(struct pf_evidence_profile *ep)
{
	pf_profile_free(ep->p);
	pf_frames_release(&ep->frames);
	free(ep->traits);
	ep->p = NULL;
	ep->traits = NULL;
	ep->frames = (struct pf_frames){0};
}

void
pf_evidence_release(struct pf_evidence *e)
{
	for (size_t i = 0; i < e->profile_count; i++) {
		condense(&e->profiles[i]);
		pf_holdings_release(&e->profiles[i].held);
		free(e->profiles[i].name);
	}
	pf_strings_release(&e->strings);
	pf_strings_release(&e->callers);
	for (size_t i = 0; i < e->stats_count; i++)
		free(e->stats[i].name);
	free(e->profiles);
	free(e->stats);
	free(e->service);
	free(e->base_trace);
	free(e->tunables);
	pf_gctrace_release(&e->trace);
	if (e->has_goroutines)
		pf_goroutines_release(&e->goroutines);
	*e = (struct pf_evidence){0};
}

/* By sample types, as their makers name them. */
static enum pf_profile_kind
kind_of(const struct pf_profile *p)
{
	static const struct {
		const char *type;
		enum pf_profile_kind kind;
	} kinds[] = {
	    {"inuse_space", PF_PROFILE_HEAP},
	    {"space", PF_PROFILE_HEAP},
	    {"alloc_space", PF_PROFILE_ALLOCS},
	    {"cpu", PF_PROFILE_CPU},
	    {"instructions", PF_PROFILE_CPU},
	    {"goroutine", PF_PROFILE_GOROUTINE},
	    {"goroutines", PF_PROFILE_GOROUTINE},
	    {"thread", PF_PROFILE_THREADS},
	    {"threads", PF_PROFILE_THREADS},
	    {"wall", PF_PROFILE_WALL},
	    {"threadcreate", PF_PROFILE_CREATED},
	    {"delay", PF_PROFILE_LOCKS},
	    {"freed_space", PF_PROFILE_FREES},
	};

	/* Go's allocs profile has the columns of its heap profile, and says which it is about. */
	if (p->default_type && strcmp(pf_profile_string(p, p->default_type), "alloc_space") == 0)
		return PF_PROFILE_ALLOCS;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (pf_profile_find_type(p, kinds[i].type) != PF_NONE)
			return kinds[i].kind;
	}
	return PF_PROFILE_OTHER;
}

/* What a function is called in the profile, and what has no function in reports. */
static const char *
symbol_of(const struct pf_evidence_profile *ep, uint32_t name)
{
	uint32_t symbol = ep->frames.about[name].symbol;

	return symbol ? pf_profile_string(ep->p, symbol) : pf_frames_name(&ep->frames, name);
}

/* Traits per name, by the binary of the first location that has it. */
static int
find_traits(struct pf_evidence_profile *ep, struct pf_error *err)
{
	const struct pf_profile *p = ep->p;
	const struct pf_frames *f = &ep->frames;
	uint8_t *done = NULL;
	int rc = PF_CALLOC(ep->traits, f->names.count, err);

	if (!rc)
		rc = PF_CALLOC(done, f->names.count, err);
	for (size_t i = 0; !rc && i < p->location_count; i++) {
		uint32_t mapping = p->locations[i].mapping;
		const char *file =
		    mapping == PF_NONE ? "" : pf_profile_string(p, p->mappings[mapping].filename);

		for (uint64_t j = f->starts[i]; j < f->starts[i + 1]; j++) {
			uint32_t name = f->runs[j];
			if (!done[name])
				ep->traits[name] = pf_code_traits(symbol_of(ep, name), file);
			done[name] = 1;
		}
	}
	free(done);
	return rc;
}

/* What the leaf's name says, or of the agent's own frame without a name the label: only locks are ever unlocked. */
static bool
ends_in_wait(const struct pf_evidence_profile *ep, size_t sample, uint32_t name)
{
	uint32_t traits = ep->traits[name];

	if (traits & PF_CODE_WRAPPER)
		return pf_code_wait_traits(pf_sample_text(ep->p, sample, "object")) ==
		       PF_CODE_CHANNEL;
	return (traits & (PF_CODE_CHANNEL | PF_CODE_LOCK_WAIT)) != 0;
}

/*
 * A block profile's stacks end in whatever waits, a mutex profile's in unlocking. Only the end tells: Go's mutex profiles
 * have the runtime's own locks too, which are let go somewhere inside of a channel's or a mutex's code.
 */
static enum pf_profile_kind
locks_or_block(const struct pf_evidence_profile *ep)
{
	const struct pf_frames *f = &ep->frames;

	/* Without one its name must tell: an empty one must not stand in the other's place. */
	if (!ep->p->sample_count && strstr(pf_base_name(ep->name), "block"))
		return PF_PROFILE_BLOCK;
	for (size_t i = 0; i < ep->p->sample_count; i++) {
		uint64_t leaf = pf_frames_leaf(f, i);
		uint32_t location;

		if (leaf == ep->p->frame_starts[i + 1])
			continue;
		location = ep->p->frames[leaf];
		if (f->starts[location] < f->starts[location + 1] &&
		    ends_in_wait(ep, i, f->runs[f->starts[location]]))
			return PF_PROFILE_BLOCK;
	}
	return PF_PROFILE_LOCKS;
}

/* Two profiles of a kind must count the same things. */
static int
check_units(
    const struct pf_evidence *e, const struct pf_evidence_profile *new, struct pf_error *err)
{
	for (size_t i = 0; i < e->profile_count; i++) {
		const struct pf_evidence_profile *old = &e->profiles[i];

		if (old->kind != new->kind || new->kind == PF_PROFILE_OTHER || !old->p)
			continue;
		for (size_t t = 0; t < new->p->type_count; t++) {
			uint32_t at = pf_profile_find_type(old->p, pf_profile_type_name(new->p, t));
			if (at != PF_NONE && strcmp(pf_profile_type_unit(old->p, at),
						 pf_profile_type_unit(new->p, t)) != 0)
				return pf_error_set(err, PF_EINPUT,
				    "%s counts %s in %s, but %s counts it in %s: they can't be "
				    "compared",
				    new->name, pf_profile_type_name(new->p, t),
				    pf_profile_type_unit(new->p, t), old->name,
				    pf_profile_type_unit(old->p, at));
		}
	}
	return 0;
}

/* All that was ever allocated, as far as the profile tells. */
static double
allocated(const struct pf_profile *p)
{
	uint32_t column = pf_profile_find_type(p, "alloc_space");
	double sum = 0;

	for (size_t i = 0; column != PF_NONE && i < p->sample_count; i++)
		sum += (double)p->values[i * p->type_count + column];
	return column == PF_NONE ? NAN : sum;
}

static int
judge_kind(struct pf_evidence *e, struct pf_evidence_profile *new, struct pf_error *err)
{
	int rc = pf_frames_init(&new->frames, new->p, PF_BY_FUNCTION, err);

	if (!rc)
		rc = find_traits(new, err);
	if (rc)
		return rc;
	new->kind = kind_of(new->p);
	if (new->kind == PF_PROFILE_LOCKS)
		new->kind = locks_or_block(new);
	new->time_nanos = pf_profile_time_nanos(new->p);
	new->allocated = allocated(new->p);
	rc = check_units(e, new, err);
	return rc ? rc : pf_holdings_of(&new->held, new, &e->strings, &e->callers, err);
}

/* Adds one that belongs to the caller no more; *at is its place, where it is whatever happened. */
static int
add(struct pf_evidence *e, struct pf_profile *p, const char *name, bool base, size_t *at,
    struct pf_error *err)
{
	struct pf_evidence_profile new = {
	    .p = p, .base = base, .order = e->profile_count, .allocated = NAN};
	int rc = PF_GROW(e->profiles, e->profile_capacity, e->profile_count + 1, err);

	if (rc) {
		pf_profile_free(p);
		return rc;
	}
	rc = pf_copy_string(&new.name, name, err);
	if (!rc)
		rc = judge_kind(e, &new, err);
	/* It is the evidence's from here, and released with it, whatever happened. */
	*at = e->profile_count++;
	e->profiles[*at] = new;
	return rc;
}

int
pf_evidence_add_profile(
    struct pf_evidence *e, struct pf_profile *p, const char *name, bool base, struct pf_error *err)
{
	size_t at;

	return add(e, p, name, base, &at, err);
}

/* Puts it into the series of the one before, or begins one; what its predecessor is then needed for no more goes. */
static void
join_series(struct pf_evidence *e, struct pf_evidence_profile *new)
{
	struct pf_evidence_profile *last = new > e->profiles ? new - 1 : NULL;
	bool follows = last && last->process == new->process && last->kind == new->kind;
	bool restarted = follows && pf_is_restarted(last, new);

	if (follows && restarted && last->nth + 1 >= PF_LEAST_SERIES && e->ended_count < MOST_ENDED)
		e->ended_count++;
	else if (follows)
		condense(last);
	new->series = follows && !restarted ? last->series : ++e->series_count;
	new->nth = follows && !restarted ? last->nth + 1 : 0;
}

int
pf_evidence_add_stored(struct pf_evidence *e, struct pf_profile *p, const char *name,
    const struct pf_evidence_source *source, struct pf_error *err)
{
	struct pf_evidence_profile *new;
	size_t at;
	int rc = add(e, p, name, false, &at, err);

	if (rc)
		return rc;
	new = &e->profiles[at];
	if (source->start_nanos) /* a snapshot need not say when it was taken; the store knows */
		new->time_nanos = source->start_nanos;
	rc = pf_strings_add(
	    &e->strings, source->process, strlen(source->process), &new->process, err);
	if (!rc)
		rc = pf_strings_add(
		    &e->strings, source->instance, strlen(source->instance), &new->instance, err);
	if (!rc)
		join_series(e, new);
	return rc;
}

/* Series in the order in which they ended, so that the youngest snapshot of a kind is the last. */
static int
by_kind_and_time(const void *a, const void *b)
{
	const struct pf_evidence_profile *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->base != y->base)
		return x->base ? -1 : 1;
	if (x->series_ended != y->series_ended)
		return x->series_ended < y->series_ended ? -1 : 1;
	if (x->series != y->series)
		return x->series < y->series ? -1 : 1;
	if (x->time_nanos != y->time_nanos && x->time_nanos > 0 && y->time_nanos > 0)
		return x->time_nanos < y->time_nanos ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* They were added in the order of time: the last of a series is met first from behind. */
static void
note_ends(struct pf_evidence *e)
{
	uint32_t series = 0;
	int64_t ended = 0;

	for (size_t i = e->profile_count; i-- > 0;) {
		if (e->profiles[i].series != series)
			ended = e->profiles[i].time_nanos;
		series = e->profiles[i].series;
		e->profiles[i].series_ended = series ? ended : 0;
	}
}

static bool
is_heap(const struct pf_evidence_profile *ep)
{
	return ep->kind == PF_PROFILE_HEAP && ep->p && ep->p->sample_count;
}

/* Go's heap text has addresses only: beside a profile of the same time with names, or base beside base, it says nothing. */
static void
leave_nameless_out(struct pf_evidence *e)
{
	bool named[2] = {false};

	for (size_t i = 0; i < e->profile_count; i++)
		named[e->profiles[i].base] |=
		    is_heap(&e->profiles[i]) && e->profiles[i].frames.has_lines;
	for (size_t i = 0; i < e->profile_count; i++) {
		struct pf_evidence_profile *ep = &e->profiles[i];
		if (named[ep->base] && is_heap(ep) && !ep->frames.has_lines)
			ep->kind = PF_PROFILE_OTHER;
	}
}

/* Functions are compared by their names: where only one side has them, there is nothing to compare. */
static void
leave_unlike_base_out(struct pf_evidence *e)
{
	bool any = false, named = false;

	for (size_t i = 0; i < e->profile_count; i++) {
		if (!is_heap(&e->profiles[i]) || e->profiles[i].base)
			continue;
		any = true;
		named |= e->profiles[i].frames.has_lines;
	}
	for (size_t i = 0; any && i < e->profile_count; i++) {
		struct pf_evidence_profile *ep = &e->profiles[i];
		if (!is_heap(ep) || !ep->base || ep->frames.has_lines == named)
			continue;
		ep->kind = PF_PROFILE_OTHER;
		ep->unlike = true;
	}
}

/*
 * Of a kind that has a series by its times, what has no time (a goroutine dump, beside profiles of goroutines) stands
 * nowhere in it.
 */
static void
leave_untimed_out(struct pf_evidence *e)
{
	size_t timed[PF_PROFILE_KINDS] = {0};

	for (size_t i = 0; i < e->profile_count; i++) {
		const struct pf_evidence_profile *ep = &e->profiles[i];
		timed[ep->kind] += !ep->base && !ep->series && ep->time_nanos > 0;
	}
	for (size_t i = 0; i < e->profile_count; i++) {
		struct pf_evidence_profile *ep = &e->profiles[i];
		if (!ep->base && !ep->series && ep->time_nanos <= 0 &&
		    timed[ep->kind] >= PF_LEAST_SERIES)
			ep->kind = PF_PROFILE_OTHER;
	}
}

static enum pf_allocator
allocator_of_library(const char *path)
{
	const char *name = pf_base_name(path);

	if (strncmp(name, "libjemalloc", 11) == 0)
		return PF_ALLOCATOR_JEMALLOC;
	if (strncmp(name, "libtcmalloc", 11) == 0)
		return PF_ALLOCATOR_TCMALLOC;
	return strncmp(name, "libmimalloc", 11) == 0 ? PF_ALLOCATOR_MIMALLOC : PF_ALLOCATOR_UNKNOWN;
}

/* An allocator's own library among what a profile has mapped is in charge; libc is mapped by everybody. */
static enum pf_allocator
allocator_of_profiles(const struct pf_evidence *e)
{
	enum pf_allocator found = PF_ALLOCATOR_UNKNOWN;

	for (size_t i = 0; i < e->profile_count; i++) {
		const struct pf_profile *p = e->profiles[i].p;

		for (size_t m = 0; p && !e->profiles[i].apart && m < p->mapping_count &&
				   found == PF_ALLOCATOR_UNKNOWN;
		    m++)
			found = allocator_of_library(pf_profile_string(p, p->mappings[m].filename));
	}
	return found;
}

void
pf_evidence_settle(struct pf_evidence *e)
{
	pf_evidence_part(e);
	leave_nameless_out(e);
	leave_unlike_base_out(e);
	leave_untimed_out(e);
	note_ends(e);
	if (e->allocator == PF_ALLOCATOR_UNKNOWN)
		e->allocator = allocator_of_profiles(e);
	if (e->profile_count)
		qsort(e->profiles, e->profile_count, sizeof *e->profiles, by_kind_and_time);
	if (pf_evidence_join(e))
		qsort(e->profiles, e->profile_count, sizeof *e->profiles, by_kind_and_time);
	pf_evidence_doubt(e);
	for (size_t i = 0; i < e->stats_count; i++) {
		const struct pf_evidence_stats *s = &e->stats[i];
		if (s->has_go && isinf(e->memory_limit) && s->go.max_memory > 0)
			e->memory_limit = s->go.max_memory;
		if (s->has_allocator && s->allocator.allocator != PF_ALLOCATOR_UNKNOWN) {
			e->allocator = s->allocator.allocator;
			if (s->allocator.version[0])
				memcpy(e->allocator_version, s->allocator.version,
				    sizeof e->allocator_version);
		}
		if (s->has_go && isnan(e->cpus) && s->go.gomaxprocs > 0)
			e->cpus = s->go.gomaxprocs;
	}
	/* A Go program may have libc mapped, and does not allocate with it. */
	if (e->allocator <= PF_ALLOCATOR_GLIBC && pf_evidence_is_go(e) &&
	    !pf_evidence_stats_last(e, PF_STATS_ALLOCATOR, NULL))
		e->allocator = PF_ALLOCATOR_GO;
	if (isnan(e->cpus) && e->has_trace)
		e->cpus = e->trace.cycles[e->trace.count - 1].processors;
}

const struct pf_evidence_profile *
pf_evidence_next_series(
    const struct pf_evidence *e, enum pf_profile_kind kind, const struct pf_evidence_profile *after)
{
	for (size_t i = after ? (size_t)(after - e->profiles) + 1 : 0; i < e->profile_count; i++) {
		const struct pf_evidence_profile *ep = &e->profiles[i];
		if (ep->kind == kind && !ep->base && (!after || ep->series != after->series))
			return ep;
	}
	return NULL;
}

const struct pf_evidence_profile *
pf_evidence_next(const struct pf_evidence *e, const struct pf_evidence_profile *after)
{
	const struct pf_evidence_profile *next = after + 1;

	return next < e->profiles + e->profile_count && next->kind == after->kind &&
		       next->series == after->series
		   ? next
		   : NULL;
}

bool
pf_evidence_is_look(const struct pf_evidence_profile *ep, enum pf_profile_kind kind)
{
	return ep->kind == kind && ep->p && !ep->base;
}

const struct pf_evidence_profile *
pf_evidence_last(const struct pf_evidence *e, enum pf_profile_kind kind)
{
	for (size_t i = e->profile_count; i-- > 0;) {
		if (pf_evidence_is_look(&e->profiles[i], kind))
			return &e->profiles[i];
	}
	return NULL;
}

const struct pf_evidence_profile *
pf_evidence_base(const struct pf_evidence *e, enum pf_profile_kind kind)
{
	for (size_t i = 0; i < e->profile_count; i++) {
		if (e->profiles[i].kind == kind && e->profiles[i].base)
			return &e->profiles[i];
	}
	return NULL;
}

const struct pf_evidence_stats *
pf_evidence_stats_last(
    const struct pf_evidence *e, enum pf_stats_kind kind, const struct pf_evidence_stats *before)
{
	for (size_t i = before ? (size_t)(before - e->stats) : e->stats_count; i-- > 0;) {
		const struct pf_evidence_stats *s = &e->stats[i];
		if (s->base) /* of another time, or process: nothing of it is today's */
			continue;
		if (kind == PF_STATS_ALLOCATOR ? s->has_allocator
		    : kind == PF_STATS_GO      ? s->has_go
					       : s->has_proc)
			return s;
	}
	return NULL;
}

uint32_t
pf_evidence_column(const struct pf_evidence_profile *ep, const char *const *names)
{
	uint32_t column = PF_NONE;

	for (; *names && column == PF_NONE; names++)
		column = pf_profile_find_type(ep->p, *names);
	return column;
}

double
pf_evidence_rss(const struct pf_evidence *e)
{
	const struct pf_evidence_stats *s = pf_evidence_stats_last(e, PF_STATS_PROC, NULL);

	if (s && !isnan(s->proc.rss))
		return s->proc.rss;
	s = pf_evidence_stats_last(e, PF_STATS_GO, NULL);
	if (s && !isnan(s->go.process_rss))
		return s->go.process_rss;
	s = pf_evidence_stats_last(e, PF_STATS_ALLOCATOR, NULL);
	return s ? s->allocator.resident : NAN;
}

bool
pf_evidence_is_go(const struct pf_evidence *e)
{
	/* Those of waits begin at a lock or a channel, and may have no goroutine of main's. */
	static const char *const names[] = {"runtime.main", "runtime.mcall", "main.main",
	    "runtime.chansend1", "runtime.chanrecv1", "runtime.selectgo", "sync.(*Mutex).Lock",
	    "sync.(*Mutex).Unlock", "sync.(*RWMutex).Lock", "sync.(*RWMutex).RLock",
	    "sync.(*RWMutex).Unlock", "sync.(*RWMutex).RUnlock"};

	if (e->allocator == PF_ALLOCATOR_GO || e->has_trace || e->has_goroutines ||
	    pf_evidence_stats_last(e, PF_STATS_GO, NULL) ||
	    pf_evidence_last(e, PF_PROFILE_GOROUTINE))
		return true;
	for (size_t i = 0; i < e->profile_count; i++) {
		const struct pf_evidence_profile *ep = &e->profiles[i];

		for (size_t k = 0; ep->p && !ep->apart && k < sizeof names / sizeof *names; k++) {
			if (pf_strings_find(&ep->frames.names, names[k], strlen(names[k])) !=
			    PF_NONE)
				return true;
		}
	}
	return false;
}
