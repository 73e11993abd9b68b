/*
 * agent.c: the agent's life: start, one thread, fork, exit.
 *
 * One mutex guards everything; the agent's thread holds it except while it
 * waits in poll, and never for long. So whoever holds it (a fork, an exit, the
 * API) sees a consistent agent and may finish its work in its own thread. All
 * waits for it are bounded: a host must not hang because of its guest.
 */
#include <profuse/agent.h>

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "collect/agent/config.h"
#include "collect/agent/endpoints.h"
#include "collect/agent/files.h"
#include "collect/agent/heap.h"
#include "collect/agent/hooks.h"
#include "collect/agent/host.h"
#include "collect/agent/idle.h"
#include "collect/agent/loader.h"
#include "collect/agent/look.h"
#include "collect/agent/notes.h"
#include "collect/agent/own_stack.h"
#include "collect/agent/sampler.h"
#include "collect/agent/server.h"
#include "collect/agent/thread_profile.h"
#include "collect/agent/waits.h"

#define API __attribute__((visibility("default")))
#define SECOND INT64_C(1000000000)

enum { STACK_BYTES = 256 << 10, MOST_FILE = 256 << 20, FORK_WAIT = 1, CALL_WAIT = 3 };

static struct {
	pthread_mutex_t lock;
	bool running;
	bool prepared;  /* fork handlers are registered */
	bool main_left; /* by pthread_exit: the process ends with its other threads */
	pthread_key_t main_thread;
	unsigned generation; /* a thread of an older one ends */
	pid_t pid;
	struct pf_config config;
	int64_t next_tick, file_ends;
} agent = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* What a thread of the host that forks has from before until after. */
static __thread struct {
	bool has_lock, has_loader;
	int cancel_state;
} forking __attribute__((tls_model("initial-exec")));

/* How a thread of the host may be interrupted while it is not in a call of the agent's. */
struct interrupts {
	sigset_t signals;
	int cancel_state;
};

/*
 * In the agent's calls it is neither cancelled nor interrupted: they allocate, so a handler of the host that does
 * so too, and may because its own code doesn't meanwhile, would wait for the thread that it has interrupted.
 */
static void
interrupts_off(struct interrupts *before)
{
	sigset_t all;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before->cancel_state);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before->signals);
	pf_local.own_signals = &before->signals;
	pf_local.exempt++;
}

static void
interrupts_restore(const struct interrupts *before)
{
	pf_local.exempt--;
	pf_local.own_signals = NULL;
	pthread_sigmask(SIG_SETMASK, &before->signals, NULL);
	pthread_setcancelstate(before->cancel_state, NULL);
}

static bool
lock_within(int seconds)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	return !pthread_mutex_clocklock(&agent.lock, CLOCK_MONOTONIC, &until);
}

/* For threads of the host: the lock, and no interrupts; or neither. */
static bool
begin_call(struct interrupts *before)
{
	interrupts_off(before);
	if (lock_within(CALL_WAIT))
		return true;
	interrupts_restore(before);
	return false;
}

static void
end_call(const struct interrupts *before)
{
	pthread_mutex_unlock(&agent.lock);
	interrupts_restore(before);
}

/* Ends the file window and writes its profile; a window without samples of a short program too. */
static void
write_file(void)
{
	struct pf_buffer profile;
	int rc;

	pf_buffer_init(&profile, MOST_FILE);
	rc = pf_endpoint_collect(PF_WINDOW_FILE, &profile);
	if (!rc)
		pf_files_profile(agent.config.out_dir, &profile);
	pf_buffer_release(&profile);
}

static void
open_file_window(int64_t now)
{
	if (*agent.config.out_dir && !pf_sampler_open(PF_WINDOW_FILE, agent.config.event))
		agent.file_ends = now + agent.config.out_seconds * SECOND;
	else
		agent.file_ends = INT64_MAX;
}

/* Runs when the main thread ends without ending the process. */
static void
on_main_left(void *unused)
{
	struct interrupts before;

	(void)unused;
	if (!begin_call(&before))
		return;
	agent.main_left = true;
	pf_server_nudge();
	end_call(&before);
}

