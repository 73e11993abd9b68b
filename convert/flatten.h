/*
 * flatten.h: one record a function: what its inlined copies counted is its own.
 *
 * A profile with copies makes clang's loader inline again what the profiled
 * build had inlined, before the code has been simplified once: what an earlier
 * simplification would have made cheap stays (arguments by value are copied in
 * every turn of a loop), and each copy has only the samples of its own. With one
 * record the ordinary inliner decides, later and by the same counts, and all
 * samples of a function speak for it. docs/quality.md has what both bring.
 *
 * The rule is that of LLVM's ProfileConverter::flattenProfile(), but for a call's
 * place: it counts what runs most there, and not the sum of the caller's own
 * instructions and what was inlined.
 */
#ifndef PF_CONVERT_FLATTEN_H
#define PF_CONVERT_FLATTEN_H

#include "convert/functions.h"

/* Of a sealed tree, which is sealed again. A place that a function was inlined into becomes a call of it. PF_ENOMEM. */
int pf_functions_flatten(struct pf_functions *f, struct pf_error *err);

#endif
