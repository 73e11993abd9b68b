/*
 * binary.c: opening a binary, its segments and its bytes; see binary.h.
 *
 * Segments are kept by address and never overlap: of two that do, the file is
 * damaged and the later one is dropped.
 */
#include "symbol/binary_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "symbol/dwarf.h"

static int
compare_segments(const void *a, const void *b)
{
	const struct pf_segment *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

static int
load_segments(struct pf_binary *binary, struct pf_error *err)
{
	const struct pf_elf *file = &binary->main;
	Elf64_Phdr header;
	size_t kept = 0;
	bool executable = false;

	for (size_t i = 0; pf_elf_segment(file, i, &header); i++) {
		if (header.p_type != PT_LOAD || header.p_filesz == 0)
			continue;
		if (header.p_offset > file->size ||
		    header.p_filesz > file->size - header.p_offset ||
		    header.p_vaddr > UINT64_MAX - header.p_filesz)
			return pf_error_set(err, PF_EINPUT,
			    "%s is damaged: segment %zu lies past the file's end (truncated?); "
			    "copy it again",
			    file->path, i);
		if (PF_GROW(
			binary->segments, binary->segment_capacity, binary->segment_count + 1, err))
			return PF_ENOMEM;
		binary->segments[binary->segment_count++] = (struct pf_segment){
		    .address = header.p_vaddr,
		    .offset = header.p_offset,
		    .size = header.p_filesz,
		    .executable = header.p_flags & PF_X,
		};
		executable |= (header.p_flags & PF_X) != 0;
	}
	if (!executable)
		return pf_error_set(err, PF_EINPUT,
		    "%s has no executable segment with bytes in it%s", file->path,
		    pf_elf_has_debug(file, "info")
			? "; it looks like a separate debug file: name the binary itself"
			: "; name the executable or shared object that was profiled");
	qsort(binary->segments, binary->segment_count, sizeof *binary->segments, compare_segments);
	for (size_t i = 0; i < binary->segment_count; i++) {
		const struct pf_segment *last = kept ? &binary->segments[kept - 1] : NULL;
		if (!last || binary->segments[i].address - last->address >= last->size)
			binary->segments[kept++] = binary->segments[i];
	}
	binary->segment_count = kept;
	return 0;
}

void
pf_binary_note(const struct pf_binary *binary, const char *format, ...)
{
	char text[2048];
	va_list arguments;

	if (!binary->note)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	binary->note(binary->note_context, text);
}

static int
load(struct pf_binary *b, const char *path, const struct pf_binary_options *options,
    struct pf_error *err)
{
	int rc = pf_elf_open(&b->main, path, PF_ELF_LINKED, err);

	if (rc)
		return rc;
	b->machine = b->main.machine;
	pf_elf_build_id(&b->main, b->build_id, sizeof b->build_id);
	rc = load_segments(b, err);
	if (!rc)
		rc = pf_separate_find(b, options, err);
	if (!rc)
		rc = pf_symbols_load(b, err);
	if (!rc)
		rc = pf_relocations_load(b, err);
	if (!rc)
		rc = pf_dwarf_open(b, err);
	return rc;
}

int
pf_binary_open_with(struct pf_binary **binary, const char *path,
    const struct pf_binary_options *options, struct pf_error *err)
{
	struct pf_binary *b;
	int rc;

	*binary = NULL;
	rc = PF_CALLOC(b, 1, err);
	if (rc)
		return rc;
	b->note = options->note;
	b->note_context = options->note_context;
	b->scoped_names = options->scoped_names;
	rc = load(b, path, options, err);
	if (rc)
		pf_binary_free(b);
	else
		*binary = b;
	return rc;
}

int
pf_binary_open(struct pf_binary **binary, const char *path, struct pf_error *err)
{
	struct pf_binary_options none = {0};

	return pf_binary_open_with(binary, path, &none, err);
}

void
pf_binary_free(struct pf_binary *binary)
{
	if (!binary)
		return;
	pf_dwarf_free(binary->dwarf);
	pf_elf_release(&binary->debug);
	pf_elf_release(&binary->main);
	free(binary->relocations);
	free(binary->symbols);
	free(binary->segments);
	free(binary);
}

const char *
pf_binary_path(const struct pf_binary *binary)
{
	return binary->main.path;
}

const char *
pf_binary_build_id(const struct pf_binary *binary)
{
	return binary->build_id;
}

const void *
pf_binary_image(const struct pf_binary *binary, size_t *size)
{
	*size = binary->main.size;
	return binary->main.image;
}

void
pf_binary_trim(const struct pf_binary *binary)
{
	pf_elf_trim(&binary->main);
	pf_elf_trim(&binary->debug);
	if (binary->dwarf)
		pf_dwarf_trim(binary->dwarf);
}

struct pf_bytes
pf_binary_section(const struct pf_binary *binary, const char *name)
{
	Elf64_Shdr header;

	if (!pf_elf_named(&binary->main, name, &header))
		return (struct pf_bytes){NULL, 0};
	return pf_elf_bytes(&binary->main, &header);
}

bool
pf_binary_has_section(const struct pf_binary *binary, const char *name)
{
	Elf64_Shdr header;

	return pf_elf_named(&binary->main, name, &header);
}

const struct pf_segment *
pf_segment_at(const struct pf_binary *binary, uint64_t address)
{
	size_t low = 0, high = binary->segment_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (binary->segments[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 ||
	    address - binary->segments[low - 1].address >= binary->segments[low - 1].size)
		return NULL;
	return &binary->segments[low - 1];
}

bool
pf_binary_address(const struct pf_binary *binary, uint64_t file_offset, uint64_t *address)
{
	for (size_t i = 0; i < binary->segment_count; i++) {
		const struct pf_segment *s = &binary->segments[i];
		if (s->executable && file_offset >= s->offset &&
		    file_offset - s->offset < s->size) {
			*address = file_offset - s->offset + s->address;
			return true;
		}
	}
	return false;
}

bool
pf_binary_executable(const struct pf_binary *binary, uint64_t address)
{
	const struct pf_segment *s = pf_segment_at(binary, address);

	return s && s->executable;
}

bool
pf_binary_segment(
    const struct pf_binary *binary, size_t i, uint64_t *start, uint64_t *end, bool *executable)
{
	if (i >= binary->segment_count)
		return false;
	*start = binary->segments[i].address;
	*end = *start + binary->segments[i].size;
	*executable = binary->segments[i].executable;
	return true;
}

const uint8_t *
pf_binary_bytes(const struct pf_binary *binary, uint64_t address, size_t size)
{
	const struct pf_segment *s = pf_segment_at(binary, address);

	if (!s || size > s->size - (address - s->address))
		return NULL;
	return binary->main.image + s->offset + (address - s->address);
}

bool
pf_binary_has_lines(const struct pf_binary *binary, char *why, size_t why_size)
{
	if (why && why_size > 0) {
		size_t n = strlen(binary->no_lines);
		if (n >= why_size)
			n = why_size - 1;
		memcpy(why, binary->no_lines, n);
		why[n] = '\0';
	}
	return binary->no_lines[0] == '\0';
}
