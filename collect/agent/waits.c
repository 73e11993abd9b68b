/* waits.c: see waits.h. */
#include "collect/agent/waits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "collect/agent/draw.h"
#include "collect/agent/host.h"
#include "collect/agent/latch.h"
#include "collect/agent/notes.h"
#include "collect/agent/turns.h"
#include "core/index.h"
#include "core/memory.h"

enum {
	PROBES = 64,
	MOST_SUMS = 1 << 16,
	/* ns: less is what a call takes that has nothing to wait for; going to sleep and being woken takes longer. */
	SHORTEST_WAIT = 5000,
	/* ns: nobody misses a place for so little, and threads that hand over what they have do it often. */
	SHORTEST_FOR_TURN = 200000,
};

/* The account of a lock in pf_watched, at the same place. */
struct account {
	_Atomic uint32_t waiters;
	_Atomic uint32_t busy;
	int64_t last;  /* up to when it is kept */
	int64_t delay; /* what its waiters have lost since the last release */
};

const void *_Atomic pf_watched[PF_WATCHED_LOCKS];
_Atomic bool pf_waits_on;

static struct {
	struct pf_waiting *waiting; /* mapped */
	struct account accounts[PF_WATCHED_LOCKS];
	struct pf_gate waits, holds, creations;
	int64_t began;
	struct tally {
		/* On a line of their own, for many threads add here. */
		_Alignas(64) _Atomic uint64_t count;
		_Atomic uint64_t delay;
	} stackless[PF_NOTES];                     /* events that found no slot */
	struct tally all[PF_NOTES][PF_WAIT_KINDS]; /* events, sampled or not */
	struct pf_wait_sum *sums;
	size_t count, capacity;
	struct pf_index index;
} waits;

const char *
pf_wait_word(enum pf_wait_kind kind)
{
	static const char *const words[PF_WAIT_KINDS] = {
	    "mutex", "rwlock", "condition", "semaphore", "join"};

	return kind < PF_WAIT_KINDS ? words[kind] : "unknown";
}

/* A place among those that wait, found again by the thread's number. */
static struct pf_waiting *
claim(void)
{
	uint32_t thread = pf_local_thread();

	for (uint32_t i = 0; i < PROBES; i++) {
		struct pf_waiting *w = &waits.waiting[(thread + i) % PF_MOST_WAITING];
		uint32_t nobody = 0;
		if (atomic_load_explicit(&w->thread, memory_order_relaxed) == 0 &&
		    atomic_compare_exchange_strong_explicit(
			&w->thread, &nobody, thread, memory_order_acquire, memory_order_relaxed))
			return w;
	}
	return NULL;
}

/*
 * Brings an account up to date. Whoever meets it busy leaves it to the other:
 * what is missing then are nanoseconds.
 */
static void
keep_account(struct account *a, int64_t now)
{
	uint32_t waiters = atomic_load_explicit(&a->waiters, memory_order_relaxed);

	if (atomic_exchange_explicit(&a->busy, 1, memory_order_acquire))
		return;
	if (now > a->last)
		a->delay += waiters * (now - a->last);
	a->last = now;
	atomic_store_explicit(&a->busy, 0, memory_order_release);
}

/* Two locks that share a place and are waited for at once: the second has no account. */
static bool
watch(const void *lock, int64_t now)
{
	size_t place = pf_lock_place(lock);
	const void *other = NULL;

	if (atomic_compare_exchange_strong(&pf_watched[place], &other, lock)) {
		waits.accounts[place].last = now;
		waits.accounts[place].delay = 0;
	} else if (other != lock) {
		return false;
	}
	keep_account(&waits.accounts[place], now);
	atomic_fetch_add_explicit(&waits.accounts[place].waiters, 1, memory_order_relaxed);
	return true;
}

static void
unwatch(const void *lock, int64_t now)
{
	size_t place = pf_lock_place(lock);
	struct account *a = &waits.accounts[place];

	keep_account(a, now);
	if (atomic_fetch_sub_explicit(&a->waiters, 1, memory_order_relaxed) == 1)
		atomic_store(&pf_watched[place], NULL);
}

void
pf_wait_begin(struct pf_wait *wait, enum pf_wait_kind kind, const void *object, uint32_t holder,
    const void *caller)
{
	int saved_errno = errno;

	*wait = (struct pf_wait){
	    .object = object, .caller = caller, .kind = kind, .since = pf_host_now()};
	wait->waiting = claim();
	if (wait->waiting) {
		atomic_fetch_add_explicit(&wait->waiting->sequence, 1, memory_order_release);
		wait->waiting->kind = kind;
		wait->waiting->holder = holder;
		wait->waiting->object = (uintptr_t)object;
		wait->waiting->since = wait->since;
		wait->waiting->caller = (uintptr_t)caller;
	}
	if (kind == PF_WAIT_MUTEX || kind == PF_WAIT_RWLOCK)
		wait->watched = watch(object, wait->since);
	errno = saved_errno;
}

