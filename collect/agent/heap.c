/* heap.c: see heap.h. */
#include "collect/agent/heap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "collect/agent/draw.h"
#include "collect/agent/host.h"
#include "collect/agent/live.h"
#include "collect/agent/notes.h"
#include "core/index.h"

#define OFF_STRIDE (UINT64_C(16) << 20) /* bytes between two looks whether sampling has begun */
#define MILLISECOND INT64_C(1000000)

static struct {
	_Atomic bool on;
	struct pf_gate gate;
	struct pf_live_table live;
	struct pf_sum *sums; /* mapped; [PF_SUM_UNKNOWN]: no stack could be taken */
	uint32_t sum_count;
	struct pf_index index; /* of the sums, by stack and class */
	uint64_t untracked;    /* samples that found no room among the live ones */
	int64_t began;
} heap;

/* Four classes for each doubling: 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, … are their lower ends. */
static uint32_t
size_class(uint64_t size)
{
	uint32_t log;

	if (size < 4)
		return (uint32_t)size;
	log = 63 - (uint32_t)__builtin_clzll(size);
	return log * 4 + (uint32_t)(size >> (log - 2) & 3);
}

static uint32_t
lifetime(int64_t ns)
{
	uint32_t i = 0;

	for (int64_t end = MILLISECOND; i < PF_LIFETIMES - 1 && ns > end; end *= 10)
		i++;
	return i;
}

static void
redraw(void)
{
	pf_local.period = atomic_load_explicit(&heap.gate.period, memory_order_relaxed);
	pf_local.left = pf_draw(pf_local_random(), pf_local.period) - 1;
}

uint64_t
pf_heap_due(size_t size)
{
	uint64_t period = pf_local.period;

	pf_local.left += size;
	if (!atomic_load_explicit(&heap.on, memory_order_acquire)) {
		pf_local.left = OFF_STRIDE;
		pf_local.period = 0;
		return 0;
	}
	if (pf_local.exempt || size > PTRDIFF_MAX) /* nobody will give it so much */
		return 0;
	if (period == 0) {
		redraw();
		if (size <= pf_local.left) {
			pf_local.left -= size;
			return 0;
		}
		period = pf_local.period;
	}
	redraw();
	return period;
}

static double
variance_of(const struct pf_live *live)
{
	return live->scale * (live->scale - 1) * (double)live->size * (double)live->size;
}

/* Adds what is known of a live allocation to its sum. */
static void
add_allocated(const struct pf_live *live)
{
	struct pf_sum *sum = &heap.sums[live->sum];

	sum->samples++;
	sum->objects += live->scale;
	sum->bytes += live->scale * (double)live->size;
	sum->variance += variance_of(live);
}

static void
add_freed(const struct pf_live *live)
{
	struct pf_sum *sum = &heap.sums[live->sum];
	struct pf_freed *freed = &sum->freed[lifetime(live->died - live->born)][live->crossed];

	sum->freed_variance += variance_of(live);
	freed->objects += live->scale;
	freed->bytes += live->scale * (double)live->size;
}

/* An allocation is over whose entry is out of its chain. */
static void
bury(uint32_t entry)
{
	struct pf_live *live = &heap.live.items[entry];

	live->died = pf_host_now();
	live->crossed = live->thread != pf_local_thread();
	if (live->sum == PF_SUM_PENDING)
		return; /* until its note has been read */
	add_freed(live);
	pf_live_drop(&heap.live, entry);
}

/* Takes the latch, unless this thread has it because it is forking. Signals must be blocked. */
static bool
lock(void)
{
	return pf_local.latched || pf_latch_take(&heap.live.latch);
}

static void
unlock(void)
{
	if (!pf_local.latched)
		pf_latch_give(&heap.live.latch);
}

/* Signals blocked and the latch held, or neither. */
static bool
begin(struct pf_signals *signals)
{
	pf_signals_block(signals);
	if (lock())
		return true;
	pf_signals_restore(signals);
	return false;
}

static void
end(const struct pf_signals *signals)
{
	unlock();
	pf_signals_restore(signals);
}

/* A new entry for a sampled allocation, PF_NONE if there is no room. */
static uint32_t
enter(void *p, size_t size, uint64_t period, int64_t now, bool noted)
{
	uint32_t entry = pf_live_find(&heap.live, p);
	struct pf_live *live;

	if (entry != PF_NONE) { /* freed in a way that we don't see */
		pf_live_remove(&heap.live, entry);
		bury(entry);
	}
	entry = pf_live_add(&heap.live, p);
	if (entry == PF_NONE) {
		heap.untracked++;
		return PF_NONE;
	}
	live = &heap.live.items[entry];
	live->size = size;
	live->scale = pf_scale(size, period);
	live->born = now;
	live->thread = pf_local_thread();
	live->sum = noted ? PF_SUM_PENDING : PF_SUM_UNKNOWN;
	if (!noted)
		add_allocated(live);
	return entry;
}

void
pf_heap_take(void *p, size_t size, uint64_t period, const void *caller)
{
	int64_t now = pf_host_now();
	struct pf_signals signals;
	struct pf_slot *slot;
	uint32_t entry = PF_NONE;

	pf_signals_block(&signals);
	pf_gate_count(&heap.gate, now);
	slot = pf_note_begin(PF_NOTE_ALLOCATION);
	if (lock()) {
		entry = enter(p, size, period, now, slot != NULL);
		unlock();
	}
	if (slot) {
		slot->entry = entry;
		pf_note_done(slot, caller);
	}
	pf_signals_restore(&signals);
}

