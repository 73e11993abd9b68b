/* agent_own_stack_test.c: which memory a thread may read as its stack without asking. */
#include "support/unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "collect/agent/host.h"
#include "collect/agent/own_stack.h"
#include "collect/agent/slots.h"

enum { STACK = 256 << 10, SEVERAL = 3 };

struct seen {
	uint64_t here, end, high, of_heap;
};

/* Not a variable's address: the sanitizer may keep it elsewhere. */
static uint64_t
here(void)
{
	return (uintptr_t)__builtin_frame_address(0);
}

static void *
look(void *argument)
{
	struct seen *seen = argument;
	pthread_attr_t attr;
	size_t size = 0;
	void *low = NULL, *heap = malloc(100000);

	seen->here = here();
	seen->end = pf_own_stack_end(seen->here);
	seen->of_heap = pf_own_stack_end((uintptr_t)heap);
	if (!pthread_getattr_np(pthread_self(), &attr)) {
		pthread_attr_getstack(&attr, &low, &size);
		pthread_attr_destroy(&attr);
	}
	seen->high = (uintptr_t)low + size;
	free(heap);
	return NULL;
}

static void
look_in_a_thread(struct seen *seen, void *stack)
{
	pthread_attr_t attr;
	pthread_t thread;

	assert_int_equal(pthread_attr_init(&attr), 0);
	if (stack)
		assert_int_equal(pthread_attr_setstack(&attr, stack, STACK), 0);
	assert_int_equal(pthread_create(&thread, &attr, look, seen), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	pthread_attr_destroy(&attr);
}

static void *
learn(void *unused)
{
	pf_own_stack_learn();
	return unused;
}

static void
the_main_threads_is_known_at_once(void **state)
{
	char *heap = malloc(100000);
	(void)state;

	assert_in_range(pf_own_stack_end(here()), here() + 1, here() + (64 << 20));
	assert_int_equal(pf_own_stack_end((uintptr_t)heap), 0);
	assert_int_equal(pf_own_stack_end(0), 0);
	assert_int_equal(pf_own_stack_end(UINT64_MAX), 0);
	free(heap);
}

static void
other_threads_are_known_once_it_is_learned(void **state)
{
	pthread_t thread;
	struct seen seen[SEVERAL] = {0};
	void *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	(void)state;

	assert_ptr_not_equal(stack, MAP_FAILED);
	look_in_a_thread(&seen[0], NULL);
	assert_int_equal(seen[0].end, 0);
	assert_int_equal(pthread_create(&thread, NULL, learn, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	for (int i = 0; i < SEVERAL; i++) {
		look_in_a_thread(&seen[i], i == 1 ? stack : NULL);
		assert_int_equal(seen[i].end, seen[i].high);
		assert_int_equal(seen[i].of_heap, 0);
	}
	assert_int_equal(seen[1].end, (uintptr_t)stack + STACK);
	munmap(stack, STACK);
	the_main_threads_is_known_at_once(state);
}

/* A stack beyond what is copied, and a frame pointer that is none. */
__attribute__((noinline)) static void
copy_with(uint64_t frame_pointer)
{
	volatile char deep[PF_STACK_BYTES * 2];
	struct pf_slot *slot = calloc(1, sizeof *slot);

	assert_non_null(slot);
	deep[0] = 42;
	slot->known = PF_KNOWN_ALL;
	slot->registers[PF_REG_SP] = (uintptr_t)deep;
	slot->registers[PF_REG_FP] = frame_pointer;
	pf_slot_copy(slot);
	assert_int_equal(slot->stack_size, PF_STACK_BYTES);
	assert_int_equal(slot->stack[(uintptr_t)deep - slot->stack_address], 42);
	assert_in_range(slot->links, 0, 1);
	free(slot);
}

static void
no_frame_pointer_is_believed(void **state)
{
	uint64_t top = pf_own_stack_main_end();
	(void)state;

	for (uint64_t wrong = 0; wrong <= 128; wrong += 8) {
		copy_with(wrong);
		copy_with(0 - wrong);
		copy_with(top - wrong);
		copy_with(here() + (64 << 20) - wrong);
		copy_with(UINT64_C(0x800000000000) - wrong); /* no address any more */
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_main_threads_is_known_at_once),
	    cmocka_unit_test(other_threads_are_known_once_it_is_learned),
	    cmocka_unit_test(no_frame_pointer_is_believed),
	};

	pf_host_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
