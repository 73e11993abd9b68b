/*
 * address_taken.h: which functions can be reached by an indirect call: those
 * whose address stands in data or is loaded by code.
 *
 * A scan, not a proof: every aligned word outside code, relocations applied,
 * and every rip-relative lea or absolute immediate in code that hits a
 * function's start exactly. A chance hit only lets one more target through.
 */
#ifndef PF_CONVERT_ADDRESS_TAKEN_H
#define PF_CONVERT_ADDRESS_TAKEN_H

#include <stdint.h>

struct pf_binary;
struct pf_error;

/* One flag a symbol of the binary, in *taken, to be freed. PF_ENOMEM. */
int pf_address_taken(uint8_t **taken, const struct pf_binary *binary, struct pf_error *err);

#endif
