/*
 * libFuzzer target: any bytes as the debug sections of a binary. Every question
 * must end with an answer whose strings are there, or with an error.
 *
 * An input is nine sizes (two bytes, little-endian; the order of enum pf_section)
 * and the sections one after the other, each copied to a block of its own size
 * so that the sanitizer sees the first byte read past it. The .dwo file and the
 * supplementary file, where units name one, have the same sections.
 * tests/fuzz/dwarf_seed.py makes inputs of binaries.
 */
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "symbol/binary_private.h"
#include "symbol/dwarf_private.h"
#include "fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static volatile size_t sum; /* so that reading strings is not left out */

static void
ask(struct pf_binary *binary, uint64_t address, struct pf_inline_chain *chain)
{
	struct pf_error err = {0};
	int rc = pf_binary_inline_chain(binary, address, chain, &err);

	require(rc == 0 || (rc == PF_EINPUT && err.code == rc && err.message[0]));
	for (size_t i = 0; rc == 0 && i < chain->count; i++) {
		require(chain->frames[i].function != NULL);
		sum += strlen(chain->frames[i].function);
		if (chain->frames[i].file)
			sum += strlen(chain->frames[i].file);
	}
}

/* Cuts the input into sections; what sizes promise beyond its end is not there. */
static void
cut(struct pf_debug_file *file, const uint8_t *bytes, size_t size)
{
	size_t at = 2 * PF_SECTIONS;

	for (int i = 0; i < PF_SECTIONS; i++) {
		size_t n = bytes[2 * i] | (size_t)bytes[2 * i + 1] << 8;
		if (n > size - at)
			n = size - at;
		if (n == 0)
			continue;
		file->owned[i] = malloc(n);
		require(file->owned[i] != NULL);
		memcpy(file->owned[i], bytes + at, n);
		file->sections[i] = (struct pf_bytes){.at = file->owned[i], .size = n};
		at += n;
	}
}

static void
ask_everywhere(struct pf_binary *binary)
{
	struct pf_dwarf *d = binary->dwarf;
	struct pf_inline_chain chain = {0};

	for (size_t i = 0; i < d->unit_ranges.count && i < 64; i++) {
		const struct pf_range *r = &d->unit_ranges.items[i];
		struct pf_unit *unit = &d->main.units[UINT32_MAX - 1 - r->rank];
		ask(binary, r->low, &chain);
		ask(binary, r->low + (r->high - r->low) / 2, &chain);
		for (size_t k = 0; k < unit->functions.count && k < 64; k++) {
			const struct pf_range f = unit->functions.items[k];
			ask(binary, f.low, &chain);
			ask(binary, f.low + (f.high - f.low) / 2, &chain);
			ask(binary, f.high - 1, &chain);
		}
	}
	pf_inline_chain_release(&chain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct pf_segment all = {.address = 1, .size = UINT64_MAX - 1, .executable = true};
	struct pf_binary binary = {.segments = &all, .segment_count = 1, .scoped_names = true};
	char path[] = "/nonexistent/binary";
	struct pf_dwarf *d;
	struct pf_error err;

	if (size < 2 * PF_SECTIONS)
		return 0;
	binary.main.path = path;
	d = calloc(1, sizeof *d);
	require(d != NULL);
	d->binary = &binary;
	binary.dwarf = d;
	cut(&d->main, bytes, size);
	memcpy(d->supplementary.sections, d->main.sections, sizeof d->main.sections);
	if (pf_dwarf_scan(d, &err) == 0)
		ask_everywhere(&binary);
	pf_dwarf_free(d);
	return 0;
}
