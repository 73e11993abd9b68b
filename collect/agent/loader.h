/*
 * loader.h: what the dynamic loader says about what it has loaded.
 *
 * It counts the objects it has ever loaded and unloaded, and its list has them
 * in the order of loading: so the last of the list are those that came since
 * the counter was so much lower.
 *
 * The loader has locks that a child of fork finds as they were: one that the
 * agent's thread had would never be free there. So it goes into the loader only
 * with a latch, which a fork takes first.
 */
#ifndef PF_AGENT_LOADER_H
#define PF_AGENT_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pf_loader {
	unsigned long long adds, subs;
	uint64_t main_text; /* an address inside the main program's code, or 0 */
};

/* Around any other call into the loader by the agent's thread, and around a fork; false: not now. Signals must be blocked. */
bool pf_loader_enter(void);
void pf_loader_leave(void);
/* In a forked child. */
void pf_loader_forked(void);

void pf_loader_read(struct pf_loader *loader);

/*
 * Reads the same while it calls `see` with the number of each object in the list and an address inside its code, or 0:
 * nothing is loaded or unloaded meanwhile, and `see` must not allocate. False: not now.
 */
bool pf_loader_walk(
    struct pf_loader *loader, void (*see)(size_t number, uint64_t text, void *data), void *data);

/* Whether anything was loaded or unloaded since the counters said so. */
bool pf_loader_moved(unsigned long long adds, unsigned long long subs);

#endif
