/* unjudged_names.c: code without function names, of which nobody can say who does what. See unjudged.h. */
#include <stdio.h>
#include <string.h>

#include "profile/special.h"
#include "tuner/detect.h"
#include "tuner/programs.h"
#include "tuner/sites.h"
#include "tuner/tune.h"
#include "tuner/unjudged.h"

enum { BINARIES_SHOWN = 3 };

#define MOST_NAMELESS (1.0 / 3) /* of a profile: more than that may hide a finding */

static bool
is_own(const struct pf_evidence_profile *ep, uint32_t location)
{
	const struct pf_frames *f = &ep->frames;

	for (uint64_t i = f->starts[location]; i < f->starts[location + 1]; i++) {
		if (!ep->traits[f->runs[i]])
			return true;
	}
	return false;
}

/* malloc and locks are in a C library: what CPU time it takes is judged by its functions, too. */
static bool
is_c_library(const char *binary)
{
	return strncmp(binary, "[libc.so", 8) == 0 || strncmp(binary, "[libc-", 6) == 0;
}

/*
 * The binary without names that would have to answer for a sample, as a name; PF_NONE: its owner has one. Whose memory
 * is doesn't depend on what operator new or malloc is called, nor in which library it lies: they are passed over.
 */
static uint32_t
nameless_binary(const struct pf_evidence_profile *ep, size_t sample, bool memory)
{
	const struct pf_profile *p = ep->p;
	uint64_t leaf = pf_frames_leaf(&ep->frames, sample);
	uint32_t inmost = PF_NONE;

	for (uint64_t i = leaf; i < p->frame_starts[sample + 1]; i++) {
		uint32_t location = p->frames[i], name;
		bool own = is_own(ep, location);

		if (pf_location_is_nameless(p, location)) {
			name = ep->frames.runs[ep->frames.starts[location]];
			if (own || (!memory && i == leaf && is_c_library(pf_site_name(ep, name))))
				return name;
			if (inmost == PF_NONE)
				inmost = name;
		}
		if (own)
			return PF_NONE;
	}
	return inmost;
}

static int
nameless_sites(
    struct pf_sites *s, const struct pf_evidence_profile *ep, uint32_t column, struct pf_error *err)
{
	bool memory = ep->kind == PF_PROFILE_HEAP;
	int rc = 0;

	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		uint32_t binary = nameless_binary(ep, i, memory);
		if (binary != PF_NONE)
			rc = pf_sites_add(s, binary, pf_value(ep, i, column), 1, i, err);
	}
	pf_sites_sort(s);
	return rc;
}

static const char by_binary[] = ": --binary FILE gives names.";
static const char by_unstripped[] =
    ": the file that was given does not have them; one that was not stripped has, or its debug "
    "information (--debug-file).";

/* Whether the file of a site without names, "[postgres]", was given as a binary. */
static bool
was_given(const struct pf_paths *binaries, const struct pf_profile *p, const char *site)
{
	char name[256];
	size_t size = strlen(site);

	if (site[0] != '[' || size < 2 || size - 2 >= sizeof name)
		return false;
	snprintf(name, sizeof name, "%.*s", (int)size - 2, site + 1);
	return pf_was_given(binaries, p, name);
}

/* A file gives names to what lies in one. */
static void
write_remedy(const struct pf_tune *t, const struct pf_evidence_profile *ep,
    const struct pf_sites *sites, struct pf_buffer *out)
{
	bool given = was_given(&t->binaries, ep->p, pf_site_name(ep, sites->items[0].name));
	double nowhere = 0;

	for (size_t i = 0; i < sites->count; i++) {
		if (strcmp(pf_site_name(ep, sites->items[i].name), PF_UNKNOWN_NAME) == 0)
			nowhere += sites->items[i].value;
	}
	pf_buffer_string(out, nowhere >= sites->total / 2 ? "."
			      : given                     ? by_unstripped
							  : by_binary);
	if (nowhere > 0)
		pf_buffer_printf(out, " Of %s no file is known%s.", PF_UNKNOWN_NAME,
		    ep->p->mapping_count
			? ": it is code of libraries that come and go, or generated"
			: "");
}

int
pf_write_nameless(const struct pf_tune *t, const struct pf_evidence_profile *ep, uint32_t column,
    const char *what, struct pf_buffer *out, struct pf_error *err)
{
	double total = pf_column_total(ep, column);
	struct pf_sites sites = {0};
	char share[PF_AMOUNT_ROOM];
	int rc = nameless_sites(&sites, ep, column, err);

	if (!rc && sites.total > total * MOST_NAMELESS) {
		pf_buffer_printf(out, "%s of the %s code without function names (",
		    pf_amount(share, sites.total / total, "share"), what);
		for (size_t i = 0;
		    i < sites.count && i < BINARIES_SHOWN && sites.items[i].value >= total / 100;
		    i++)
			pf_buffer_printf(out, "%s%s %s", i ? ", " : "",
			    pf_site_name(ep, sites.items[i].name),
			    pf_amount(share, sites.items[i].value / total, "share"));
		pf_buffer_string(out, "), so what depends on who does it was not judged");
		write_remedy(t, ep, &sites, out);
	}
	pf_sites_release(&sites);
	return rc;
}

void
pf_write_addresses_only(const struct pf_tune *t, struct pf_buffer *out)
{
	const struct pf_evidence *e = &t->evidence;
	size_t addresses = 0;
	bool given = false;

	for (size_t i = 0; i < e->profile_count; i++) {
		const struct pf_evidence_profile *ep = &e->profiles[i];
		if (ep->apart || ep->unlike)
			continue;
		if (ep->p && ep->frames.has_lines)
			return;
		if (!ep->p || !ep->p->sample_count)
			continue;
		addresses++;
		given = given || pf_was_given(&t->binaries, ep->p, pf_evidence_program(ep));
	}
	if (addresses)
		pf_buffer_printf(out,
		    "The profiles have addresses only, so what depends on who does it was not "
		    "judged%s",
		    given ? by_unstripped : by_binary);
}
