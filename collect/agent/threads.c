/* threads.c: see threads.h. */
#include "collect/agent/threads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/agent/host.h"
#include "collect/agent/thread_state.h"
#include "core/memory.h"

enum {
	LOOK_CALM = 100000000, /* ns */
	LOOK_BUSY = 10000000,
	LOOK_FULL = 500000000,
	LOOK_ON = 1000000000, /* so long after threads have come or gone it is busy */
	LOOK_AT_MOST = 1000000000,
	DEAR = 250,        /* a look pays for so many times its own CPU time of waiting */
	RECHECKS = 16,     /* blocked threads looked at again each time */
	STAYS_BLOCKED = 3, /* looks that find it so: not just a thread that starts or ends */
	MOST_THREADS = 1 << 17,
};

void
pf_threads_init(struct pf_threads *t, const struct pf_event *event, int signal, pid_t except)
{
	struct rlimit limit;

	*t = (struct pf_threads){
	    .event = *event, .signal = signal, .except = except, .most_armed = SIZE_MAX};
	/* A quarter of what the host may have: the rest is its own. */
	if (!getrlimit(event->perf ? RLIMIT_NOFILE : RLIMIT_SIGPENDING, &limit))
		t->most_armed = (size_t)(limit.rlim_cur / 4);
}

void
pf_threads_release(struct pf_threads *t)
{
	for (size_t i = 0; i < t->count; i++)
		pf_trigger_disarm(&t->items[i].trigger);
	free(t->items);
	*t = (struct pf_threads){0};
}

void
pf_threads_forked(struct pf_threads *t)
{
	for (size_t i = 0; i < t->count; i++)
		t->items[i].trigger.timer = -1; /* children inherit no timers */
	pf_threads_release(t);
}

static bool
is_armed(const struct pf_thread *thread)
{
	return thread->trigger.perf >= 0 || thread->trigger.timer >= 0;
}

static void
arm(struct pf_threads *t, struct pf_thread *thread)
{
	int rc;

	thread->blocked = pf_thread_blocks(thread->trigger.thread, t->signal);
	if (thread->blocked) {
		thread->times_blocked += thread->times_blocked < STAYS_BLOCKED;
		return;
	}
	rc = t->armed >= t->most_armed ? (t->event.perf ? -EMFILE : -EAGAIN)
				       : pf_trigger_arm(&thread->trigger, &t->event,
					     thread->trigger.thread, t->signal, thread->fresh);
	t->armed += is_armed(thread);
	thread->failed = rc < 0 && rc != -ESRCH;
	if (thread->failed)
		t->arm_error = -rc;
}

static void
disarm(struct pf_threads *t, struct pf_thread *thread)
{
	t->armed -= is_armed(thread);
	pf_trigger_disarm(&thread->trigger);
}

/* Where this thread is, or belongs. */
static size_t
place(const struct pf_threads *t, pid_t thread)
{
	size_t low = 0, high = t->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (t->items[middle].trigger.thread < thread)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
see(struct pf_threads *t, pid_t thread, bool first)
{
	size_t at = place(t, thread);

	if (at < t->count && t->items[at].trigger.thread == thread) {
		t->items[at].seen = true;
		return;
	}
	if (t->count >= MOST_THREADS || PF_GROW(t->items, t->capacity, t->count + 1, NULL))
		return;
	memmove(&t->items[at + 1], &t->items[at], (t->count - at) * sizeof *t->items);
	t->count++;
	t->changed = true;
	t->items[at] = (struct pf_thread){
	    .trigger = {.thread = thread, .timer = -1, .perf = -1}, .seen = true, .fresh = !first};
	arm(t, &t->items[at]);
}

static bool
unsampled(const struct pf_thread *thread)
{
	return thread->failed || (thread->blocked && thread->times_blocked >= STAYS_BLOCKED);
}

/* Forgets threads that are gone: their timers linger until deleted. */
static void
sweep(struct pf_threads *t)
{
	size_t kept = 0;

	t->blocked = t->unsettled = t->unsampled = 0;
	for (size_t i = 0; i < t->count; i++) {
		struct pf_thread *thread = &t->items[i];
		if (!thread->seen) {
			disarm(t, thread);
			t->changed = true;
			continue;
		}
		thread->seen = false;
		t->blocked += thread->blocked;
		t->unsettled += thread->blocked && thread->times_blocked < STAYS_BLOCKED;
		t->unsampled += unsampled(thread);
		t->items[kept++] = *thread;
	}
	t->count = kept;
	if (kept > t->most)
		t->most = kept;
}

/* A new thread starts with everything blocked for a moment: look again, a few each time. */
static void
recheck(struct pf_threads *t)
{
	size_t checked = 0;

	for (size_t i = 0; i < t->count && t->blocked && checked < RECHECKS; i++) {
		struct pf_thread *thread = &t->items[t->recheck++ % t->count];
		if (!thread->blocked)
			continue;
		checked++;
		arm(t, thread);
	}
}

/*
 * Whether the number of threads is the same as before, which the folder's link
 * count tells for a tenth of the price of reading it. Who has taken the place
 * of another is found by the full look that comes in any case, twice a second.
 */
static bool
as_many(struct pf_threads *t)
{
	nlink_t before = t->links;
	struct stat st;

	t->links = stat("/proc/self/task", &st) ? 0 : st.st_nlink;
	return t->links && t->links == before;
}

void
pf_threads_look(struct pf_threads *t, int64_t now, bool first)
{
	int64_t cost = pf_host_thread_cpu(), wait;
	struct dirent *entry;
	DIR *dir;

	if (now < t->next_look)
		return;
	if (as_many(t) && now >= t->busy_until && !t->unsettled && now < t->next_full) {
		t->next_look = now + LOOK_CALM;
		return;
	}
	t->next_full = now + LOOK_FULL;
	t->changed = false;
	dir = opendir("/proc/self/task");
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
		if (thread > 0 && thread != t->except)
			see(t, thread, first);
	}
	closedir(dir);
	sweep(t);
	recheck(t);
	cost = pf_host_thread_cpu() - cost;
	if (t->changed && !first)
		t->busy_until = now + LOOK_ON;
	wait = now < t->busy_until ? LOOK_BUSY : LOOK_CALM;
	if (!first && wait < cost * DEAR)
		wait = cost * DEAR;
	t->next_look = now + (wait < LOOK_AT_MOST ? wait : LOOK_AT_MOST);
}

uint32_t
pf_threads_owed(struct pf_threads *t, pid_t thread)
{
	size_t at = place(t, thread);
	uint32_t owed = 0;

	if (at < t->count && t->items[at].trigger.thread == thread) {
		owed = t->items[at].trigger.owed;
		t->items[at].trigger.owed = 0;
	}
	return owed;
}