/* Whether only the agent's thread is left, besides a main thread that has ended. */
static bool
alone(void)
{
	struct dirent *entry;
	int threads = 0;
	DIR *dir = opendir("/proc/self/task");

	if (!dir)
		return false;
	while ((entry = readdir(dir)))
		threads += entry->d_name[0] != '.';
	closedir(dir);
	return threads <= 2;
}

/* What is due now; *wake is when to come back at the latest. */
static void
step(int64_t now, int64_t *wake)
{
	int64_t next;

	pf_notes_drain(now);
	next = pf_wall_tick(now);
	if (next < *wake)
		*wake = next;
	if (agent.config.listen && !pf_host_confined() && (next = pf_idle_look(now)) < *wake)
		*wake = next;
	if (now >= agent.file_ends) {
		write_file();
		open_file_window(now);
	}
	if (!pf_sampler_running()) {
		agent.next_tick = 0;
		return;
	}
	if (now >= agent.next_tick)
		agent.next_tick = pf_sampler_tick(now);
	if (agent.next_tick < *wake)
		*wake = agent.next_tick;
}

static int
milliseconds(int64_t now, int64_t wake)
{
	if (wake == INT64_MAX)
		return -1;
	return wake <= now ? 0 : (int)((wake - now + 999999) / 1000000);
}

/* Waits for what there is to do. A host may take away the right to poll, by a limit of descriptors or a filter. */
static void
wait_for(struct pollfd *fds, size_t count, int64_t wake)
{
	static const struct timespec moment = {.tv_sec = 1};

	if (poll(fds, count, milliseconds(pf_host_now(), wake)) >= 0 || errno == EINTR)
		return;
	for (size_t i = 0; i < count; i++)
		fds[i].revents = 0;
	nanosleep(&moment, NULL);
}

static void *
run(void *argument)
{
	unsigned generation = (unsigned)(uintptr_t)argument;
	struct pollfd fds[PF_SERVER_FDS + 1];
	int64_t now, wake;
	size_t count;
	bool last;

	prctl(PR_SET_NAME, PF_AGENT_THREAD);
	pf_local.exempt = 1; /* for good */
	pf_own_stack_learn();
	pthread_mutex_lock(&agent.lock);
	if (agent.generation == generation) {
		pf_host_by_thread();
		pf_sampler_except((pid_t)syscall(SYS_gettid));
		pf_look_except((pid_t)syscall(SYS_gettid));
	}
	while (agent.generation == generation) {
		now = pf_host_now();
		wake = agent.main_left ? now + SECOND / 2 : INT64_MAX;
		if (agent.main_left && alone())
			break;
		step(now, &wake);
		count = pf_server_prepare(fds, now, &wake);
		fds[count] = (struct pollfd){.fd = pf_notes_bell(), .events = POLLIN};
		pthread_mutex_unlock(&agent.lock);
		wait_for(fds, count + 1, wake);
		pthread_mutex_lock(&agent.lock);
		if (agent.generation == generation)
			pf_server_handle(fds, count, pf_host_now());
	}
	last = agent.generation == generation;
	pthread_mutex_unlock(&agent.lock);
	if (last) /* the host's last thread would have done so, had it been the last */
		exit(0);
	return NULL;
}

/* Starts the thread; every signal is blocked here, so in it too: the host's handlers never run on it. */
static int
start_thread(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	rc = pthread_attr_init(&attr);
	if (rc)
		return -rc;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	rc = pthread_create(&thread, &attr, run, (void *)(uintptr_t)++agent.generation);
	pthread_attr_destroy(&attr);
	return -rc;
}

static void
before_fork(void)
{
	struct interrupts before;

	interrupts_off(&before);
	forking.cancel_state = before.cancel_state;
	forking.has_lock = lock_within(FORK_WAIT);
	forking.has_loader = pf_loader_enter();
	pf_heap_before_fork();
	pf_local.own_signals = NULL;
	pthread_sigmask(SIG_SETMASK, &before.signals, NULL);
}

/* The end of what before_fork has begun. */
static void
after_fork(struct interrupts *before)
{
	pf_local.exempt--;
	before->cancel_state = forking.cancel_state;
	interrupts_restore(before);
}

