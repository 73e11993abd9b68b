/*
 * dwarf.c: opening debug information and looking up inline chains; see dwarf.h.
 *
 * At open only the units' own ranges are read; a unit's lines and scopes come
 * when the first address falls into it, and stay. A unit that could not be read
 * keeps its failure, so every address of it answers the same.
 */
#include "symbol/dwarf_private.h"

#include <dwarf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "symbol/binary_private.h"

/* Where libdw's out-of-memory handler, which must not return, leaves to; one a thread. */
static _Thread_local jmp_buf *escape;

static void leave_libdw(void) __attribute__((noreturn));

static void
leave_libdw(void)
{
	if (escape)
		longjmp(*escape, 1);
	abort(); /* not reachable: libdw is only called under the guard */
}

int
pf_dwarf_guard(struct pf_dwarf *dwarf, int (*work)(struct pf_dwarf *, void *, struct pf_error *),
    void *context, struct pf_error *err)
{
	int rc, before = errno;
	jmp_buf here;

	if (dwarf->broken)
		return pf_error_nomem(err);
	if (setjmp(here) != 0) {
		escape = NULL;
		dwarf->broken = true;
		return pf_error_nomem(err);
	}
	escape = &here;
	errno = 0;
	rc = work(dwarf, context, err);
	escape = NULL;
	/* Some of libdw's functions fail instead of calling the handler. */
	if (errno == ENOMEM)
		return pf_error_nomem(err);
	errno = before;
	return rc;
}

Dwarf_Die *
pf_dwarf_die(struct pf_dwarf *dwarf, Dwarf_Off offset, Dwarf_Die *die)
{
	Dwarf_Die *found = dwarf_offdie(dwarf->dwarf, offset, die);

	return errno == ENOMEM ? NULL : found;
}

Dwarf_Die *
pf_dwarf_reference(Dwarf_Attribute *attribute, Dwarf_Die *die)
{
	Dwarf_Die *found = dwarf_formref_die(attribute, die);

	return errno == ENOMEM ? NULL : found;
}

/* The number of the line table at an offset, read if it is new. */
static int
find_table(struct pf_dwarf *d, uint64_t offset, uint32_t *number, struct pf_error *err)
{
	uint32_t hash = pf_hash_u64(offset);
	size_t at = 0;

	for (*number = pf_index_first(&d->table_index, hash, &at); *number != PF_NONE;
	    *number = pf_index_next(&d->table_index, hash, &at)) {
		if (d->tables[*number].offset == offset)
			return 0;
	}
	if (PF_GROW(d->tables, d->table_capacity, d->table_count + 1, err) ||
	    pf_index_add(&d->table_index, hash, (uint32_t)d->table_count, err))
		return PF_ENOMEM;
	*number = (uint32_t)d->table_count;
	d->tables[d->table_count++] = (struct pf_unit_table){.offset = offset};
	return pf_line_table_read(&d->tables[*number].lines, &d->sections, offset, err);
}

/* Whether a unit's root names a line table, and its offset. */
static bool
table_offset(Dwarf_Die *root, Dwarf_Word *offset)
{
	Dwarf_Attribute attribute;

	return dwarf_attr(root, DW_AT_stmt_list, &attribute) &&
	       dwarf_formudata(&attribute, offset) == 0;
}

/* The addresses of a unit that does not say them: those of its line table. */
static int
ranges_from_lines(struct pf_dwarf *d, const struct pf_binary *binary, Dwarf_Die *root,
    uint32_t rank, struct pf_error *err)
{
	Dwarf_Word offset;
	uint32_t number;
	int rc = 0;

	if (!table_offset(root, &offset))
		return 0;
	if (find_table(d, offset, &number, err) == PF_ENOMEM)
		return PF_ENOMEM;
	const struct pf_line_table *t = &d->tables[number].lines;
	for (size_t i = 0; i < t->sequence_count && !rc; i++) {
		if (pf_binary_executable(binary, t->sequences[i].low))
			rc = pf_ranges_add(
			    &d->unit_ranges, t->sequences[i].low, t->sequences[i].high, rank, err);
	}
	return rc;
}

static int
add_unit(
    struct pf_dwarf *d, const struct pf_binary *binary, struct pf_unit unit, struct pf_error *err)
{
	Dwarf_Addr base, low, high;
	uint32_t rank;
	Dwarf_Die root;
	ptrdiff_t at = 0;
	bool any = false;
	int tag, rc = 0;

