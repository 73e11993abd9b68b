/*
 * hook_threads.c: what threads wait for, in front of libc's functions: mutexes, reader-writer locks,
 * conditions, semaphores, join; who lets them go on; and the creation of threads. C11's are glibc's own by other names (an
 * mtx_t is a pthread_mutex_t, which its functions take inside of libc, past whoever stands in front of it).
 *
 * A look at the word of a lock or semaphore tells whether it may have to be
 * waited for; if not, libc's function is called at once. The words are those of
 * glibc's public <bits/struct_mutex.h> and <bits/struct_rwlock.h>. An unlock
 * looks whether somebody is known to wait for this lock. These are plain reads of
 * words that other threads write: the compiler makes them part of the comparison,
 * as it does with no atomic one; each is one aligned load either way, and one that
 * is out of date costs a sample.
 *
 * The slow way is a function of its own, so that the quick way sets up nothing.
 * Some of these are cancellation points: a thread that is cancelled there leaves
 * through a cleanup handler, as does one that jumps out of the wait by longjmp.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <threads.h>
#include <time.h>

#include "collect/agent/hooks.h"
#include "collect/agent/next.h"
#include "collect/agent/turns.h"
#include "collect/agent/waits.h"

/*
 * What pthread_cleanup_push was before it became a macro around setjmp: longjmp knows these and calls them, while
 * the macro's buffer stays registered when it is jumped over, and the thread's end jumps into it. They cost less, too.
 */
void _pthread_cleanup_push(
    struct _pthread_cleanup_buffer *buffer, void (*run)(void *), void *argument);
void _pthread_cleanup_pop(struct _pthread_cleanup_buffer *buffer, int execute);

enum { WRITE_PHASE = 1, WRITE_LOCKED = 2 }; /* of a rwlock's readers word; their number is above */

/* Whether waits are counted, and those of this thread. */
static inline bool
counted(void)
{
	return atomic_load_explicit(&pf_waits_on, memory_order_relaxed) && !pf_local.exempt;
}

static inline bool
always(uintptr_t object)
{
	return object != 0;
}

static inline bool
taken(const pthread_mutex_t *m)
{
	return m->__data.__lock != 0;
}

static inline bool
closed_to_readers(const pthread_rwlock_t *l)
{
	return (l->__data.__readers & (WRITE_PHASE | WRITE_LOCKED)) != 0;
}

static inline bool
closed_to_writers(const pthread_rwlock_t *l)
{
	return (l->__data.__readers & ~(unsigned)WRITE_PHASE) || l->__data.__cur_writer;
}

/* glibc's begins with its value, in a word of 64 bits on this machine. */
static inline bool
used_up(const sem_t *sem)
{
	return (uint32_t)__atomic_load_n(&sem->__align, __ATOMIC_RELAXED) == 0;
}

static inline uint32_t
owner(const pthread_mutex_t *m)
{
	return (uint32_t)m->__data.__owner;
}

static inline uint32_t
writer(const pthread_rwlock_t *l)
{
	return (uint32_t)l->__data.__cur_writer;
}

/*
 * The thread that a join waits for; 0: it has ended. The clock of another thread is its number, by the
 * kernel's binary interface: inverted, above three bits (posix-timers.h, CPUCLOCK_PID).
 */
static inline uint32_t
joined(uintptr_t object)
{
	clockid_t clock;

	return pthread_getcpuclockid((pthread_t)object, &clock) ? 0 : ~(uint32_t)(clock >> 3);
}

/* It is held by no thread, or by one that it doesn't know. */
#define nobody(OBJECT) 0
#define unknown(OBJECT) 0

/*
 * What its own thread holds is answered at once: a recursive mutex is free to it,
 * others say EDEADLK. A plain one is neither.
 */
static inline bool
answers_holder(const pthread_mutex_t *m)
{
	int kind = m->__data.__kind & 3;

	return kind == PTHREAD_MUTEX_RECURSIVE_NP || kind == PTHREAD_MUTEX_ERRORCHECK_NP;
}
#define always_answers(OBJECT) true

