/* holder.c: see holder.h. The words of locks are those of glibc's public <bits/struct_mutex.h> and <bits/struct_rwlock.h>. */
#include "collect/agent/holder.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "collect/agent/host.h"

enum { BETWEEN_PROCESSES = 128 }; /* of a mutex's kind */

/* Whose lock it is at this moment, and whether it is one between processes. */
static bool
read_lock(const struct pf_waiting *w, uint32_t *holder, bool *shared)
{
	if (w->kind == PF_WAIT_MUTEX) {
		pthread_mutex_t m;

		if (!pf_host_read_all(&m, w->object, sizeof m))
			return false;
		*holder = (uint32_t)m.__data.__owner;
		*shared = m.__data.__kind & BETWEEN_PROCESSES;
		return true;
	}
	if (w->kind == PF_WAIT_RWLOCK) {
		pthread_rwlock_t l;

		if (!pf_host_read_all(&l, w->object, sizeof l))
			return false;
		*holder = (uint32_t)l.__data.__cur_writer;
		*shared = l.__data.__shared != 0;
		return true;
	}
	return false;
}

/* By /proc, which has what has ended still, as a zombie, until somebody asks for it. */
static bool
lives(const char *folder, uint32_t thread)
{
	char path[64], text[1024];
	const char *close;

	snprintf(path, sizeof path, "%s%u/stat", folder, (unsigned)thread);
	if (pf_host_read_file(path, text, sizeof text) <= 0)
		return false;
	close = strrchr(text, ')');
	return !close || !close[1] || !strchr("ZX", close[2]);
}

static bool
is_thread(uint32_t thread)
{
	return lives("/proc/self/task/", thread);
}

/*
 * /proc may hide other users' processes, so that the kernel is asked as well; what a filter forbids may end the
 * process. A zombie that /proc shows has ended, whatever the kernel says.
 */
static bool
is_nowhere(uint32_t thread)
{
	char path[64], text[8];

	if (pf_host_confined() || lives("/proc/", thread))
		return false;
	snprintf(path, sizeof path, "/proc/%u/stat", (unsigned)thread);
	return pf_host_read_file(path, text, sizeof text) > 0 ||
	       (kill((pid_t)thread, 0) && errno == ESRCH);
}

const char *
pf_holder_word(const struct pf_waiting *w)
{
	uint32_t holder;
	bool shared;

	if (!w->holder || !read_lock(w, &holder, &shared) || holder != w->holder ||
	    is_thread(holder) || !is_thread((uint32_t)gettid()) || (shared && !is_nowhere(holder)))
		return NULL;
	/* Else it may have let go and ended, all since the first look. */
	if (!read_lock(w, &holder, &shared) || holder != w->holder)
		return NULL;
	return shared ? "unseen" : "ended";
}
