/*
 * proc.h: what the kernel says about one process: /proc/PID/status, stat and
 * smaps_rollup, and what it was started with.
 *
 * Each file has a parser over bytes, for copies that came from elsewhere, and
 * pf_proc_read() over a living process. Sizes are bytes, times seconds. What a
 * file does not say is NaN (older kernels, containers that hide it), so that
 * nothing unknown passes for zero.
 */
#ifndef PF_RUNTIME_PROC_H
#define PF_RUNTIME_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/buffer.h"

struct pf_proc {
	pid_t pid;
	char name[64]; /* as in status and stat: at most 15 characters; "" if unknown */
	/* status */
	double virtual_size, peak_virtual, rss, peak_rss, rss_anonymous, rss_file, rss_shared, swap;
	double threads, voluntary_switches, involuntary_switches;
	/* smaps_rollup, or the sum over smaps */
	double pss, private_dirty, anonymous_huge, lazy_free;
	double stacks; /* smaps: resident in what looks like stacks of threads */
	/* stat */
	double user_seconds, system_seconds, minor_faults, major_faults,
	    start_seconds; /* since boot */
};

/* Everything unknown. */
void pf_proc_init(struct pf_proc *p);

/* Each fills what its file says and leaves the rest as it is. PF_EINPUT names `name` and the line. */
int pf_proc_parse_status(
    struct pf_proc *p, const char *name, const void *bytes, size_t size, struct pf_error *err);
/* clock_ticks: of a second, sysconf(_SC_CLK_TCK). */
int pf_proc_parse_stat(struct pf_proc *p, const char *name, const void *bytes, size_t size,
    long clock_ticks, struct pf_error *err);
/* smaps_rollup, or smaps, whose mappings are added up. */
int pf_proc_parse_smaps(
    struct pf_proc *p, const char *name, const void *bytes, size_t size, struct pf_error *err);

/*
 * Adds up stacks of threads in smaps: mappings to write to, of no file, that begin where a small one ends which nobody may
 * touch. (What glibc's arenas have for later is as protected, and large.) Of a text that is cut off they are too few.
 */
void pf_proc_find_stacks(struct pf_proc *p, const void *bytes, size_t size);

/* Whether bytes look like the file of that name. */
bool pf_proc_is_status(const void *bytes, size_t size);
bool pf_proc_is_smaps(const void *bytes, size_t size);

/*
 * Fills p from a living process; files that may not be read are left unknown.
 * PF_EIO where there is no such process.
 */
int pf_proc_read(struct pf_proc *p, pid_t pid, struct pf_error *err);

/* Fills p's stacks as well, which costs the process more: the kernel goes through all its mappings, under their lock. */
void pf_proc_read_stacks(struct pf_proc *p, pid_t pid);

/* Appends /proc/PID/FILE, as much as out->maximum allows. PF_EIO. */
int pf_proc_file(pid_t pid, const char *file, struct pf_buffer *out, struct pf_error *err);

/*
 * How many of its child processes run the same program as a process does, as the workers of a master do; *first is
 * one of them. 0 also where the kernel doesn't say.
 */
size_t pf_proc_workers(pid_t pid, pid_t *first);

/* The value of a variable in a NUL-separated environment (/proc/PID/environ), or NULL. */
const char *pf_proc_environment(const struct pf_buffer *block, const char *name);

#endif
