/*
 * binary_lines.h: a binary as the source of lines and callees; see attribute.h.
 */
#ifndef PF_CONVERT_BINARY_LINES_H
#define PF_CONVERT_BINARY_LINES_H

#include "convert/attribute.h"

struct pf_binary_lines {
	struct pf_binary *binary;
	uint8_t *taken; /* by symbol: whether its address is taken anywhere */
};

/* Scans the binary for taken addresses. `binary` outlives it. PF_ENOMEM. */
int pf_binary_lines_init(struct pf_binary_lines *b, struct pf_binary *binary, struct pf_error *err);
void pf_binary_lines_release(struct pf_binary_lines *b);

/* The source; good as long as *b stays where it is. */
struct pf_line_source pf_binary_lines_source(struct pf_binary_lines *b);

#endif
