/*
 * debug_file.c: the sections of one file with debug information, its tables of
 * abbreviations, and its units by offset; see dwarf_private.h.
 */
#include "symbol/dwarf_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"
#include "symbol/inflate.h"

static const char *const names[PF_SECTIONS] = {
    [PF_SECTION_INFO] = "info",
    [PF_SECTION_ABBREV] = "abbrev",
    [PF_SECTION_LINE] = "line",
    [PF_SECTION_LINE_STR] = "line_str",
    [PF_SECTION_STR] = "str",
    [PF_SECTION_STR_OFFSETS] = "str_offsets",
    [PF_SECTION_ADDR] = "addr",
    [PF_SECTION_RANGES] = "ranges",
    [PF_SECTION_RNGLISTS] = "rnglists",
};

int
pf_debug_file_init(
    struct pf_debug_file *file, const struct pf_elf *elf, bool split, struct pf_error *err)
{
	char name[40], old[40];
	Elf64_Shdr header;
	int rc = 0;

	for (int i = 0; i < PF_SECTIONS && !rc; i++) {
		snprintf(name, sizeof name, ".debug_%s%s", names[i], split ? ".dwo" : "");
		snprintf(old, sizeof old, ".zdebug_%s%s", names[i], split ? ".dwo" : "");
		if (pf_elf_named(elf, name, &header) || pf_elf_named(elf, old, &header))
			rc = pf_section_content(
			    elf, &header, &file->sections[i], &file->owned[i], err);
	}
	return rc;
}

void
pf_debug_file_release(struct pf_debug_file *file)
{
	for (size_t i = 0; i < file->unit_count; i++) {
		pf_ranges_release(&file->units[i].functions);
		free(file->units[i].entries);
	}
	free(file->units);
	for (size_t i = 0; i < file->table_count; i++)
		pf_abbrevs_release(&file->tables[i].abbrevs);
	free(file->tables);
	pf_index_release(&file->table_index);
	for (int i = 0; i < PF_SECTIONS; i++)
		free(file->owned[i]);
	pf_elf_release(&file->elf);
	*file = (struct pf_debug_file){0};
}

const struct pf_abbrevs *
pf_debug_file_known_abbrevs(const struct pf_debug_file *file, uint64_t offset)
{
	uint32_t hash = pf_hash_u64(offset);
	size_t at = 0;

	for (uint32_t i = pf_index_first(&file->table_index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&file->table_index, hash, &at)) {
		if (file->tables[i].offset == offset)
			return &file->tables[i].abbrevs;
	}
	return NULL;
}

int
pf_debug_file_abbrevs(struct pf_dwarf *dwarf, const struct pf_unit *unit,
    const struct pf_abbrevs **table, struct pf_error *err)
{
	struct pf_debug_file *file = unit->file;
	uint32_t hash = pf_hash_u64(unit->abbrev_offset);
	struct pf_abbrevs read = {0};
	uint64_t size;
	int rc;

	*table = pf_debug_file_known_abbrevs(file, unit->abbrev_offset);
	if (*table)
		return 0;
	rc = pf_abbrevs_read(
	    &read, file->sections[PF_SECTION_ABBREV], unit->abbrev_offset, 0, &size, err);
	if (rc != PF_ENOMEM && !pf_dwarf_spend(dwarf, size))
		rc = pf_dwarf_spent(err);
	if (!rc)
		rc = PF_GROW(file->tables, file->table_capacity, file->table_count + 1, err);
	if (!rc)
		rc = pf_index_add(&file->table_index, hash, (uint32_t)file->table_count, err);
	if (rc) {
		pf_abbrevs_release(&read);
		return rc;
	}
	file->tables[file->table_count] =
	    (struct pf_abbrev_table){.offset = unit->abbrev_offset, .abbrevs = read};
	*table = &file->tables[file->table_count++].abbrevs;
	return 0;
}

struct pf_unit *
pf_debug_file_unit(const struct pf_debug_file *file, uint64_t offset)
{
	size_t low = 0, high = file->unit_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (file->units[middle].offset <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || offset >= file->units[low - 1].end)
		return NULL;
	return &file->units[low - 1];
}