uint32_t
pf_heap_detach(void *p)
{
	struct pf_signals signals;
	uint32_t entry;

	if (!heap.sums || !pf_live_has(&heap.live, p) || !begin(&signals))
		return PF_NONE;
	entry = pf_live_find(&heap.live, p);
	if (entry != PF_NONE)
		pf_live_remove(&heap.live, entry);
	end(&signals);
	return entry;
}

void
pf_heap_settle(uint32_t entry, void *p)
{
	struct pf_signals signals;

	if (entry == PF_NONE || !begin(&signals))
		return;
	if (p)
		pf_live_restore(&heap.live, entry, p);
	else
		bury(entry);
	end(&signals);
}

void
pf_heap_freed(void *p)
{
	struct pf_signals signals;
	uint32_t entry;

	if (!heap.sums || !pf_live_has(&heap.live, p) || !begin(&signals))
		return;
	entry = pf_live_find(&heap.live, p);
	if (entry != PF_NONE) {
		pf_live_remove(&heap.live, entry);
		bury(entry);
	}
	end(&signals);
}

int
pf_heap_start(uint64_t period)
{
	int rc;

	if (!heap.sums) {
		void *sums = mmap(NULL, PF_MOST_SUMS * sizeof *heap.sums, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (sums == MAP_FAILED)
			return -ENOMEM;
		rc = pf_live_open(&heap.live);
		if (!rc)
			rc = pf_notes_open();
		if (rc) {
			munmap(sums, PF_MOST_SUMS * sizeof *heap.sums);
			return rc;
		}
		heap.sums = sums;
		heap.sums[PF_SUM_UNKNOWN].stack = PF_NONE;
		heap.sum_count = 1;
	}
	heap.began = pf_host_wall();
	pf_gate_init(&heap.gate, period, PF_HEAP_SAMPLES);
	atomic_store_explicit(&heap.on, true, memory_order_release);
	pf_local.left = 0; /* this thread begins at once, others when they have counted down */
	return 0;
}

void
pf_heap_stop(void)
{
	atomic_store(&heap.on, false);
}

bool
pf_heap_running(void)
{
	return atomic_load(&heap.on);
}

/* The sum of a stack and a class, made if it is new; without room that of the unknown ones. */
static uint32_t
find_sum(uint32_t stack, uint32_t class)
{
	uint32_t hash = pf_hash_pair(stack, class), i;
	size_t at;

	for (i = pf_index_first(&heap.index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&heap.index, hash, &at))
		if (heap.sums[i].stack == stack && heap.sums[i].size_class == class)
			return i;
	if (stack == PF_NONE || heap.sum_count == PF_MOST_SUMS ||
	    pf_index_add(&heap.index, hash, heap.sum_count, NULL))
		return PF_SUM_UNKNOWN;
	heap.sums[heap.sum_count].stack = stack;
	heap.sums[heap.sum_count].size_class = class;
	return heap.sum_count++;
}

/* An allocation whose place among the sums is known now. */
static void
place(uint32_t entry, uint32_t sum)
{
	struct pf_live *live = &heap.live.items[entry];

	live->sum = sum;
	add_allocated(live);
	if (live->died) {
		add_freed(live);
		pf_live_drop(&heap.live, entry);
	}
}

void
pf_heap_noted(const struct pf_slot *slot, uint32_t stack)
{
	struct pf_signals signals;
	uint32_t sum;

	if (slot->entry == PF_NONE)
		return;
	sum = find_sum(stack, size_class(heap.live.items[slot->entry].size));
	if (begin(&signals)) {
		place(slot->entry, sum);
		end(&signals);
	}
}

void
pf_heap_facts(struct pf_heap_facts *facts)
{
	*facts = (struct pf_heap_facts){
	    .period = heap.gate.base,
	    .highest_period = atomic_load(&heap.gate.highest),
	    .live = heap.live.count,
	    .untracked = heap.untracked,
	    .stackless = heap.sums ? heap.sums[PF_SUM_UNKNOWN].samples : 0,
	    .began = heap.began,
	};
}

struct pf_sum *
pf_heap_copy(size_t *count)
{
	struct pf_sum *copy = malloc(heap.sum_count * sizeof *copy + 1);
	struct pf_signals signals;

	if (!copy || !begin(&signals)) {
		free(copy);
		return NULL;
	}
	memcpy(copy, heap.sums, heap.sum_count * sizeof *copy);
	*count = heap.sum_count;
	end(&signals);
	return copy;
}

void
pf_heap_before_fork(void)
{
	pf_local.exempt++;
	pf_local.latched = heap.sums && pf_latch_take(&heap.live.latch);
}

/* What the parent's notes would have told the child is lost to it. */
static void
forget_notes(void)
{
	for (uint32_t i = 0; i < heap.live.used; i++)
		if (heap.live.items[i].sum == PF_SUM_PENDING)
			place(i, PF_SUM_UNKNOWN);
}

void
pf_heap_after_fork(bool child, bool tidy)
{
	bool latched = pf_local.latched;

	pf_local.latched = false;
	pf_local.exempt--;
	if (child) {
		pf_local.thread = 0;
		heap.live.latch.word = 0;
		if (latched && tidy)
			forget_notes();
		else
			heap.on = false;
	} else if (latched) {
		pf_latch_give(&heap.live.latch);
	}
}
