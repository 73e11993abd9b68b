/* binary_lines.c: see binary_lines.h. */
#include "convert/binary_lines.h"

#include <stdlib.h>
#include <string.h>

#include "convert/address_taken.h"
#include "core/error.h"

static int
chain_at(void *context, uint64_t address, struct pf_inline_chain *chain, struct pf_error *err)
{
	struct pf_binary_lines *b = context;

	return pf_binary_inline_chain(b->binary, address, chain, err);
}

static const char *
function_at(void *context, uint64_t address, bool taken)
{
	struct pf_binary_lines *b = context;
	const struct pf_symbol *symbol = pf_binary_symbol_at(b->binary, address);
	size_t count;

	if (!symbol || symbol->start != address)
		return NULL;
	if (taken && !b->taken[symbol - pf_binary_symbols(b->binary, &count)])
		return NULL;
	return symbol->name;
}

static bool
start_of(void *context, uint64_t address, uint64_t *start)
{
	struct pf_binary_lines *b = context;
	const struct pf_symbol *symbol = pf_binary_symbol_at(b->binary, address);

	if (symbol)
		*start = symbol->start;
	return symbol != NULL;
}

int
pf_binary_lines_init(struct pf_binary_lines *b, struct pf_binary *binary, struct pf_error *err)
{
	*b = (struct pf_binary_lines){.binary = binary};
	return pf_address_taken(&b->taken, binary, err);
}

void
pf_binary_lines_release(struct pf_binary_lines *b)
{
	free(b->taken);
	*b = (struct pf_binary_lines){0};
}

struct pf_line_source
pf_binary_lines_source(struct pf_binary_lines *b)
{
	return (struct pf_line_source){
	    .context = b, .chain = chain_at, .function_at = function_at, .start_of = start_of};
}
