/*
 * rust_names.h: short names of Rust's functions, mangled by its v0 scheme (RFC 2603).
 *
 * "alloc::alloc::alloc" for _RNvNtCslNYArtu3iFV_5alloc5alloc5alloc: without the crates' hashes and without generic
 * arguments, otherwise as llvm-cxxfilt writes it.
 */
#ifndef PF_SYMBOL_RUST_NAMES_H
#define PF_SYMBOL_RUST_NAMES_H

#include "symbol/name_text.h"

/*
 * Writes the short name of what follows "_R" in a mangled name into an empty text. False for what is malformed, unknown,
 * nested too deeply or too long, and then what was written means nothing. Time is linear in the name's length and
 * PF_DEMANGLED_ROOM; nothing is allocated.
 */
bool pf_rust_name(const char *mangled, struct pf_name_text *t);

#endif
