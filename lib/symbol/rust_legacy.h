/* rust_legacy.h: see rust_legacy.c. */
#ifndef PF_SYMBOL_RUST_LEGACY_H
#define PF_SYMBOL_RUST_LEGACY_H

#include "symbol/name_text.h"

/*
 * Writes what people read for such a name, without its hash, into an empty text: "leak::open_session", for
 * _ZN4leak12open_session17h286ea5e6998c740aE. *end is what follows the name. False, with what was written of no use, for
 * no such name or one that there is no room for.
 */
bool pf_rust_legacy_name(const char *name, const char **end, struct pf_name_text *t);

#endif
