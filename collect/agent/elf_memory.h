/*
 * elf_memory.h: what a loaded ELF file says about itself, read from memory.
 *
 * Only through pf_host_read: the file may be unloaded while we look.
 */
#ifndef PF_AGENT_ELF_MEMORY_H
#define PF_AGENT_ELF_MEMORY_H

#include "collect/agent/modules.h"

/* Fills in build id and the place of the unwind tables from the ELF header at mapping->base. */
void pf_elf_describe(struct pf_mapping *mapping);

/* The GNU build id among a segment's notes, in hexadecimal (2 * PF_BUILD_ID_MAX + 1 bytes); false: none. */
bool pf_elf_build_id(const uint8_t *notes, size_t size, char *hex);

#endif
