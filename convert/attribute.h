/*
 * attribute.h: from instructions to places in the source: function profiles.
 *
 * Every instruction of a sampled function belongs to a place in a chain of
 * inlined functions (or to none that a profile can name). A place's count comes
 * from the executions of all its instructions, unsampled ones included, so code
 * that was compiled but not hit gets a zero and not silence: to the compiler
 * silence means "unknown".
 */
#ifndef PF_CONVERT_ATTRIBUTE_H
#define PF_CONVERT_ATTRIBUTE_H

#include <profuse/convert.h>

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
	uint8_t *has_lines; /* by function of the program: whether any instruction has a place */
	double *unplaced_blocks; /* by function that has lines: value in blocks without any place */
	double unplaced;         /* value on instructions without a place, in such functions */
	double scale;            /* counts = estimates times this */
	uint64_t far_lines; /* instructions whose line is before their function or too far after */
	uint64_t deep_chains; /* instructions inlined deeper than PF_INLINE_MAX_DEPTH */
};

/*
 * Adds the program to `out` (initialised, empty) and seals it. `executions` is
 * of this program. PF_EINPUT on line information that cannot be read;
 * PF_ENOMEM. Release *a in any case.
 */
int pf_attribute(struct pf_functions *out, struct pf_attribution *a, const struct pf_program *p,
    const struct pf_executions *executions, const struct pf_samples *samples, enum pf_counts counts,
    const struct pf_line_source *lines, struct pf_error *err);
void pf_attribution_release(struct pf_attribution *a);

#endif
