/*
 * stack_types.h: the sample types of summed stacks and those of a profile that is added.
 */
#ifndef PF_PROFILE_STACK_TYPES_H
#define PF_PROFILE_STACK_TYPES_H

#include "profile/stacks.h"

/*
 * The first profile's types become those of the sum. Later ones have to have the same in
 * the same order, but for steps beside samples (steps.h): where only one of both has
 * them, they count as zero in the other; a sum gets them as its last type.
 * *columns, to be freed by the caller: which type of the profile each of the sum's is,
 * PF_NONE where it has none. PF_EINPUT where types differ; `name` stands for the profile.
 */
int pf_stack_types_match(uint32_t **columns, struct pf_stacks *s, const struct pf_profile *p,
    const char *name, struct pf_error *err);

#endif
