/*
 * rust_names.h: short names of Rust's functions, mangled by its v0 scheme (RFC 2603).
 *
 * "alloc::alloc::alloc" for _RNvNtCslNYArtu3iFV_5alloc5alloc5alloc: without the crates' hashes and without generic
 * arguments, otherwise as llvm-cxxfilt writes it.
 */
#ifndef PF_SYMBOL_RUST_NAMES_H
#define PF_SYMBOL_RUST_NAMES_H

#include <stddef.h>

/*
 * Writes the short name of what follows "_R" in a mangled name, without an ending zero, of less than `room`
 * bytes. Returns its size; 0 for what is malformed, unknown, nested too deeply or too long, and then what `out` holds
 * means nothing. Time is linear in the name's length and PF_DEMANGLED_ROOM; nothing is allocated.
 */
size_t pf_rust_name(const char *mangled, char *out, size_t room);

#endif
