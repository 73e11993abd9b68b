/*
 * own_stack.h: which memory is the calling thread's own stack, and so can be read without asking the kernel.
 *
 * Whoever asks has been interrupted anywhere: inside malloc, inside
 * pthread_getattr_np, under the allocator's locks. So nothing is called here: the
 * bounds are read from the thread's control block, where glibc keeps them at a
 * place that the agent's thread has found in its own beforehand.
 */
#ifndef PF_AGENT_OWN_STACK_H
#define PF_AGENT_OWN_STACK_H

#include <stdint.h>

/* From here up the kernel has put the program's arguments: the end of the main thread's stack. */
uint64_t pf_own_stack_main_end(void);

/* Finds that place. In a thread of the agent's own; allocates. Without it only the main thread's stack is known. */
void pf_own_stack_learn(void);

/*
 * The end of the calling thread's stack if `sp`, where it stands, is in it for
 * certain, else 0: all that lies between can be read. Async-signal-safe.
 */
uint64_t pf_own_stack_end(uint64_t sp);

#endif
