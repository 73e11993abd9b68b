/*
 * guess.h: the frame pointer of a thread that was found waiting.
 *
 * The kernel tells its stack pointer and program counter and nothing else. That
 * is enough for code whose frames are found from the stack pointer, and for a
 * register that was saved on the way; but a function compiled with frame pointers
 * is unwound from that register, which libc's system calls leave alone. Then the
 * frame is looked for: it ends with the caller's frame pointer and a return
 * address, behind a call, of this very function if that can be told.
 */
#ifndef PF_AGENT_GUESS_H
#define PF_AGENT_GUESS_H

#include "collect/agent/modules.h"
#include "collect/agent/unwind.h"

/* Sets the frame pointer of a frame in the function that holds `pc`; false if none is found. */
bool pf_guess_frame_pointer(
    struct pf_frame *frame, struct pf_modules *modules, uint64_t pc, int64_t now);

#endif
