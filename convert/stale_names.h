/*
 * stale_names.h: functions that are there under another unique name.
 *
 * clang makes names of static functions unique (-funique-internal-linkage-names, which comes with
 * pseudo-probes) by a hash of their file's path as it stands on the command line. Built
 * in another folder, all of them have other names, and the compiler finds no count for any.
 */
#ifndef PF_CONVERT_STALE_NAMES_H
#define PF_CONVERT_STALE_NAMES_H

#include "convert/stale.h"
#include "core/strings.h"

struct pf_error;

/*
 * Adds a name of the newer build to `stems`, without its suffix, if it has one and is none of the
 * profile's: that one is not another by a new name. PF_ENOMEM.
 */
int pf_stale_names_add(struct pf_strings *stems, const struct pf_strings *profile, const char *name,
    struct pf_error *err);
/* Why a name of the profile is gone: PF_STALE_RENAMED where one of these differs by its suffix alone. */
enum pf_stale_reason pf_stale_names_reason(const struct pf_strings *stems, const char *name);

#endif
