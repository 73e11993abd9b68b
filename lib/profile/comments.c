/* comments.c: see comments.h. */
#include "profile/comments.h"

#include <stdlib.h>
#include <string.h>

#include "core/index.h"
#include "core/lines.h"
#include "core/memory.h"

struct naming {
	struct pf_profile *p;
	struct pf_index locations, functions;
	struct pf_line
	    *of; /* owned; of each location, its line: function PF_NONE where it has none */
	size_t named;
};

static int
function_of(
    struct naming *n, struct pf_text name, struct pf_text file, uint32_t *id, struct pf_error *err)
{
	struct pf_profile *p = n->p;
	struct pf_function f = {0};
	size_t at = 0;
	uint32_t hash;
	int rc = pf_strings_add(&p->strings, name.at, pf_text_left(&name), &f.name, err);

	if (!rc)
		rc = pf_strings_add(&p->strings, file.at, pf_text_left(&file), &f.filename, err);
	if (rc)
		return rc;
	f.system_name = f.name;
	hash = pf_hash_pair(f.name, f.filename);
	for (*id = pf_index_first(&n->functions, hash, &at); *id != PF_NONE;
	    *id = pf_index_next(&n->functions, hash, &at)) {
		if (p->functions[*id].name == f.name && p->functions[*id].filename == f.filename)
			return 0;
	}
	rc = PF_GROW(p->functions, p->function_capacity, p->function_count + 1, err);
	if (!rc)
		rc = pf_index_add(&n->functions, hash, (uint32_t)p->function_count, err);
	if (rc)
		return rc;
	*id = (uint32_t)p->function_count;
	p->functions[p->function_count++] = f;
	return 0;
}

static uint32_t
location_at(const struct naming *n, uint64_t address)
{
	size_t at = 0;
	uint32_t hash = pf_hash_u64(address), i;

	for (i = pf_index_first(&n->locations, hash, &at); i != PF_NONE;
	    i = pf_index_next(&n->locations, hash, &at)) {
		if (n->p->locations[i].address == address)
			break;
	}
	return i;
}

/* "#\t0x606267\tmain.f+0x47\t\t/src/main.go:277"; a name may have a plus sign in it, a file a colon. */
static bool
read_comment(
    struct pf_text t, uint64_t *address, struct pf_text *name, struct pf_text *file, int64_t *line)
{
	const char *end, *cut;
	struct pf_text number;

	if (!pf_text_skip(&t, "#\t0x"))
		return false;
	*address = pf_text_hex(&t);
	if (t.failure || !pf_text_skip(&t, "\t"))
		return false;
	end = memchr(t.at, '\t', pf_text_left(&t));
	if (!end || end == t.at)
		return false;
	cut = memrchr(t.at, '+', (size_t)(end - t.at));
	*name = pf_text_of(t.at, (size_t)((cut && cut > t.at ? cut : end) - t.at));
	t.at = end;
	*file = pf_text_trimmed(t);
	cut = pf_text_left(file) ? memrchr(file->at, ':', pf_text_left(file)) : NULL;
	*line = 0;
	if (!cut)
		return true;
	number = pf_text_of(cut + 1, (size_t)(file->end - cut - 1));
	*line = pf_text_int64(&number);
	if (number.failure)
		*line = 0;
	else
		file->end = cut;
	return true;
}

static int
read_names(struct naming *n, const void *bytes, size_t size, struct pf_error *err)
{
	struct pf_lines lines;
	int rc = 0;

	pf_lines_init(&lines, "", bytes, size);
	while (!rc && pf_lines_next(&lines)) {
		struct pf_text name, file;
		uint64_t address;
		uint32_t at;
		int64_t line;

		if (!read_comment(lines.line, &address, &name, &file, &line))
			continue;
		at = location_at(n, address);
		if (at == PF_NONE || n->of[at].function != PF_NONE)
			continue;
		rc = function_of(n, name, file, &n->of[at].function, err);
		n->of[at].line = line;
		n->named++;
	}
	return rc;
}

static int
give_names(struct naming *n, struct pf_error *err)
{
	struct pf_profile *p = n->p;
	uint32_t hidden;
	int rc = function_of(
	    n, pf_text_of(PF_GO_HIDDEN, sizeof PF_GO_HIDDEN - 1), pf_text_of("", 0), &hidden, err);

	if (!rc)
		rc = PF_GROW(p->lines, p->line_capacity, p->location_count, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < p->location_count; i++) {
		p->lines[i] = n->of[i];
		if (p->lines[i].function == PF_NONE)
			p->lines[i].function = hidden;
		p->line_starts[i] = i;
	}
	p->line_starts[p->location_count] = p->location_count;
	p->line_count = p->location_count;
	return 0;
}

int
pf_profile_name_by_comments(
    struct pf_profile *p, const void *bytes, size_t size, struct pf_error *err)
{
	struct naming n = {.p = p};
	int rc = 0;

	if (p->line_count || p->function_count || !p->location_count ||
	    !memmem(bytes, size, "\n#\t0x", 5))
		return 0;
	rc = PF_CALLOC(n.of, p->location_count, err);
	for (size_t i = 0; !rc && i < p->location_count; i++) {
		n.of[i].function = PF_NONE;
		rc = pf_index_add(
		    &n.locations, pf_hash_u64(p->locations[i].address), (uint32_t)i, err);
	}
	if (!rc)
		rc = read_names(&n, bytes, size, err);
	if (!rc && n.named)
		rc = give_names(&n, err);
	pf_index_release(&n.locations);
	pf_index_release(&n.functions);
	free(n.of);
	return rc;
}
