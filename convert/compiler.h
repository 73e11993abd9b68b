/*
 * compiler.h: whether the compiler that is to use a profile is the one that built what was profiled.
 *
 * Another's build has other names for static functions and other lines for the same code: of a profile
 * that fits little, all that it leaves out is taken for cold.
 */
#ifndef PF_CONVERT_COMPILER_H
#define PF_CONVERT_COMPILER_H

#include "convert/convert_private.h"

/* What Go's linker leaves in every program, stripped or not, and in C programs with Go in them. */
bool pf_is_go_program(const struct pf_binary *binary);

/* Whether static functions have -funique-internal-linkage-names' suffix. */
bool pf_has_unique_names(const struct pf_binary *binary);

/*
 * PF_EINPUT where the format's compiler can't have built the binary: Go's programs are not clang's, nor GCC's, nor are
 * functions with clang's unique names GCC's; and where BOLT would break it, as it does programs with Go in them. A note where it did not by all that its .comment says.
 */
int pf_check_compiler(struct pf_convert *c, struct pf_error *err);

#endif
