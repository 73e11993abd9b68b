/*
 * pressure.h: pressure stall information: how long tasks waited for CPU, memory
 * or disks (/proc/pressure/RESOURCE, and cgroup v2's RESOURCE.pressure).
 */
#ifndef PF_RUNTIME_PRESSURE_H
#define PF_RUNTIME_PRESSURE_H

#include <stdbool.h>
#include <stddef.h>

struct pf_error;

struct pf_stall {
	double avg10, avg60, avg300; /* shares of the last 10, 60, 300 s, 0 to 1; NaN: unknown */
	double seconds;              /* since boot, or the group's creation */
};

struct pf_pressure {
	struct pf_stall some, full; /* at least one task waited; all did */
};

/* PF_EINPUT with the line for what is no such file. Unknown lines are read over. */
int pf_pressure_parse(
    struct pf_pressure *p, const char *name, const void *bytes, size_t size, struct pf_error *err);
/* PF_EIO where the kernel has none. */
int pf_pressure_read(struct pf_pressure *p, const char *path, struct pf_error *err);

#endif
