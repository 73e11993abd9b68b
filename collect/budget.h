/*
 * budget.h: what profiling may cost, enforced.
 *
 * Costs are seconds of one target's CPU: a CPU profile costs its window times
 * the overhead while it runs, any other profile a fixed amount. An account
 * earns a ceiling (a share of time) for every target in it, and pays for what is
 * taken; it holds at most `most`, so that what was not used for hours can't be
 * spent at once. A profile must be paid from three accounts: the target's, its
 * service's and the fleet's.
 */
#ifndef PF_COLLECT_BUDGET_H
#define PF_COLLECT_BUDGET_H

#include <stdbool.h>

struct pf_account {
	double rate;  /* earned a second */
	double most;  /* held at most */
	double level; /* held now */
	double at;    /* when that was; monotonic seconds */
	double spent; /* in all */
};

/* Sets what an account earns and holds from now on; a new one (zeroed) begins half full. */
void pf_account_set(struct pf_account *a, double now, double rate, double most);

/*
 * Takes `cost` from all of them, or from none: false. `reserve` is the share of
 * the last one's (the fleet's) holdings that must be left over.
 */
bool pf_account_take(
    struct pf_account *const *accounts, int count, double now, double cost, double reserve);

#endif
