/*
 * capture.h: what the signal handler does, and where it puts it.
 *
 * A handler interrupts the host anywhere: inside malloc, inside the dynamic
 * loader, on a coroutine's stack of 8 KiB. So it takes a free slot of a table
 * made beforehand, copies registers and the top of the stack into it, and
 * returns; no lock, no allocation, no libc state but errno, which it restores.
 * A slot is free, being written, ready, or gathered; each has one owner at a
 * time, so a thread that is stopped in the middle of writing holds up nobody
 * else.
 *
 * Stack bytes: the used stack up to PF_STACK_BYTES, for unwinding with
 * .eh_frame later, and the red zone below it: a function that has just popped
 * its caller's frame pointer is said to have it saved there, until it returns. Of a deeper stack also the frame-pointer chain beyond the
 * copy, and the bytes above its last link, where libc's start-up code has its
 * frames: so code with frame pointers still comes out whole.
 */
#ifndef PF_AGENT_CAPTURE_H
#define PF_AGENT_CAPTURE_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	PF_STACK_BYTES = 32 << 10,
	PF_RED_ZONE = 128, /* the psABI's: bytes below the stack pointer that signals leave alone */
	PF_CHAIN_LINKS = 64,
	PF_TAIL_BYTES = 1 << 10,
	PF_REGISTERS = 17, /* DWARF's x86-64 numbers: 6 rbp, 7 rsp, 16 the return address */
	PF_REG_FP = 6,
	PF_REG_SP = 7,
	PF_REG_PC = 16,
};

/* A saved frame pointer and return address found at an address of the stack. */
struct pf_chain_link {
	uint64_t address, frame, pc;
};

struct pf_slot {
	_Atomic uint32_t state;
	pid_t thread;           /* 0: not known */
	uint32_t weight;        /* periods that this sample stands for: 1 + overruns */
	uint32_t stack_size;    /* bytes copied from stack_address up */
	uint64_t stack_address; /* a red zone below the stack pointer, where that could be read */
	uint32_t links;
	uint32_t tail_size;
	uint64_t tail_address;
	uint64_t registers[PF_REGISTERS];
	struct pf_chain_link chain[PF_CHAIN_LINKS];
	uint8_t tail[PF_TAIL_BYTES];
	uint8_t stack[PF_STACK_BYTES];
};

struct pf_capture {
	struct pf_slot *slots; /* owned, mapped; NULL: none */
	size_t count, mapped;
	_Atomic uint64_t lost;    /* periods without a free slot */
	_Atomic uint64_t foreign; /* signals of this number that were not ours */
	int signal;               /* the number in use; 0: none */
};

/* Maps the table of slots for this many processors. 0 or a negative errno. */
int pf_capture_open(struct pf_capture *c, unsigned processors);

/*
 * Takes the first signal of the wanted kind that the host leaves at its
 * default: SIGPROF, SIGSTKFLT, and, where queued signals are harmless (timers),
 * the highest free real-time ones. 0, or -EBUSY. After a call c->signal is set
 * and the handler writes into `c` until pf_capture_unhook or another hook.
 */
int pf_capture_hook(struct pf_capture *c, bool real_time_too);

/* Whether the handler is still the one installed for c->signal. */
bool pf_capture_hooked(const struct pf_capture *c);

/*
 * Gives the signal back, after its sources are gone: what is still pending is
 * thrown away, then the default is restored; a handler the host has put there
 * meanwhile stays. Waits for handlers that are still running.
 */
void pf_capture_unhook(struct pf_capture *c);

/* Unmaps the slots; must be unhooked. */
void pf_capture_close(struct pf_capture *c);

/* In a forked child: forget the handler and the slots, which are the parent's. */
void pf_capture_forked(struct pf_capture *c);

/*
 * Gathers the slots that are ready now: pf_capture_next gives these and no
 * others. A frame's code can't go before its thread has left the handler, so it
 * was there after the previous gathering, if that has not gathered the slot.
 */
void pf_capture_gather(struct pf_capture *c);
/* The next gathered slot at or after *at (start with 0), or NULL; *at moves past it. */
struct pf_slot *pf_capture_next(struct pf_capture *c, size_t *at);
/* Makes a slot free again. */
void pf_capture_done(struct pf_slot *slot);

/* What the sigev_value of a thread's timer must be for its signals to count as ours. */
void *pf_capture_cookie(pid_t thread);

#endif
