/*
 * settings.h: what there is to try on a program: allocators of this machine with
 * their settings, or Go's collector's, as environments.
 *
 * A setting is what its owner would set in production. The first of a list is
 * always today's: nothing changed. A library that is not installed gives no
 * settings, and neither does one that the program could not load.
 */
#ifndef PF_TUNER_SETTINGS_H
#define PF_TUNER_SETTINGS_H

#include <stdbool.h>

#include "runtime/allocator.h"

enum { PF_SETTING_VARIABLES = 3, PF_VARIABLE_ROOM = 384, PF_MOST_TRIED = 96 };

struct pf_setting {
	char name[160]; /* "jemalloc narenas:2": for tables */
	enum pf_allocator allocator;
	char variables[PF_SETTING_VARIABLES][PF_VARIABLE_ROOM]; /* "NAME=VALUE" */
	size_t variable_count;
	/*
	 * Settings of one series differ in one dial only (GOGC), along which what they
	 * do changes smoothly: neighbours tell about each other. dial 0: no such series.
	 */
	double dial;
	unsigned series;
};

/* What a command runs, as far as its file tells. */
struct pf_program {
	bool
	    found; /* an ELF file; false: a script or a line for a shell, of which nothing is known */
	bool go;   /* built by Go */
	unsigned go_version; /* 126 for go1.26; 0: older than 1.18, or unknown */
	bool libc;           /* linked to the shared C library: allocators can be preloaded */
	enum pf_allocator allocator; /* linked in as a library; glibc where none is */
};

/*
 * The allocator's library on this machine, where Debian and others put it; good
 * until the next call. NULL: not installed, or none of its own (Go's).
 */
const char *pf_allocator_library(enum pf_allocator allocator);

/* Looks at the file that a command's first word names (searched on PATH). */
void pf_program_inspect(struct pf_program *p, const char *command);

/*
 * Fills `settings` (room for PF_MOST_TRIED) and *count. `only` is NULL or the
 * allocators to try, "glibc,jemalloc,go"; memory_limit (bytes, infinite or NaN:
 * none) bounds GOMEMLIMIT. PF_EUSAGE for a name that is no allocator.
 */
int pf_settings_list(struct pf_setting *settings, size_t *count, const struct pf_program *p,
    const char *only, double memory_limit, struct pf_error *err);

#endif
