/* thread_state.c: see thread_state.h. Formats: proc(5). */
#include "collect/agent/thread_state.h"
#include "collect/agent/local.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "collect/agent/host.h"

static const char own[] = "/proc/self/task", all[] = "/proc";

static bool
read_of(const char *folder, pid_t thread, const char *what, char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof path, "%s/%d/%s", folder, (int)thread, what);
	return pf_host_read_file(path, text, size) > 0;
}

/* "TID (NAME) LETTER …", where the name may hold anything. */
static bool
read_stat(const char *folder, struct pf_thread_state *s)
{
	char text[1024], *open, *close;
	size_t size;

	if (!read_of(folder, s->thread, "stat", text, sizeof text))
		return false;
	open = strchr(text, '(');
	close = strrchr(text, ')');
	if (!open || !close || close < open || !close[1] || !close[2])
		return false;
	size = (size_t)(close - open - 1);
	if (size >= sizeof s->name)
		size = sizeof s->name - 1;
	memcpy(s->name, open + 1, size);
	s->name[size] = '\0';
	s->letter = close[2];
	return true;
}

/* "running", or the call, its six arguments, stack pointer and program counter; "-1 SP PC" outside of calls. */
static bool
read_call(struct pf_thread_state *s)
{
	char text[256], *at = text;

	if (!read_of(own, s->thread, "syscall", text, sizeof text))
		return false;
	s->call = PF_CALL_RUNNING;
	if (!strncmp(text, "running", 7))
		return true;
	s->call = strtol(at, &at, 10);
	for (int i = 0; s->call >= 0 && i < 6; i++)
		s->arguments[i] = strtoull(at, &at, 16);
	s->sp = strtoull(at, &at, 16);
	s->pc = strtoull(at, &at, 16);
	return s->sp != 0;
}

bool
pf_thread_state(pid_t thread, struct pf_thread_state *s)
{
	char text[128], *at = text;

	*s = (struct pf_thread_state){.thread = thread};
	if (!read_stat(own, s) || !read_call(s))
		return false;
	if (read_of(own, thread, "schedstat", text, sizeof text)) {
		strtoull(at, &at, 10); /* ns on a processor, ns waiting for one */
		strtoull(at, &at, 10);
		s->slices = strtoull(at, &at, 10);
	}
	return true;
}

static bool
has_ended(const struct pf_thread_state *s)
{
	return strchr("ZX", s->letter) != NULL;
}

bool
pf_thread_lives(pid_t thread)
{
	struct pf_thread_state s = {.thread = thread};

	return read_stat(own, &s) && !has_ended(&s);
}

bool
pf_process_ended(pid_t process)
{
	struct pf_thread_state s = {.thread = process};

	return read_stat(all, &s) && has_ended(&s);
}

bool
pf_thread_blocks(pid_t thread, int signal)
{
	char status[4096];
	const char *line;

	if (pf_local.own_signals && thread == gettid())
		return sigismember(pf_local.own_signals, signal) == 1;
	if (!read_of(own, thread, "status", status, sizeof status))
		return true;
	line = strstr(status, "\nSigBlk:");
	return line && (strtoull(line + 8, NULL, 16) >> (signal - 1) & 1);
}

static const struct call {
	long number;
	const char *name;
	bool fd;
} calls[] = {
    {SYS_futex, "futex", false},
    {SYS_epoll_wait, "epoll_wait", true},
    {SYS_epoll_pwait, "epoll_pwait", true},
    {SYS_poll, "poll", false},
    {SYS_ppoll, "ppoll", false},
    {SYS_select, "select", false},
    {SYS_pselect6, "select", false},
    {SYS_read, "read", true},
    {SYS_write, "write", true},
    {SYS_readv, "readv", true},
    {SYS_writev, "writev", true},
    {SYS_pread64, "pread", true},
    {SYS_pwrite64, "pwrite", true},
    {SYS_recvfrom, "recv", true},
    {SYS_recvmsg, "recvmsg", true},
    {SYS_recvmmsg, "recvmmsg", true},
    {SYS_sendto, "send", true},
    {SYS_sendmsg, "sendmsg", true},
    {SYS_accept, "accept", true},
    {SYS_accept4, "accept", true},
    {SYS_connect, "connect", true},
    {SYS_nanosleep, "nanosleep", false},
    {SYS_clock_nanosleep, "nanosleep", false},
    {SYS_pause, "pause", false},
    {SYS_wait4, "wait", false},
    {SYS_waitid, "wait", false},
    {SYS_rt_sigtimedwait, "sigwait", false},
    {SYS_rt_sigsuspend, "sigsuspend", false},
    {SYS_flock, "flock", true},
    {SYS_fcntl, "fcntl", true},
    {SYS_fsync, "fsync", true},
    {SYS_fdatasync, "fdatasync", true},
    {SYS_openat, "open", false},
    {SYS_sendfile, "sendfile", true},
    {SYS_splice, "splice", true},
    {SYS_io_getevents, "io_getevents", false},
    {SYS_io_uring_enter, "io_uring_enter", true},
    {SYS_semop, "semop", false},
    {SYS_semtimedop, "semop", false},
    {SYS_msgrcv, "msgrcv", false},
    {SYS_mmap, "mmap", false},
    {SYS_munmap, "munmap", false},
    {SYS_madvise, "madvise", false},
    {SYS_restart_syscall, "a call begun before", false},
};

static const struct call *
find(long number)
{
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (calls[i].number == number)
			return &calls[i];
	return NULL;
}

const char *
pf_thread_call(long call)
{
	const struct call *known = find(call);

	return known ? known->name : NULL;
}

bool
pf_thread_call_has_fd(long call)
{
	const struct call *known = find(call);

	return known && known->fd;
}
