/*
 * scope_names.c: what a function is called by its name alone, and where: the namespaces, classes and functions
 * that it lies in.
 *
 * gcc gives members of templates and lambdas no linkage name, so that all there is of
 * std::condition_variable::wait is "wait". Entries know what lies below them and not what they lie in: the unit
 * is walked from its start, from sibling to sibling, down to the entry. That is read from an allowance of its
 * own: a name without its scope is no reason to lose lines.
 */
#include "symbol/entries.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "symbol/binary_private.h"
#include "symbol/demangle.h"
#include "symbol/dwarf_constants.h"

enum { LEVELS_MAX = 32, NESTING_MAX = 4, NAME_ROOM = 1024 };

/* One of the entries that an entry lies in. */
struct level {
	uint64_t offset;
	const char *name; /* NULL: none */
	uint64_t line;    /* where it is declared; 0: unknown */
	uint16_t tag;
};

struct path {
	struct level levels[LEVELS_MAX];
	size_t count;
	uint64_t read; /* bytes */
	bool found;
};

static bool
is_cpp(const struct pf_attributes *a)
{
	switch (pf_attributes_number(a, PF_ATTRIBUTE_LANGUAGE, 0)) {
	case DW_LANG_C_plus_plus:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
	case DW_LANG_C_plus_plus_17:
	case DW_LANG_C_plus_plus_20:
		return true;
	default:
		return false;
	}
}

/* Goes into an entry that has children, or past them where what is looked for lies behind. */
static void
enter(struct path *path, struct pf_entries *e, const struct pf_abbrev *abbrev, uint64_t at,
    uint64_t target)
{
	const struct pf_value *sibling;
	struct pf_attributes a;
	uint64_t next;

	pf_entries_attributes(e, abbrev, &a);
	next = pf_entries_offset(e);
	sibling = &a.values[PF_ATTRIBUTE_SIBLING];
	if (at == e->unit->first && !is_cpp(&a)) {
		path->count = LEVELS_MAX;
	} else if (pf_attributes_have(&a, PF_ATTRIBUTE_SIBLING) &&
		   sibling->kind == PF_VALUE_REFERENCE && sibling->number > next &&
		   sibling->number <= target) {
		pf_cursor_skip(&e->cursor, sibling->number - next);
	} else if (path->count < LEVELS_MAX) {
		path->levels[path->count++] = (struct level){.offset = at,
		    .tag = abbrev->tag,
		    .line = pf_attributes_number(&a, PF_ATTRIBUTE_DECL_LINE, 0),
		    .name = pf_attributes_have(&a, PF_ATTRIBUTE_NAME)
				? pf_value_string(e->dwarf, e->unit, &a.values[PF_ATTRIBUTE_NAME])
				: NULL};
	}
	path->read += next - at;
}

/* What is read once the allowance is used up is nothing: told when that is so for the first time. */
static void
spend(struct pf_dwarf *d, uint64_t bytes)
{
	if (d->scope_allowance && bytes >= d->scope_allowance)
		pf_binary_note(d->binary,
		    "debug information: too much of it to find the classes and namespaces of all "
		    "functions: some are called by their last names alone");
	d->scope_allowance -= bytes < d->scope_allowance ? bytes : d->scope_allowance;
}

/* The entries from the unit's root to the one at `target`. PF_ENOMEM; what can't be read is not found. */
static int
find_path(struct pf_dwarf *d, const struct pf_unit *unit, uint64_t target, struct path *path,
    struct pf_error *err)
{
	struct pf_entries e;
	struct pf_error why;
	int rc = pf_entries_init(&e, d, unit, unit->first, &why);

	while (!rc && path->count < LEVELS_MAX && pf_entries_more(&e) &&
	       path->read <= d->scope_allowance) {
		uint64_t at = pf_entries_offset(&e);
		const struct pf_abbrev *abbrev;

		path->found = at == target;
		if (at >= target)
			break;
		abbrev = pf_entries_next(&e);
		if (abbrev && abbrev->children) {
			enter(path, &e, abbrev, at, target);
			continue;
		}
		if (abbrev)
			pf_entries_skip(&e, abbrev);
		else if (path->count)
			path->count--;
		path->read += pf_entries_offset(&e) - at;
	}
	spend(d, path->read);
	return rc == PF_ENOMEM ? pf_error_nomem(err) : 0;
}

static void append(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
append(char *text, const char *format, ...)
{
	size_t size = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + size, NAME_ROOM - size, format, args);
	va_end(args);
}

/* A function that something lies in has its own scope, which takes the place of what was written. */
static int
write_function(struct pf_dwarf *d, const struct pf_unit *unit, const struct level *level,
    char *text, unsigned nesting, struct pf_error *err)
{
	struct pf_dwarf_function f = {0};
	char readable[PF_DEMANGLED_ROOM];
	int rc = pf_function_describe(d, unit, level->offset, nesting + 1, &f, err);

	if (!rc && f.name) {
		*text = '\0';
		append(text, "%s::", pf_readable_name(f.name, readable));
	}
	return rc;
}

static int
write_level(struct pf_dwarf *d, const struct pf_unit *unit, const struct path *path, size_t i,
    const char *name, char *text, unsigned nesting, struct pf_error *err)
{
	static const char call[] = "operator()";
	const struct level *level = &path->levels[i];

	switch (level->tag) {
	case DW_TAG_namespace:
		append(text, "%s::", level->name ? level->name : "(anonymous namespace)");
		return 0;
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
		if (level->name)
			append(text, "%s::", level->name);
		else /* a lambda's; the line tells several of a function apart */
			append(text, "{%s:%llu}::",
			    strncmp(name, call, sizeof call - 1) == 0 ? "lambda" : "unnamed",
			    (unsigned long long)level->line);
		return 0;
	case DW_TAG_subprogram:
		return write_function(d, unit, level, text, nesting, err);
	default:
		return 0;
	}
}

static int
keep(struct pf_dwarf *d, const char *text, const char **name, struct pf_error *err)
{
	int rc = PF_GROW(d->scoped, d->scoped_capacity, d->scoped_count + 1, err);

	if (!rc)
		rc = pf_copy_string(&d->scoped[d->scoped_count], text, err);
	if (!rc)
		*name = d->scoped[d->scoped_count++];
	return rc;
}

int
pf_scope_name(struct pf_dwarf *d, const struct pf_unit *unit, uint64_t offset, unsigned nesting,
    const char **name, struct pf_error *err)
{
	struct path path = {.count = 0};
	char text[NAME_ROOM] = "";
	int rc;

	if (nesting >= NESTING_MAX)
		return 0;
	rc = find_path(d, unit, offset, &path, err);
	for (size_t i = 1; !rc && path.found && i < path.count; i++)
		rc = write_level(d, unit, &path, i, *name, text, nesting, err);
	if (rc || !*text || strlen(text) + strlen(*name) >= sizeof text)
		return rc;
	append(text, "%s", *name);
	return keep(d, text, name, err);
}
