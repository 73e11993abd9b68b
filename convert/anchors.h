/*
 * anchors.h: which instructions speak for which body of a function profile.
 *
 * A body is a line (offset and discriminator) or a probe of a function, in a
 * chain of inlined functions. By lines, every instruction is an anchor of the
 * line that it belongs to; by probes, only the instruction that a probe stands
 * before is, and a probe that was copied (unrolled, inlined twice) has several
 * anchors that each count a part of its executions.
 */
#ifndef PF_CONVERT_ANCHORS_H
#define PF_CONVERT_ANCHORS_H

#include "convert/functions.h"
#include "convert/program.h"
#include "convert/places.h"
#include "symbol/binary.h"

struct pf_anchor {
	uint32_t instruction, body;
	uint32_t duplication; /* the factor that the compiler noted for this copy of a line; 1 */
};

struct pf_anchors {
	struct pf_anchor *items; /* by instruction */
	size_t count, capacity;
	uint32_t *calls;    /* by instruction: the body that call targets belong to, or PF_NONE */
	bool probes;        /* copies add up; by lines every instruction says the same */
	uint64_t far_lines; /* instructions whose line is before their function or too far after */
	uint64_t deep_chains; /* anchors inlined deeper than PF_INLINE_MAX_DEPTH */
};

struct pf_line_source;

/*
 * Fills *out for the program, adding nodes and bodies to `functions`
 * (initialised, not sealed). PF_EINPUT on line information or probes that
 * cannot be read; PF_ENOMEM. Release it in any case.
 */
int pf_anchors_lines(struct pf_anchors *out, struct pf_functions *functions,
    const struct pf_program *p, const struct pf_line_source *lines, struct pf_error *err);
int pf_anchors_probes(struct pf_anchors *out, struct pf_functions *functions,
    const struct pf_program *p, const struct pf_binary *binary, struct pf_error *err);
void pf_anchors_release(struct pf_anchors *a);

#endif
