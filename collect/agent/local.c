/* local.c: see local.h. */
#include "collect/agent/local.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collect/agent/host.h"

__thread struct pf_local pf_local __attribute__((tls_model("initial-exec")));

uint32_t
pf_local_thread(void)
{
	if (!pf_local.thread)
		pf_local.thread = (uint32_t)syscall(SYS_gettid);
	return pf_local.thread;
}

/* The main thread's is known without asking (slots.c), and asking would read all of /proc/self/maps. */
void
pf_local_find_stack(void)
{
	pthread_attr_t attr;
	size_t size;
	void *low;

	if (pf_local.stack_high || pf_local_thread() == (uint32_t)getpid())
		return;
	pf_local.exempt++; /* it allocates */
	if (!pthread_getattr_np(pthread_self(), &attr)) {
		if (!pthread_attr_getstack(&attr, &low, &size)) {
			pf_local.stack_low = (uintptr_t)low;
			pf_local.stack_high = (uintptr_t)low + size;
		}
		pthread_attr_destroy(&attr);
	}
	pf_local.exempt--;
}

uint64_t *
pf_local_random(void)
{
	if (!pf_local.random)
		pf_local.random = ((uint64_t)pf_host_now() ^ (uint64_t)pf_local_thread() << 40) | 1;
	return &pf_local.random;
}
