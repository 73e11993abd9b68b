/* rust_legacy.h: see rust_legacy.c. */
#ifndef PF_SYMBOL_RUST_LEGACY_H
#define PF_SYMBOL_RUST_LEGACY_H

#include <stddef.h>

/*
 * Writes what people read for such a name, without its hash and without an ending zero: "leak::open_session", for
 * _ZN4leak12open_session17h286ea5e6998c740aE. *end is what follows the name. Returns the size; 0, with what was written
 * of no use, for no such name or one that is longer than `room` - 1.
 */
size_t pf_rust_legacy_name(const char *name, const char **end, char *out, size_t room);

#endif
