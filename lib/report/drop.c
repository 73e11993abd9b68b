/* drop.c: see drop.h. */
#include "report/drop.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

/* What is cut at a location; above CUT_WHOLE: the number of its lines, from the leaf, and all it calls. */
enum { CUT_NOTHING, CUT_WHOLE, CUT_MOST_LINES = 255 - CUT_WHOLE };

/* Compiles "^(EXPRESSION)$"; *good is false if it is no POSIX extended regular expression. */
static int
compile(regex_t *regex, const char *expression, bool *good, struct pf_error *err)
{
	size_t size = strlen(expression) + sizeof "^()$";
	char *whole = malloc(size);

	*good = false;
	if (!whole)
		return pf_error_nomem(err);
	snprintf(whole, size, "^(%s)$", expression);
	*good = regcomp(regex, whole, REG_EXTENDED | REG_NOSUB) == 0;
	free(whole);
	return 0;
}

/* A name without its argument list: up to the first "(" that is not part of a C++ name. */
static size_t
name_size(const char *name)
{
	static const char *const reserved[] = {"(anonymous namespace)", "operator()"};
	const char *at = name;

	for (;;) {
		const char *bracket = strchr(at, '(');
		const char *call = strstr(at, reserved[1]);

		if (!bracket)
			return strlen(name);
		if (call && call < bracket)
			at = call + strlen(reserved[1]);
		else if (strncmp(bracket, reserved[0], strlen(reserved[0])) == 0)
			at = bracket + strlen(reserved[0]);
		else
			return (size_t)(bracket - name);
	}
}

static bool
is_dropped(const char *name, const regex_t *drop, const regex_t *keep)
{
	char plain[2048];
	size_t size;

	name += *name == '.';
	size = name_size(name);
	if (!size || size >= sizeof plain)
		return false;
	memcpy(plain, name, size);
	plain[size] = '\0';
	return regexec(drop, plain, 0, NULL, 0) == 0 &&
	       (!keep || regexec(keep, plain, 0, NULL, 0) != 0);
}

/* The number of a location's lines, from the leaf, up to the outermost that is dropped. */
static uint64_t
dropped_lines(const struct pf_profile *p, size_t location, const uint8_t *dropped)
{
	uint64_t first = p->line_starts[location];

	for (uint64_t i = p->line_starts[location + 1]; i-- > first;) {
		uint32_t function = p->lines[i].function;
		if (function != PF_NONE && dropped[function])
			return i - first + 1;
	}
	return 0;
}

static int
find_cuts(struct pf_frames *f, const regex_t *drop, const regex_t *keep, struct pf_error *err)
{
	const struct pf_profile *p = f->p;
	uint8_t *dropped;
	int rc = PF_CALLOC(dropped, p->function_count, err);

	if (!rc)
		rc = PF_CALLOC(f->cuts, p->location_count, err);
	for (size_t i = 0; !rc && i < p->function_count; i++)
		dropped[i] = is_dropped(pf_profile_string(p, p->functions[i].name), drop, keep);
	for (size_t i = 0; !rc && i < p->location_count; i++) {
		uint64_t lines = dropped_lines(p, i, dropped);
		uint64_t all = p->line_starts[i + 1] - p->line_starts[i];
		if (lines > CUT_MOST_LINES)
			lines = CUT_MOST_LINES;
		if (lines)
			f->cuts[i] = lines == all ? CUT_WHOLE : (uint8_t)(CUT_WHOLE + lines);
	}
	free(dropped);
	return rc;
}

int
pf_drop_init(struct pf_frames *f, struct pf_error *err)
{
	const struct pf_profile *p = f->p;
	bool has_drop, has_keep = false;
	regex_t drop, keep;
	int rc;

	if (!p->drop_frames)
		return 0;
	rc = compile(&drop, pf_profile_string(p, p->drop_frames), &has_drop, err);
	if (rc || !has_drop) {
		f->bad_drop_frames = true;
		return rc;
	}
	if (p->keep_frames)
		rc = compile(&keep, pf_profile_string(p, p->keep_frames), &has_keep, err);
	f->bad_drop_frames = p->keep_frames && !has_keep;
	if (!rc)
		rc = find_cuts(f, &drop, has_keep ? &keep : NULL, err);
	regfree(&drop);
	if (has_keep)
		regfree(&keep);
	return rc;
}

uint64_t
pf_drop_lines(const struct pf_frames *f, size_t location)
{
	return f->cuts && f->cuts[location] > CUT_WHOLE ? f->cuts[location] - CUT_WHOLE : 0;
}

uint64_t
pf_frames_leaf(const struct pf_frames *f, size_t sample)
{
	const struct pf_profile *p = f->p;
	uint64_t first = p->frame_starts[sample], end = p->frame_starts[sample + 1];
	bool found_user = false;

	if (!f->cuts)
		return first;
	for (uint64_t i = end; i-- > first;) {
		uint8_t cut = f->cuts[p->frames[i]];
		if (cut == CUT_NOTHING)
			found_user = true;
		else if (found_user)
			return cut == CUT_WHOLE ? i + 1 : i;
	}
	return first;
}
