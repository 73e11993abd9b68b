/* live.c: see live.h. */
#include "collect/agent/live.h"

#include <errno.h>
#include <sys/mman.h>

#include "core/index.h"

enum { HEADS = 1 << 14, MOST_STEPS = 256, FULL = UINT8_MAX };

_Atomic uint8_t pf_live_filter[1 << PF_FILTER_BITS];

/* A byte that has reached its maximum stays there: it then says "maybe" for ever. */
static void
filter_up(const void *p)
{
	_Atomic uint8_t *byte = pf_live_byte(p);
	uint8_t now = atomic_load_explicit(byte, memory_order_relaxed);

	while (now != FULL && !atomic_compare_exchange_weak_explicit(byte, &now, (uint8_t)(now + 1),
				  memory_order_relaxed, memory_order_relaxed))
		continue;
}

static void
filter_down(const void *p)
{
	_Atomic uint8_t *byte = pf_live_byte(p);
	uint8_t now = atomic_load_explicit(byte, memory_order_relaxed);

	while (now != FULL && !atomic_compare_exchange_weak_explicit(byte, &now, (uint8_t)(now - 1),
				  memory_order_relaxed, memory_order_relaxed))
		continue;
}

void
pf_live_mark(const void *p)
{
	atomic_store(pf_live_byte(p), FULL);
}

int
pf_live_open(struct pf_live_table *t)
{
	size_t heads = HEADS * sizeof *t->heads, items = PF_MOST_LIVE * sizeof *t->items;
	uint8_t *memory = mmap(NULL, heads + items, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	*t = (struct pf_live_table){.unused = PF_NONE};
	if (memory == MAP_FAILED)
		return -ENOMEM;
	t->heads = (void *)memory; /* 0: empty, else entry + 1 */
	t->items = (void *)(memory + heads);
	return 0;
}

static _Atomic uint32_t *
head_of(const struct pf_live_table *t, const void *p)
{
	return &t->heads[((uintptr_t)p >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 50];
}

bool
pf_live_has(struct pf_live_table *t, const void *p)
{
	uint32_t before = atomic_load_explicit(&t->sequence, memory_order_acquire);
	uint32_t at = atomic_load_explicit(head_of(t, p), memory_order_acquire), steps = 0;

	while (at && steps++ < MOST_STEPS) {
		const struct pf_live *live = &t->items[at - 1];
		if (__atomic_load_n(&live->address, __ATOMIC_RELAXED) == (uintptr_t)p)
			return true;
		at = __atomic_load_n(&live->next, __ATOMIC_RELAXED) + 1;
	}
	atomic_thread_fence(memory_order_acquire);
	return at || before % 2 ||
	       atomic_load_explicit(&t->sequence, memory_order_relaxed) != before;
}

static void
begin_change(struct pf_live_table *t)
{
	atomic_fetch_add_explicit(&t->sequence, 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
}

static void
end_change(struct pf_live_table *t)
{
	atomic_fetch_add_explicit(&t->sequence, 1, memory_order_release);
}

void
pf_live_restore(struct pf_live_table *t, uint32_t entry, const void *p)
{
	_Atomic uint32_t *head = head_of(t, p);
	struct pf_live *live = &t->items[entry];

	filter_up(p);
	begin_change(t);
	__atomic_store_n(&live->next, *head - 1, __ATOMIC_RELAXED);
	__atomic_store_n(&live->address, (uintptr_t)p, __ATOMIC_RELAXED);
	atomic_store_explicit(head, entry + 1, memory_order_release);
	end_change(t);
	t->count++;
}

uint32_t
pf_live_add(struct pf_live_table *t, const void *p)
{
	uint32_t entry = t->unused;

	if (entry != PF_NONE)
		t->unused = t->items[entry].next;
	else if (t->used < PF_MOST_LIVE)
		entry = t->used++;
	else
		return PF_NONE;
	/* Whoever looks a pointer up may be reading the links of this entry. */
	t->items[entry].born = t->items[entry].died = 0;
	t->items[entry].crossed = false;
	pf_live_restore(t, entry, p);
	return entry;
}

uint32_t
pf_live_find(struct pf_live_table *t, const void *p)
{
	uint32_t at = *head_of(t, p);

	while (at && t->items[at - 1].address != (uintptr_t)p)
		at = t->items[at - 1].next + 1;
	return at - 1;
}

void
pf_live_remove(struct pf_live_table *t, uint32_t entry)
{
	struct pf_live *live = &t->items[entry];
	const void *p = (const void *)live->address;
	_Atomic uint32_t *head = head_of(t, p);
	uint32_t at = *head;

	begin_change(t);
	if (at == entry + 1) {
		atomic_store_explicit(head, live->next + 1, memory_order_relaxed);
	} else {
		while (t->items[at - 1].next != entry)
			at = t->items[at - 1].next + 1;
		__atomic_store_n(&t->items[at - 1].next, live->next, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&live->address, 0, __ATOMIC_RELAXED);
	end_change(t);
	filter_down(p);
	t->count--;
}

void
pf_live_drop(struct pf_live_table *t, uint32_t entry)
{
	t->items[entry].sum = PF_SUM_UNKNOWN; /* nothing is pending */
	__atomic_store_n(&t->items[entry].next, t->unused, __ATOMIC_RELAXED);
	t->unused = entry;
}
