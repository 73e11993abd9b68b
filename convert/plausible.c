/* plausible.c: see plausible.h. */
#include "convert/plausible.h"

#include "core/error.h"
#include "core/index.h"
#include "symbol/binary.h"
#include "symbol/code.h"

static bool
is_call(const struct pf_machine_code *code, uint64_t address)
{
	uint32_t i = pf_code_find(code, address);
	uint8_t kind = i == PF_NONE ? PF_CODE_OTHER : code->instructions[i].kind;

	return kind == PF_CODE_CALL || kind == PF_CODE_CALL_INDIRECT;
}

int
pf_callers_plausible(double *share, const struct pf_binary *binary,
    const struct pf_samples *samples, struct pf_error *err)
{
	struct pf_machine_code code = {0};
	const struct pf_symbol *decoded = NULL;
	size_t callers = 0, calls = 0;
	uint64_t last = 0;
	int rc = 0;

	/* edges are sorted by caller: each function is decoded once */
	for (size_t i = 0; !rc && i < samples->edge_count; i++) {
		uint64_t caller = samples->edges[i].caller;
		const struct pf_symbol *symbol = pf_binary_symbol_at(binary, caller);

		if (callers && caller == last)
			continue;
		if (symbol && symbol != decoded)
			rc = pf_code_decode(&code, binary, symbol->start, symbol->end, err);
		decoded = symbol;
		last = caller;
		callers++;
		calls += !rc && symbol && is_call(&code, caller);
	}
	pf_code_release(&code);
	*share = rc || !callers ? -1 : (double)calls / (double)callers;
	return rc == PF_EINPUT ? 0 : rc;
}
