/*
 * names.c: discriminators and function names as LLVM's sample profiles know them.
 *
 * A raw discriminator packs up to three components, each with a prefix code:
 * an odd rest means "component is 0, one bit long"; else 7 or 14 bits hold it
 * (bit 6 tells which). The first is the base discriminator, the second the
 * duplication factor, stored as 0 when it is 1.
 */
#include "symbol/binary.h"

#include <stdlib.h>
#include <string.h>

static uint32_t
component(uint32_t raw)
{
	if (raw & 1)
		return 0;
	raw >>= 1;
	return raw & 0x20 ? (raw >> 1 & 0xfe0) | (raw & 0x1f) : raw & 0x1f;
}

static uint32_t
after_component(uint32_t raw)
{
	if (raw & 1)
		return raw >> 1;
	return raw >> (raw & 0x40 ? 14 : 7);
}

/*
 * A pseudo-probe's discriminator, which calls have, ends in three ones: factor 1 comes out by itself. Since LLVM 19 it
 * keeps the base one beside the probe's number where both are small, and says so by a bit
 * (PseudoProbeDwarfDiscriminator); else that is lost.
 */
uint32_t
pf_discriminator_base(uint32_t raw)
{
	if ((raw & 7) == 7)
		return raw >> 28 & 1 ? raw >> 16 & 7 : 0;
	return component(raw);
}

uint32_t
pf_discriminator_duplication(uint32_t raw)
{
	uint32_t factor = component(after_component(raw));

	return factor ? factor : 1;
}

/* Whether `text` of this length is digits only (zero digits are fine). */
static bool
digits(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
	}
	return true;
}

/* The length of the name without its last ".suffix[.number]", or its length if that is no pass's suffix. */
static size_t
cut_suffix(const char *name, size_t size)
{
	/* What stands before ".number", and whether it may also stand without a number. */
	static const struct {
		const char *text;
		bool alone;
	} suffixes[] = {{".cold", true}, {".part", false}, {".isra", false}, {".constprop", false},
	    {".lto_priv", false}, {".localalias", true}, {".__part", false}};
	const char *dot = memrchr(name, '.', size);
	size_t stem;
	bool number;

	if (!dot || dot == name)
		return size;
	stem = (size_t)(dot - name);
	if (stem > 5 && memcmp(dot - 5, ".llvm", 5) == 0)
		return stem - 5;
	number = stem + 1 < size && digits(dot + 1, size - stem - 1);
	if (!number)
		stem = size;
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		size_t n = strlen(suffixes[i].text);
		if ((number || suffixes[i].alone) && stem > n &&
		    memcmp(name + stem - n, suffixes[i].text, n) == 0)
			return stem - n;
	}
	return size;
}

void
pf_canonical_name(const char *name, char *out, size_t size)
{
	const char *version = strchr(name, '@');
	size_t n = version && version != name ? (size_t)(version - name) : strlen(name), shorter;

	if (size == 0)
		return;
	while ((shorter = cut_suffix(name, n)) < n)
		n = shorter;
	if (n >= size)
		n = size - 1;
	memcpy(out, name, n);
	out[n] = '\0';
}

const char *
pf_unique_suffix(const char *name)
{
	return strstr(name, ".__uniq.");
}

const char *
pf_source_name(const char *name, size_t *size)
{
	static const char internal[] = "_ZL";
	const char *unique = pf_unique_suffix(name);
	unsigned long length;
	char *end;

	*size = unique ? (size_t)(unique - name) : strlen(name);
	if (!unique || strncmp(name, internal, sizeof internal - 1) != 0)
		return name;
	length = strtoul(name + sizeof internal - 1, &end, 10);
	/* A length, and as many characters before what it takes. */
	if (length == 0 || length > (unsigned long)(unique - end))
		return name;
	*size = length;
	return end;
}
