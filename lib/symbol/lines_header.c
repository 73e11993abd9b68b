/* lines_header.c: see lines_header.h. Formats: DWARF 2 to 5, section 6.2.4. */
#include "symbol/lines_header.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "symbol/dwarf_constants.h"

/* Pairs of content type and form in a version 5 table; more than these are not believed. */
#define FORMATS_MAX 16

struct entry_format {
	uint8_t count;
	uint64_t content[FORMATS_MAX], form[FORMATS_MAX];
};

struct entry {
	const char *name;
	uint64_t directory;
};

static int
add_directory(struct pf_line_names *names, const char *name, struct pf_error *err)
{
	if (PF_GROW(names->directories, names->directory_capacity, names->directory_count + 1, err))
		return PF_ENOMEM;
	names->directories[names->directory_count++] = name;
	return 0;
}

static int
add_file(struct pf_line_names *names, const char *name, uint64_t directory, struct pf_error *err)
{
	if (PF_GROW(names->files, names->file_capacity, names->file_count + 1, err))
		return PF_ENOMEM;
	names->files[names->file_count++] =
	    (struct pf_line_file){.name = name, .directory = directory};
	return 0;
}

/* The string at an offset of a string section; "" if it isn't one. */
static const char *
string_at(struct pf_bytes section, uint64_t offset)
{
	const char *text = pf_bytes_string(section, offset);

	return text ? text : "";
}

/* Directories and files of DWARF 2 to 4. Directory 0 and file 0 have no entry there. */
static int
read_old_tables(struct pf_line_names *names, struct pf_cursor *c, struct pf_error *err)
{
	const char *name;
	int rc = add_directory(names, "", err);

	if (!rc)
		rc = add_file(names, "", 0, err);
	while (!rc && *(name = pf_dwarf_string(c)))
		rc = add_directory(names, name, err);
	while (!rc && *(name = pf_dwarf_string(c))) {
		uint64_t directory = pf_cursor_varint(c);
		pf_cursor_varint(c); /* time */
		pf_cursor_varint(c); /* size */
		rc = add_file(names, name, directory, err);
	}
	return rc;
}

/* One value of an entry; text or a number, as its form says. */
static uint64_t
read_form(struct pf_cursor *c, const struct pf_line_sections *sections, uint64_t form, bool wide,
    const char **text)
{
	*text = "";
	switch (form) {
	case DW_FORM_string:
		*text = pf_dwarf_string(c);
		return 0;
	case DW_FORM_line_strp:
		*text = string_at(sections->line_strings, pf_dwarf_offset(c, wide));
		return 0;
	case DW_FORM_strp:
		*text = string_at(sections->strings, pf_dwarf_offset(c, wide));
		return 0;
	case DW_FORM_strp_sup:
	case DW_FORM_sec_offset:
		return pf_dwarf_offset(c, wide) * 0;
	case DW_FORM_udata:
	case DW_FORM_strx:
		return pf_cursor_varint(c);
	case DW_FORM_data1:
	case DW_FORM_strx1:
		return pf_dwarf_u8(c);
	case DW_FORM_data2:
	case DW_FORM_strx2:
		return pf_dwarf_u16(c);
	case DW_FORM_data4:
	case DW_FORM_strx4:
		return pf_cursor_u32(c);
	case DW_FORM_data8:
		return pf_cursor_u64(c);
	case DW_FORM_data16:
		pf_cursor_skip(c, 16);
		return 0;
	case DW_FORM_block:
		pf_cursor_skip(c, pf_cursor_varint(c));
		return 0;
	default:
		return pf_cursor_fail(c, "unknown form in the table of files");
	}
}

static void
read_format(struct entry_format *format, struct pf_cursor *c)
{
	format->count = pf_dwarf_u8(c);
	if (format->count > FORMATS_MAX) {
		pf_cursor_fail(c, "too many columns in the table of files");
		format->count = 0;
	}
	for (unsigned i = 0; i < format->count; i++) {
		format->content[i] = pf_cursor_varint(c);
		format->form[i] = pf_cursor_varint(c);
	}
}

static struct entry
read_entry(const struct entry_format *format, const struct pf_line_sections *sections, bool wide,
    struct pf_cursor *c)
{
	struct entry entry = {.name = ""};
	const char *text;

