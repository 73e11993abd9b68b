/*
 * folded.h: the samples as folded stacks, one line a stack, outermost function
 * first: "main;parse;next 12". What flame graph tools read.
 */
#ifndef PF_CONVERT_FOLDED_H
#define PF_CONVERT_FOLDED_H

#include "convert/match.h"
#include "core/buffer.h"

struct pf_binary;
struct pf_stacks;

/*
 * All stacks, sorted, equal ones summed; values divided by `unit` and rounded.
 * Frames of the matched binary (NULL: none) get their inlined functions, frames
 * of others their file's name in brackets. PF_EINPUT, PF_ENOMEM.
 */
int pf_folded(struct pf_buffer *out, const struct pf_stacks *s, size_t type, double unit,
    struct pf_binary *binary, const enum pf_match *matches, struct pf_error *err);

#endif
