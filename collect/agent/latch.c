/* latch.c: see latch.h. The states are those of Drepper's "Futexes Are Tricky", section 6. */
#include "collect/agent/latch.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SPINS = 100, NAPS = 60, NAP_NS = 50000000 };

void
pf_signals_block(struct pf_signals *before)
{
	uint64_t all = ~UINT64_C(0);

	before->error = errno;
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before->mask, sizeof all);
}

void
pf_signals_restore(const struct pf_signals *before)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before->mask, NULL, sizeof before->mask);
	errno = before->error;
}

bool
pf_latch_take(struct pf_latch *latch)
{
	static const struct timespec nap = {.tv_nsec = NAP_NS};
	uint32_t seen = 0;

	for (int i = 0; i < SPINS; i++) {
		seen = 0;
		if (atomic_compare_exchange_weak_explicit(
			&latch->word, &seen, 1, memory_order_acquire, memory_order_relaxed))
			return true;
		__builtin_ia32_pause();
	}
	for (int i = 0; i < NAPS; i++) {
		if (atomic_exchange_explicit(&latch->word, 2, memory_order_acquire) == 0)
			return true;
		syscall(SYS_futex, &latch->word, FUTEX_WAIT_PRIVATE, 2, &nap, NULL, 0);
	}
	return false;
}

void
pf_latch_give(struct pf_latch *latch)
{
	if (atomic_exchange_explicit(&latch->word, 0, memory_order_release) == 2)
		syscall(SYS_futex, &latch->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
