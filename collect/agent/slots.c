/* slots.c: see slots.h. */
#include "collect/agent/slots.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "collect/agent/host.h"
#include "collect/agent/own_stack.h"

#ifndef __x86_64__
#error "the agent knows x86-64 only: registers, unwind tables and stack layout are the machine's"
#endif

enum { FREE = 0, WRITING, READY, GATHERED };
enum { PAGE = 4096 };

int
pf_slots_open(struct pf_slots *s, size_t count)
{
	*s = (struct pf_slots){.count = count};
	s->mapped = count * (sizeof *s->items + sizeof *s->states);
	s->items = mmap(NULL, s->mapped, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s->items == MAP_FAILED) {
		*s = (struct pf_slots){0};
		return -ENOMEM;
	}
	s->states = (void *)(s->items + count);
	/* A child made without our fork handler must find nothing to unwind, and nothing to share. */
	madvise(s->items, s->mapped, MADV_WIPEONFORK);
	return 0;
}

void
pf_slots_close(struct pf_slots *s)
{
	if (s->items)
		munmap(s->items, s->mapped);
	*s = (struct pf_slots){0};
}

struct pf_slot *
pf_slots_claim(struct pf_slots *s)
{
	for (size_t i = 0; i < s->count; i++) {
		uint32_t expected = FREE;
		if (atomic_load_explicit(&s->states[i], memory_order_relaxed) == FREE &&
		    atomic_compare_exchange_strong_explicit(&s->states[i], &expected, WRITING,
			memory_order_acquire, memory_order_relaxed))
			return &s->items[i];
	}
	return NULL;
}

/*
 * How much to copy: a glibc thread's control block lies at the top of its own
 * stack, the main thread's begins below the program's arguments; what is past
 * either is no stack. One from elsewhere (a coroutine's) ends where reading it
 * ends.
 */
static size_t
wanted(uint64_t from, uint64_t top)
{
	uint64_t end = pf_own_stack_main_end();

	if (top > from && top - from < PF_STACK_BYTES)
		return (size_t)(top - from);
	if (end > from && end - from < PF_STACK_BYTES)
		return (size_t)(end - from);
	return PF_STACK_BYTES;
}

/*
 * Not memcpy, of which a sanitizer in the host thinks what it likes: between
 * frames there is room that nobody owns.
 */
static void
copy_bytes(void *to, uint64_t from, size_t size)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

/* Stack memory, if it is not all below `safe` by way of the kernel; how much of it could be read. */
static size_t
fetch(void *to, uint64_t from, size_t size, uint64_t safe)
{
	if (from > safe || size > safe - from)
		return pf_host_read(to, (uintptr_t)from, size);
	copy_bytes(to, from, size);
	return size;
}

/* The frame-pointer chain from the leaf, of which only what lies beyond the copy is kept. */
static void
follow(struct pf_slot *slot, uint64_t safe)
{
	uint64_t sp = slot->registers[PF_REG_SP], end = slot->stack_address + slot->stack_size;
	uint64_t at = slot->registers[PF_REG_FP], pair[2];

	/* A frame pointer may be any number: -8, beyond which there is nothing. */
	while (slot->links < PF_CHAIN_LINKS && at >= sp && at % 8 == 0 && at < UINT64_MAX - 64) {
		if (at + sizeof pair <= end)
			memcpy(pair, slot->stack + (at - slot->stack_address), sizeof pair);
		else if (fetch(pair, at, sizeof pair, safe) == sizeof pair)
			slot->chain[slot->links++] = (struct pf_chain_link){at, pair[0], pair[1]};
		else
			break;
		if (pair[0] <= at)
			break; /* stacks grow down: a chain that doesn't rise is none */
		at = pair[0];
	}
	if (slot->links) {
		slot->tail_address = slot->chain[slot->links - 1].address + sizeof pair;
		slot->tail_size =
		    (uint32_t)fetch(slot->tail, slot->tail_address, sizeof slot->tail, safe);
	}
}

/*
 * From the red zone up; from the stack pointer, if the page below it is not there.
 * From the stack pointer up to `safe` all can be read.
 */
static void
copy(struct pf_slot *slot, uint64_t top, uint64_t safe)
{
	uint64_t sp = slot->registers[PF_REG_SP], from = sp - PF_RED_ZONE;
	size_t size =
	    fetch(slot->stack, from, wanted(from, top), from / PAGE == sp / PAGE ? safe : 0);

	if (size <= PF_RED_ZONE) {
		from = sp;
		size = fetch(slot->stack, from, wanted(from, top), safe);
	}
	slot->stack_address = from;
	slot->stack_size = (uint32_t)size;
	slot->links = slot->tail_size = 0;
	if (size == PF_STACK_BYTES && (slot->known >> PF_REG_FP & 1))
		follow(slot, safe);
}

void
pf_slot_copy(struct pf_slot *slot)
{
	copy(slot, (uint64_t)(uintptr_t)__builtin_thread_pointer(),
	    pf_own_stack_end(slot->registers[PF_REG_SP]));
}

void
pf_slot_copy_other(struct pf_slot *slot)
{
	copy(slot, 0, 0);
}

uint32_t
pf_slots_ready(struct pf_slots *s, struct pf_slot *slot)
{
	atomic_store_explicit(&s->states[slot - s->items], READY, memory_order_release);
	return atomic_fetch_add_explicit(&s->waiting, 1, memory_order_relaxed) + 1;
}

void
pf_slots_gather(struct pf_slots *s)
{
	atomic_store_explicit(&s->waiting, 0, memory_order_relaxed);
	for (size_t i = 0; i < s->count; i++)
		if (atomic_load_explicit(&s->states[i], memory_order_acquire) == READY)
			atomic_store_explicit(&s->states[i], GATHERED, memory_order_relaxed);
}

struct pf_slot *
pf_slots_next(struct pf_slots *s, size_t *at)
{
	while (*at < s->count) {
		size_t i = (*at)++;
		if (atomic_load_explicit(&s->states[i], memory_order_relaxed) == GATHERED)
			return &s->items[i];
	}
	return NULL;
}

void
pf_slots_done(struct pf_slots *s, struct pf_slot *slot)
{
	atomic_store_explicit(&s->states[slot - s->items], FREE, memory_order_release);
}
