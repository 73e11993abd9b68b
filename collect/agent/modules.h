/*
 * modules.h: which file each executable address belongs to, now and earlier.
 *
 * The list of mappings only grows while a profile is taken: a mapping that
 * disappears (dlclose) is retired, not removed, and keeps its number, also if it
 * comes back. It is read anew when the loader's counters of loaded and unloaded
 * objects have moved, when an address is unknown, and at the end.
 *
 * A sample lies between two looks at the list, so its address belongs to what
 * was there at either of them; if that is more than one mapping, the code
 * changed under the sample and nobody can say which it was: no mapping. What
 * came and went between two looks is known by the loader's counter of objects
 * it has loaded: those are the last ones of its list, and if some are missing
 * there, or were there before, then all that is not among the others of its list
 * is in doubt for the samples of that time.
 *
 * Unwind tables: the main program's and the vdso's are read where they are,
 * since they can't go away; all others are copied when first needed.
 */
#ifndef PF_AGENT_MODULES_H
#define PF_AGENT_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/agent/cfi.h"

#define PF_NO_MAPPING UINT32_MAX
#define PF_BUILD_ID_MAX 64 /* bytes; the linker's default has 20 */

struct pf_mapping {
	uint64_t start, limit, offset;
	char *file;    /* owned; as /proc/self/maps has it, "//anon" for generated code */
	uint64_t base; /* the address of the ELF header in memory; 0: none found */
	char build_id[2 * PF_BUILD_ID_MAX + 1]; /* hexadecimal, or "" */
	bool main, vdso;
	bool seen;
	unsigned retired; /* 0: present; else the look at which it was gone */
	unsigned born;    /* the look at which it was first there */
	size_t
	    place; /* its number in the loader's list at the last look, from 1 on; 0: not in it */
	unsigned doubt; /* the last look since whose predecessor another may have been there */
	uint64_t unwind_header;            /* .eh_frame_hdr's address, or 0 */
	uint64_t unwind_start, unwind_end; /* what a copy must hold */
	uint8_t *copy;                     /* owned, or NULL */
	bool tried;                        /* cfi was set up, or can't be */
	struct pf_cfi cfi;
};

struct pf_modules {
	struct pf_mapping *items; /* owned */
	size_t count, capacity;
	uint32_t *present; /* owned; numbers of present mappings, by address */
	size_t present_count, present_capacity;
	unsigned look;    /* how often the list was read */
	unsigned drained; /* the last look that is older than all samples now looked up */
	unsigned long long adds, subs; /* the loader's counters at the last look */
	size_t copied;                 /* bytes of unwind tables */
	int64_t next_forced;
	uint64_t ambiguous; /* addresses that had two meanings */
};

/* Reads the mappings; 0 or a negative errno. */
int pf_modules_init(struct pf_modules *m);
void pf_modules_release(struct pf_modules *m);

/* Reads them again if the loader has loaded or unloaded something, and says so; call when samples are gathered. */
bool pf_modules_follow(struct pf_modules *m);
/* Reads them again in any case. */
void pf_modules_look(struct pf_modules *m);
/* Says that all samples gathered until now are looked up, the last of them after that look. */
void pf_modules_drained(struct pf_modules *m, unsigned look);

/* The number of the mapping that holds `pc`, or PF_NO_MAPPING; `now` limits fresh looks. */
uint32_t pf_modules_find(struct pf_modules *m, uint64_t pc, int64_t now);

/* The unwind tables of a mapping, or NULL. */
const struct pf_cfi *pf_modules_cfi(struct pf_modules *m, uint32_t mapping);

#endif
