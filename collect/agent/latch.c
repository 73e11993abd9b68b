/* latch.c: see latch.h. The states are those of Drepper's "Futexes Are Tricky", section 6. */
#include "collect/agent/latch.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { FREE, HELD, WANTED, GIVEN_UP };
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
	uint32_t seen = FREE;

	for (int i = 0; i < SPINS; i++) {
		seen = FREE;
		if (atomic_compare_exchange_weak_explicit(
			&latch->word, &seen, HELD, memory_order_acquire, memory_order_relaxed))
			return true;
		__builtin_ia32_pause();
	}
	for (int i = 0; i < NAPS; i++) {
		if (atomic_load_explicit(&latch->word, memory_order_relaxed) == GIVEN_UP)
			return false;
		if (atomic_exchange_explicit(&latch->word, WANTED, memory_order_acquire) == FREE)
			return true;
		syscall(SYS_futex, &latch->word, FUTEX_WAIT_PRIVATE, WANTED, &nap, NULL, 0);
	}
	seen = WANTED;
	atomic_compare_exchange_strong_explicit(
	    &latch->word, &seen, GIVEN_UP, memory_order_relaxed, memory_order_relaxed);
	return false;
}

void
pf_latch_give(struct pf_latch *latch)
{
	if (atomic_exchange_explicit(&latch->word, FREE, memory_order_release) == WANTED)
		syscall(SYS_futex, &latch->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
