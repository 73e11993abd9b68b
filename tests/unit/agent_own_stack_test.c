/* agent_own_stack_test.c: which memory a thread may read as its stack without asking. */
#include "support/unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "collect/agent/own_stack.h"

enum { STACK = 256 << 10, SEVERAL = 3 };

struct seen {
	uint64_t here, end, high, of_heap;
};

static void *
look(void *argument)
{
	struct seen *seen = argument;
	pthread_attr_t attr;
	size_t size = 0;
	void *low = NULL, *heap = malloc(100000);

	seen->here = (uintptr_t)&low;
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
	char here = 0, *heap = malloc(100000);
	(void)state;

	assert_in_range(pf_own_stack_end((uintptr_t)&here), (uintptr_t)&here + 1,
	    (uintptr_t)&here + (64 << 20));
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_main_threads_is_known_at_once),
	    cmocka_unit_test(other_threads_are_known_once_it_is_learned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
