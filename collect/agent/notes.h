/*
 * notes.h: what threads of the host note down for the agent: something happened, with this stack.
 *
 * The thread copies its stack into a slot and goes on; the agent's thread unwinds
 * it later. It is woken when half the slots are full, through a pipe (the bell)
 * that it polls; whoever wants to read the sums drains the notes first. Without
 * a free slot the event is counted all the same, with no stack.
 */
#ifndef PF_AGENT_NOTES_H
#define PF_AGENT_NOTES_H

#include "collect/agent/slots.h"
#include "collect/agent/stacks.h"

enum pf_note { PF_NOTE_ALLOCATION, PF_NOTE_WAIT, PF_NOTE_HOLD, PF_NOTE_CREATE, PF_NOTES };

/* Starts taking notes; 0 or a negative errno. Again: nothing. */
int pf_notes_open(void);

/* A slot for a note of this kind, or NULL. Signals must be blocked from here to pf_note_done. */
struct pf_slot *pf_note_begin(enum pf_note kind);
/* Takes the calling thread's stack from the function on that returns to `caller`, and hands over. */
void pf_note_done(struct pf_slot *slot, const void *caller);

/* The agent's side, under its lock. */

/* What to poll for the bell, or -1; opens it anew if the host has closed it. */
int pf_notes_bell(void);
/* Unwinds what there is and passes it on; true if there was something. */
bool pf_notes_drain(int64_t now);
/* The stacks that the notes' sums refer to. */
const struct pf_stacks *pf_notes_stacks(void);
/* Notes that found no slot, so far. */
uint64_t pf_notes_lost(void);

/* In a forked child; `tidy`: the agent's state is consistent. */
void pf_notes_forked(bool tidy);

#endif
