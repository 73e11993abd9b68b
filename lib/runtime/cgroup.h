/*
 * cgroup.h: the limits that a container puts on a process, and what they cost it.
 *
 * Both hierarchies are read: v2's files first, then v1's. A limit is the lowest
 * along the path from the process's group to the root, as far as it can be
 * seen. Unlimited is infinity, unknown NaN. Sizes are bytes, times seconds.
 */
#ifndef PF_RUNTIME_CGROUP_H
#define PF_RUNTIME_CGROUP_H

#include <sys/types.h>

struct pf_error;

struct pf_cgroup {
	int version; /* 2, 1, or 0: no group could be read */
	double memory_limit, memory_high, memory_current, memory_peak;
	double cpu_limit; /* CPUs' worth of time: quota over period */
	double usage_seconds, periods, throttled_periods, throttled_seconds; /* of cpu.stat */
	double oom_kills;
};

/*
 * Reads the group of a process. `root` stands before /proc and /sys ("": this
 * machine), so that a copied tree can be read too. A machine without groups is
 * no error: version is 0 then. PF_EIO where there is no such process; PF_ENOMEM.
 */
int pf_cgroup_read(struct pf_cgroup *g, const char *root, pid_t pid, struct pf_error *err);

#endif
