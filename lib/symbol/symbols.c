/*
 * symbols.c: the function symbols of a binary, sorted and without overlap.
 *
 * Several names may stand for one address (aliases, constructors C1/C2) and
 * assembly often has labels without a size inside a function. One name a range
 * is kept: of equal ranges the most visible one, then the shortest, then the
 * first by name, so that the choice does not depend on the linker's order.
 * Blocks that have symbols of their own (-fbasic-block-sections=all) are their
 * function's again where they follow it.
 */
#include "symbol/binary_private.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

enum {
	GAP_MAX = 64,   /* bytes that align a block */
	NAMES_MAX = 16, /* of one function that its blocks' names may begin with */
};

struct candidate {
	uint64_t start, end;
	uint64_t limit; /* end of its section */
	const char *name, *file;
	uint8_t rank; /* 0 global, 1 weak, 2 local */
};

struct candidates {
	struct candidate *items;
	size_t count, capacity;
};

static int
compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	size_t n, m;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->end != y->end)
		return x->end > y->end ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	n = strlen(x->name);
	m = strlen(y->name);
	if (n != m)
		return n < m ? -1 : 1;
	return strcmp(x->name, y->name);
}

static bool
is_function(const struct pf_binary *binary, const Elf64_Sym *symbol)
{
	int type = ELF64_ST_TYPE(symbol->st_info);

	if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx == SHN_ABS)
		return false;
	if (type != STT_FUNC && type != STT_GNU_IFUNC &&
	    !(type == STT_NOTYPE && symbol->st_size > 0))
		return false;
	return pf_binary_executable(binary, symbol->st_value);
}

/* The end of the section that a symbol lies in, else of its segment. */
static uint64_t
limit_of(const struct pf_binary *binary, const struct pf_elf *file, const Elf64_Sym *symbol)
{
	const struct pf_segment *segment = pf_segment_at(binary, symbol->st_value);
	uint64_t limit = segment->address + segment->size, end;
	Elf64_Shdr header;

	if (!pf_elf_section(file, symbol->st_shndx, &header))
		return limit;
	end = header.sh_addr + header.sh_size;
	return end > symbol->st_value && end < limit ? end : limit;
}

static int
collect(struct candidates *found, const struct pf_binary *binary, const struct pf_elf *file,
    const Elf64_Shdr *table, struct pf_error *err)
{
	struct pf_bytes data = pf_elf_bytes(file, table), names = {0};
	const char *source = NULL;
	Elf64_Shdr strings;
	Elf64_Sym symbol;

	if (table->sh_entsize != sizeof symbol)
		return 0;
	if (pf_elf_section(file, table->sh_link, &strings))
		names = pf_elf_bytes(file, &strings);
	for (size_t at = 0; data.size - at >= sizeof symbol; at += sizeof symbol) {
		memcpy(&symbol, data.at + at, sizeof symbol);
		if (ELF64_ST_TYPE(symbol.st_info) == STT_FILE)
			source = pf_bytes_string(names, symbol.st_name);
		if (!is_function(binary, &symbol))
			continue;
		const char *name = pf_bytes_string(names, symbol.st_name);
		if (!name || !*name)
			continue;
		if (PF_GROW(found->items, found->capacity, found->count + 1, err))
			return PF_ENOMEM;
		int binding = ELF64_ST_BIND(symbol.st_info);
		uint64_t room = UINT64_MAX - symbol.st_value;
		found->items[found->count++] = (struct candidate){
		    .start = symbol.st_value,
		    .end = symbol.st_value + (symbol.st_size < room ? symbol.st_size : room),
		    .limit = limit_of(binary, file, &symbol),
		    .name = name,
		    .file = binding == STB_LOCAL && source && *source ? source : NULL,
		    .rank = binding == STB_GLOBAL ? 0
			    : binding == STB_WEAK ? 1
						  : 2,
		};
	}
	return 0;
}

/* Whether `name` is that of a block of function `of`: "of.__part.N". */
static bool
is_part(const char *name, const char *of)
{
	static const char middle[] = ".__part.";
	size_t n = strlen(of), digits;

	if (strncmp(name, of, n) != 0 || strncmp(name + n, middle, sizeof middle - 1) != 0)
		return false;
	name += n + sizeof middle - 1;
	digits = strspn(name, "0123456789");
	return digits > 0 && !name[digits];
}

/* Whether candidate i is the next block of the function that begins at candidate `first`, under any of its names. */
static bool
continues(const struct candidates *found, size_t i, size_t first, const struct pf_symbol *last)
{
	const struct candidate *c = &found->items[i];

	if (c->rank != 2 || c->start < last->end || c->start - last->end >= GAP_MAX)
		return false;
	for (size_t k = first;
	    k < i && k < first + NAMES_MAX && found->items[k].start == last->start; k++) {
		if (is_part(c->name, found->items[k].name))
			return true;
	}
	return false;
}

/* Sorted candidates become symbols; one without a size reaches to the next one's start. */
static int
keep(struct pf_binary *binary, const struct candidates *found, struct pf_error *err)
{
	struct pf_symbol *last = NULL;
	size_t first = 0; /* candidate of last's start */

	for (size_t i = 0; i < found->count; i++) {
		struct candidate c = found->items[i];
		if (last && c.start < last->end && c.end <= last->end)
			continue;
		if (last && continues(found, i, first, last)) {
			last->end = c.end;
			continue;
		}
		if (c.end == c.start) {
			c.end = c.limit;
			for (size_t k = i + 1; k < found->count; k++) {
				if (found->items[k].start > c.start) {
					if (found->items[k].start < c.end)
						c.end = found->items[k].start;
					break;
				}
			}
		}
		if (last && c.start < last->end)
			last->end = c.start;
		if (last && last->end == last->start)
			binary->symbol_count--;
		if (PF_GROW(
			binary->symbols, binary->symbol_capacity, binary->symbol_count + 1, err))
			return PF_ENOMEM;
		last = &binary->symbols[binary->symbol_count++];
		first = i;
		*last = (struct pf_symbol){.start = c.start,
		    .end = c.end,
		    .name = c.name,
		    .local = c.rank == 2,
		    .file = c.file};
	}
	return 0;
}

int
pf_symbols_load(struct pf_binary *binary, struct pf_error *err)
{
	const struct pf_elf *file = &binary->main;
	struct candidates found = {0};
	Elf64_Shdr table;
	bool any = pf_elf_typed(file, SHT_SYMTAB, &table);
	int rc = 0;

	if (!any && binary->debug.image) {
		file = &binary->debug;
		any = pf_elf_typed(file, SHT_SYMTAB, &table);
	}
	if (!any) {
		file = &binary->main;
		any = pf_elf_typed(file, SHT_DYNSYM, &table);
	}
	if (any)
		rc = collect(&found, binary, file, &table, err);
	if (!rc && found.count > 0) {
		qsort(found.items, found.count, sizeof *found.items, compare_candidates);
		rc = keep(binary, &found, err);
	}
	free(found.items);
	return rc;
}

const struct pf_symbol *
pf_binary_symbols(const struct pf_binary *binary, size_t *count)
{
	*count = binary->symbol_count;
	return binary->symbols;
}

const struct pf_symbol *
pf_binary_symbol_at(const struct pf_binary *binary, uint64_t address)
{
	size_t low = 0, high = binary->symbol_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (binary->symbols[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || address >= binary->symbols[low - 1].end)
		return NULL;
	return &binary->symbols[low - 1];
}
