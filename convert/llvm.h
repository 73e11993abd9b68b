/*
 * llvm.h: writers of LLVM's sample profiles, text and extbinary.
 *
 * Both take sealed functions and append to a buffer. The extbinary file is the
 * one that LLVM 14 to 19 write and read, byte for byte where nothing is
 * compressed; the format is described in docs/convert.md.
 */
#ifndef PF_CONVERT_LLVM_H
#define PF_CONVERT_LLVM_H

#include "convert/functions.h"
#include "core/buffer.h"

struct pf_llvm_options {
	bool
	    md5; /* names as the low 64 bits of their MD5; call it smaller and anonymous, not safer */
	bool compress; /* sections as zlib streams */
	/* Names that the profiled binary had code for: without counts they are cold, not unknown.
	 * Sorted, distinct; NULL: no list. */
	const char *const *symbols;
	size_t symbol_count;
};

int pf_llvm_text(const struct pf_functions *f, struct pf_buffer *out, struct pf_error *err);
int pf_llvm_extbinary(const struct pf_functions *f, const struct pf_llvm_options *options,
    struct pf_buffer *out, struct pf_error *err);

#endif
