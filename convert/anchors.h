/*
 * anchors.h: which instructions speak for which body of a function profile.
 *
 * A body is a line (offset and discriminator) or a probe of a function, in a
 * chain of inlined functions. By lines, every instruction is an anchor of the
 * line that it belongs to; by probes, only the instruction that a probe stands
 * before is, and a probe that was copied (unrolled, inlined twice) has several
 * anchors that each count a part of its executions.
 *
 * A program has an anchor for nearly every instruction, so they are asked for,
 * and forgotten, function by function.
 */
#ifndef PF_CONVERT_ANCHORS_H
#define PF_CONVERT_ANCHORS_H

#include "convert/functions.h"
#include "convert/program.h"
#include "convert/places.h"
#include "symbol/binary.h"
#include "symbol/probes.h"

struct pf_line_source;

struct pf_anchor {
	uint32_t instruction, body;
	uint32_t duplication; /* the factor that the compiler noted for this copy of a line; 1 */
};

/* Where anchors by lines come from: the chain asked for last, good up to chain.until. */
struct pf_anchor_lines {
	const struct pf_line_source *source;
	struct pf_inline_chain chain;
	uint32_t body;   /* that the chain stands for; PF_NONE: for none */
	bool deep_chain; /* why not */
};

/* Where anchors by probes come from. */
struct pf_anchor_probes {
	struct pf_probes probes;
	uint32_t *nodes; /* by the probes' nodes: the profile's, PF_NONE: not usable */
	size_t next;     /* probe */
};

struct pf_anchors {
	struct pf_functions *functions;
	struct pf_place_finder finder;
	struct pf_anchor_lines lines;
	struct pf_anchor_probes probes;
	bool by_probes; /* copies add up; by lines every instruction says the same */

	/* Of the function asked for last. */
	struct pf_anchor *items; /* by instruction */
	size_t count, capacity;
	uint32_t *calls; /* by instruction: the body that call targets belong to, or PF_NONE */
	size_t call_capacity;

	/* Of all functions so far. */
	uint64_t deep_chains;           /* anchors inlined deeper than PF_INLINE_MAX_DEPTH */
	uint64_t chains, discriminated; /* lines with their callers; those with a discriminator */
};

/*
 * Begin; nodes and bodies will be added to `functions` (initialised, not
 * sealed). What is given outlives the anchors. Probes of other functions than
 * those of the program are left out. PF_EINPUT on probes that cannot be read;
 * PF_ENOMEM. Release it in any case.
 */
void pf_anchors_by_lines(
    struct pf_anchors *a, struct pf_functions *functions, const struct pf_line_source *source);
int pf_anchors_by_probes(struct pf_anchors *a, struct pf_functions *functions,
    const struct pf_program *p, const struct pf_binary *binary, struct pf_error *err);
void pf_anchors_release(struct pf_anchors *a);

/*
 * The anchors of one function; to be asked for in the order of the program.
 * PF_EINPUT on line information that cannot be read; PF_ENOMEM.
 */
int pf_anchors_find(struct pf_anchors *a, const struct pf_program_code *code, struct pf_error *err);

/* The two ways to do that: anchors_lines.c, anchors_probes.c. */
int pf_anchors_find_lines(
    struct pf_anchors *a, const struct pf_program_code *code, struct pf_error *err);
int pf_anchors_find_probes(
    struct pf_anchors *a, const struct pf_program_code *code, struct pf_error *err);

#endif
