/* stale_names.c: see stale_names.h. */
#include "convert/stale_names.h"

#include <string.h>

#include "core/error.h"
#include "core/index.h"
#include "symbol/binary.h"

int
pf_stale_names_add(struct pf_strings *stems, const struct pf_strings *profile, const char *name,
    struct pf_error *err)
{
	const char *suffix = pf_unique_suffix(name);
	uint32_t id;

	if (!suffix || pf_strings_find(profile, name, strlen(name)) != PF_NONE)
		return 0;
	return pf_strings_add(stems, name, (size_t)(suffix - name), &id, err);
}

enum pf_stale_reason
pf_stale_names_reason(const struct pf_strings *stems, const char *name)
{
	const char *suffix = pf_unique_suffix(name);

	return suffix && pf_strings_find(stems, name, (size_t)(suffix - name)) != PF_NONE
		   ? PF_STALE_RENAMED
		   : PF_STALE_GONE;
}
