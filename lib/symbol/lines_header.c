/* lines_header.c: see lines_header.h. Formats: DWARF 2 to 5, section 6.2.4. */
#include "symbol/lines_header.h"

#include <dwarf.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

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
add_directory(struct pf_line_table *table, const char *name, struct pf_error *err)
{
	if (PF_GROW(table->directories, table->directory_capacity, table->directory_count + 1, err))
		return PF_ENOMEM;
	table->directories[table->directory_count++] = name;
	return 0;
}

int
pf_line_table_add_file(
    struct pf_line_table *table, const char *name, uint64_t directory, struct pf_error *err)
{
	if (PF_GROW(table->files, table->file_capacity, table->file_count + 1, err))
		return PF_ENOMEM;
	table->files[table->file_count++] =
	    (struct pf_line_file){.name = name, .directory = directory};
	return 0;
}

/* The string at an offset of a string section; "" if it isn't one. */
static const char *
string_at(struct pf_bytes section, uint64_t offset)
{
	if (offset >= section.size || !memchr(section.at + offset, '\0', section.size - offset))
		return "";
	return (const char *)section.at + offset;
}

/* Directories and files of DWARF 2 to 4. Directory 0 and file 0 have no entry there. */
static int
read_old_tables(struct pf_line_table *table, struct pf_cursor *c, struct pf_error *err)
{
	const char *name;
	int rc = add_directory(table, "", err);

	if (!rc)
		rc = pf_line_table_add_file(table, "", 0, err);
	while (!rc && *(name = pf_dwarf_string(c)))
		rc = add_directory(table, name, err);
	while (!rc && *(name = pf_dwarf_string(c))) {
		uint64_t directory = pf_cursor_varint(c);
		pf_cursor_varint(c); /* time */
		pf_cursor_varint(c); /* size */
		rc = pf_line_table_add_file(table, name, directory, err);
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
read_tables(struct pf_line_table *table, const struct pf_line_sections *sections, bool wide,
    struct pf_cursor *c, struct pf_error *err)
{
	struct entry_format format;
	uint64_t count;
	int rc = 0;

	read_format(&format, c);
	count = pf_cursor_varint(c);
	for (uint64_t i = 0; i < count && !rc && format.count > 0 && pf_cursor_more(c); i++)
		rc = add_directory(table, read_entry(&format, sections, wide, c).name, err);
	if (rc)
		return rc;
	read_format(&format, c);
	count = pf_cursor_varint(c);
	for (uint64_t i = 0; i < count && !rc && format.count > 0 && pf_cursor_more(c); i++) {
		struct entry entry = read_entry(&format, sections, wide, c);
		rc = pf_line_table_add_file(table, entry.name, entry.directory, err);
	}
	return rc;
}

int
pf_line_header_read(struct pf_line_header *header, struct pf_line_table *table,
    const struct pf_line_sections *sections, struct pf_cursor *c, struct pf_cursor *program,
    struct pf_error *err)
{
	uint64_t length = pf_cursor_u32(c);
	bool wide = length == 0xffffffff;
	struct pf_cursor unit, head;
	int rc;

	if (wide)
		length = pf_cursor_u64(c);
	unit = pf_cursor_slice(c, length);
	table->version = pf_dwarf_u16(&unit);
	if (table->version < 2 || table->version > 5)
		pf_cursor_fail(&unit, "unknown version of the line table");
	if (table->version >= 5)
		pf_cursor_skip(&unit, 2); /* sizes of addresses and segment selectors */
	head = pf_cursor_slice(&unit, pf_dwarf_offset(&unit, wide));
	header->minimum_length = pf_dwarf_u8(&head);
	if (table->version >= 4)
		pf_dwarf_u8(&head); /* operations of a VLIW instruction: neither machine has any */
	pf_dwarf_u8(&head);         /* default of is_stmt */
	header->line_base = (int8_t)pf_dwarf_u8(&head);
	header->line_range = pf_dwarf_u8(&head);
	header->opcode_base = pf_dwarf_u8(&head);
	memset(header->operands, 0, sizeof header->operands);
	for (unsigned i = 1; i < header->opcode_base; i++)
		header->operands[i] = pf_dwarf_u8(&head);
	if (!head.failure && (header->line_range == 0 || header->opcode_base == 0))
		pf_cursor_fail(&head, "a line range or opcode base of zero");
	rc = pf_cursor_check(&head, err);
	if (rc)
		return rc;
	rc = table->version >= 5 ? read_tables(table, sections, wide, &head, err)
				 : read_old_tables(table, &head, err);
	if (!rc)
		rc = pf_cursor_check(&head, err);
	*program = unit;
	return rc;
}
