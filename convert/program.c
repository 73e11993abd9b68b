/* program.c: see program.h. */
#include "convert/program.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "symbol/binary.h"

/* Bytes of code that are kept in memory. */
#define TRIM_EVERY ((uint64_t)8 << 20)

void
pf_program_forget_code(struct pf_program *p)
{
	pf_packed_code_release(&p->code);
	free(p->blocks);
	free(p->edges);
	p->blocks = NULL;
	p->edges = NULL;
	p->block_count = p->block_capacity = p->edge_count = p->edge_capacity = 0;
}

void
pf_program_release(struct pf_program *p)
{
	pf_program_forget_code(p);
	free(p->functions);
	*p = (struct pf_program){0};
}

uint32_t
pf_program_function_at(const struct pf_program *p, uint64_t address)
{
	size_t low = 0, high = p->function_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (p->functions[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < p->function_count && p->functions[low].start <= address ? (uint32_t)low
									     : PF_NONE;
}

/*
 * A name's length without what marks a split-off part (".cold", or ".__part.N" of a block that
 * does not follow its function); *part says whether there was such a mark.
 */
static size_t
parent_size(const char *name, bool *part)
{
	const char *cold = strstr(name, ".cold"), *block = strstr(name, ".__part.");
	const char *mark = cold && (cold[5] == 0 || cold[5] == '.') ? cold : block;

	*part = mark && mark != name;
	return *part ? (size_t)(mark - name) : strlen(name);
}

struct named_symbol {
	const char *name;
	size_t size; /* of the parent's name */
	uint32_t symbol;
};

static int
by_parent_name(const void *left, const void *right)
{
	const struct named_symbol *a = left, *b = right;
	int order = memcmp(a->name, b->name, a->size < b->size ? a->size : b->size);

	if (order)
		return order;
	return (a->size > b->size) - (a->size < b->size);
}

/* Marks, beside the sampled symbols, their split-off parts and their parents. */
static int
mark_relatives(uint8_t *wanted, const struct pf_symbol *symbols, size_t count, struct pf_error *err)
{
	struct named_symbol *names;
	bool part, any;
	int rc = PF_CALLOC(names, count, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < count; i++)
		names[i] = (struct named_symbol){
		    symbols[i].name, parent_size(symbols[i].name, &part), (uint32_t)i};
	if (count)
		qsort(names, count, sizeof *names, by_parent_name);
	for (size_t i = 0, end; i < count; i = end) {
		any = part = false;
		for (end = i; end < count && by_parent_name(&names[i], &names[end]) == 0; end++) {
			any |= wanted[names[end].symbol];
			part |= names[end].name[names[end].size] != 0;
		}
		/* without a split-off part equal names are different functions */
		for (size_t j = i; any && part && j < end; j++)
			wanted[names[j].symbol] = 1;
	}
	free(names);
	return 0;
}

static int
read_function(struct pf_program *p, struct pf_machine_code *code, const struct pf_binary *binary,
    const struct pf_symbol *symbol, struct pf_error *err)
{
	struct pf_program_function f = {
	    .start = symbol->start, .end = symbol->end, .name = symbol->name};
	int rc = pf_code_decode(code, binary, symbol->start, symbol->end, err);

	if (rc && rc != PF_EINPUT)
		return rc;
	parent_size(symbol->name, &f.part);
	return pf_program_add(p, &f, rc ? NULL : code, err);
}

int
pf_program_read(struct pf_program *out, const struct pf_binary *binary,
    const struct pf_samples *samples, struct pf_error *err)
{
	size_t count;
	const struct pf_symbol *symbols = pf_binary_symbols(binary, &count);
	struct pf_machine_code code = {0};
	uint64_t read = 0;
	uint8_t *wanted;
	int rc;

	pf_program_init(out, samples);
	rc = PF_CALLOC(wanted, count, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < samples->leaf_count; i++) {
		const struct pf_symbol *symbol =
		    pf_binary_symbol_at(binary, samples->leaves[i].address);
		if (symbol)
			wanted[symbol - symbols] = 1;
	}
	rc = mark_relatives(wanted, symbols, count, err);
	for (size_t i = 0; !rc && i < count; i++) {
		if (!wanted[i])
			continue;
		rc = read_function(out, &code, binary, &symbols[i], err);
		read += symbols[i].end - symbols[i].start;
		if (read > TRIM_EVERY) {
			pf_binary_trim(binary);
			read = 0;
		}
	}
	pf_code_release(&code);
	free(wanted);
	return rc;
}
