/*
 * dwarf.c: opening debug information and loading units; see dwarf_private.h.
 *
 * At open only the units' roots are read; where a unit's functions and lines are
 * comes when the first address falls into it, and stays. A unit that could not
 * be read keeps its failure, so every address of it answers the same.
 */
#include "symbol/dwarf_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "symbol/binary_private.h"

/* What may be read of a file before any question, as a multiple of its debug sections. */
#define ALLOWANCE_FACTOR 16
#define ALLOWANCE_LEAST 65536

bool
pf_dwarf_spend(struct pf_dwarf *dwarf, uint64_t bytes)
{
	if (bytes > dwarf->allowance) {
		dwarf->allowance = 0;
		return false;
	}
	dwarf->allowance -= bytes;
	return true;
}

int
pf_dwarf_spent(struct pf_error *err)
{
	return pf_error_set(err, PF_EINPUT,
	    "the debug information refers to the same bytes far more often than compilers do; it "
	    "is damaged");
}

static struct pf_line_sections
line_sections(const struct pf_dwarf *d)
{
	return (struct pf_line_sections){.line = d->main.sections[PF_SECTION_LINE],
	    .line_strings = d->main.sections[PF_SECTION_LINE_STR],
	    .strings = d->main.sections[PF_SECTION_STR]};
}

/* The number of the line table at an offset, read if it is new. */
static int
find_table(struct pf_dwarf *d, uint64_t offset, uint32_t *number, struct pf_error *err)
{
	struct pf_line_sections sections = line_sections(d);
	uint32_t hash = pf_hash_u64(offset);
	uint64_t size;
	size_t at = 0;
	int rc;

	for (*number = pf_index_first(&d->table_index, hash, &at); *number != PF_NONE;
	    *number = pf_index_next(&d->table_index, hash, &at)) {
		if (d->tables[*number].offset == offset)
			return 0;
	}
	if (PF_GROW(d->tables, d->table_capacity, d->table_count + 1, err) ||
	    pf_index_add(&d->table_index, hash, (uint32_t)d->table_count, err))
		return PF_ENOMEM;
	*number = (uint32_t)d->table_count;
	d->window.table = NULL; /* it may point into the array that just grew */
	d->tables[d->table_count++] = (struct pf_unit_table){.offset = offset};
	rc = pf_line_table_read(&d->tables[*number].lines, &sections, offset, &size, err);
	if (rc != PF_ENOMEM && !pf_dwarf_spend(d, size))
		rc = pf_dwarf_spent(err);
	return rc;
}

int
pf_lines_ranges(
    struct pf_dwarf *dwarf, const struct pf_unit *unit, uint32_t rank, struct pf_error *err)
{
	const struct pf_line_table *t;
	uint32_t number;
	int rc = 0;

	if (unit->line_offset == UINT64_MAX)
		return 0;
	if (find_table(dwarf, unit->line_offset, &number, err) == PF_ENOMEM)
		return PF_ENOMEM;
	t = &dwarf->tables[number].lines;
	for (size_t i = 0; i < t->sequence_count && !rc; i++) {
		if (pf_binary_executable(dwarf->binary, t->sequences[i].low))
			rc = pf_ranges_add(&dwarf->unit_ranges, t->sequences[i].low,
			    t->sequences[i].high, rank, err);
	}
	return rc;
}

static int
load_unit(struct pf_dwarf *d, struct pf_unit *unit, struct pf_error *err)
{
	int rc = 0;

	unit->tree = unit;
	if (unit->line_offset != UINT64_MAX)
		rc = find_table(d, unit->line_offset, &unit->table, err);
	if (!rc && unit->dwo_name)
		rc = pf_split_find(d, unit, err);
	return rc ? rc : pf_functions_read(d, unit, err);
}

void
pf_dwarf_trim(const struct pf_dwarf *dwarf)
{
	pf_elf_trim(&dwarf->supplementary.elf);
	for (size_t i = 0; i < dwarf->split_count; i++)
		pf_elf_trim(&dwarf->splits[i]->elf);
}

int
pf_unit_load(struct pf_dwarf *dwarf, struct pf_unit *unit, struct pf_error *err)
{
	unit->code = load_unit(dwarf, unit, err);
	unit->loaded = true;
	return unit->code;
}

int
pf_unit_row(struct pf_dwarf *dwarf, const struct pf_unit *unit, uint64_t address,
    const struct pf_line_row **row, struct pf_error *err)
{
	struct pf_line_sections sections = line_sections(dwarf);
	uint64_t size = 0;
	int rc;

	*row = NULL;
	if (unit->table == PF_NONE)
		return 0;
	rc = pf_line_table_find(
	    &dwarf->tables[unit->table].lines, &sections, &dwarf->window, address, row, &size, err);
	if (!rc && !pf_dwarf_spend(dwarf, size))
		rc = pf_dwarf_spent(err);
	return rc;
}

int
pf_unit_path(struct pf_dwarf *dwarf, const struct pf_unit *unit, uint32_t file, const char **path,
    struct pf_error *err)
{
	struct pf_line_sections sections = line_sections(dwarf);