/* What is behind a wrapper, found when it is first called at the latest. */
#define BEHIND(NAME, PARAMETERS, ARGUMENTS)                                             \
	typedef int NAME##_function PARAMETERS;                                         \
	static NAME##_function NAME##_first;                                            \
	PF_TARGET(NAME##_next, .name = #NAME, .function = (pf_function *)NAME##_first); \
	static int NAME##_first PARAMETERS                                              \
	{                                                                               \
		pf_next_look_up(&NAME##_next, PF_CALLER);                               \
		return PF_NEXT(NAME) ARGUMENTS;                                         \
	}

/*
 * A call that waits for its first parameter, `object`, if MUST_WAIT; where its
 * own thread holds that and ANSWERS, it does not wait.
 */
#define WAITER(NAME, KIND, TYPE, MUST_WAIT, HOLDER, ANSWERS, PARAMETERS, ARGUMENTS)       \
	BEHIND(NAME, PARAMETERS, ARGUMENTS)                                               \
	static __attribute__((noinline)) int NAME##_slow PARAMETERS                       \
	{                                                                                 \
		uint32_t holder = HOLDER((TYPE)object);                                   \
		struct _pthread_cleanup_buffer cleanup;                                   \
		struct pf_wait wait;                                                      \
		int rc;                                                                   \
		if (!counted() || (holder == pf_local_thread() && ANSWERS((TYPE)object))) \
			return PF_NEXT(NAME) ARGUMENTS;                                   \
		pf_wait_begin(&wait, KIND, (const void *)object, holder, PF_CALLER);      \
		if (wait.waiting)                                                         \
			pf_registers_here(wait.waiting->registers);                       \
		pf_wait_show(&wait);                                                      \
		_pthread_cleanup_push(&cleanup, pf_wait_cancelled, &wait);                \
		rc = PF_NEXT(NAME) ARGUMENTS;                                             \
		_pthread_cleanup_pop(&cleanup, 0);                                        \
		pf_wait_end(&wait);                                                       \
		return rc;                                                                \
	}                                                                                 \
	PF_EXPORT int NAME PARAMETERS                                                     \
	{                                                                                 \
		if (PF_RARELY(MUST_WAIT((TYPE)object))) {                                 \
			int rc = NAME##_slow ARGUMENTS;                                   \
			PF_STAY_ON_THE_STACK;                                             \
			return rc;                                                        \
		}                                                                         \
		return PF_NEXT(NAME) ARGUMENTS;                                           \
	}

#define MUTEX(NAME, PARAMETERS, ARGUMENTS)                                                 \
	WAITER(NAME, PF_WAIT_MUTEX, const pthread_mutex_t *, taken, owner, answers_holder, \
	    PARAMETERS, ARGUMENTS)
#define RWLOCK(NAME, MUST_WAIT, PARAMETERS, ARGUMENTS)                                            \
	WAITER(NAME, PF_WAIT_RWLOCK, const pthread_rwlock_t *, MUST_WAIT, writer, always_answers, \
	    PARAMETERS, ARGUMENTS)
#define CONDITION(NAME, PARAMETERS, ARGUMENTS)                                                 \
	WAITER(NAME, PF_WAIT_CONDITION, uintptr_t, always, nobody, always_answers, PARAMETERS, \
	    ARGUMENTS)
#define SEMAPHORE(NAME, PARAMETERS, ARGUMENTS)                                           \
	WAITER(NAME, PF_WAIT_SEMAPHORE, const sem_t *, used_up, unknown, always_answers, \
	    PARAMETERS, ARGUMENTS)

typedef const struct timespec *until_t;

MUTEX(pthread_mutex_lock, (pthread_mutex_t * object), (object))
MUTEX(pthread_mutex_timedlock, (pthread_mutex_t * object, until_t until), (object, until))
MUTEX(pthread_mutex_clocklock, (pthread_mutex_t * object, clockid_t clock, until_t until),
    (object, clock, until))
RWLOCK(pthread_rwlock_rdlock, closed_to_readers, (pthread_rwlock_t * object), (object))
RWLOCK(pthread_rwlock_timedrdlock, closed_to_readers, (pthread_rwlock_t * object, until_t until),
    (object, until))
RWLOCK(pthread_rwlock_clockrdlock, closed_to_readers,
    (pthread_rwlock_t * object, clockid_t clock, until_t until), (object, clock, until))
RWLOCK(pthread_rwlock_wrlock, closed_to_writers, (pthread_rwlock_t * object), (object))
RWLOCK(pthread_rwlock_timedwrlock, closed_to_writers, (pthread_rwlock_t * object, until_t until),
    (object, until))
RWLOCK(pthread_rwlock_clockwrlock, closed_to_writers,
    (pthread_rwlock_t * object, clockid_t clock, until_t until), (object, clock, until))
CONDITION(pthread_cond_wait, (pthread_cond_t * object, pthread_mutex_t *mutex), (object, mutex))
CONDITION(pthread_cond_timedwait, (pthread_cond_t * object, pthread_mutex_t *mutex, until_t until),
    (object, mutex, until))
CONDITION(pthread_cond_clockwait,
    (pthread_cond_t * object, pthread_mutex_t *mutex, clockid_t clock, until_t until),
    (object, mutex, clock, until))
SEMAPHORE(sem_wait, (sem_t * object), (object))
SEMAPHORE(sem_timedwait, (sem_t * object, until_t until), (object, until))
SEMAPHORE(sem_clockwait, (sem_t * object, clockid_t clock, until_t until), (object, clock, until))
WAITER(pthread_join, PF_WAIT_JOIN, uintptr_t, always, joined, always_answers,
    (pthread_t object, void **result), (object, result))
MUTEX(mtx_lock, (mtx_t * object), (object))
MUTEX(mtx_timedlock, (mtx_t *restrict object, until_t restrict until), (object, until))
CONDITION(cnd_wait, (cnd_t * object, mtx_t *mutex), (object, mutex))
CONDITION(cnd_timedwait, (cnd_t *restrict object, mtx_t *restrict mutex, until_t restrict until),
    (object, mutex, until))
WAITER(thrd_join, PF_WAIT_JOIN, uintptr_t, always, joined, always_answers,
    (thrd_t object, int *result), (object, result))

/* Its word says that somebody waits in the kernel, so the unlock has to go there too. */
static inline bool
mutex_wanted(const pthread_mutex_t *m)
{
	return (unsigned)m->__data.__lock > 1 && pf_lock_watched(m);
}

/* A writer has it, or waits for its readers to leave. */
static inline bool
rwlock_wanted(const pthread_rwlock_t *l)
{
	return (l->__data.__readers & WRITE_LOCKED) && pf_lock_watched(l);
}

/*
 * The end of a time in which a lock was held, perhaps while others waited. Their
 * account is closed before they can go on, and noted when they do.
 */
#define UNLOCKER(NAME, KIND, TYPE, WANTED)                             \
	BEHIND(NAME, (TYPE * lock), (lock))                            \
	static __attribute__((noinline)) int NAME##_slow(TYPE *lock)   \
	{                                                              \
		int64_t delay = counted() ? pf_lock_account(lock) : 0; \
		int rc = PF_NEXT(NAME)(lock);                          \
		pf_lock_released(KIND, delay, PF_CALLER);              \
		return rc;                                             \
	}                                                              \
	PF_EXPORT int NAME(TYPE *lock)                                 \
	{                                                              \
		if (PF_RARELY(WANTED(lock))) {                         \
			int rc = NAME##_slow(lock);                    \
			PF_STAY_ON_THE_STACK;                          \
			return rc;                                     \
		}                                                      \
		return PF_NEXT(NAME)(lock);                            \
	}

UNLOCKER(pthread_mutex_unlock, PF_WAIT_MUTEX, pthread_mutex_t, mutex_wanted)
UNLOCKER(pthread_rwlock_unlock, PF_WAIT_RWLOCK, pthread_rwlock_t, rwlock_wanted)

static inline bool
mtx_wanted(const mtx_t *m)
{
	return mutex_wanted((const pthread_mutex_t *)m);
}

UNLOCKER(mtx_unlock, PF_WAIT_MUTEX, mtx_t, mtx_wanted)

/* A call that lets somebody go on at a condition or a semaphore, where the caller may have had its turn. */
#define WAKER(NAME, TYPE)                                    \
	BEHIND(NAME, (TYPE * object), (object))              \
	PF_EXPORT int NAME(TYPE *object)                     \
	{                                                    \
		struct pf_turn *mine = pf_turn_open(object); \
		if (PF_RARELY(mine))                         \
			pf_turn_passed(mine);                \
		return PF_NEXT(NAME)(object);                \
	}

WAKER(sem_post, sem_t)
WAKER(pthread_cond_signal, pthread_cond_t)
WAKER(pthread_cond_broadcast, pthread_cond_t)
WAKER(cnd_signal, cnd_t)
WAKER(cnd_broadcast, cnd_t)

typedef int create_function(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

const char *
pf_hooks_threads_why_not(void)
{
	if (pf_next_is_ours("pthread_mutex_lock"))
		return NULL;
	return "pthread_mutex_lock is not the agent's here: preload or link libprofuse-agent.so "
	       "before whatever replaces it";
}

PF_TARGET(pthread_create_next, .name = "pthread_create");

PF_EXPORT int
pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *argument)
{
	create_function *next = (create_function *)pf_next_target(&pthread_create_next, PF_CALLER);

	if (counted())
		pf_thread_created(PF_CALLER);
	return next(thread, attr, run, argument);
}
