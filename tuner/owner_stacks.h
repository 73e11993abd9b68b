/*
 * owner_stacks.h: what one function's goroutines or threads do: its stacks, each once with all that it holds. One that
 * stands for all would say of 300 idle workers that they sleep because main does.
 */
#ifndef PF_TUNER_OWNER_STACKS_H
#define PF_TUNER_OWNER_STACKS_H

#include "tuner/sites.h"

struct pf_owner_stack {
	size_t sample; /* one that has it */
	double value;
	uint32_t traits;
};

struct pf_owner_stacks {
	struct pf_owner_stack *items; /* owned; greatest value first */
	size_t count;
};

/*
 * Sums a column by stack (the names of its functions) over the samples that `wanted` says (NULL: all) and `owner`, a name of
 * the profile's frames, answers for. PF_ENOMEM. Release them after a failure too.
 */
int pf_owner_stacks_of(struct pf_owner_stacks *s, const struct pf_evidence_profile *ep,
    uint32_t column, pf_sample_wanted *wanted, uint32_t owner, struct pf_error *err);
void pf_owner_stacks_release(struct pf_owner_stacks *s);

/* What a stack of these traits waits for: one trait of several; 0: nothing that is known. */
uint32_t pf_wait_of(uint32_t traits);
/* "asleep in", "in" … */
const char *pf_wait_words(uint32_t wait, bool threads);

#endif
