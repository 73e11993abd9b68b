/*
 * lines.h: one unit's line table: which line and discriminator an address has.
 *
 * Our own reader of .debug_line, because libdw keeps a discriminator in 24 bits
 * and rejects the whole table of a unit that needs more, as those built with
 * -fpseudo-probe-for-profiling do (seen with 0.188).
 */
#ifndef PF_SYMBOL_LINES_H
#define PF_SYMBOL_LINES_H

#include <stddef.h>
#include <stdint.h>

struct pf_error;

/* Bytes of a section, inflated if need be; somebody else owns them. */
struct pf_bytes {
	const uint8_t *at; /* NULL: no such section */
	size_t size;
};

/* What a line table refers to. */
struct pf_line_sections {
	struct pf_bytes line, line_strings, strings; /* .debug_line, .debug_line_str, .debug_str */
};

struct pf_line_row {
	uint64_t address;
	uint32_t file, line, discriminator;
};

/* Rows of rising address that end at `high`. */
struct pf_line_sequence {
	uint64_t low, high;
	size_t first, end; /* rows */
};

struct pf_line_file {
	const char *name;   /* in a section; "" if it could not be read */
	uint64_t directory; /* index, checked on use */
	char *path;         /* owned; NULL until asked for */
};

/* A zeroed struct is an empty table. */
struct pf_line_table {
	struct pf_line_row *rows;
	size_t row_count, row_capacity;
	struct pf_line_sequence *sequences; /* by high */
	size_t sequence_count, sequence_capacity;
	const char **directories; /* in a section */
	size_t directory_count, directory_capacity;
	struct pf_line_file *files;
	size_t file_count, file_capacity;
	uint16_t version;
};

/*
 * Reads the table at this offset of .debug_line. PF_EINPUT on a malformed one,
 * with the offset; what was read before stays usable.
 */
int pf_line_table_read(struct pf_line_table *table, const struct pf_line_sections *sections,
    uint64_t offset, struct pf_error *err);
void pf_line_table_release(struct pf_line_table *table);

/* The row that covers an address, or NULL. Of rows with one address the last counts. */
const struct pf_line_row *pf_line_table_find(const struct pf_line_table *table, uint64_t address);

/*
 * The path of a file by its number in the table, absolute where the directories
 * or `unit_directory` (may be NULL) make it so; owned by the table. *path is
 * NULL where there is no such file. PF_ENOMEM.
 */
int pf_line_table_path(struct pf_line_table *table, uint64_t file, const char *unit_directory,
    const char **path, struct pf_error *err);

#endif
