/*
 * stale.h: how much of a profile still fits a newer build of the program.
 *
 * Compilers take a count wherever the place exists, right or wrong, and drop it
 * silently elsewhere. Here each place of the profile is looked for in the newer
 * binary: a count is lost where its function is gone, its line lies behind the
 * function's end, or no code comes from it; and where the calls before and
 * after it are no longer at their lines, for then it would be put on other code.
 * With pseudo-probes (stale_probes.h) a function is lost as a whole when the
 * checksum of its control flow graph has changed.
 *
 * By lines it is an estimate: a place without code may still be in the source (the
 * newer build may have optimised it away), and where lines moved between no
 * calls, or calls that stayed, a place may have other code than it was sampled on.
 */
#ifndef PF_CONVERT_STALE_H
#define PF_CONVERT_STALE_H

#include "convert/functions.h"

struct pf_binary;

enum pf_stale_reason {
	PF_STALE_GONE,     /* no code comes from the function */
	PF_STALE_RENAMED,  /* nor from it, but from one that differs by its unique suffix */
	PF_STALE_BEHIND,   /* the line lies behind the function's last one */
	PF_STALE_NO_CODE,  /* no instruction comes from the place */
	PF_STALE_CALLS,    /* the calls around the place have moved */
	PF_STALE_CHECKSUM, /* probes: another control flow graph */
	PF_STALE_CALLER,   /* probes: inlined into a function that no longer fits */
	PF_STALE_REASONS
};

enum pf_stale_state {
	PF_STALE_SAME,     /* the same code from the same lines; probes: the same checksum */
	PF_STALE_MATCHING, /* other code, but every count has its place */
	PF_STALE_CHANGED,  /* some counts are lost */
	PF_STALE_LOST,     /* all are */
	PF_STALE_STATES
};

struct pf_stale_function {
	const char *name; /* of the profile's names */
	enum pf_stale_state state;
	int64_t moved;  /* its start line less the old one; 0 also if either is unknown */
	uint64_t count; /* of its places, wherever it was inlined */
	uint64_t lost[PF_STALE_REASONS];
};

struct pf_staleness {
	struct pf_stale_function *functions; /* owned; what is lost most first, then by name */
	size_t count;
	uint64_t total, lost[PF_STALE_REASONS]; /* sums over the functions, saturating */
	size_t states[PF_STALE_STATES];
	bool probes; /* compared by probes: nothing is known of call sites and lines then */
	size_t calls,
	    calls_moved; /* places with calls in the profile; those whose calls are not there */
};

/*
 * Compares sealed function profiles with a newer binary. `profiled` is the
 * binary that they were made from (NULL: none; no code can then be called the
 * same). PF_EINPUT where the newer binary has no line
 * information, or for a profile by probes no probes; PF_ENOMEM.
 * Release *s in any case.
 */
int pf_stale_compare(struct pf_staleness *s, const struct pf_functions *profile,
    struct pf_binary *profiled, struct pf_binary *newer, struct pf_error *err);
void pf_staleness_release(struct pf_staleness *s);

/* What is left, as a share of 1. */
double pf_stale_matched(const struct pf_staleness *s);
/* The words for a reason and for a state, as in JSON ("no-code", "changed"). */
const char *pf_stale_reason_name(enum pf_stale_reason reason);
const char *pf_stale_state_name(enum pf_stale_state state);

#endif
