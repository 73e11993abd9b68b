/*
 * slots.h: where a thread of the host leaves a stack for the agent to unwind.
 *
 * The host is interrupted anywhere: inside malloc, inside the dynamic loader, on
 * a coroutine's stack of 8 KiB. So its thread takes a free slot of a table made
 * beforehand, copies registers and the top of its stack into it, and goes on; no
 * lock, no allocation. A slot is free, being written, ready, or gathered; each
 * has one owner at a time, so a thread that is stopped in the middle of writing
 * holds up nobody else.
 *
 * Stack bytes: the used stack up to PF_STACK_BYTES, for unwinding with
 * .eh_frame later, and the red zone below it: a function that has just popped
 * its caller's frame pointer is said to have it saved there, until it returns.
 * Of a deeper stack also the frame-pointer chain beyond the copy, and the bytes
 * above its last link, where libc's start-up code has its frames: so code with
 * frame pointers still comes out whole.
 */
#ifndef PF_AGENT_SLOTS_H
#define PF_AGENT_SLOTS_H

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

#define PF_KNOWN_ALL ((1u << PF_REGISTERS) - 1)
#define PF_KNOWN_PC_SP (1u << PF_REG_PC | 1u << PF_REG_SP)
#define PF_KNOWN_SAVED (PF_KNOWN_PC_SP | 1u << PF_REG_FP | 1u << 3 | 0xfu << 12) /* across calls */

/* A saved frame pointer and return address found at an address of the stack. */
struct pf_chain_link {
	uint64_t address, frame, pc;
};

struct pf_slot {
	pid_t thread;        /* 0: not known */
	uint32_t kind;       /* what happened; the table's owner says */
	uint32_t weight;     /* of a CPU sample, in periods: 1 + overruns */
	uint32_t entry;      /* of an allocation: its number among the live ones */
	double scale;        /* of a wait: how many it stands for */
	int64_t delay;       /* of a wait: nanoseconds */
	uint32_t stack_size; /* bytes copied from stack_address up */
	uint32_t links;
	uint64_t caller; /* the stack counts from the function that returns here; 0: whole */
	enum {
		PF_CALLED,
		PF_CALLED_LAST, /* that one may have been reached by a jump: it is often called last */
		PF_OWN_CALLED_LAST, /* what it had called, a function of the agent's that is gone */
	} last_call;
	uint64_t stack_address; /* a red zone below the stack pointer, where that could be read */
	uint64_t tail_address;
	uint32_t tail_size;
	uint64_t registers[PF_REGISTERS];
	uint32_t known; /* bit i: registers[i] is */
	struct pf_chain_link chain[PF_CHAIN_LINKS];
	uint8_t tail[PF_TAIL_BYTES];
	uint8_t stack[PF_STACK_BYTES];
};

struct pf_slots {
	struct pf_slot *items;    /* owned, mapped; NULL: none */
	_Atomic uint32_t *states; /* side by side, behind them in the same mapping */
	size_t count, mapped;
	_Atomic uint32_t waiting; /* ready since the last gathering */
};

/* Maps a table; memory is used only as far as stacks reach. 0 or -ENOMEM. */
int pf_slots_open(struct pf_slots *s, size_t count);
/* Unmaps it; nobody may be writing. */
void pf_slots_close(struct pf_slots *s);

/* A free slot, to be filled in and handed over, or NULL. Async-signal-safe, like the next two. */
struct pf_slot *pf_slots_claim(struct pf_slots *s);
/* Copies the stack that slot->registers stand on, which is the calling thread's. */
void pf_slot_copy(struct pf_slot *slot);
/* The same of another thread, which waits meanwhile, or the copy is worth nothing. */
void pf_slot_copy_other(struct pf_slot *slot);
/* Hands it over; how many are waiting now. */
uint32_t pf_slots_ready(struct pf_slots *s, struct pf_slot *slot);

/*
 * Gathers the slots that are ready now: pf_slots_next gives these and no
 * others. A frame's code can't go before its thread has handed the slot over,
 * so it was there after the previous gathering, if that has not gathered the slot.
 */
void pf_slots_gather(struct pf_slots *s);
/* The next gathered slot at or after *at (start with 0), or NULL; *at moves past it. */
struct pf_slot *pf_slots_next(struct pf_slots *s, size_t *at);
/* Makes a slot free again. */
void pf_slots_done(struct pf_slots *s, struct pf_slot *slot);

/* The registers of the function that it is inlined into, as far as calls keep them (PF_KNOWN_SAVED). */
static inline __attribute__((always_inline)) void
pf_registers_here(uint64_t *registers)
{
	__asm__ volatile("leaq 0f(%%rip), %%rax\n"
			 "0:\n\t"
			 "movq %%rax, 16*8(%0)\n\t"
			 "movq %%rbx, 3*8(%0)\n\t"
			 "movq %%rbp, 6*8(%0)\n\t"
			 "movq %%rsp, 7*8(%0)\n\t"
			 "movq %%r12, 12*8(%0)\n\t"
			 "movq %%r13, 13*8(%0)\n\t"
			 "movq %%r14, 14*8(%0)\n\t"
			 "movq %%r15, 15*8(%0)"
	    :
	    : "r"(registers)
	    : "rax", "memory");
}

#endif
