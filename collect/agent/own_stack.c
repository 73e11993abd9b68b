/* own_stack.c: see own_stack.h. */
#include "collect/agent/own_stack.h"

#include <pthread.h>
#include <stddef.h>
#include <sys/auxv.h>

/* Below the main thread's end there is its stack alone for 128 MiB: the kernel maps nothing else there. */
enum { MAIN_STACK = 64 << 20 };

/* A thread's block of memory, as glibc's struct pthread has it: guard pages, stack, control block. */
struct block {
	uint64_t start, size, guard;
};

static _Atomic size_t place; /* of a struct block in the control block; 0: not known */

uint64_t
pf_own_stack_main_end(void)
{
	static _Atomic uint64_t end;

	if (!end)
		end = getauxval(AT_RANDOM); /* those bytes lie just below the strings */
	return end;
}

static const struct block *
block_at(size_t offset)
{
	return (const void *)((const char *)__builtin_thread_pointer() + offset);
}

/* The control block is the last thing in its thread's memory, so it can be read up to the end. */
static size_t
find(uint64_t low, uint64_t high)
{
	uint64_t self = (uintptr_t)__builtin_thread_pointer();

	if (self < low || self >= high)
		return 0;
	for (size_t at = 8; self + at + sizeof(struct block) <= high; at += 8) {
		const struct block *block = block_at(at);
		if (block->start && block->start + block->size == high &&
		    (block->start == low || block->start + block->guard == low))
			return at;
	}
	return 0;
}

void
pf_own_stack_learn(void)
{
	pthread_attr_t attr;
	size_t size;
	void *low;

	if (place || pthread_getattr_np(pthread_self(), &attr))
		return;
	if (!pthread_attr_getstack(&attr, &low, &size))
		place = find((uintptr_t)low, (uintptr_t)low + size);
	pthread_attr_destroy(&attr);
}

uint64_t
pf_own_stack_end(uint64_t sp)
{
	uint64_t end = pf_own_stack_main_end();
	const struct block *block;

	if (sp < end && sp >= end - MAIN_STACK)
		return end;
	if (!place)
		return 0;
	block = block_at(place); /* the main thread's begins at 0, which is no address */
	return block->start && sp - block->start < block->size ? block->start + block->size : 0;
}
