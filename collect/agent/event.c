/* event.c: see event.h. Raw system calls, because libc hides thread ids of other threads. */
#include "collect/agent/event.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "collect/agent/capture.h"
#include "collect/agent/host.h"

enum {
	SECOND_NS = 1000000000,
	SECOND_CYCLES = 2000000000, /* about 2 GHz */
	MARGIN_NS = 200000,         /* a running thread is past `now` when its timer is set */
};

static const struct kind {
	const char *name;
	uint32_t perf_type;
	uint64_t perf_config;
	int64_t second; /* what a second of CPU time has of it, about */
	const char *type, *unit;
} kinds[] = {
    [PF_EVENT_CPU] = {"cpu", 0, 0, SECOND_NS, "cpu", "nanoseconds"},
    [PF_EVENT_TASK_CLOCK] = {"task-clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, SECOND_NS,
	"cpu", "nanoseconds"},
    [PF_EVENT_CYCLES] = {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, SECOND_CYCLES,
	"cycles", "count"},
    [PF_EVENT_INSTRUCTIONS] = {"instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS,
	SECOND_CYCLES, "instructions", "count"},
};

bool
pf_event_named(enum pf_event_kind *kind, const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(kinds[i].name, name)) {
			*kind = (enum pf_event_kind)i;
			return true;
		}
	return false;
}

static void
describe(struct pf_event *event, enum pf_event_kind kind, int rate)
{
	event->kind = kind;
	event->rate = rate ? rate : PF_EVENT_RATE;
	event->period = kinds[kind].second / event->rate;
	if (kinds[kind].second == SECOND_CYCLES)
		event->period |= 3; /* no round number, so that no loop is in step with it */
	event->type = kinds[kind].type;
	event->unit = kinds[kind].unit;
}

