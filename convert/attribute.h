/*
 * attribute.h: from executions of instructions to counts of bodies: function profiles.
 *
 * A body's count comes from the executions of all its anchors (anchors.h),
 * unsampled ones included, so code that was compiled but not hit gets a zero and
 * not silence: to the compiler silence means "unknown".
 */
#ifndef PF_CONVERT_ATTRIBUTE_H
#define PF_CONVERT_ATTRIBUTE_H

#include <profuse/convert.h>

#include "convert/anchors.h"
#include "convert/executions.h"
#include "convert/functions.h"
#include "convert/program.h"
#include "symbol/binary.h"

/* Where inline chains and callees' names come from: a binary, or a test's own table. */
struct pf_line_source {
	void *context;
	int (*chain)(
	    void *context, uint64_t address, struct pf_inline_chain *chain, struct pf_error *err);
	/* The name of the function that starts exactly here; NULL: none. `taken`: only if its address
	 * is taken, so that an indirect call may lead to it. */
	const char *(*function_at)(void *context, uint64_t address, bool taken);
	/* The start of the function that covers an address; false: none. */
	bool (*start_of)(void *context, uint64_t address, uint64_t *start);
};

struct pf_attribution {
	uint8_t *has_anchors;    /* by function of the program */
	double *unplaced_blocks; /* by function that has anchors: value in blocks without any */
	double unplaced;         /* value on instructions that are no anchors, in such functions */
	double scale;            /* counts = estimates times this */
};

/*
 * Adds the program's bodies to `out`, gives them their counts and adds call
 * targets; to be sealed then: nothing more can be found in it by place. `anchors`
 * is of this program and of `out`, just begun, `executions` of this program;
 * `counts` is for anchors by lines. PF_EINPUT on line information that cannot be
 * read; PF_ENOMEM. Release *a in any case.
 */
int pf_attribute(struct pf_functions *out, struct pf_attribution *a, const struct pf_program *p,
    struct pf_anchors *anchors, const struct pf_executions *executions, enum pf_counts counts,
    const struct pf_line_source *lines, struct pf_error *err);
void pf_attribution_release(struct pf_attribution *a);

#endif