void
pf_wait_show(struct pf_wait *wait)
{
	if (wait->waiting)
		atomic_fetch_add_explicit(&wait->waiting->sequence, 1, memory_order_release);
}

/* Counts `delay` down; the period if a point in it is sampled, else 0. */
static uint64_t
due(struct pf_countdown *countdown, struct pf_gate *gate, uint64_t delay)
{
	uint64_t period = countdown->period;

	if (period == 0) {
		countdown->period = period = gate->period;
		countdown->left = pf_draw(pf_local_random(), period);
	}
	if (delay < countdown->left) {
		countdown->left -= delay;
		return 0;
	}
	countdown->period = gate->period;
	countdown->left = pf_draw(pf_local_random(), countdown->period);
	return period;
}

static void
note(enum pf_note what, uint32_t kind, int64_t delay, double scale, const void *caller)
{
	struct pf_signals signals;
	struct pf_slot *slot;

	pf_signals_block(&signals);
	slot = pf_note_begin(what);
	if (slot) {
		slot->entry = kind;
		slot->delay = delay;
		slot->scale = scale;
		pf_note_done(slot, caller);
	} else {
		atomic_fetch_add(&waits.stackless[what].count, (uint64_t)(scale + 0.5));
		atomic_fetch_add(
		    &waits.stackless[what].delay, (uint64_t)(scale * (double)delay + 0.5));
	}
	pf_signals_restore(&signals);
}

/* What happened so far can be had exactly at this price; whose it was, by samples only. */
static void
tally(enum pf_note what, enum pf_wait_kind kind, int64_t delay)
{
	struct tally *t = &waits.all[what][kind];

	atomic_fetch_add_explicit(&t->count, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&t->delay, (uint64_t)delay, memory_order_relaxed);
}

static void
finish(struct pf_wait *wait, int64_t now)
{
	if (wait->waiting)
		atomic_store_explicit(&wait->waiting->thread, 0, memory_order_release);
	if (wait->watched)
		unwatch(wait->object, now);
}

void
pf_wait_end(struct pf_wait *wait)
{
	int saved_errno = errno;
	int64_t now = pf_host_now(), delay = now - wait->since;
	uint64_t period = 0;

	finish(wait, now);
	if (delay >= SHORTEST_FOR_TURN &&
	    (wait->kind == PF_WAIT_SEMAPHORE || wait->kind == PF_WAIT_CONDITION))
		pf_turn_taken(wait->object, wait->since, now);
	if (delay >= SHORTEST_WAIT) {
		tally(PF_NOTE_WAIT, wait->kind, delay);
		period = due(&pf_local.waits, &waits.waits, (uint64_t)delay);
	}
	if (period) {
		pf_gate_count(&waits.waits, now);
		note(PF_NOTE_WAIT, wait->kind, delay, pf_scale((uint64_t)delay, period),
		    wait->caller);
	}
	errno = saved_errno;
}

void
pf_wait_cancelled(void *wait)
{
	finish(wait, pf_host_now());
}

int64_t
pf_lock_account(const void *lock)
{
	struct account *a = &waits.accounts[pf_lock_place(lock)];
	int saved_errno = errno;
	int64_t delay = 0;

	keep_account(a, pf_host_now());
	if (!atomic_exchange_explicit(&a->busy, 1, memory_order_acquire)) {
		delay = a->delay;
		a->delay = 0;
		atomic_store_explicit(&a->busy, 0, memory_order_release);
	}
	errno = saved_errno;
	return delay;
}

void
pf_lock_released(enum pf_wait_kind kind, int64_t delay, const void *caller)
{
	int saved_errno = errno;
	uint64_t period = 0;

	if (delay >= SHORTEST_WAIT) {
		tally(PF_NOTE_HOLD, kind, delay);
		period = due(&pf_local.holds, &waits.holds, (uint64_t)delay);
	}
	if (period) {
		pf_gate_count(&waits.holds, pf_host_now());
		note(PF_NOTE_HOLD, kind, delay, pf_scale((uint64_t)delay, period), caller);
	}
	errno = saved_errno;
}

/* Every thread's creation, unless there are too many. */
void
pf_thread_created(const void *caller)
{
	uint64_t period = waits.creations.period;

	if (period > 1 && pf_random(pf_local_random()) % period)
		return;
	pf_gate_count(&waits.creations, pf_host_now());
	note(PF_NOTE_CREATE, 0, 0, (double)period, caller);
}

