/*
 * inflate.h: sections that a file keeps compressed.
 */
#ifndef PF_SYMBOL_INFLATE_H
#define PF_SYMBOL_INFLATE_H

#include "symbol/elf.h"

/*
 * The content of a section. Where the file keeps it compressed (SHF_COMPRESSED
 * with zlib or zstd, or a name that starts with ".zdebug") *owned is an inflated
 * copy, to be freed, else NULL. What claims to inflate beyond 16 MiB and 200 times
 * its size is refused. PF_EINPUT with the reason; PF_ENOMEM.
 */
int pf_section_content(const struct pf_elf *file, const Elf64_Shdr *header,
    struct pf_bytes *content, uint8_t **owned, struct pf_error *err);

#endif
