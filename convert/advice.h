/*
 * advice.h: what to do with the output: the command line that uses it.
 */
#ifndef PF_CONVERT_ADVICE_H
#define PF_CONVERT_ADVICE_H

#include <profuse/convert.h>

#include "convert/convert_private.h"

/* The compiler flags of a build that is to be profiled, and those besides -fprofile-sample-use. */
#define PF_DEBUG_FLAGS "-O2 -gmlt -fdebug-info-for-profiling"
#define PF_GCC_DEBUG_FLAGS "-O2 -g1"
#define PF_PROBE_FLAGS "-fpseudo-probe-for-profiling"
/* Comes with the former; without it counts of static functions find no function of their name. */
#define PF_UNIQUE_FLAGS "-funique-internal-linkage-names"
#define PF_BOLT_BLOCK_FLAGS "-reorder-blocks=ext-tsp"
/* Of binaries with relocations; without them llvm-bolt ends with an error. */
#define PF_BOLT_FUNCTION_FLAGS "-reorder-functions=hfsort -split-functions -split-all-cold"
/* What a profile by lines wants besides: clang's own inference, which makes one flow of counts that a line shares among
 * blocks, and a layout that uses it. By probes clang infers anyway, and neither that layout nor a wider notion of what is
 * hot makes programs faster. What each gives: docs/quality.md, "Flags". */
#define PF_LAYOUT_FLAGS "-mllvm -enable-ext-tsp-block-placement"
#define PF_INFERENCE_FLAGS "-mllvm -sample-profile-use-profi"
/* With -flto the linker compiles, and clang hands -mllvm on to no linker. */
#define PF_LTO_LAYOUT_FLAGS "-Wl,-plugin-opt=-enable-ext-tsp-block-placement"
#define PF_LTO_INFERENCE_FLAGS "-Wl,-plugin-opt=-sample-profile-use-profi"

/* A function profile that clang reads. */
static inline bool
pf_format_is_llvm(enum pf_convert_format format)
{
	return format == PF_CONVERT_EXTBINARY || format == PF_CONVERT_TEXT;
}

static inline bool
pf_format_is_go(enum pf_convert_format format)
{
	return format == PF_CONVERT_GO_PGO || format == PF_CONVERT_GO_PREPROFILE;
}

/* As --format and the JSON report spell it. */
const char *pf_format_name(enum pf_convert_format format);

/* What the advice is: "build with", "draw with". */
const char *pf_advice_verb(enum pf_convert_format format);

/*
 * Appends the command that takes the output at this path (NULL or "-": FILE),
 * with the compiler that is installed here: clang, else the newest clang-N on
 * PATH; words that a shell would take apart are quoted.
 */
void pf_advice_command(struct pf_buffer *b, const struct pf_convert *c, const char *output);
/* The same without the program: what does not depend on the machine. */
void pf_advice_flags(struct pf_buffer *b, const struct pf_convert *c, const char *output);
/* The same where both the output and the binary lie in the current folder. */
void pf_advice_flags_here(struct pf_buffer *b, const struct pf_convert *c, const char *output);
/* What the linker needs besides where the build is one with -flto; nothing for formats other than LLVM's. */
void pf_advice_lto_flags(struct pf_buffer *b, const struct pf_convert *c, const char *output);

#endif
