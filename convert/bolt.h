/*
 * bolt.h: profiles for llvm-bolt, which lays out the code of a linked binary anew.
 *
 * BOLT's text form ("fdata") has a line an executed branch:
 *
 *	1 FUNCTION OFFSET 1 FUNCTION OFFSET MISPREDICTED COUNT
 *
 * as if branches had been recorded. They were not: the counts are what flows
 * along edges and calls by our inference. BOLT also takes bare samples
 * ("no_lbr") and infers flows itself; that was measured to be worse
 * (docs/convert.md).
 */
#ifndef PF_CONVERT_BOLT_H
#define PF_CONVERT_BOLT_H

#include "convert/program.h"
#include "core/buffer.h"

struct pf_bolt_output {
	size_t functions, branches; /* written */
};

/*
 * Appends the program's branches. `unit`: value of one sample; `time`: samples
 * are time. Functions whose control flow is not known wholly have none.
 * Nothing can be told apart by name but functions of `binary`. PF_ENOMEM.
 */
int pf_bolt_write(struct pf_buffer *out, struct pf_bolt_output *written,
    const struct pf_binary *binary, const struct pf_program *p, double unit, bool time,
    struct pf_error *err);

/* Whether llvm-bolt can move this binary's functions: it was linked with its relocations kept. */
bool pf_bolt_moves_functions(const struct pf_binary *binary);

#endif