	if (!pf_dwarf_die(d, unit.die, &root))
		return 0;
	tag = dwarf_tag(&root);
	if (tag != DW_TAG_compile_unit && tag != DW_TAG_skeleton_unit)
		return 0;
	if (d->unit_count >= PF_NONE - 1 ||
	    PF_GROW(d->units, d->unit_capacity, d->unit_count + 1, err))
		return PF_ENOMEM;
	rank = UINT32_MAX - 1 - (uint32_t)d->unit_count;
	d->units[d->unit_count++] = unit;
	while (!rc && (at = dwarf_ranges(&root, at, &base, &low, &high)) > 0) {
		/* Code that the linker dropped has ranges at 0 or where no code is. */
		if (low == 0 || !pf_binary_executable(binary, low))
			continue;
		any = true;
		rc = pf_ranges_add(&d->unit_ranges, low, high, rank, err);
	}
	return rc || any ? rc : ranges_from_lines(d, binary, &root, rank, err);
}

static int
find_units(struct pf_dwarf *d, void *context, struct pf_error *err)
{
	struct pf_unit unit = {.table = PF_NONE};
	Dwarf_Off next;
	size_t header;
	Dwarf_Half version;
	int rc = 0;

	while (!rc && dwarf_next_unit(d->dwarf, unit.offset, &next, &header, &version, NULL, NULL,
			  NULL, NULL, NULL) == 0) {
		unit.end = next;
		unit.die = unit.offset + header;
		rc = add_unit(d, context, unit, err);
		if (next <= unit.offset)
			break;
		unit.offset = next;
	}
	return rc ? rc : pf_ranges_flatten(&d->unit_ranges, err);
}

/* What a section holds, once dwarf_begin_elf() has inflated it. */
static struct pf_bytes
section_bytes(Elf_Scn *section)
{
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;

	return data && data->d_buf ? (struct pf_bytes){.at = data->d_buf, .size = data->d_size}
				   : (struct pf_bytes){0};
}

/* Says why a compressed section cannot be used; true if it can. A size that zlib cannot reach is never allocated. */
static bool
check_compression(
    struct pf_binary *binary, const char *path, const GElf_Shdr *header, const GElf_Chdr *packed)
{
	char *why = binary->no_lines;
	size_t room = sizeof binary->no_lines;

	if (packed->ch_type != ELFCOMPRESS_ZLIB) {
		snprintf(why, room,
		    "the debug information of %.200s is compressed with zstd, which cannot be read "
		    "here; link "
		    "with -gz=zlib, or run: objcopy --decompress-debug-sections %.200s",
		    path, path);
		return false;
	}
	if (packed->ch_size / 1100 > header->sh_size) {
		snprintf(why, room,
		    "a debug section of %.200s claims to inflate from %llu to %llu bytes, which "
		    "cannot be; "
		    "build or copy it again",
		    path, (unsigned long long)header->sh_size, (unsigned long long)packed->ch_size);
		return false;
	}
	return true;
}

/*
 * Inflates the compressed sections. libdw would do so itself, but leaves out
 * what it cannot inflate without a word.
 */
static bool
inflate_sections(struct pf_binary *binary, const struct pf_elf *file)
{
	GElf_Shdr header;
	GElf_Chdr packed;

	for (Elf_Scn *s = elf_nextscn(file->elf, NULL); s; s = elf_nextscn(file->elf, s)) {
		if (!gelf_getshdr(s, &header) || !(header.sh_flags & SHF_COMPRESSED))
			continue;
		if (!gelf_getchdr(s, &packed)) {
			snprintf(binary->no_lines, sizeof binary->no_lines,
			    "%.200s has a damaged compressed section; build or copy it again",
			    file->path);
			return false;
		}
		if (!check_compression(binary, file->path, &header, &packed))
			return false;
		if (elf_compress(s, 0, 0) < 0) {
			snprintf(binary->no_lines, sizeof binary->no_lines,
			    "a compressed section of %.200s cannot be inflated (%s); build or copy "
			    "it again",
			    file->path, elf_errmsg(-1));
			return false;
		}
	}
	return true;
}

static void
explain_missing(struct pf_binary *binary)
{
	const char *id = binary->build_id;
	char where[300] = "";

	if (strlen(id) > 2)
		snprintf(where, sizeof where,
		    " (looked for in /usr/lib/debug/.build-id/%.2s/%s.debug)", id, id + 2);
	snprintf(binary->no_lines, sizeof binary->no_lines,
	    "%.200s has no debug information; install the package with its debug symbols%s, or "
	    "build it with "
	    "-gmlt -fdebug-info-for-profiling and do not strip it",
	    binary->main.path, where);
}

