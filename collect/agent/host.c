/* host.c: see host.h. */
#include "collect/agent/host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, FD_FLOOR = 600, MOST_ANCESTORS = 32, MOST_THREADS = 64 };

static pid_t self; /* for process_vm_readv: any living thread of ours */
static char program[256];
static bool by_page_probe; /* a sandbox may kill for process_vm_readv: don't ask it */
static bool
    filtered_first; /* by a filter that was there before the agent, which allowed it to start */

static bool
sandboxed(void)
{
	char status[4096];
	const char *line;

	if (pf_host_read_file("/proc/thread-self/status", status, sizeof status) < 0)
		return false;
	line = strstr(status, "\nSeccomp:");
	return line && strtol(line + 9, NULL, 10) != 0;
}

/* Kept from the start, because hosts overwrite their arguments to change their title. */
static void
find_program(void)
{
	char path[256];
	ssize_t n;

	if (*program)
		return;
	snprintf(program, sizeof program, "%s", program_invocation_short_name);
	if (*program && !strchr(program, '/') && !strchr(program, ' '))
		return;
	n = readlink("/proc/thread-self/exe", path, sizeof path - 1);
	path[n > 0 ? n : 0] = '\0';
	snprintf(program, sizeof program, "%s", strrchr(path, '/') ? strrchr(path, '/') + 1 : "");
}

void
pf_host_init(void)
{
	int word = 42, copy = 0;

	find_program();
	self = getpid();
	by_page_probe = filtered_first = sandboxed();
	if (!by_page_probe && (pf_host_read(&copy, (uintptr_t)&word, sizeof copy) != sizeof copy))
		by_page_probe = true;
}

void
pf_host_by_thread(void)
{
	self = (pid_t)syscall(SYS_gettid);
}

/*
 * Whether the 8 bytes at `address` can be read: rt_sigprocmask copies its new
 * mask in before it looks at the (invalid) request, so it fails with EFAULT or
 * EINVAL and never changes anything. Every sandbox allows this call.
 */
static bool
readable(uintptr_t address)
{
	return syscall(SYS_rt_sigprocmask, ~0, address & ~(uintptr_t)7, NULL, 8) == -1 &&
	       errno == EINVAL;
}

static size_t
read_probed(void *to, uintptr_t from, size_t size)
{
	size_t done = 0;

	while (done < size && readable(from + done)) {
		size_t chunk = PAGE - ((from + done) & (PAGE - 1));
		if (chunk > size - done)
			chunk = size - done;
		memcpy((char *)to + done, (const void *)(from + done), chunk);
		done += chunk;
	}
	return done;
}

/* Whether this thread has come under a filter since: a sandbox is often entered late. */
static bool
filtered(void)
{
	return syscall(SYS_prctl, PR_GET_SECCOMP, 0UL, 0UL, 0UL, 0UL) > 0;
}

bool
pf_host_confined(void)
{
	return !filtered_first && filtered();
}

bool
pf_host_reads_surely(void)
{
	return !by_page_probe && !filtered();
}

size_t
pf_host_read(void *to, uintptr_t from, size_t size)
{
	struct iovec local = {to, size}, remote = {(void *)from, size};
	ssize_t n;

	if (size == 0 || from + size < from)
		return 0;
	if (!pf_host_reads_surely())
		return read_probed(to, from, size);
	n = syscall(SYS_process_vm_readv, self, &local, 1UL, &remote, 1UL, 0UL);
	return n > 0 ? (size_t)n : 0;
}

bool
pf_host_read_all(void *to, uintptr_t from, size_t size)
{
	return pf_host_read(to, from, size) == size;
}

ssize_t
pf_host_read_file(const char *path, char *to, size_t size)
{
	size_t done = 0;
	ssize_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	while (done < size - 1 && (n = read(fd, to + done, size - 1 - done)) > 0)
		done += (size_t)n;
	close(fd);
	to[done] = '\0';
	return n < 0 ? -1 : (ssize_t)done;
}

