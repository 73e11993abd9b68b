/*
 * libFuzzer target: any bytes as .eh_frame_hdr and .eh_frame; whatever rows come out, their
 * expressions are evaluated too. Nothing but the bytes may be read.
 */
#include <stdlib.h>

#include "collect/agent/cfi.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool
read_anything(const struct pf_memory *memory, uint64_t address, uint64_t *value)
{
	(void)memory;
	*value = address * 3;
	return address % 5 != 0;
}

static void
use(const struct pf_rule *rule, const uint8_t *bytes, size_t size)
{
	static const struct pf_memory memory = {.read = read_anything};
	uint64_t registers[PF_REGISTERS] = {1, 2, 3}, start = 7, result;

	if (rule->kind != PF_RULE_AT_EXPR && rule->kind != PF_RULE_IS_EXPR)
		return;
	if (rule->expression < bytes || rule->size > (size_t)(bytes + size - rule->expression))
		abort();
	pf_cfi_evaluate(rule, registers, 0x1ffff, &memory, &start, &result);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const uint64_t address = 0x10000;
	struct pf_cfi cfi;
	struct pf_row row;

	if (!pf_cfi_open(&cfi, bytes, size, address, address))
		return 0;
	/* Functions lie anywhere around the tables: ask for every start, and a few addresses on. */
	for (uint64_t i = 0; i < cfi.count && i < 64; i++) {
		const uint8_t *pair = bytes + (cfi.table - address) + 8 * i;
		int32_t start =
		    (int32_t)(pair[0] | pair[1] << 8 | pair[2] << 16 | (uint32_t)pair[3] << 24);
		for (uint64_t on = 0; on < 64; on += 7) {
			if (!pf_cfi_row(&cfi, address + (uint64_t)(int64_t)start + on, &row))
				continue;
			use(&row.cfa, bytes, size);
			for (int reg = 0; reg < PF_REGISTERS; reg++)
				use(&row.rules[reg], bytes, size);
		}
	}
	return 0;
}
