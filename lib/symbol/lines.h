/*
 * lines.h: one unit's line table: which line and discriminator an address has.
 *
 * The table's rows are not kept. Reading it leaves marks into the line program,
 * one every couple of hundred bytes; a question runs the program from the mark
 * before its address to the next one, and those rows stay in a window, because
 * the next question is mostly about the next instruction. So a table takes a
 * tenth of the memory of the bytes it was read from, not ten times as much.
 */
#ifndef PF_SYMBOL_LINES_H
#define PF_SYMBOL_LINES_H

#include <stdbool.h>

#include "symbol/bytes.h"

struct pf_error;

/* What a line table refers to. */
struct pf_line_sections {
	struct pf_bytes line, line_strings, strings; /* .debug_line, .debug_line_str, .debug_str */
};

struct pf_line_row {
	uint64_t address;
	uint32_t file, line, discriminator;
};

/* A row, and the place in .debug_line behind the opcode that made it. */
struct pf_line_mark {
	struct pf_line_row row;
	uint64_t at;
};

/* Rows of rising address that end at `high`. */
struct pf_line_sequence {
	uint64_t low, high;
	size_t first, end; /* marks */
};

struct pf_line_file {
	const char *name;   /* in a section; "" if it could not be read */
	uint64_t directory; /* index, checked on use */
	char *path;         /* owned; NULL until asked for */
};

/* The table's directories and files, read when the first path is asked for. */
struct pf_line_names {
	bool read;
	const char **directories; /* in a section */
	size_t directory_count, directory_capacity;
	struct pf_line_file *files;
	size_t file_count, file_capacity;
};

struct pf_line_header {
	uint64_t offset;       /* of the table, in .debug_line */
	uint64_t program, end; /* of its opcodes */
	uint16_t version;
	bool wide;              /* the 64-bit format */
	uint8_t minimum_length; /* of an instruction */
	int8_t line_base;
	uint8_t line_range;
	uint8_t opcode_base;
	uint8_t operands[256]; /* of standard opcode i */
};

/* A zeroed struct is an empty table. */
struct pf_line_table {
	struct pf_line_header header;
	struct pf_line_mark *marks;
	size_t mark_count, mark_capacity;
	struct pf_line_sequence *sequences; /* by high */
	size_t sequence_count, sequence_capacity;
	struct pf_line_names names;
};

/* The rows from one mark to the next. A zeroed struct is empty. */
struct pf_line_window {
	const struct pf_line_table *table;
	size_t mark;
	struct pf_line_row *rows;
	size_t count, capacity;
	uint64_t asked; /* the last address that was found in it, and its row */
	size_t found;
};

/*
 * Reads the table at this offset of .debug_line; *size is how many bytes that
 * took, also after a failure. PF_EINPUT on a malformed one, with the offset; what
 * was read before stays usable.
 */
int pf_line_table_read(struct pf_line_table *table, const struct pf_line_sections *sections,
    uint64_t offset, uint64_t *size, struct pf_error *err);
void pf_line_table_release(struct pf_line_table *table);

/*
 * The row that covers an address, in the window until the next call, or NULL. Of
 * rows with one address the last counts. Adds to *size what was read for it.
 */
int pf_line_table_find(const struct pf_line_table *table, const struct pf_line_sections *sections,
    struct pf_line_window *window, uint64_t address, const struct pf_line_row **row, uint64_t *size,
    struct pf_error *err);
void pf_line_window_release(struct pf_line_window *window);

/*
 * The path of a file by its number in the table, absolute where the directories
 * or `unit_directory` (may be NULL) make it so; owned by the table. *path is
 * NULL where there is no such file. PF_ENOMEM.
 */
int pf_line_table_path(struct pf_line_table *table, const struct pf_line_sections *sections,
    uint64_t file, const char *unit_directory, const char **path, struct pf_error *err);

#endif