/* Fills in the parts of *d that the units are read from; false with binary->no_lines said if there are none. */
static bool
open_sections(struct pf_dwarf *d, struct pf_binary *binary)
{
	const struct pf_elf *file = binary->debug.elf ? &binary->debug : &binary->main;
	Elf_Scn *info = pf_elf_debug_section(file, "info"),
		*line = pf_elf_debug_section(file, "line");
	Elf_Scn *line_str = pf_elf_debug_section(file, "line_str"),
		*str = pf_elf_debug_section(file, "str");

	if (!info || !line) {
		explain_missing(binary);
		return false;
	}
	if (!inflate_sections(binary, file)) {
		d->broken = errno == ENOMEM;
		return false;
	}
	d->dwarf = dwarf_begin_elf(file->elf, DWARF_C_READ, NULL);
	d->broken = errno == ENOMEM; /* then, or before: pf_binary_open() cleared it */
	if (d->dwarf) {
		dwarf_new_oom_handler(d->dwarf, leave_libdw);
		d->info = section_bytes(info);
		d->sections.line = section_bytes(line);
		d->sections.line_strings = section_bytes(line_str);
		d->sections.strings = section_bytes(str);
	}
	if (!d->info.at || !d->sections.line.at) {
		snprintf(binary->no_lines, sizeof binary->no_lines,
		    "the debug information of %.200s cannot be read (%s); build it again",
		    file->path, d->dwarf ? "a section is damaged" : dwarf_errmsg(-1));
		return false;
	}
	return true;
}

int
pf_dwarf_open(struct pf_binary *binary, struct pf_error *err)
{
	struct pf_dwarf *d;
	bool open;
	int rc;

	rc = PF_CALLOC(d, 1, err);
	if (rc)
		return rc;
	open = open_sections(d, binary);
	if (d->broken) {
		rc = pf_error_nomem(err);
	} else if (open) {
		rc = pf_dwarf_guard(d, find_units, binary, err);
		if (!rc && d->unit_ranges.count == 0)
			snprintf(binary->no_lines, sizeof binary->no_lines,
			    "the debug information of %.200s covers none of its code; build it "
			    "with -gmlt "
			    "-fdebug-info-for-profiling and do not strip it",
			    binary->main.path);
	}
	if (rc || binary->no_lines[0])
		pf_dwarf_free(d);
	else
		binary->dwarf = d;
	return rc;
}

void
pf_dwarf_free(struct pf_dwarf *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->unit_count; i++) {
		free(d->units[i].scopes);
		pf_ranges_release(&d->units[i].ranges);
	}
	free(d->units);
	pf_ranges_release(&d->unit_ranges);
	for (size_t i = 0; i < d->table_count; i++)
		pf_line_table_release(&d->tables[i].lines);
	free(d->tables);
	pf_index_release(&d->table_index);
	free(d->functions);
	pf_index_release(&d->function_index);
	free(d->levels);
	if (d->dwarf)
		dwarf_end(d->dwarf);
	free(d);
}

static int
load_unit(struct pf_dwarf *d, void *context, struct pf_error *err)
{
	struct pf_unit *unit = context;
	Dwarf_Attribute attribute;
	Dwarf_Die root, split;
	Dwarf_Word offset;
	uint8_t type;
	int rc = 0;

	if (!pf_dwarf_die(d, unit->die, &root))
		return pf_error_set(err, PF_EINPUT,
		    ".debug_info: cannot read the unit at offset 0x%llx: %s",
		    (unsigned long long)unit->offset, dwarf_errmsg(-1));
	if (dwarf_attr(&root, DW_AT_comp_dir, &attribute))
		unit->directory = dwarf_formstring(&attribute);
	if (table_offset(&root, &offset)) {
		rc = find_table(d, offset, &unit->table, err);
		if (rc)
			return rc;
	}
	if (dwarf_cu_info(root.cu, NULL, &type, NULL, &split, NULL, NULL, NULL) == 0 &&
	    type == DW_UT_skeleton && dwarf_tag(&split) == DW_TAG_compile_unit)
		root = split;
	return pf_scopes_read(d, unit, &root, err);
}

int
pf_unit_load(struct pf_dwarf *d, struct pf_unit *unit, struct pf_error *err)
{
	unit->code = pf_dwarf_guard(d, load_unit, unit, err);
	unit->loaded = true;
	return unit->code;
}