static void
after_fork_parent(void)
{
	struct interrupts before;

	interrupts_off(&before);
	pf_heap_after_fork(false, true);
	if (forking.has_loader)
		pf_loader_leave();
	if (forking.has_lock)
		pthread_mutex_unlock(&agent.lock);
	after_fork(&before);
}

/* The child starts afresh: own listener, own timers, own thread. */
static void
start_afresh(bool tidy)
{
	pf_notes_forked(tidy);
	pf_waits_forked();
	pf_wall_forked(tidy);
	pf_idle_forked(tidy);
	pf_host_by_thread();
	pf_server_forked(tidy);
	pf_sampler_forked(tidy);
	agent.pid = getpid();
	agent.next_tick = 0;
	agent.main_left = false;
	pthread_setspecific(
	    agent.main_thread, &agent); /* whoever forked is the child's main thread */
	open_file_window(pf_host_now());
	if (start_thread()) {
		agent.running = false;
		pf_sampler_close(PF_WINDOW_FILE, NULL);
	}
}

static void
after_fork_child(void)
{
	struct interrupts before;

	interrupts_off(&before);
	pf_heap_after_fork(true, forking.has_lock);
	pf_loader_forked();
	pthread_mutex_init(&agent.lock, NULL);
	if (agent.running)
		start_afresh(forking.has_lock);
	after_fork(&before);
}

static void
say_port(int rc)
{
	if (rc == -EADDRINUSE)
		pf_host_say("the port is taken; trying again once a second");
	else
		pf_host_say("can't listen: %s; trying again once a second", strerror(-rc));
}

static int
start(void)
{
	int rc;

	pf_config_read(&agent.config);
	if (agent.config.off)
		return -ECANCELED;
	if (!agent.config.listen && !*agent.config.out_dir)
		return 0; /* nothing to do, no thread for it */
	if (!agent.prepared) {
		/* The allocator first: its fork handlers must run inside of ours. */
		free(malloc(1));
		rc = pthread_atfork(before_fork, after_fork_parent, after_fork_child);
		if (!rc)
			rc = pthread_key_create(&agent.main_thread, on_main_left);
		if (rc)
			return -rc;
		agent.prepared = true;
	}
	if (syscall(SYS_gettid) == getpid())
		pthread_setspecific(agent.main_thread, &agent);
	pf_host_init();
	pf_server_init(&agent.config);
	rc = agent.config.listen ? pf_server_listen() : 0;
	if (rc)
		say_port(rc);
	agent.pid = getpid();
	if (agent.config.heap_period && pf_hooks_why_not && !pf_hooks_why_not() &&
	    pf_heap_start(agent.config.heap_period))
		pf_host_say("no memory to sample allocations");
	if (agent.config.waits && pf_hooks_threads_why_not && !pf_hooks_threads_why_not() &&
	    pf_waits_start())
		pf_host_say("no memory to watch what threads wait for");
	open_file_window(pf_host_now());
	rc = start_thread();
	if (rc) {
		pf_sampler_close(PF_WINDOW_FILE, NULL);
		pf_server_close();
		pf_heap_stop();
		pf_waits_stop();
		return rc;
	}
	agent.running = true;
	return 0;
}

API int
profuse_agent_start(void)
{
	struct interrupts before;
	int rc = 0;

	if (!begin_call(&before))
		return -EDEADLK;
	if (!agent.running)
		rc = start();
	end_call(&before);
	return rc;
}

API void
profuse_agent_stop(void)
{
	struct interrupts before;

	if (!begin_call(&before))
		return;
	if (agent.running && agent.pid == getpid()) {
		agent.running = false;
		agent.generation++;
		if (agent.file_ends != INT64_MAX)
			write_file();
		pf_server_close();
		pf_heap_stop();
		pf_waits_stop();
	}
	end_call(&before);
}

__attribute__((constructor)) static void
begin(void)
{
	/* A program with more rights than its caller gets an agent only by its own call. */
	if (!getauxval(AT_SECURE))
		profuse_agent_start();
}

__attribute__((destructor)) static void
end(void)
{
	profuse_agent_stop();
}
