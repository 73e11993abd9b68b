/*
 * split.c: the .dwo file of a unit whose debug information was split off.
 *
 * It is looked for where the compiler wrote it (its name, relative to the folder
 * of the compilation), then under that name and under its last part beside the
 * binary, and must carry the identity that the binary's unit names. The names
 * come from the binary, which is untrusted: only regular files are opened, and
 * nothing of one that does not fit is used.
 */
#include "symbol/dwarf_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/error.h"
#include "core/memory.h"
#include "symbol/binary_private.h"
#include "symbol/dwarf_constants.h"

/* The unit in a .dwo file that belongs to a skeleton, or NULL. */
static struct pf_unit *
match(struct pf_debug_file *file, const struct pf_unit *skeleton)
{
	for (size_t i = 0; i < file->unit_count; i++) {
		struct pf_unit *u = &file->units[i];
		if (u->dwo_id == skeleton->dwo_id &&
		    (u->kind == DW_UT_split_compile || u->version < 5))
			return u;
	}
	return NULL;
}

/* Opens one candidate; *found is set if it belongs to the unit. */
static int
try(struct pf_dwarf *d, struct pf_unit *unit, const char *path, bool *found, struct pf_error *err)
{
	struct pf_debug_file *file;
	struct pf_unit *tree = NULL;
	struct stat st;
	int rc;

	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return 0;
	if (PF_GROW(d->splits, d->split_capacity, d->split_count + 1, err) ||
	    PF_CALLOC(file, 1, err))
		return PF_ENOMEM;
	file->number = (uint32_t)d->split_count + 2;
	rc = pf_elf_open(&file->elf, path, PF_ELF_ANY, err);
	if (!rc)
		rc = pf_debug_file_init(file, &file->elf, true, err);
	for (int i = 0; i < PF_SECTIONS && !rc; i++)
		d->allowance += 16 * (uint64_t)file->sections[i].size;
	if (!rc)
		rc = pf_units_scan(d, file, false, err);
	if (!rc)
		tree = match(file, unit);
	if (!tree) {
		pf_debug_file_release(file);
		free(file);
		return rc == PF_ENOMEM ? rc : 0;
	}
	tree->addr_base = unit->addr_base;
	tree->ranges_base = unit->ranges_base;
	tree->low = unit->low;
	unit->tree = tree;
	d->splits[d->split_count++] = file;
	*found = true;
	return 0;
}

static void
tell_missing(struct pf_dwarf *d, const struct pf_unit *unit)
{
	char package[4200];
	struct stat st;

	if (d->missing_splits++ > 0)
		return;
	snprintf(package, sizeof package, "%.4096s.dwp", d->binary->main.path);
	if (stat(package, &st) == 0)
		pf_binary_note(d->binary,
		    "%s: packages of split debug information (.dwp) are not supported; keep the "
		    ".dwo files, or build without -gsplit-dwarf. Lines are read, functions and "
		    "what was inlined into them are not",
		    package);
	else
		pf_binary_note(d->binary,
		    "the split debug information %s of %s was not found (folder of the build: "
		    "%s); keep the .dwo files, or build without -gsplit-dwarf. Lines are read, "
		    "functions and what was inlined into them are not",
		    unit->dwo_name, d->binary->main.path,
		    unit->directory ? unit->directory : "unknown");
}

int
pf_split_find(struct pf_dwarf *d, struct pf_unit *unit, struct pf_error *err)
{
	const char *name = unit->dwo_name, *path = d->binary->main.path;
	const char *slash = strrchr(path, '/'), *last = strrchr(name, '/');
	int folder = slash ? (int)(slash - path) : 1;
	char candidate[8192];
	bool found = false;
	int rc;

	if (name[0] == '/' || !unit->directory)
		snprintf(candidate, sizeof candidate, "%s", name);
	else
		snprintf(candidate, sizeof candidate, "%s/%s", unit->directory, name);
	rc = try(d, unit, candidate, &found, err);
	if (!slash)
		path = ".";
	if (!rc && !found && name[0] != '/') {
		snprintf(candidate, sizeof candidate, "%.*s/%s", folder, path, name);
		rc = try(d, unit, candidate, &found, err);
	}
	if (!rc && !found && last) {
		snprintf(candidate, sizeof candidate, "%.*s/%s", folder, path, last + 1);
		rc = try(d, unit, candidate, &found, err);
	}
	if (!rc && !found)
		tell_missing(d, unit);
	return rc;
}
