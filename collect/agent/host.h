/*
 * host.h: moving about in somebody else's process without breaking anything.
 *
 * Memory is read through the kernel, which answers "no" where a plain load
 * would end the host. Descriptors are numbered high and remembered with their
 * inode, because a host that daemonizes closes every number it finds and may
 * then use the number itself: we never touch one that is no longer ours.
 */
#ifndef PF_AGENT_HOST_H
#define PF_AGENT_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Chooses how memory is read; call once in each process, before pf_host_read. */
void pf_host_init(void);
/*
 * Names the process by this thread, which must outlive all reading: the main
 * thread's id no longer does once that thread has ended. Also after a fork.
 */
void pf_host_by_thread(void);

/*
 * Whether the calling thread has come under a filter of system calls since the start. What that forbids isn't known, and
 * may end the process: nothing is opened then that nobody has asked for.
 */
bool pf_host_confined(void);
/* Whether the kernel reads memory for us: else what is probed may be gone when it is read. */
bool pf_host_reads_surely(void);

/*
 * Copies up to `size` bytes from an address that may be anything. Returns how
 * many could be copied from the start (0: none). Async-signal-safe.
 */
size_t pf_host_read(void *to, uintptr_t from, size_t size);

/* All of it or false. */
bool pf_host_read_all(void *to, uintptr_t from, size_t size);

/* Reads a small file such as those of /proc; the bytes read, or -1. Adds a NUL. */
ssize_t pf_host_read_file(const char *path, char *to, size_t size);

/* What the agent's thread is called. */
#define PF_AGENT_THREAD "profuse-agent"

/*
 * One line on standard error, "profuse-agent[PID]: …"; nothing if that is closed, or if the program was started by one
 * with the agent in it, or by a child of such a one: what such programs print is often read by who started them.
 */
void pf_host_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Nanoseconds of CLOCK_MONOTONIC, CLOCK_REALTIME, this process' CPU, this thread's CPU. */
int64_t pf_host_now(void);
int64_t pf_host_wall(void);
int64_t pf_host_process_cpu(void);
int64_t pf_host_thread_cpu(void);
/* The CPU time of any thread of this process, or 0. */
int64_t pf_host_cpu_of(pid_t thread);

/* The file name of the program, without its folder; "program" if unknown. */
const char *pf_host_program(void);

/* Whether a debugger or the like is attached, by an open /proc/self/status; false where nobody can say. */
bool pf_host_traced(int status);

#define PF_HOST_MOMENT INT64_C(200000) /* nanoseconds */

/* Sleeps, for at most so many moments, until no more than `most` are counted; whether it is so. */
bool pf_host_wait(_Atomic int *count, int most, int moments);

struct pf_own_fd {
	int fd; /* -1: none */
	dev_t device;
	ino_t inode;
};

#define PF_OWN_FD_NONE ((struct pf_own_fd){.fd = -1})

/* Takes a descriptor over: moves it to a high number and remembers what it is. */
struct pf_own_fd pf_own_fd_take(int fd);
/* Whether the number still means what it meant. */
bool pf_own_fd_valid(const struct pf_own_fd *own);
/* Closes it if it is still ours; forgets it in any case. */
void pf_own_fd_close(struct pf_own_fd *own);

#endif
