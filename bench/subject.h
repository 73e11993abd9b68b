/*
 * subject.h: one run of one side, from bench's end of it.
 *
 *	pf_subject_start → (pf_subject_next)… → pf_subject_stop
 *
 * After pf_subject_stop no process of the subject exists, whatever happened.
 */
#ifndef PF_BENCH_SUBJECT_H
#define PF_BENCH_SUBJECT_H

#include "bench/keeper.h"

struct pf_error;

struct pf_subject_spec {
	const char *name; /* "before" or "after", for messages */
	const char *command;
	const char *const *environment; /* K=V on top of our own environment */
	size_t environment_count;
	const char *output; /* where standard output and error are kept, or NULL */
	double grace;
	const cpu_set_t *cpus;
	bool service; /* see keeper.h */
};

struct pf_subject {
	const char *name, *command;
	pid_t keeper;       /* 0: not running */
	pid_t pid;          /* the subject's first process */
	int notes;          /* readable when pf_subject_next has something; -1: closed */
	int errors;         /* what it wrote to standard error */
	uint64_t rss_floor; /* see keeper.h */
	bool ended, gone;
	bool asked;                       /* for counters, and not yet answered */
	bool counted;                     /* there is some counter of the processor */
	double counts[PF_COUNTERS];       /* as last asked for */
	struct pf_keeper_note end, total; /* valid once ended, gone */
};

/* Starts it, or PF_EIO/PF_ENOMEM with nothing left running. */
int pf_subject_start(
    struct pf_subject *s, const struct pf_subject_spec *spec, struct pf_error *err);

/* Takes the next note, waiting for it; sets ended, gone. PF_EIO if the keeper vanished. */
int pf_subject_next(struct pf_subject *s, struct pf_error *err);

/*
 * Waits until the subject has ended (all of it, when `wholly`), at most
 * `seconds` (0: for ever). PF_EINCONCLUSIVE when stop_fd (or -1) becomes readable or
 * time is over (*timed_out).
 */
int pf_subject_wait(struct pf_subject *s, bool wholly, double seconds, int stop_fd, bool *timed_out,
    struct pf_error *err);

/* Asks for the processor's counters: into s->counts, NaN where there are none. */
int pf_subject_count(struct pf_subject *s, struct pf_error *err);

/* Stops whatever still runs and frees what the run holds. May be called twice. */
void pf_subject_stop(struct pf_subject *s);

/*
 * PF_EIO with a sentence: what ended, how, and the last lines that it wrote to
 * standard error. `where` says when: "in pair 3".
 */
int pf_subject_failure(const struct pf_subject *s, const char *where, struct pf_error *err);

/* Its first process ended with status 0, by no signal. */
bool pf_subject_succeeded(const struct pf_subject *s);

#endif
