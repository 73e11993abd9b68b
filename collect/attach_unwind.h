/* attach_unwind.h: the callers of a sampled thread, out of a copy of its stack. */
#ifndef PF_COLLECT_ATTACH_UNWIND_H
#define PF_COLLECT_ATTACH_UNWIND_H

#include "attach_events.h"
#include "attach_modules.h"

/* What an unwinder works in; about 40 KiB. */
struct pf_slot;
struct pf_slot *pf_attach_slot_new(void);

/*
 * The user frames of a sample, leaf first, at most PF_ATTACH_FRAMES; return
 * addresses raw. *whole tells whether the stack's own end was reached: a deep
 * one is copied in part only.
 */
size_t pf_attach_unwind(struct pf_slot *slot, struct pf_modules_table *modules,
    const struct pf_process *process, const struct pf_attach_sample *sample, uint64_t *frames,
    bool *whole);

#endif
