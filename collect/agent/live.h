/*
 * live.h: the sampled allocations that have not been freed yet.
 *
 * free() must know at once that a pointer is not among them: the filter has a
 * byte for each page (modulo its size, which stands for 4 GiB; if it were larger
 * the kernel could make huge pages of it) that counts the sampled allocations
 * that begin there, so nearly every free reads one byte that lies near the last
 * one it read, and nothing else. The bytes change before the pointer is handed
 * out and while its owner is freeing it, so whoever frees it sees them.
 *
 * Behind it is a hash table of entries, all memory mapped beforehand and used as
 * far as needed. Changes are made under the latch by threads of the host with
 * signals blocked; looking a pointer up needs no latch (a sequence number tells
 * when something changed meanwhile).
 */
#ifndef PF_AGENT_LIVE_H
#define PF_AGENT_LIVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/agent/latch.h"

enum { PF_FILTER_BITS = 20, PF_PAGE_BITS = 12, PF_MOST_LIVE = 1 << 18 };

extern _Atomic uint8_t pf_live_filter[1 << PF_FILTER_BITS] __attribute__((visibility("hidden")));

/* Where an allocation's place among the sums is not known yet, or never will be. */
#define PF_SUM_PENDING UINT32_MAX
#define PF_SUM_UNKNOWN 0

struct pf_live {
	uintptr_t address; /* 0: freed, or the entry is not in use */
	uint64_t size;
	double scale;       /* how many allocations it stands for */
	int64_t born, died; /* CLOCK_MONOTONIC; died 0: alive */
	uint32_t thread;    /* that allocated it */
	uint32_t sum;       /* its place among the sums of heap.h */
	uint32_t next;      /* in its chain or in the list of unused entries, PF_NONE at the end */
	bool crossed;       /* freed by another thread */
};

struct pf_live_table {
	struct pf_latch latch;
	_Atomic uint32_t sequence; /* odd while it changes */
	_Atomic uint32_t *heads;
	struct pf_live *items;
	uint32_t unused, used, count; /* first unused entry; entries ever used; entries in chains */
};

_Static_assert(
    PF_FILTER_BITS + PF_PAGE_BITS == 32, "a page's byte is found by its address modulo 4 GiB");

static inline _Atomic uint8_t *
pf_live_byte(const void *p)
{
	return &pf_live_filter[(uint32_t)(uintptr_t)p >> PF_PAGE_BITS];
}

/*
 * Whether a pointer may be sampled; false is certain. A plain read, because no compiler
 * makes an atomic one part of a comparison: it is one load of one byte either way.
 */
static inline bool
pf_live_maybe(const void *p)
{
	return *(const uint8_t *)pf_live_byte(p) != 0;
}

/* Makes pf_live_maybe true for this page forever. */
void pf_live_mark(const void *p);

/* Maps the table; 0 or -ENOMEM. */
int pf_live_open(struct pf_live_table *t);

/* Whether the pointer is in the table; true also if that can't be told without the latch. */
bool pf_live_has(struct pf_live_table *t, const void *p);

/* The following need the latch. */

/* A new entry in its chain, its address set; PF_NONE if the table is full. */
uint32_t pf_live_add(struct pf_live_table *t, const void *p);
/* The entry of a pointer, or PF_NONE. */
uint32_t pf_live_find(struct pf_live_table *t, const void *p);
/* Takes the entry out of its chain; it stays readable until pf_live_drop. */
void pf_live_remove(struct pf_live_table *t, uint32_t entry);
/* Puts it back under another address. */
void pf_live_restore(struct pf_live_table *t, uint32_t entry, const void *p);
/* Makes a removed entry unused. */
void pf_live_drop(struct pf_live_table *t, uint32_t entry);

#endif
