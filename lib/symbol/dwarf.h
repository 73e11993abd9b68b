/*
 * dwarf.h: the debug information of an open binary, read unit by unit when asked.
 *
 * A reader of our own: libdw 0.188 knows no zstd, rejects line tables with large
 * discriminators, allocates per entry, and ends the process when memory runs out.
 */
#ifndef PF_SYMBOL_DWARF_H
#define PF_SYMBOL_DWARF_H

struct pf_binary;
struct pf_dwarf;
struct pf_error;

/*
 * Finds the units and the addresses they cover; fills binary->dwarf, or leaves
 * it NULL with the reason in binary->no_lines. Only lack of memory is a failure.
 */
int pf_dwarf_open(struct pf_binary *binary, struct pf_error *err);
void pf_dwarf_free(struct pf_dwarf *dwarf);
/* Gives back the memory of what was read of files other than the main one and its debug file. */
void pf_dwarf_trim(const struct pf_dwarf *dwarf);

#endif