int
pf_waits_start(void)
{
	int rc = pf_notes_open();

	if (!rc && !waits.waiting) {
		void *memory = mmap(NULL, PF_MOST_WAITING * sizeof *waits.waiting,
		    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		rc = memory == MAP_FAILED ? -ENOMEM : 0;
		waits.waiting = rc ? NULL : memory;
		if (!rc) /* a child has none of the parent's threads */
			madvise(memory, PF_MOST_WAITING * sizeof *waits.waiting, MADV_WIPEONFORK);
	}
	if (rc)
		return rc;
	pf_gate_init(&waits.waits, PF_WAIT_PERIOD, PF_WAIT_SAMPLES);
	pf_gate_init(&waits.holds, PF_WAIT_PERIOD, PF_WAIT_SAMPLES);
	pf_gate_init(&waits.creations, 1, PF_WAIT_SAMPLES);
	waits.began = pf_host_wall();
	atomic_store(&pf_waits_on, true);
	return 0;
}

void
pf_waits_stop(void)
{
	atomic_store(&pf_waits_on, false);
}

bool
pf_waits_running(void)
{
	return atomic_load(&pf_waits_on);
}

int64_t
pf_waits_began(void)
{
	return waits.began;
}

static struct pf_wait_sum *
find_sum(uint32_t note, uint32_t kind, uint32_t stack)
{
	uint32_t hash = pf_hash_pair((uint64_t)note << 8 | kind, stack), i;
	size_t at;

	for (i = pf_index_first(&waits.index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&waits.index, hash, &at))
		if (waits.sums[i].note == note && waits.sums[i].kind == kind &&
		    waits.sums[i].stack == stack)
			return &waits.sums[i];
	if (waits.count >= MOST_SUMS ||
	    PF_GROW(waits.sums, waits.capacity, waits.count + 1, NULL) ||
	    pf_index_add(&waits.index, hash, (uint32_t)waits.count, NULL))
		return NULL;
	waits.sums[waits.count] = (struct pf_wait_sum){.note = note, .kind = kind, .stack = stack};
	return &waits.sums[waits.count++];
}

void
pf_waits_noted(const struct pf_slot *slot, uint32_t stack)
{
	struct pf_wait_sum *sum = find_sum(slot->kind, slot->entry, stack);
	double delay = (double)slot->delay, variance = slot->scale * (slot->scale - 1);

	if (!sum)
		return;
	sum->samples++;
	sum->count += slot->scale;
	sum->delay += slot->scale * delay;
	sum->count_variance += variance;
	sum->delay_variance += variance * delay * delay;
}

static struct pf_wait_sum
sum_of(const struct tally *t, uint32_t note, uint32_t kind, bool exact)
{
	return (struct pf_wait_sum){.stack = PF_NONE,
	    .note = note,
	    .kind = kind,
	    .count = (double)t->count,
	    .delay = (double)t->delay,
	    .exact = exact};
}

struct pf_wait_sum *
pf_waits_copy(size_t *count)
{
	struct pf_wait_sum *copy =
	    malloc((waits.count + PF_NOTES * (1 + PF_WAIT_KINDS)) * sizeof *copy);

	if (!copy)
		return NULL;
	*count = 0;
	for (uint32_t i = 0; i < PF_NOTES; i++) {
		copy[(*count)++] = sum_of(&waits.stackless[i], i, PF_WAIT_KINDS, false);
		for (uint32_t kind = 0; kind < PF_WAIT_KINDS; kind++)
			copy[(*count)++] = sum_of(&waits.all[i][kind], i, kind, true);
	}
	if (waits.count)
		memcpy(copy + *count, waits.sums, waits.count * sizeof *copy);
	*count += waits.count;
	return copy;
}

bool
pf_waits_of(uint32_t thread, struct pf_waiting *copy)
{
	for (uint32_t i = 0; waits.waiting && i < PROBES; i++) {
		struct pf_waiting *w = &waits.waiting[(thread + i) % PF_MOST_WAITING];
		uint32_t before = atomic_load_explicit(&w->sequence, memory_order_acquire);
		if (atomic_load_explicit(&w->thread, memory_order_acquire) != thread)
			continue;
		memcpy(copy, w, sizeof *copy);
		atomic_thread_fence(memory_order_acquire);
		return before % 2 == 0 &&
		       atomic_load_explicit(&w->sequence, memory_order_relaxed) == before &&
		       atomic_load_explicit(&w->thread, memory_order_relaxed) == thread;
	}
	return false;
}

void
pf_waits_forked(void)
{
	for (size_t i = 0; i < PF_WATCHED_LOCKS; i++)
		if (pf_watched[i]) {
			atomic_store_explicit(&pf_watched[i], NULL, memory_order_relaxed);
			waits.accounts[i] = (struct account){0};
		}
}
