/*
 * tree.h: a process and all its descendants, as /proc shows them.
 *
 * The root is a keeper (keeper.h), which adopts whatever its descendants leave
 * behind, so nothing escapes by daemonising. Reads only; a process that ends
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
};

/* Lists the root's descendants, replacing what was listed. PF_ENOMEM; PF_EIO where /proc is missing. */
int pf_tree_list(struct pf_tree *tree, pid_t root, struct pf_error *err);
void pf_tree_release(struct pf_tree *tree);

/*
 * CPU seconds of the root's descendants, living (to the nanosecond) and
 * waited-for (to the clock tick); the root's own are left out. A child whose
 * parent ignores SIGCHLD is forgotten by the kernel when it ends.
 */
int pf_tree_cpu(struct pf_tree *tree, pid_t root, double *seconds, struct pf_error *err);

/* Sets the high-water marks of resident memory back to what is resident now; best effort. */
void pf_tree_reset_peak(const struct pf_tree *tree);

/*
 * The sum of the listed processes' peaks of resident memory in bytes. Memory
 * that several share counts for each. 0 where /proc doesn't tell.
 */
uint64_t pf_tree_peak(const struct pf_tree *tree);

/* Sends a signal to every listed process. */
void pf_tree_signal(const struct pf_tree *tree, int number);

#endif
