/*
 * keeper.h: the process between bench and what it measures.
 *
 * For each block bench forks a keeper, and the keeper starts the subject. It
 * adopts what the subject's descendants orphan (PR_SET_CHILD_SUBREAPER), waits
 * for all of them, so that the kernel adds up their CPU time in one place, and
 * stops them all when told to, or when bench itself dies: no child survives a
 * block. Keeper and subject are in sessions and process groups of their own, so
 * a terminal's Ctrl-C reaches bench only.
 *
 * The keeper is told to stop by SIGTERM, asked for the processor's counters by
 * SIGUSR1, and speaks through a pipe: one
 * struct pf_keeper_note a message, each written whole.
 */
#ifndef PF_BENCH_KEEPER_H
#define PF_BENCH_KEEPER_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/counters.h"

enum pf_note_kind {
	PF_NOTE_STARTED =
	    1,          /* pid is the subject's; peak_rss is what it inherits by fork: see below */
	PF_NOTE_FAILED, /* it could not be started; status is errno */
	PF_NOTE_ENDED,  /* the subject's first process ended with `status` after `wall` seconds */
	PF_NOTE_GONE,   /* all its descendants too: everything is final */
	PF_NOTE_COUNTS, /* what SIGUSR1 asked for: counters */
};

struct pf_keeper_note {
	enum pf_note_kind kind;
	pid_t pid;
	int status; /* as wait4 gives it */
	double wall;
	double cpu;         /* user + system seconds of all that were waited for */
	uint64_t peak_rss;  /* the largest single process' peak, bytes */
	uint32_t leftovers; /* processes that outlived the subject and had to be stopped */
	double faults, major_faults, switches, preemptions; /* of all that were waited for */
	double counters[PF_COUNTERS];                       /* NaN: there is none */
};

struct pf_keeper_orders {
	const char *command; /* see pf_keeper_run */
	char *const *environment;
	int output, errors; /* the subject's standard output and error */
	bool trim_errors;   /* keep only the end of `errors`, a file in memory */
	int notes;          /* where notes go */
	double
	    grace; /* seconds from SIGTERM to SIGKILL, and that leftovers get to end by themselves */
	const cpu_set_t *cpus; /* NULL: not pinned */
	bool service;          /* its first process may end well and leave the service to others */
	pid_t parent;          /* bench: when it is gone, so is the subject */
};

/*
 * Where peak_rss has its floor: the kernel counts into a process' peak what it
 * had resident between fork and exec, which is the keeper's own memory, a few
 * megabytes.
 */

/*
 * The keeper's life, in the forked child; never returns. A command of plain
 * words is started directly; one with any shell syntax, or whose first word is
 * no program, through /bin/sh -c.
 */
_Noreturn void pf_keeper_run(const struct pf_keeper_orders *orders);

#endif