/* Whether a process has a thread of the agent's, which is among its first. */
static bool
has_agent(pid_t process)
{
	char path[64], name[32];
	struct dirent *entry;
	bool found = false;
	int left = MOST_THREADS;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%d/task", (int)process);
	dir = opendir(path);
	while (dir && !found && left-- && (entry = readdir(dir))) {
		snprintf(
		    path, sizeof path, "/proc/%d/task/%.20s/comm", (int)process, entry->d_name);
		found = entry->d_name[0] != '.' && pf_host_read_file(path, name, sizeof name) > 0 &&
			strcmp(name, PF_AGENT_THREAD "\n") == 0;
	}
	if (dir)
		closedir(dir);
	return found;
}

/* 0: none, or nobody says. */
static pid_t
parent_of(pid_t process)
{
	char path[64], stat[512];
	const char *at;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
	if (pf_host_read_file(path, stat, sizeof stat) <= 0)
		return 0;
	at = strrchr(stat, ')'); /* the name before it may be anything; " S PPID" follows */
	return at && strlen(at) > 4 ? (pid_t)strtol(at + 4, NULL, 10) : 0;
}

static bool
is_below_an_agent(void)
{
	pid_t process = getppid();

	for (int i = 0; i < MOST_ANCESTORS && process > 0; i++) {
		if (has_agent(process))
			return true;
		process = parent_of(process);
	}
	return false;
}

void
pf_host_say(const char *format, ...)
{
	char line[512];
	va_list args;
	int n, m;

	if (is_below_an_agent())
		return;
	n = snprintf(line, sizeof line, "profuse-agent[%d]: ", (int)getpid());
	va_start(args, format);
	m = vsnprintf(line + n, sizeof line - (size_t)n, format, args);
	va_end(args);
	n += m < 0 ? 0 : m;
	if ((size_t)n > sizeof line - 1)
		n = sizeof line - 1;
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return; /* nobody listens */
}

static int64_t
clock_now(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t))
		return 0;
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t
pf_host_now(void)
{
	return clock_now(CLOCK_MONOTONIC);
}

int64_t
pf_host_wall(void)
{
	return clock_now(CLOCK_REALTIME);
}

int64_t
pf_host_process_cpu(void)
{
	return clock_now(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t
pf_host_thread_cpu(void)
{
	return clock_now(CLOCK_THREAD_CPUTIME_ID);
}

int64_t
pf_host_cpu_of(pid_t thread)
{
	/* Linux's name for that clock; 4: of one thread, 2: as the scheduler counts */
	return thread > 0 ? clock_now((clockid_t)(~(unsigned)thread << 3 | 6)) : 0;
}

const char *
pf_host_program(void)
{
	return *program ? program : "program";
}

bool
pf_host_traced(int status)
{
	char text[2048];
	ssize_t n = pread(status, text, sizeof text - 1, 0);
	const char *line;

	if (n <= 0)
		return false;
	text[n] = '\0';
	line = strstr(text, "\nTracerPid:");
	return line && strtol(line + sizeof "\nTracerPid:" - 1, NULL, 10) != 0;
}

bool
pf_host_wait(_Atomic int *count, int most, int moments)
{
	static const struct timespec moment = {.tv_nsec = PF_HOST_MOMENT};

	for (; atomic_load(count) > most && moments > 0; moments--)
		nanosleep(&moment, NULL);
	return atomic_load(count) <= most;
}

struct pf_own_fd
pf_own_fd_take(int fd)
{
	struct pf_own_fd own = {.fd = fd};
	struct rlimit limit;
	struct stat st;
	int floor = FD_FLOOR, high;

	if (fd < 0)
		return PF_OWN_FD_NONE;
	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < FD_FLOOR * 3 / 2)
		floor = (int)limit.rlim_cur / 2;
	high = fcntl(fd, F_DUPFD_CLOEXEC, floor);
	if (high >= 0) {
		close(fd);
		own.fd = high;
	}
	if (fstat(own.fd, &st)) {
		close(own.fd);
		return PF_OWN_FD_NONE;
	}
	own.device = st.st_dev;
	own.inode = st.st_ino;
	return own;
}

bool
pf_own_fd_valid(const struct pf_own_fd *own)
{
	struct stat st;

	return own->fd >= 0 && !fstat(own->fd, &st) && st.st_dev == own->device &&
	       st.st_ino == own->inode;
}

void
pf_own_fd_close(struct pf_own_fd *own)
{
	if (pf_own_fd_valid(own))
		close(own->fd);
	*own = PF_OWN_FD_NONE;
}
