/* match.c: see match.h. */
#include "convert/match.h"

#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "profile/stacks.h"
#include "symbol/binary.h"

const char *
pf_file_base(const char *path, int *size)
{
	static const char deleted[] = " (deleted)";
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	size_t length = strlen(base), suffix = sizeof deleted - 1;

	if (length > suffix && strcmp(base + length - suffix, deleted) == 0)
		length -= suffix;
	*size = (int)length;
	return base;
}

static bool
same_base(const char *a, const char *b)
{
	int a_size, b_size;

	a = pf_file_base(a, &a_size);
	b = pf_file_base(b, &b_size);
	return a_size == b_size && a_size && memcmp(a, b, (size_t)a_size) == 0;
}

enum pf_match
pf_match_binary(const char *filename, const char *theirs, const char *path, const char *build_id,
    bool allow_other_build)
{
	bool known = theirs[0] && build_id[0];

	if (known && strcmp(theirs, build_id) == 0)
		return PF_MATCH_BUILD_ID;
	if (!same_base(path, filename))
		return PF_MATCH_NO;
	if (!known)
		return PF_MATCH_NAME;
	return allow_other_build ? PF_MATCH_FORCED : PF_MATCH_OTHER_BUILD;
}

int
pf_match_binaries(enum pf_match **matches, const struct pf_stacks *s, const char *path,
    const char *build_id, bool allow_other_build, struct pf_error *err)
{
	int rc = PF_CALLOC(*matches, s->binary_count, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < s->binary_count; i++)
		(*matches)[i] =
		    pf_match_binary(pf_strings_get(&s->strings, s->binaries[i].filename),
			pf_strings_get(&s->strings, s->binaries[i].build_id), path, build_id,
			allow_other_build);
	return 0;
}

bool
pf_match_address(const struct pf_stack_frame *f, const enum pf_match *matches,
    const struct pf_binary *binary, uint64_t *address)
{
	if (f->binary == PF_NONE || !pf_match_used(matches[f->binary]))
		return false;
	if (f->kind == PF_FRAME_OFFSET)
		return pf_binary_address(binary, f->address, address);
	*address = f->address;
	return f->kind == PF_FRAME_ADDRESS && pf_binary_executable(binary, *address);
}
