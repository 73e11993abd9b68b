/* wait_graph.h: who of a goroutine dump waits for which lock, and how a deadlock among them is told. */
#ifndef PF_TUNER_WAIT_GRAPH_H
#define PF_TUNER_WAIT_GRAPH_H

#include "tuner/detect.h"

enum { PF_MOST_LOCKS = 256, PF_MOST_DISMISSED = 256 };

/* Where a goroutine stands. */
struct pf_standing {
	uint64_t lock; /* the address that it waits for; 0: for no lock, or not printed */
	const struct pf_goroutine_frame
	    *own; /* the leaf-most frame of the service's own, or NULL */
	const char *
	    kind; /* the lock's function that it called: "sync.(*RWMutex).RLock"; NULL: for no lock */
};

struct pf_waiter {
	const struct pf_goroutine *g;
	const struct pf_goroutine_frame *own; /* never NULL */
	size_t lock;                          /* position in locks */
	bool earlier, later; /* others wait at an earlier line of its function; at a later one */
	uint64_t
	    passed[PF_MOST_LOCKS / 64]; /* the locks of those earlier, a bit each; not its own */
};

struct pf_wait_graph {
	const struct pf_goroutines *dump;
	struct pf_standing *standing; /* owned: one for each of the dump */
	struct pf_waiter *waiters;    /* owned */
	size_t count;
	uint64_t locks[PF_MOST_LOCKS];
	size_t lock_count;
};

/*
 * What all of the dump was looked at for in vain: it holds for all goroutines that stand in the same
 * places, of which there may be thousands of pairs.
 */
struct pf_question {
	uint64_t of[6];
};

struct pf_dismissed {
	struct pf_question items[PF_MOST_DISMISSED];
	size_t count;
};

const char *pf_wait_name(const struct pf_goroutines *d, uint32_t id);

/* PF_ENOMEM. Release it after a failure too. */
int pf_wait_graph_build(
    struct pf_wait_graph *w, const struct pf_goroutines *dump, struct pf_error *err);
void pf_wait_graph_release(struct pf_wait_graph *w);

bool pf_is_dismissed(const struct pf_dismissed *d, const struct pf_question *q);
/* False where too many were: the search ends without a finding. */
bool pf_dismiss(struct pf_dismissed *d, const struct pf_question *q);

/* Begins a finding; then each of its parties: where it stands, and its stack. */
void pf_begin_deadlock(struct pf_findings *f, const struct pf_wait_graph *w,
    enum pf_confidence confidence, uint32_t title, uint32_t action);
void pf_say_waits(struct pf_findings *f, const struct pf_wait_graph *w, const struct pf_waiter *x,
    const char *holds);
void pf_show_waiter(
    struct pf_findings *f, const struct pf_wait_graph *w, const struct pf_waiter *x, double value);
uint32_t pf_say_order_locks(struct pf_findings *f);

/* Two at the same line of a function that was passed both locks, each waiting for one of them. */
bool pf_find_swapped(struct pf_findings *f, const struct pf_wait_graph *w);
/* Three and more at the same line of a function, each of which was passed the lock that the next waits for. */
bool pf_find_circle(struct pf_findings *f, const struct pf_wait_graph *w);
/* One that waits at a channel, and probably holds the lock that all others wait for. */
bool pf_find_at_channel(
    struct pf_findings *f, const struct pf_wait_graph *w, const struct pf_evidence *e);

/* Two locks that are waited for since minutes, without anything that tells who holds them. */
void pf_find_stuck(struct pf_findings *f, const struct pf_wait_graph *w);

#endif
