/*
 * vdso.h: names for the kernel's code in user space, which has no file.
 */
#ifndef PF_AGENT_VDSO_H
#define PF_AGENT_VDSO_H

#include <stddef.h>
#include <stdint.h>

/*
 * The name of the function that holds `pc` in the image whose ELF header is at
 * `base` in memory; writes it to `name` and returns its start, or 0.
 */
uint64_t pf_vdso_name(uint64_t base, uint64_t pc, char *name, size_t size);

#endif
