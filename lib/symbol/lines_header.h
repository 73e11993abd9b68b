/*
 * lines_header.h: the header of a line program, with its directories and files.
 */
#ifndef PF_SYMBOL_LINES_HEADER_H
#define PF_SYMBOL_LINES_HEADER_H

#include "symbol/dwarf_cursor.h"
#include "symbol/lines.h"

/* Reads the header at this offset of .debug_line; PF_EINPUT on a malformed one. */
int pf_line_header_read(struct pf_line_header *header, const struct pf_line_sections *sections,
    uint64_t offset, struct pf_error *err);

/* Reads the directories and files of the table with this header. What is damaged ends them. PF_ENOMEM. */
int pf_line_names_read(struct pf_line_names *names, const struct pf_line_header *header,
    const struct pf_line_sections *sections, struct pf_error *err);
void pf_line_names_release(struct pf_line_names *names);

#endif