static int
open_perf(const struct pf_event *event, pid_t thread)
{
	struct perf_event_attr attr = {
	    .type = kinds[event->kind].perf_type,
	    .size = sizeof attr,
	    .config = kinds[event->kind].perf_config,
	    .sample_period = (uint64_t)event->period,
	    .disabled = 1,
	    .exclude_kernel = !event->kernel_too,
	    .exclude_hv = 1,
	    .wakeup_events = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Tries the counter on this thread; the errno that stands in the way, or 0. */
static int
try_perf(struct pf_event *event)
{
	int fd;

	/* Retired instructions and cycles of the program's own code are what PGO wants;
	 * a clock should also count what the kernel does for the thread, if we may look. */
	event->kernel_too = event->kind == PF_EVENT_TASK_CLOCK;
	fd = open_perf(event, 0);
	if ((fd == -EACCES || fd == -EPERM) && event->kernel_too) {
		event->kernel_too = false;
		fd = open_perf(event, 0);
	}
	if (fd < 0)
		return -fd;
	close(fd);
	return 0;
}

static const char *
why_not(int error)
{
	if (error == EACCES || error == EPERM)
		return "perf_event_open is not permitted (kernel.perf_event_paranoid, a "
		       "container's rules)";
	if (error == ENOENT || error == ENODEV || error == EOPNOTSUPP)
		return "this machine has no such counter";
	return strerror(error);
}

void
pf_event_choose(struct pf_event *event, struct pf_event_wish wish)
{
	int error;

	*event = (struct pf_event){.kernel_too = true};
	describe(event, wish.kind, wish.rate);
	event->steps = wish.kind == PF_EVENT_INSTRUCTIONS ? 0 : wish.steps;
	if (wish.kind == PF_EVENT_CPU) {
		snprintf(event->word, sizeof event->word,
		    "cpu: a timer on each thread's CPU clock, %d Hz of CPU time", event->rate);
		return;
	}
	error = try_perf(event);
	if (!error) {
		event->perf = true;
		snprintf(event->word, sizeof event->word, "%s: perf_event_open on each thread, %s",
		    kinds[wish.kind].name,
		    event->kernel_too ? "user and kernel" : "user code only");
		return;
	}
	*event = (struct pf_event){.kernel_too = true};
	describe(event, PF_EVENT_CPU, wish.rate);
	event->steps = wish.steps;
	snprintf(event->word, sizeof event->word, "cpu timer instead of %s: %s",
	    kinds[wish.kind].name, why_not(error));
}

/* Linux's name for the CPU clock of any thread of this process. */
static clockid_t
thread_clock(pid_t thread)
{
	return (
	    clockid_t)(~(unsigned)thread << 3 | 6); /* 4: one thread, 2: the scheduler's clock */
}

static struct timespec
after(int64_t ns)
{
	return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

/* 1..period, so that threads are not in step and short ones get their fair share. */
static int64_t
phase(int64_t period)
{
	static uint64_t state;

	if (!state)
		state = (uint64_t)getpid() * 0x9e3779b97f4a7c15ULL + (uint64_t)time(NULL);
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return 1 + (int64_t)((state >> 33) % (uint64_t)period);
}

/* The kernel's tick: what CPU timers are checked at. */
static int64_t
tick(void)
{
	struct timespec t;

	return clock_getres(CLOCK_MONOTONIC_COARSE, &t) ? 4000000 : t.tv_nsec;
}

/*
 * When the first signal is due, on the thread's own clock.
 *
 * Due times form a grid of one period with a random phase. A due time counts at
 * the first tick that meets the thread running, for a thread that works in short
 * bursts one tick of CPU time later on average; so the window would end with
 * that much of each thread uncounted. The grid begins a tick early for it: what
 * was due just before the window began counts in it, what is due just before
 * its end may not.
 *
 * The grid of a thread that was born while we sample begins at its birth; what
 * was due before we found it is owed, and counts with its first sample. A time
 * that is over is never set: the signal would come at once, into a sleep.
 */
static int64_t
first_time(struct pf_trigger *t, const struct pf_event *event, bool fresh)
{
	int64_t used = pf_host_cpu_of(t->thread), birth = fresh ? 0 : used;
	int64_t first = birth + phase(event->period) - tick();

	if (first > used)
		return first;
	t->owed = (uint32_t)((used - first) / event->period);
	return used + MARGIN_NS;
}

static int
arm_timer(struct pf_trigger *t, const struct pf_event *event, int signal, bool fresh)
{
	struct sigevent how = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = signal};
	struct itimerspec when = {.it_interval = after(event->period)};
	int id;

	how.sigev_value.sival_ptr = pf_capture_cookie(t->thread);
	how._sigev_un._tid = t->thread;
	if (syscall(SYS_timer_create, thread_clock(t->thread), &how, &id))
		return -errno;
	when.it_value = after(first_time(t, event, fresh));
	if (syscall(SYS_timer_settime, id, TIMER_ABSTIME, &when, NULL)) {
		int error = errno;
		syscall(SYS_timer_delete, id);
		return -error;
	}
	t->timer = id;
	return 0;
}

static int
arm_perf(struct pf_trigger *t, const struct pf_event *event, int signal)
{
	struct f_owner_ex owner = {.type = F_OWNER_TID, .pid = t->thread};
	int fd = open_perf(event, t->thread);
	int error;

	if (fd < 0)
		return fd;
	if (fcntl(fd, F_SETOWN_EX, &owner) || fcntl(fd, F_SETSIG, signal) ||
	    fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC) || ioctl(fd, PERF_EVENT_IOC_ENABLE, 0)) {
		error = errno;
		close(fd);
		return -error;
	}
	t->perf = fd;
	return 0;
}

int
pf_trigger_arm(
    struct pf_trigger *t, const struct pf_event *event, pid_t thread, int signal, bool fresh)
{
	*t = (struct pf_trigger){.thread = thread, .timer = -1, .perf = -1};
	return event->perf ? arm_perf(t, event, signal) : arm_timer(t, event, signal, fresh);
}

/* A host that closes every descriptor may have reused the number. */
static bool
is_perf(int fd)
{
	char path[64], target[64];
	ssize_t n;

	snprintf(path, sizeof path, "/proc/thread-self/fd/%d", fd);
	n = readlink(path, target, sizeof target - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return strstr(target, "perf_event") != NULL;
}

void
pf_trigger_disarm(struct pf_trigger *t)
{
	if (t->timer >= 0)
		syscall(SYS_timer_delete, t->timer);
	if (t->perf >= 0 && is_perf(t->perf))
		close(t->perf);
	t->timer = t->perf = -1;
}
