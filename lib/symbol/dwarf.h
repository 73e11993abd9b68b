/*
 * dwarf.h: the debug information of an open binary, read unit by unit when asked.
 */
#ifndef PF_SYMBOL_DWARF_H
#define PF_SYMBOL_DWARF_H

struct pf_binary;
struct pf_dwarf;
struct pf_error;

/*
 * Finds the units and the addresses they cover; fills binary->dwarf, or leaves
 * it NULL with the reason in binary->no_lines. Only memory and DWARF that
 * libdw rejects as a whole are failures.
 */
int pf_dwarf_open(struct pf_binary *binary, struct pf_error *err);
void pf_dwarf_free(struct pf_dwarf *dwarf);

#endif
