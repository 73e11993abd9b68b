/*
 * demangle.h: short names of C++ and Rust functions, for people.
 *
 * The names of the Itanium C++ ABI (section 5.1), as c++filt and pprof read them, without parameters and
 * template arguments: "AuditTrail::record" for _ZN10AuditTrail6recordERKSs; and those of Rust's v0 scheme
 * (rust_names.h) and of its older one (rust_legacy.h). Compilers look functions up by their mangled names: a profile keeps
 * those, and only what is shown goes through here.
 */
#ifndef PF_SYMBOL_DEMANGLE_H
#define PF_SYMBOL_DEMANGLE_H

#include <stdbool.h>
#include <stddef.h>

enum { PF_DEMANGLED_ROOM = 1024 };

/*
 * Writes the short name of a mangled one with its ending zero. False, and `out` is unchanged, for what is no mangled
 * name of a function, has parts that are not known here (expressions in template arguments), or whose name would
 * be longer than `size` - 1. What follows a C++ name (its parameters) is not looked at. Time is linear in the lengths
 * of both; nothing is allocated.
 */
bool pf_demangle(const char *name, char *out, size_t size);

/* What people read for a name: the short one, in `room`, or where there is none the name itself. */
const char *pf_readable_name(const char *name, char room[PF_DEMANGLED_ROOM]);

#endif
