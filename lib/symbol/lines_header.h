/*
 * lines_header.h: the header of a line program, with its directories and files.
 */
#ifndef PF_SYMBOL_LINES_HEADER_H
#define PF_SYMBOL_LINES_HEADER_H

#include "symbol/dwarf_cursor.h"
#include "symbol/lines.h"

struct pf_line_header {
	uint8_t minimum_length; /* of an instruction */
	int8_t line_base;
	uint8_t line_range;
	uint8_t opcode_base;
	uint8_t operands[256]; /* of standard opcode i */
};

/*
 * Reads the header at the cursor, filling the table's version, directories and
 * files. Leaves *program at the opcodes.
 */
int pf_line_header_read(struct pf_line_header *header, struct pf_line_table *table,
    const struct pf_line_sections *sections, struct pf_cursor *c, struct pf_cursor *program,
    struct pf_error *err);

int pf_line_table_add_file(
    struct pf_line_table *table, const char *name, uint64_t directory, struct pf_error *err);

#endif
