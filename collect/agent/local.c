/* local.c: see local.h. */
#include "collect/agent/local.h"

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

uint64_t *
pf_local_random(void)
{
	if (!pf_local.random)
		pf_local.random = ((uint64_t)pf_host_now() ^ (uint64_t)pf_local_thread() << 40) | 1;
	return &pf_local.random;
}
