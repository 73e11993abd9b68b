/*
 * code.h: what a function is, judged by names that languages, C libraries,
 * allocators and well-known libraries give: never by a service's own names.
 */
#ifndef PF_TUNER_CODE_H
#define PF_TUNER_CODE_H

#include <stdbool.h>
#include <stdint.h>

enum pf_trait {
	PF_CODE_LIBRARY = 1 << 0, /* a runtime, the standard library, libc: not the service's own */
	PF_CODE_ALLOCATION = 1 << 1, /* gives or takes back memory */
	PF_CODE_GC_MARK = 1 << 2,    /* the collector's background workers */
	PF_CODE_GC_ASSIST = 1 << 3,  /* marking that an allocation is made to do */
	PF_CODE_GC_SWEEP = 1 << 4,
	PF_CODE_GC_IDLE = 1 << 5, /* marking with CPU time that nobody else wanted */
	PF_CODE_GC = PF_CODE_GC_MARK | PF_CODE_GC_ASSIST | PF_CODE_GC_SWEEP | PF_CODE_GC_IDLE,
	PF_CODE_LOCK = 1 << 6,      /* takes a lock, waiting if need be */
	PF_CODE_LOCK_WAIT = 1 << 7, /* waits for one, or wakes who does */
	PF_CODE_SLEEP = 1 << 8,
	PF_CODE_CHANNEL = 1 << 9,  /* waits for another goroutine or thread of the program */
	PF_CODE_OUTSIDE = 1 << 10, /* waits for somebody outside: network, disk */
	PF_CODE_SERVER = 1 << 11,  /* a server's loop waiting for its next request */
	PF_CODE_SERIAL = 1 << 12,  /* serialises or parses */
	PF_CODE_MAPPING = 1 << 13, /* asks the kernel for memory, or gives it back */
	PF_CODE_POOL = 1 << 14,    /* waits for a connection of a pool */
	PF_CODE_SOCKET = 1 << 15,  /* a socket that never blocks: to wait is PF_CODE_PARKED */
	PF_CODE_PARKED = 1 << 16,
	PF_CODE_UNMAPPING =
	    1 << 17,               /* gives memory back to the kernel, if it asks it for anything */
	PF_CODE_WRAPPER = 1 << 18, /* the agent's, without the name of the call: its labels tell */
	PF_CODE_SPIN = 1 << 19,    /* waits without going to sleep */
	/* What no name tells, but labels of the agent's: whose word a thread waits for (a client's: PF_CODE_SERVER). */
	PF_CODE_IDLE = 1 << 20,  /* the program's own */
	PF_CODE_ASKS = 1 << 21,  /* somebody's whom it has asked, or a disk's */
	PF_CODE_RESTS = 1 << 22, /* another server's, for so long that it may have subscribed */
	PF_CODE_RUNS = 1 << 23,  /* nobody's: in its system call it is on a processor */
	/* Of servers and clients by their libraries. */
	PF_CODE_CLIENT = 1 << 24,     /* a client's loop that reads a connection's answers */
	PF_CODE_CALLER = 1 << 25,     /* a server reads from who calls it: see pf_stack_read() */
	PF_CODE_REQUEST = 1 << 26,    /* a server in a request: it has called a handler */
	PF_CODE_SENDS = 1 << 27,      /* to a channel that has no room, or nobody to take it */
	PF_CODE_INNER_LOCK = 1 << 28, /* Go's runtime at a lock of its own, of a channel say */
	PF_CODE_YIELD = 1 << 29,      /* asks for a processor again at once */
	PF_CODE_WAKE = 1 << 30,       /* wakes who waits at a condition */
};

/* Seconds; nobody's request waits longer for one answer, unless something is badly wrong. */
#define PF_LONGEST_REQUEST 5.0

/*
 * The traits of a function; `file` is the binary that it is in ("" unknown).
 * 0: the service's own code, or a library of which we know nothing.
 */
uint32_t pf_code_traits(const char *function, const char *file);

/* Whether it is one of an allocator's that programs bring along: code_allocators.c. */
bool pf_code_is_allocator(const char *function);

/* Of a wait for what the agent's labels call "mutex", "condition" …; 0: no such word. */
uint32_t pf_code_wait_traits(const char *word);
/* Whether a call ("sendmsg") connects or sends: whoever is in it asks, and does not rest. */
bool pf_code_is_sending(const char *call);
/* Of seconds of waiting in a call ("read" …) for whom they call "client", "server" …; 0: no such word. */
uint32_t pf_code_peer_traits(const char *word, const char *call, double seconds);

#endif
