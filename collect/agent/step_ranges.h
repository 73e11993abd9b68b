/*
 * step_ranges.h: the code that single steps may lead through.
 *
 * What is mapped from a file, as it was when sampling began, and is still there: its
 * bytes can be read, and mean what they say. Code that a program makes itself may be
 * written at any moment, and is none of a profile's.
 */
#ifndef PF_AGENT_STEP_RANGES_H
#define PF_AGENT_STEP_RANGES_H

#include <stddef.h>
#include <stdint.h>

struct pf_modules;

/* Lists it; nobody may be in pf_step_room. */
void pf_step_ranges_list(const struct pf_modules *modules);

/* Takes out what has been unloaded. */
void pf_step_ranges_follow(const struct pf_modules *modules);

/* Bytes of such code from pc on; 0: not to be entered. Async-signal-safe. */
size_t pf_step_room(uint64_t pc);

#endif
