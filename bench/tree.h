/*
 * tree.h: a process and all its descendants, as /proc shows them.
 *
 * The root is a keeper (keeper.h), which adopts whatever its descendants leave
 * behind, so nothing escapes by daemonising; or a service that runs already, which
 * then counts itself (with_root). Reads only; a process that ends
 * while it is being looked at counts as gone (its CPU time has then moved to
 * the parent that waited for it).
 */
#ifndef PF_BENCH_TREE_H
#define PF_BENCH_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct pf_error;

struct pf_tree {
	pid_t *pids; /* owned; descendants of the root, parents first, the root left out */
	size_t count, capacity;
	bool with_root; /* the root is listed too, first */
};

/* What a tree has used since it started; what the kernel doesn't tell is 0. */
struct pf_tree_usage {
	double
	    cpu; /* seconds; of the living to the nanosecond, of those waited for to the clock tick */
	double faults, major_faults;
	double switches,
	    preemptions; /* context switches, voluntary and not; of living threads only */
};

/* Lists the root's descendants, replacing what was listed. PF_ENOMEM; PF_EIO where /proc is missing. */
int pf_tree_list(struct pf_tree *tree, pid_t root, struct pf_error *err);
void pf_tree_release(struct pf_tree *tree);

/*
 * Lists the tree anew and adds up what it used; a keeper's own use is left out.
 * A child whose parent ignores SIGCHLD is forgotten by the kernel when it ends.
 */
int pf_tree_usage(
    struct pf_tree *tree, pid_t root, struct pf_tree_usage *usage, struct pf_error *err);

/* Resident bytes of the listed processes; what several share counts for each. */
uint64_t pf_tree_resident(const struct pf_tree *tree);
/* The same with shared memory divided among those who share it; 0 where /proc doesn't tell. Slow. */
uint64_t pf_tree_proportional(const struct pf_tree *tree);

/* Sets the high-water marks of resident memory back to what is resident now; best effort. */
void pf_tree_reset_peak(const struct pf_tree *tree);

/*
 * The sum of the listed processes' peaks of resident memory in bytes. Memory
 * that several share counts for each. 0 where /proc doesn't tell.
 */
uint64_t pf_tree_peak(const struct pf_tree *tree);

/* Open sockets of the listed processes, each counted once for each process. */
size_t pf_tree_sockets(const struct pf_tree *tree);

/* Sends a signal to every listed process. */
void pf_tree_signal(const struct pf_tree *tree, int number);

#endif
