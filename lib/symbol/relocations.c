/*
 * relocations.c: the words of a position-independent binary that the dynamic
 * linker fills in with addresses of the binary itself. Jump tables of computed
 * gotos live there: in the file those words may be zero.
 *
 * Kept: R_X86_64_RELATIVE, and R_X86_64_64 against a symbol defined here; what
 * other objects decide is left out. DT_RELR's words hold their value already.
 */
#include "symbol/binary_private.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/search.h"

static int
compare_relocations(const void *a, const void *b)
{
	const struct pf_relocation *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

/* The symbols that the section's relocations name; empty if there are none. */
static struct pf_bytes
symbols_of(const struct pf_elf *file, const Elf64_Shdr *header)
{
	Elf64_Shdr linked;

	if (!pf_elf_section(file, header->sh_link, &linked) || linked.sh_type != SHT_DYNSYM)
		return (struct pf_bytes){0};
	return pf_elf_bytes(file, &linked);
}

static bool
symbol_value(struct pf_bytes symbols, uint64_t number, uint64_t *value)
{
	Elf64_Sym symbol;

	if (number >= symbols.size / sizeof symbol)
		return false;
	memcpy(&symbol, symbols.at + number * sizeof symbol, sizeof symbol);
	*value += symbol.st_value;
	return symbol.st_shndx != SHN_UNDEF;
}

static int
load_section(struct pf_binary *binary, const Elf64_Shdr *header, struct pf_error *err)
{
	struct pf_bytes data = pf_elf_bytes(&binary->main, header);
	struct pf_bytes symbols = symbols_of(&binary->main, header);
	Elf64_Rela entry;

	for (size_t at = 0; data.size - at >= sizeof entry; at += sizeof entry) {
		memcpy(&entry, data.at + at, sizeof entry);
		uint64_t type = ELF64_R_TYPE(entry.r_info), value = (uint64_t)entry.r_addend;
		if (type == R_X86_64_64) {
			if (!symbol_value(symbols, ELF64_R_SYM(entry.r_info), &value))
				continue;
		} else if (type != R_X86_64_RELATIVE) {
			continue;
		}
		if (PF_GROW(binary->relocations, binary->relocation_capacity,
			binary->relocation_count + 1, err))
			return PF_ENOMEM;
		binary->relocations[binary->relocation_count++] =
		    (struct pf_relocation){.address = entry.r_offset, .value = value};
	}
	return 0;
}

int
pf_relocations_load(struct pf_binary *binary, struct pf_error *err)
{
	Elf64_Shdr header;
	bool sorted = true;

	if (binary->machine != EM_X86_64)
		return 0;
	for (size_t i = 1; pf_elf_section(&binary->main, i, &header); i++) {
		if (header.sh_type == SHT_RELA && (header.sh_flags & SHF_ALLOC) &&
		    load_section(binary, &header, err))
			return PF_ENOMEM;
	}
	for (size_t i = 1; i < binary->relocation_count && sorted; i++)
		sorted = binary->relocations[i - 1].address <= binary->relocations[i].address;
	if (!sorted)
		qsort(binary->relocations, binary->relocation_count, sizeof *binary->relocations,
		    compare_relocations);
	return 0;
}

bool
pf_binary_pointer(const struct pf_binary *binary, uint64_t address, uint64_t *value)
{
	size_t low =
	    PF_LOWER_BOUND(binary->relocations, binary->relocation_count, address, address);
	const uint8_t *bytes;

	if (low < binary->relocation_count && binary->relocations[low].address == address) {
		*value = binary->relocations[low].value;
		return true;
	}
	bytes = pf_binary_bytes(binary, address, 8);
	if (!bytes)
		return false;
	*value = 0;
	for (unsigned i = 0; i < 8; i++)
		*value |= (uint64_t)bytes[i] << 8 * i;
	return true;
}