	for (unsigned i = 0; i < format->count; i++) {
		uint64_t number = read_form(c, sections, format->form[i], wide, &text);
		if (format->content[i] == DW_LNCT_path)
			entry.name = text;
		else if (format->content[i] == DW_LNCT_directory_index)
			entry.directory = number;
	}
	return entry;
}

/* Directories and files of DWARF 5. An entry has at least a byte, so a count cannot promise more than there is. */
static int
read_tables(struct pf_line_names *names, const struct pf_line_sections *sections, bool wide,
    struct pf_cursor *c, struct pf_error *err)
{
	struct entry_format format;
	uint64_t count;
	int rc = 0;

	read_format(&format, c);
	count = pf_cursor_varint(c);
	for (uint64_t i = 0; i < count && !rc && format.count > 0 && pf_cursor_more(c); i++)
		rc = add_directory(names, read_entry(&format, sections, wide, c).name, err);
	if (rc)
		return rc;
	read_format(&format, c);
	count = pf_cursor_varint(c);
	for (uint64_t i = 0; i < count && !rc && format.count > 0 && pf_cursor_more(c); i++) {
		struct entry entry = read_entry(&format, sections, wide, c);
		rc = add_file(names, entry.name, entry.directory, err);
	}
	return rc;
}

/* Reads everything before the directories; leaves the cursor at them. */
static int
read_fixed(struct pf_line_header *header, struct pf_cursor *c, struct pf_cursor *head,
    struct pf_error *err)
{
	uint64_t length;
	struct pf_cursor unit;

	memset(header, 0, sizeof *header);
	header->offset = pf_cursor_offset(c);
	length = pf_cursor_u32(c);
	header->wide = length == UINT32_MAX;
	if (header->wide)
		length = pf_cursor_u64(c);
	unit = pf_cursor_slice(c, length);
	header->version = pf_dwarf_u16(&unit);
	if (header->version < 2 || header->version > 5)
		pf_cursor_fail(&unit, "unknown version of the line table");
	if (header->version >= 5)
		pf_cursor_skip(&unit, 2); /* sizes of addresses and segment selectors */
	*head = pf_cursor_slice(&unit, pf_dwarf_offset(&unit, header->wide));
	header->program = pf_cursor_offset(&unit);
	header->end = header->program + pf_cursor_left(&unit);
	header->minimum_length = pf_dwarf_u8(head);
	if (header->version >= 4)
		pf_dwarf_u8(head); /* operations of a VLIW instruction: neither machine has any */
	pf_dwarf_u8(head);         /* default of is_stmt */
	header->line_base = (int8_t)pf_dwarf_u8(head);
	header->line_range = pf_dwarf_u8(head);
	header->opcode_base = pf_dwarf_u8(head);
	for (unsigned i = 1; i < header->opcode_base; i++)
		header->operands[i] = pf_dwarf_u8(head);
	if (!head->failure && (header->line_range == 0 || header->opcode_base == 0))
		pf_cursor_fail(head, "a line range or opcode base of zero");
	return pf_cursor_check(head, err);
}

static void
at_table(struct pf_cursor *c, const struct pf_line_sections *sections, uint64_t offset)
{
	pf_cursor_init(c, ".debug_line", sections->line.at, sections->line.size);
	pf_cursor_skip(c, offset);
}

int
pf_line_header_read(struct pf_line_header *header, const struct pf_line_sections *sections,
    uint64_t offset, struct pf_error *err)
{
	struct pf_cursor c, head;

	at_table(&c, sections, offset);
	return read_fixed(header, &c, &head, err);
}

int
pf_line_names_read(struct pf_line_names *names, const struct pf_line_header *header,
    const struct pf_line_sections *sections, struct pf_error *err)
{
	struct pf_line_header again;
	struct pf_cursor c, head;
	int rc;

	at_table(&c, sections, header->offset);
	rc = read_fixed(&again, &c, &head, err);
	if (!rc)
		rc = again.version >= 5 ? read_tables(names, sections, again.wide, &head, err)
					: read_old_tables(names, &head, err);
	if (rc == PF_ENOMEM) {
		pf_line_names_release(names);
		return rc;
	}
	names->read = true;
	return 0;
}

void
pf_line_names_release(struct pf_line_names *names)
{
	for (size_t i = 0; i < names->file_count; i++)
		free(names->files[i].path);
	free(names->files);
	free(names->directories);
	*names = (struct pf_line_names){0};
}
