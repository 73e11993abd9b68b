/* inflate.c: see inflate.h. */
#include "symbol/inflate.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "core/error.h"

#ifndef ELFCOMPRESS_ZSTD
#define ELFCOMPRESS_ZSTD 2
#endif

#define ALWAYS_FINE ((uint64_t)16 << 20)
#define RATIO_MAX 200

/* Inflates exactly `size` bytes; NULL or why it didn't. */
static const char *
inflate_zlib(uint8_t *to, size_t size, struct pf_bytes packed)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.at, .next_out = to};
	size_t in = packed.size, out = size;
	int rc = inflateInit(&z);

	if (rc != Z_OK)
		return "out of memory";
	/* zlib counts in 32 bits. */
	do {
		z.avail_in = in < UINT32_MAX ? (uInt)in : UINT32_MAX;
		z.avail_out = out < UINT32_MAX ? (uInt)out : UINT32_MAX;
		in -= z.avail_in;
		out -= z.avail_out;
		rc = inflate(&z, Z_NO_FLUSH);
		in += z.avail_in;
		out += z.avail_out;
	} while (rc == Z_OK && (in || out));
	inflateEnd(&z);
	if (rc == Z_STREAM_END && out == 0)
		return NULL;
	return rc == Z_MEM_ERROR ? "out of memory" : "its zlib stream is damaged";
}

static const char *
inflate_zstd(uint8_t *to, size_t size, struct pf_bytes packed)
{
	ZSTD_DCtx *context = ZSTD_createDCtx();
	size_t n;

	if (!context)
		return "out of memory";
	n = ZSTD_decompressDCtx(context, to, size, packed.at, packed.size);
	ZSTD_freeDCtx(context);
	if (n == size)
		return NULL;
	if (ZSTD_isError(n) && ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation)
		return "out of memory";
	return "its zstd stream is damaged";
}

/* Takes the header off the packed bytes; *type is ELFCOMPRESS_…, 0 where there is no such header. */
static uint64_t
read_header(
    const struct pf_elf *file, const Elf64_Shdr *header, struct pf_bytes *packed, uint32_t *type)
{
	uint64_t size = 0;
	Elf64_Chdr compressed;

	*type = 0;
	if (header->sh_flags & SHF_COMPRESSED) {
		if (packed->size < sizeof compressed)
			return 0;
		memcpy(&compressed, packed->at, sizeof compressed);
		*type = compressed.ch_type;
		packed->at += sizeof compressed;
		packed->size -= sizeof compressed;
		return compressed.ch_size;
	}
	if (strncmp(pf_elf_section_name(file, header), ".zdebug", 7) != 0 || packed->size < 12 ||
	    memcmp(packed->at, "ZLIB", 4) != 0)
		return 0;
	for (int i = 4; i < 12; i++)
		size = size << 8 | packed->at[i];
	*type = ELFCOMPRESS_ZLIB;
	packed->at += 12;
	packed->size -= 12;
	return size;
}

static int
inflate_section(const struct pf_elf *file, const char *name, struct pf_bytes packed, uint32_t type,
    uint64_t size, uint8_t **owned, struct pf_error *err)
{
	const char *why = NULL;

	if (type != ELFCOMPRESS_ZLIB && type != ELFCOMPRESS_ZSTD)
		return pf_error_set(err, PF_EINPUT,
		    "%s of %s is compressed in a way that is neither zlib nor zstd (type %u)", name,
		    file->path, type);
	if (size > ALWAYS_FINE && size / RATIO_MAX > packed.size)
		return pf_error_set(err, PF_EINPUT,
		    "%s of %s claims to inflate from %zu to %llu bytes, over %d times; it is "
		    "damaged",
		    name, file->path, packed.size, (unsigned long long)size, RATIO_MAX);
	*owned = malloc(size ? size : 1);
	if (!*owned)
		return pf_error_nomem(err);
	why = type == ELFCOMPRESS_ZLIB ? inflate_zlib(*owned, size, packed)
				       : inflate_zstd(*owned, size, packed);
	if (!why)
		return 0;
	free(*owned);
	*owned = NULL;
	if (strcmp(why, "out of memory") == 0)
		return pf_error_nomem(err);
	return pf_error_set(
	    err, PF_EINPUT, "%s of %s cannot be inflated: %s", name, file->path, why);
}

int
pf_section_content(const struct pf_elf *file, const Elf64_Shdr *header, struct pf_bytes *content,
    uint8_t **owned, struct pf_error *err)
{
	const char *name = pf_elf_section_name(file, header);
	struct pf_bytes packed = pf_elf_bytes(file, header);
	uint32_t type;
	uint64_t size;
	int rc;

	*owned = NULL;
	*content = packed;
	if (!packed.at)
		return 0;
	size = read_header(file, header, &packed, &type);
	if (!(header->sh_flags & SHF_COMPRESSED) && type == 0)
		return 0;
	rc = inflate_section(file, name, packed, type, size, owned, err);
	*content = (struct pf_bytes){.at = *owned, .size = rc ? 0 : size};
	return rc;
}
