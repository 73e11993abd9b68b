/* elf_memory.c: see elf_memory.h. */
#include "collect/agent/elf_memory.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "collect/agent/host.h"
#include "collect/agent/reader.h"

enum { MOST_SEGMENTS = 64, MOST_NOTES = 4096 };

struct image {
	Elf64_Phdr segments[MOST_SEGMENTS];
	size_t count;
	uint64_t bias; /* address in memory − address in the file */
};

static bool
load_segments(struct image *image, uint64_t base)
{
	Elf64_Ehdr header;

	if (!pf_host_read_all(&header, base, sizeof header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) || header.e_ident[EI_CLASS] != ELFCLASS64 ||
	    header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 ||
	    header.e_phnum > MOST_SEGMENTS || header.e_phoff > (1 << 20))
		return false;
	image->count = header.e_phnum;
	if (!pf_host_read_all(
		image->segments, base + header.e_phoff, image->count * sizeof *image->segments))
		return false;
	for (size_t i = 0; i < image->count; i++) {
		const Elf64_Phdr *p = &image->segments[i];
		if (p->p_type == PT_LOAD && p->p_offset == 0) {
			image->bias = base - p->p_vaddr;
			return true;
		}
	}
	return false;
}

static size_t
padded(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

bool
pf_elf_build_id(const uint8_t *notes, size_t size, char *hex)
{
	struct pf_cursor c;

	pf_cursor_init(&c, "notes", notes, size);
	while (pf_cursor_more(&c)) {
		uint32_t name_size = pf_cursor_u32(&c), size_here = pf_cursor_u32(&c);
		uint32_t type = pf_cursor_u32(&c);
		const uint8_t *name = c.at, *bytes;
		pf_cursor_skip(&c, padded(name_size));
		bytes = c.at;
		pf_cursor_skip(&c, padded(size_here));
		if (c.failure)
			return false;
		if (type != NT_GNU_BUILD_ID || name_size != 4 || memcmp(name, "GNU", 4) ||
		    size_here == 0 || size_here > PF_BUILD_ID_MAX)
			continue;
		for (uint32_t i = 0; i < size_here; i++)
			snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
		return true;
	}
	return false;
}

static void
find_build_id(const struct image *image, const Elf64_Phdr *segment, char *hex)
{
	uint8_t notes[MOST_NOTES];
	size_t size = segment->p_memsz < sizeof notes ? (size_t)segment->p_memsz : sizeof notes;

	size = pf_host_read(notes, image->bias + segment->p_vaddr, size);
	pf_elf_build_id(notes, size, hex);
}

/* The loaded segment that holds an address of the file, or NULL. */
static const Elf64_Phdr *
segment_of(const struct image *image, uint64_t vaddr)
{
	for (size_t i = 0; i < image->count; i++) {
		const Elf64_Phdr *p = &image->segments[i];
		if (p->p_type == PT_LOAD && vaddr >= p->p_vaddr && vaddr - p->p_vaddr < p->p_filesz)
			return p;
	}
	return NULL;
}

/* Where the search table is, and from where to where the tables reach. */
static void
find_unwind(const struct image *image, uint64_t vaddr, struct pf_mapping *mapping)
{
	const Elf64_Phdr *segment = segment_of(image, vaddr);
	uint64_t header = image->bias + vaddr, frames;
	uint8_t head[8];
	int32_t distance;

	/* version 1, then .eh_frame's address as a signed 4-byte distance from where it stands */
	if (!segment || !pf_host_read_all(head, header, sizeof head) || head[0] != 1 ||
	    head[1] != 0x1b)
		return;
	memcpy(&distance, head + 4, sizeof distance);
	frames = header + 4 + (uint64_t)(int64_t)distance;
	mapping->unwind_header = header;
	mapping->unwind_start = frames < header ? frames : header;
	mapping->unwind_end = image->bias + segment->p_vaddr + segment->p_filesz;
	if (segment_of(image, frames - image->bias) != segment)
		mapping->unwind_header = 0;
}

void
pf_elf_describe(struct pf_mapping *mapping)
{
	struct image image;

	if (!mapping->base || !load_segments(&image, mapping->base))
		return;
	for (size_t i = 0; i < image.count; i++) {
		const Elf64_Phdr *p = &image.segments[i];
		if (p->p_type == PT_NOTE && !*mapping->build_id)
			find_build_id(&image, p, mapping->build_id);
		else if (p->p_type == PT_GNU_EH_FRAME)
			find_unwind(&image, p->p_vaddr, mapping);
	}
}
