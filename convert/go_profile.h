/*
 * go_profile.h: of the merged stacks, what Go's compiler reads.
 *
 * The compiler counts call edges in the innermost two locations of a stack only
 * (each with the functions inlined into it): callers further up say little
 * about how often a call runs. So a stack is cut to those two and the line in
 * its innermost function forgotten, after which most stacks are equal. Flat
 * values stay true, and the compiler sees the edges of the whole profile.
 *
 * Functions go by the linker's names. A stack is of use if one of its callers
 * has line and start line: without them no call site can be recognised.
 */
#ifndef PF_CONVERT_GO_PROFILE_H
#define PF_CONVERT_GO_PROFILE_H

#include "convert/function_values.h"
#include "convert/match.h"

struct pf_binary;
struct pf_profile;
struct pf_stacks;

/* Whether functions of Go's runtime are among the names that the stacks carry. */
bool pf_go_stacks(const struct pf_stacks *s);
/* Whether they are, and half of the values of this sample type or more end in Go's code as far as files are named. */
bool pf_go_stacks_mostly(const struct pf_stacks *s, size_t type);

struct pf_go_profile {
	struct pf_profile *profile; /* owned; of one sample type, values as in the stacks */
	struct pf_function_values functions; /* of the leaf, after inlining */
	int64_t total, used;
	int64_t unmapped;      /* leaf or caller without a name */
	int64_t no_caller;     /* stacks of one location, with nothing inlined there */
	int64_t no_start_line; /* no caller with line and start line */
};

/*
 * Takes sample type `type` of the stacks, one sample each. Frames without names
 * get them from `binary` (NULL: none), where `matches` says that they are its
 * own. PF_EINPUT on negative values and on DWARF that cannot be read;
 * PF_ENOMEM. Release *g in any case.
 */
int pf_go_profile_build(struct pf_go_profile *g, const struct pf_stacks *s, size_t type,
    struct pf_binary *binary, const enum pf_match *matches, struct pf_error *err);
void pf_go_profile_release(struct pf_go_profile *g);

/*
 * Sums equal samples, drops those that are zero, orders everything. Locations get their position
 * as address: one of a caller and one of a leaf are not the same node to the compiler. PF_ENOMEM.
 */
int pf_go_profile_settle(struct pf_go_profile *g, struct pf_error *err);

#endif
