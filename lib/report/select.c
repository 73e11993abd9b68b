/*
 * select.c: see select.h. An expression is tried once per distinct string, then
 * looked up per location and sample.
 */
#include "report/select.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "profile/labels.h"
#include "report/drop.h"
#include "symbol/demangle.h"

enum { FOCUSED = 1, IGNORED = 2 };

struct selection {
	struct pf_view *r;
	uint8_t *strings; /* of each string: the expressions it matches, once tried */
	uint8_t *tried;
	uint8_t *locations; /* of each location: what it matches */
	regex_t focus, ignore;
	bool has_focus, has_ignore;
};

int
pf_view_compile(regex_t *regex, const char *expression, const char *what, struct pf_error *err)
{
	int rc = regcomp(regex, expression, REG_EXTENDED | REG_NOSUB);
	char why[128];

	if (!rc)
		return 0;
	regerror(rc, regex, why, sizeof why);
	if (rc == REG_ESPACE)
		return pf_error_nomem(err);
	return pf_error_set(
	    err, PF_EUSAGE, "%s %s: not a regular expression: %s", what, expression, why);
}

static uint8_t
try(const struct selection *s, const char *text)
{
	uint8_t found = 0;

	if (s->has_focus && regexec(&s->focus, text, 0, NULL, 0) == 0)
		found |= FOCUSED;
	if (s->has_ignore && regexec(&s->ignore, text, 0, NULL, 0) == 0)
		found |= IGNORED;
	return found;
}

/* A C++ or Rust name is one mangled, as the profile has it, and as it is shown. */
static uint8_t
matches(struct selection *s, uint32_t string)
{
	const char *text = pf_profile_string(s->r->p, string);
	char readable[PF_DEMANGLED_ROOM];

	if (!s->tried[string]) {
		s->tried[string] = 1;
		s->strings[string] = try(s, text);
		if (pf_demangle(text, readable, sizeof readable))
			s->strings[string] |= try(s, readable);
	}
	return s->strings[string];
}

/* Functions, their files and the binary's file are all names that an expression may mean. */
static uint8_t
location_matches(struct selection *s, size_t location)
{
	const struct pf_profile *p = s->r->p;
	uint32_t mapping = p->locations[location].mapping;
	uint64_t i = p->line_starts[location] + pf_drop_lines(&s->r->frames, location);
	uint8_t found = 0;

	for (; i < p->line_starts[location + 1]; i++) {
		const struct pf_line *line = &p->lines[i];
		if (line->function == PF_NONE)
			continue;
		found |= matches(s, p->functions[line->function].name);
		found |= matches(s, p->functions[line->function].filename);
	}
	if (mapping != PF_NONE)
		found |= matches(s, p->mappings[mapping].filename);
	return found;
}

static bool
sample_is_kept(const struct selection *s, size_t sample)
{
	const struct pf_profile *p = s->r->p;
	uint64_t end = p->frame_starts[sample + 1];
	bool focused = false;

	for (uint64_t i = pf_frames_leaf(&s->r->frames, sample); i < end; i++) {
		uint8_t found = s->locations[p->frames[i]];
		if (found & IGNORED)
			return false;
		focused |= !s->has_focus || (found & FOCUSED);
	}
	return focused;
}

static int
prepare(struct selection *s, struct pf_error *err)
{
	const struct pf_view_options *o = &s->r->options;
	const struct pf_profile *p = s->r->p;
	int rc = PF_CALLOC(s->strings, p->strings.count, err);

	if (!rc)
		rc = PF_CALLOC(s->tried, p->strings.count, err);
	if (!rc)
		rc = PF_CALLOC(s->locations, p->location_count, err);
	if (!rc && o->focus) {
		rc = pf_view_compile(&s->focus, o->focus, "--focus", err);
		s->has_focus = !rc;
	}
	if (!rc && o->ignore) {
		rc = pf_view_compile(&s->ignore, o->ignore, "--ignore", err);
		s->has_ignore = !rc;
	}
	return rc;
}

static void
apply(struct selection *s)
{
	struct pf_view *r = s->r;
	bool filtered = s->has_focus || s->has_ignore;

	for (size_t i = 0; filtered && i < r->p->location_count; i++)
		s->locations[i] = location_matches(s, i);
	for (size_t i = 0; i < r->p->sample_count; i++) {
		r->kept[i] = !filtered || sample_is_kept(s, i);
		r->kept_count += r->kept[i];
	}
}

static int
find_base(struct pf_view *r, struct pf_error *err)
{
	bool any = false;
	int rc = PF_CALLOC(r->is_base, r->p->sample_count, err);

	for (size_t i = 0; !rc && i < r->p->sample_count; i++) {
		r->is_base[i] = pf_sample_is_base(r->p, i);
		any |= r->is_base[i];
	}
	if (!any) {
		free(r->is_base);
		r->is_base = NULL;
	}
	return rc;
}

int
pf_view_select(struct pf_view *r, struct pf_error *err)
{
	struct selection s = {.r = r};
	int rc = PF_CALLOC(r->kept, r->p->sample_count, err);

	if (!rc)
		rc = find_base(r, err);
	if (!rc)
		rc = prepare(&s, err);
	if (!rc)
		apply(&s);
	if (s.has_focus)
		regfree(&s.focus);
	if (s.has_ignore)
		regfree(&s.ignore);
	free(s.strings);
	free(s.tried);
	free(s.locations);
	return rc;
}
