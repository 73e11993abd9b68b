/* holder.c: see holder.h. The words of locks are those of glibc's public <bits/struct_mutex.h> and <bits/struct_rwlock.h>. */
#include "collect/agent/holder.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "collect/agent/host.h"
#include "collect/agent/thread_state.h"

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

/*
 * /proc may hide other users' processes, so that the kernel is asked as well, which knows zombies still; what a
 * filter forbids may end the process.
 */
static bool
is_nowhere(uint32_t thread)
{
	if (pf_process_ended((pid_t)thread))
		return true;
	return !pf_host_confined() && kill((pid_t)thread, 0) && errno == ESRCH;
}

const char *
pf_holder_word(const struct pf_waiting *w)
{
	uint32_t holder;
	bool shared;

	if (!w->holder || !read_lock(w, &holder, &shared) || holder != w->holder ||
	    pf_thread_lives((pid_t)holder) || !pf_thread_lives(gettid()) ||
	    (shared && !is_nowhere(holder)))
		return NULL;
	/* Else it may have let go and ended, all since the first look. */
	if (!read_lock(w, &holder, &shared) || holder != w->holder)
		return NULL;
	return shared ? "unseen" : "ended";
}
