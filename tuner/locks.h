/*
 * locks.h: what is known of a contended lock, between who finds it out (detect_locks.c) and who tells it.
 */
#ifndef PF_TUNER_LOCKS_H
#define PF_TUNER_LOCKS_H

#include "tuner/holders.h"
#include "tuner/sites.h"
#include "tuner/sampling.h"

#define PF_FEW_WAIT 0.5 /* threads on average */

/* Who waited at locks, from the block profile, which counts the waits that have ended. */
struct pf_waited {
	const struct pf_evidence_profile
	    *ep;             /* NULL: there is none of the same time, or little of it in it */
	bool go_on;          /* for most have not ended */
	double count, delay; /* of all, seconds */
	struct pf_wait_errors errors;
	bool exact; /* count and delay are counted: the error of a delay is that of shares of it */
	double first_count, first_delay; /* of the function that waited longest */
	uint32_t first;                  /* its name */
	size_t sample;                   /* its heaviest */
	/* Where most have not ended: who has waited longest to write, of what threads do. */
	const char *writer; /* NULL: nobody is known */
	double written;     /* seconds of that wait */
	/* Who has waited far longer in a look than waits that have ended, and waits still. */
	const char *standing; /* NULL: nobody */
	double stood;         /* seconds */
};

struct pf_lock {
	const struct pf_evidence_profile *ep;
	const char *owner;
	double delay, count, share,
	    window; /* seconds; contentions; of all waiting at locks; seconds or NaN */
	struct pf_wait_errors errors; /* of count and delay, as far as sampled ones are told */
	bool exact;                   /* as above, but `delay` is by `waited` where there is one */
	bool doubtful;                /* so few were met that it may be no contention */
	bool go;
	enum {
		PF_CALLER_NOT_TOLD, /* whether the stacks show who let go */
		PF_CALLER_KNOWN,
		PF_CALLER_UNKNOWN, /* the owner, or who was called by it */
	} caller_label;
	const char
	    *caller; /* whom the unlocking stack shows instead of the owner; NULL: the owner */
	const char *unlocker; /* what lets go for the owner, and does nothing else; NULL: itself */
	struct pf_waited waited;
	struct pf_holders_place place; /* where holders stand, if it is unknown who let go */
	struct pf_holders_call call;   /* what those do who are inside of the owner */
};

/* A finding of the lock, with the heaviest stacks. PF_ENOMEM. */
int pf_locks_report(struct pf_findings *f, const struct pf_lock *l, const struct pf_sites *sites,
    struct pf_error *err);
/* Whether a thread waits for a lock that the C library has inside. */
bool pf_waits_inside(const struct pf_stack *s, const struct pf_evidence_profile *ep);

/* Who stands at locks, of what threads or goroutines do. */
struct pf_lock_looks {
	const char *what;   /* "threads" */
	size_t of, looks;   /* how many looks; those in which many stood in the function of most */
	double least, most; /* in these */
	double left_out;    /* who is told of as in a deadlock */
	bool go;
};

/* The same of threads or goroutines that stand at locks in a look, as these sites have it. */
int pf_locks_report_standing(struct pf_findings *f, const struct pf_evidence_profile *ep,
    const struct pf_sites *sites, const struct pf_lock_looks *l, struct pf_error *err);

/*
 * Says that goroutines stand at one lock in each look, of which nothing tells how long each has: it may be a
 * deadlock, or chance. PF_ENOMEM.
 */
int pf_write_standing(const struct pf_evidence *e, struct pf_buffer *out, struct pf_error *err);
/* Says that threads wait at locks or queues of which only the program knows what they are. PF_ENOMEM. */
int pf_write_own_locks(const struct pf_evidence *e, struct pf_buffer *out, struct pf_error *err);
/* The same of conditions at which threads take turns, or wait for tasks. PF_ENOMEM. */
int pf_write_turns(const struct pf_evidence *e, struct pf_buffer *out, struct pf_error *err);

#endif
