/*
 * symbols.h: names for addresses, for /debug/pprof/symbol.
 *
 * Read from the symbol table of the file on disk, and only if that is still
 * the file that is running (same build id); the file is read in pieces, never
 * mapped, so that replacing it under us is harmless.
 */
#ifndef PF_AGENT_SYMBOLS_H
#define PF_AGENT_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

struct pf_query {
	uint64_t address;
	uint64_t in_file; /* the same in the file's addresses; for symbols.c */
	char name[256];   /* the answer; "" if there is none */
};

/* Answers `count` queries, in any order; they come back sorted by address. */
void pf_symbols_find(struct pf_query *queries, size_t count);

#endif
