/*
 * hook_new.c: C++'s operators new and delete, in front of the host's own.
 *
 * libstdc++'s call malloc and free, which count already: then these only pass on.
 * jemalloc, tcmalloc and mimalloc bring operators of their own, which don't. The
 * names are those of the Itanium C++ ABI on x86-64.
 */
#include "collect/agent/heap.h"
#include "collect/agent/hooks.h"
#include "collect/agent/live.h"
#include "collect/agent/next.h"

#define LIST(...) __VA_ARGS__ /* without its parentheses */

/*
 * An operator new: PARAMETERS begin with `size_t size`, ARGUMENTS are their names. What is rare is in
 * functions of its own, so that the wrapper sets up nothing.
 */
#define NEW(NAME, PARAMETERS, ARGUMENTS)                                                       \
	typedef void *NAME##_function PARAMETERS;                                              \
	static NAME##_function NAME##_first;                                                   \
	PF_TARGET(NAME##_next, .name = #NAME, .function = (pf_function *)NAME##_first);        \
	static __attribute__((noinline)) void *NAME##_due(LIST PARAMETERS, const void *caller) \
	{                                                                                      \
		uint64_t period = pf_heap_due(size);                                           \
		return pf_hook_take(PF_NEXT(NAME) ARGUMENTS, size, period, caller);            \
	}                                                                                      \
	static inline void *NAME##_count(LIST PARAMETERS, const void *caller)                  \
	{                                                                                      \
		if (!NAME##_next.counts || PF_COVERED(size))                                   \
			return PF_NEXT(NAME) ARGUMENTS;                                        \
		return NAME##_due(LIST ARGUMENTS, caller);                                     \
	}                                                                                      \
	static void *NAME##_first PARAMETERS                                                   \
	{                                                                                      \
		pf_next_look_up(&NAME##_next, PF_CALLER);                                      \
		return NAME##_count(LIST ARGUMENTS, PF_CALLER);                                \
	}                                                                                      \
	PF_EXPORT void *NAME PARAMETERS;                                                       \
	PF_EXPORT void *NAME PARAMETERS                                                        \
	{                                                                                      \
		return NAME##_count(LIST ARGUMENTS, PF_CALLER);                                \
	}

/* An operator delete: PARAMETERS begin with `void *p`. */
#define DELETE(NAME, PARAMETERS, ARGUMENTS)                                                     \
	typedef void NAME##_function PARAMETERS;                                                \
	static NAME##_function NAME##_first;                                                    \
	PF_TARGET(NAME##_next, .name = #NAME, .function = (pf_function *)NAME##_first);         \
	static inline void NAME##_count PARAMETERS                                              \
	{                                                                                       \
		if (!NAME##_next.counts || !PF_RARELY(pf_live_maybe(p)) || pf_hook_released(p)) \
			PF_NEXT(NAME) ARGUMENTS;                                                \
	}                                                                                       \
	static void NAME##_first PARAMETERS                                                     \
	{                                                                                       \
		pf_next_look_up(&NAME##_next, PF_CALLER);                                       \
		NAME##_count ARGUMENTS;                                                         \
	}                                                                                       \
	PF_EXPORT void NAME PARAMETERS;                                                         \
	PF_EXPORT void NAME PARAMETERS                                                          \
	{                                                                                       \
		NAME##_count ARGUMENTS;                                                         \
	}

struct nothrow;

NEW(_Znwm, (size_t size), (size))
NEW(_Znam, (size_t size), (size))
NEW(_ZnwmRKSt9nothrow_t, (size_t size, const struct nothrow *n), (size, n))
NEW(_ZnamRKSt9nothrow_t, (size_t size, const struct nothrow *n), (size, n))
NEW(_ZnwmSt11align_val_t, (size_t size, size_t align), (size, align))
NEW(_ZnamSt11align_val_t, (size_t size, size_t align), (size, align))
NEW(_ZnwmSt11align_val_tRKSt9nothrow_t, (size_t size, size_t align, const struct nothrow *n),
    (size, align, n))
NEW(_ZnamSt11align_val_tRKSt9nothrow_t, (size_t size, size_t align, const struct nothrow *n),
    (size, align, n))

DELETE(_ZdlPv, (void *p), (p))
DELETE(_ZdaPv, (void *p), (p))
DELETE(_ZdlPvm, (void *p, size_t size), (p, size))
DELETE(_ZdaPvm, (void *p, size_t size), (p, size))
DELETE(_ZdlPvRKSt9nothrow_t, (void *p, const struct nothrow *n), (p, n))
DELETE(_ZdaPvRKSt9nothrow_t, (void *p, const struct nothrow *n), (p, n))
DELETE(_ZdlPvSt11align_val_t, (void *p, size_t align), (p, align))
DELETE(_ZdaPvSt11align_val_t, (void *p, size_t align), (p, align))
DELETE(_ZdlPvmSt11align_val_t, (void *p, size_t size, size_t align), (p, size, align))
DELETE(_ZdaPvmSt11align_val_t, (void *p, size_t size, size_t align), (p, size, align))
DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t, (void *p, size_t align, const struct nothrow *n),
    (p, align, n))
DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t, (void *p, size_t align, const struct nothrow *n),
    (p, align, n))