	*path = NULL;
	if (unit->table == PF_NONE)
		return 0;
	return pf_line_table_path(
	    &dwarf->tables[unit->table].lines, &sections, file, unit->directory, path, err);
}

static void
explain_missing(struct pf_binary *binary)
{
	const char *id = binary->build_id;
	const char *link = pf_separate_link(&binary->main);
	char by_id[200] = "", by_name[200] = "";

	if (strlen(id) > 2)
		snprintf(by_id, sizeof by_id,
		    " (looked for in /usr/lib/debug/.build-id/%.2s/%s.debug)", id, id + 2);
	if (*link)
		snprintf(
		    by_name, sizeof by_name, "; the binary says that it is called %.100s", link);
	snprintf(binary->no_lines, sizeof binary->no_lines,
	    "%.200s has no debug information%s; name the file that has it (--debug-file%s), "
	    "install the package with its debug symbols%s, or build it with -gmlt "
	    "-fdebug-info-for-profiling and do not strip it",
	    binary->main.path,
	    binary->folders_searched ? ", nor has a file of its build in the folders named" : "",
	    by_name, by_id);
}

static uint64_t
first_allowance(const struct pf_dwarf *d)
{
	uint64_t size = 0;

	for (int i = 0; i < PF_SECTIONS; i++)
		size += d->main.sections[i].size + d->supplementary.sections[i].size;
	return ALLOWANCE_LEAST + ALLOWANCE_FACTOR * size;
}

int
pf_dwarf_scan(struct pf_dwarf *d, struct pf_error *err)
{
	int rc = 0;

	d->supplementary.number = 1;
	d->allowance = first_allowance(d);
	d->scope_allowance = d->allowance / 4;
	if (d->supplementary.sections[PF_SECTION_INFO].at)
		rc = pf_units_scan(d, &d->supplementary, false, err);
	if (!rc)
		rc = pf_units_scan(d, &d->main, true, err);
	return rc ? rc : pf_ranges_flatten(&d->unit_ranges, err);
}

/* Reads what all units need. PF_EINPUT: it cannot be read, err says why. */
static int
open_units(struct pf_dwarf *d, const struct pf_elf *file, struct pf_error *err)
{
	int rc = pf_debug_file_init(&d->main, file, false, err);

	if (!rc && (!d->main.sections[PF_SECTION_INFO].at || !d->main.sections[PF_SECTION_LINE].at))
		rc = pf_error_set(err, PF_EINPUT, "a section is damaged");
	if (!rc)
		rc = pf_supplementary_find(d->binary, file, &d->supplementary, err);
	return rc ? rc : pf_dwarf_scan(d, err);
}

int
pf_dwarf_open(struct pf_binary *binary, struct pf_error *err)
{
	const struct pf_elf *file = binary->debug.image ? &binary->debug : &binary->main;
	struct pf_error why = {0};
	struct pf_dwarf *d;
	int rc;

	if (!pf_elf_has_debug(file, "info") || !pf_elf_has_debug(file, "line")) {
		explain_missing(binary);
		return 0;
	}
	rc = PF_CALLOC(d, 1, err);
	if (rc)
		return rc;
	d->binary = binary;
	rc = open_units(d, file, &why);
	if (rc == PF_EINPUT)
		snprintf(binary->no_lines, sizeof binary->no_lines,
		    "the debug information of %.200s cannot be read (%.300s); build or copy it "
		    "again",
		    file->path, why.message);
	else if (!rc && d->unit_ranges.count == 0)
		snprintf(binary->no_lines, sizeof binary->no_lines,
		    "the debug information of %.200s covers none of its code; build it "
		    "with -gmlt "
		    "-fdebug-info-for-profiling and do not strip it",
		    binary->main.path);
	if (rc || binary->no_lines[0])
		pf_dwarf_free(d);
	else
		binary->dwarf = d;
	return rc == PF_ENOMEM ? pf_error_nomem(err) : 0;
}

void
pf_dwarf_free(struct pf_dwarf *d)
{
	if (!d)
		return;
	pf_debug_file_release(&d->main);
	pf_debug_file_release(&d->supplementary);
	for (size_t i = 0; i < d->split_count; i++) {
		pf_debug_file_release(d->splits[i]);
		free(d->splits[i]);
	}
	free(d->splits);
	pf_ranges_release(&d->unit_ranges);
	for (size_t i = 0; i < d->table_count; i++)
		pf_line_table_release(&d->tables[i].lines);
	free(d->tables);
	pf_index_release(&d->table_index);
	pf_line_window_release(&d->window);
	free(d->functions);
	pf_index_release(&d->function_index);
	for (size_t i = 0; i < PF_SCOPES_SLOTS; i++)
		pf_scopes_release(&d->slots[i]);
	free(d->levels);
	for (size_t i = 0; i < d->scoped_count; i++)
		free(d->scoped[i]);
	free(d->scoped);
	free(d);
}
