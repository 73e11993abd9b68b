/*
 * relocations.c: the words of a position-independent binary that the dynamic
 * linker fills in with addresses of the binary itself. Jump tables of computed
 * gotos live there: in the file those words may be zero.
 *
 * Kept: R_X86_64_RELATIVE, and R_X86_64_64 against a symbol defined here; what
 * other objects decide is left out. DT_RELR's words hold their value already.
 */
#include "symbol/binary_private.h"

#include <gelf.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"

static int
compare_relocations(const void *a, const void *b)
{
	const struct pf_relocation *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

/* The symbols that the section's relocations name, or NULL. */
static Elf_Data *
symbols_of(const struct pf_elf *file, const GElf_Shdr *header)
{
	GElf_Shdr linked;
	Elf_Scn *section = elf_getscn(file->elf, header->sh_link);

	if (!section || !gelf_getshdr(section, &linked) || linked.sh_type != SHT_DYNSYM ||
	    !pf_elf_section_bytes(file, &linked))
		return NULL;
	return elf_getdata(section, NULL);
}

static int
load_section(
    struct pf_binary *binary, Elf_Scn *section, const GElf_Shdr *header, struct pf_error *err)
{
	Elf_Data *data = elf_getdata(section, NULL), *symbols = symbols_of(&binary->main, header);
	size_t count = data && data->d_buf ? data->d_size / sizeof(Elf64_Rela) : 0;
	GElf_Rela entry;
	GElf_Sym symbol;

	for (size_t i = 0; i < count && i < INT32_MAX; i++) {
		if (!gelf_getrela(data, (int)i, &entry))
			break;
		uint64_t type = GELF_R_TYPE(entry.r_info), value = (uint64_t)entry.r_addend;
		if (type == R_X86_64_64) {
			if (!symbols ||
			    !gelf_getsym(symbols, (int)GELF_R_SYM(entry.r_info), &symbol) ||
			    symbol.st_shndx == SHN_UNDEF)
				continue;
			value += symbol.st_value;
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
	const struct pf_elf *file = &binary->main;
	GElf_Shdr header;
	bool sorted = true;

	if (binary->machine != EM_X86_64)
		return 0;
	for (Elf_Scn *s = elf_nextscn(file->elf, NULL); s; s = elf_nextscn(file->elf, s)) {
		if (!gelf_getshdr(s, &header) || header.sh_type != SHT_RELA ||
		    !(header.sh_flags & SHF_ALLOC) || !pf_elf_section_bytes(file, &header))
			continue;
		if (load_section(binary, s, &header, err))
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
	size_t low = 0, high = binary->relocation_count;
	const uint8_t *bytes;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (binary->relocations[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
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
