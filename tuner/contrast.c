/*
 * contrast.c: what findings of one report have to do with each other: settings of the same variable, said beside each of
 * them, and CPU time that is counted in more than one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tuner/findings.h"

enum { MOST_SETTING = 2048 };

/* A "NAME=VALUE" of a setting, which may hold several with blanks between them. */
struct assignment {
	const char *name, *value;
	size_t name_size, value_size;
};

static bool
next_assignment(const char **rest, struct assignment *a)
{
	const char *at = *rest + strspn(*rest, " ");
	size_t size = strcspn(at, " "), name = strcspn(at, "=");

	*rest = at + size;
	if (name >= size)
		return false;
	*a = (struct assignment){at, at + name + 1, name, size - name - 1};
	return true;
}

static bool
assigns(const char *setting, const struct assignment *to, struct assignment *found)
{
	while (next_assignment(&setting, found)) {
		if (found->name_size == to->name_size &&
		    memcmp(found->name, to->name, to->name_size) == 0)
			return true;
	}
	return false;
}

/* A variable that lists settings takes those of both. */
static char
separator_of(const struct assignment *a)
{
	static const struct {
		const char *name;
		char separator;
	} lists[] = {{"GLIBC_TUNABLES", ':'}, {"MALLOC_CONF", ','}, {"GODEBUG", ','}};

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		if (strlen(lists[i].name) == a->name_size &&
		    memcmp(lists[i].name, a->name, a->name_size) == 0)
			return lists[i].separator;
	}
	return 0;
}

static void
say_other(struct pf_findings *f, struct pf_advice *to, size_t number, const struct assignment *mine,
    const struct assignment *other)
{
	const char *risk = pf_said(f, to->risk), *blank = *risk ? " " : "";
	char separator = separator_of(mine);
	bool go = mine->name_size == 4 && memcmp(mine->name, "GOGC", 4) == 0;

	if (separator)
		to->risk = pf_say(f,
		    "%s%sFinding %zu sets %.*s too: what both say goes into one, with \"%c\" "
		    "between them.",
		    risk, blank, number, (int)mine->name_size, mine->name, separator);
	else
		to->risk = pf_say(f, "%s%sFinding %zu advises %.*s=%.*s instead%s: choose one.",
		    risk, blank, number, (int)other->name_size, other->name, (int)other->value_size,
		    other->value,
		    !go ? ""
		    : strtod(other->value, NULL) > strtod(mine->value, NULL)
			? ", which takes more memory and saves more CPU"
			: ", which takes less memory and saves less CPU");
}

/* Whether an advice is of the finding at this place. */
static bool
is_of(const struct pf_finding *finding, size_t advice)
{
	return advice >= finding->first_advice &&
	       advice < finding->first_advice + finding->advice_count;
}

static void
contrast(struct pf_findings *f, size_t finding, struct pf_advice *advice)
{
	char setting[MOST_SETTING]; /* what is said may move when more is */
	const char *rest = setting;
	struct assignment mine, other;

	snprintf(setting, sizeof setting, "%s", pf_said(f, advice->setting));
	while (next_assignment(&rest, &mine)) {
		for (size_t i = 0; i < f->finding_count; i++) {
			for (size_t k = 0; i != finding && k < f->advice_count; k++) {
				if (!is_of(&f->findings[i], k) ||
				    !assigns(pf_said(f, f->advices[k].setting), &mine, &other) ||
				    (other.value_size == mine.value_size &&
					memcmp(other.value, mine.value, mine.value_size) == 0))
					continue;
				say_other(f, advice, i + 1, &mine, &other);
				break;
			}
		}
	}
}

/* Kinds that count some of the same CPU time, whichever of them comes first. */
static bool
overlap(const char *one, const char *other)
{
	static const char *const kinds[][2] = {
	    {"allocation-heavy", "malloc-thresholds"}, /* mapping is done for malloc */
	    {"allocation-heavy", "arena-contention"},
	    {"allocation-heavy", "serialization"}, /* which allocates what it makes */
	    {"gc-pressure", "gc-settings"},
	    {"gc-pressure", "gc-scan"},
	    {"gc-settings", "gc-scan"},
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if ((strcmp(one, kinds[i][0]) == 0 && strcmp(other, kinds[i][1]) == 0) ||
		    (strcmp(one, kinds[i][1]) == 0 && strcmp(other, kinds[i][0]) == 0))
			return true;
	}
	return false;
}

/* Beside the later one, of the first that it overlaps with. */
static void
say_overlap(struct pf_findings *f, size_t at)
{
	struct pf_finding *finding = &f->findings[at];
	const char *summary = pf_said(f, finding->summary);

	for (size_t i = 0; finding->cpu_saved > 0 && i < at; i++) {
		if (!(f->findings[i].cpu_saved > 0) || !overlap(f->findings[i].kind, finding->kind))
			continue;
		finding->summary = pf_say(f,
		    "%s%sFinding %zu counts some of the same CPU time: what both save does not "
		    "add up.",
		    summary, *summary ? " " : "", i + 1);
		return;
	}
}

void
pf_findings_contrast(struct pf_findings *f)
{
	for (size_t i = 0; i < f->finding_count; i++) {
		say_overlap(f, i);
		for (size_t k = 0; k < f->findings[i].advice_count; k++)
			contrast(f, i, &f->advices[f->findings[i].first_advice + k]);
	}
}
