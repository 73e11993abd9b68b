/*
 * cfi.h: what .eh_frame says about a function's frame at one address.
 *
 * Reads the search table of .eh_frame_hdr and runs one function's call frame
 * instructions up to an address. The bytes are the host's: everything is read
 * through cursors, a wrong table ends a stack and nothing else.
 * Sources: LSB "Exception Frames", DWARF 5 section 6.4, x86-64 psABI.
 */
#ifndef PF_AGENT_CFI_H
#define PF_AGENT_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/agent/slots.h"

/* One module's tables: `bytes` stand for [address, address + size) of the process. */
struct pf_cfi {
	const uint8_t *bytes;
	size_t size;
	uint64_t address;
	uint64_t header; /* .eh_frame_hdr */
	uint64_t table;  /* its search table, of `count` pairs */
	uint64_t count;
};

enum pf_rule_kind {
	PF_RULE_SAME,
	PF_RULE_UNDEFINED,
	PF_RULE_AT,       /* saved at CFA + value */
	PF_RULE_IS,       /* is CFA + value */
	PF_RULE_REGISTER, /* is register `reg` (the CFA: + value) */
	PF_RULE_AT_EXPR,  /* saved at the expression's result */
	PF_RULE_IS_EXPR,  /* is the expression's result */
};

struct pf_rule {
	uint8_t kind;
	uint8_t reg;
	uint32_t size; /* of the expression */
	int64_t value;
	const uint8_t *expression;
};

struct pf_row {
	struct pf_rule cfa; /* PF_RULE_REGISTER or PF_RULE_IS_EXPR */
	struct pf_rule rules[PF_REGISTERS];
	bool signal_frame; /* its caller was interrupted, not calling */
};

/* Looks at the header; false if there is no search table that we can read. */
bool pf_cfi_open(
    struct pf_cfi *cfi, const void *bytes, size_t size, uint64_t address, uint64_t header);

/* The row for an address; false if no function covers it or its table is damaged. */
bool pf_cfi_row(const struct pf_cfi *cfi, uint64_t pc, struct pf_row *row);

/* Where the function begins that holds an address, as far as the table knows; 0 if it doesn't. */
uint64_t pf_cfi_start(const struct pf_cfi *cfi, uint64_t pc);
/* Where it ends; 0 if the table doesn't say. */
uint64_t pf_cfi_limit(const struct pf_cfi *cfi, uint64_t pc);

/* Memory as an expression or rule sees it: 8 bytes at an address, or false. */
struct pf_memory {
	bool (*read)(const struct pf_memory *memory, uint64_t address, uint64_t *value);
};

/*
 * Runs a DWARF expression with `start` on the stack (if `push`); false where it
 * needs what we don't have: unknown operations, memory, a register of `valid`.
 */
bool pf_cfi_evaluate(const struct pf_rule *rule, const uint64_t *registers, uint32_t valid,
    const struct pf_memory *memory, const uint64_t *push, uint64_t *result);

#endif
