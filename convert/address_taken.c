/* address_taken.c: see address_taken.h. */
#include "convert/address_taken.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "symbol/binary.h"

struct scan {
	const struct pf_binary *binary;
	const struct pf_symbol *symbols;
	size_t count;
	uint8_t *taken;
	bool absolute; /* linked at fixed addresses: code may hold them as immediates */
};

static void
mark(struct scan *s, uint64_t address)
{
	const struct pf_symbol *symbol;

	if (s->count == 0 || address < s->symbols[0].start ||
	    address >= s->symbols[s->count - 1].end)
		return;
	symbol = pf_binary_symbol_at(s->binary, address);
	if (symbol && symbol->start == address)
		s->taken[symbol - s->symbols] = 1;
}

static void
scan_data(struct scan *s, uint64_t start, uint64_t end)
{
	uint64_t value;

	for (uint64_t at = (start + 7) & ~(uint64_t)7; at + 8 <= end; at += 8) {
		if (pf_binary_pointer(s->binary, at, &value))
			mark(s, value);
	}
}

static uint32_t
word_at(const uint8_t *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* Code is read in pieces, so that it does not all stay in memory. */
#define PIECE ((uint64_t)8 << 20)
enum { PATTERN = 7 }; /* bytes of the instruction looked for */

/* x86-64: "lea disp32(%rip), reg" is REX.W 8d with mod 00, rm 101. */
static void
scan_relative(struct scan *s, const uint8_t *bytes, size_t size, uint64_t start)
{
	const uint8_t *at = bytes + 1, *last = bytes + size - PATTERN + 1;

	while (at <= last && (at = memchr(at, 0x8d, (size_t)(last - at) + 1))) {
		if ((at[-1] & 0xf8) == 0x48 && (at[1] & 0xc7) == 0x05)
			mark(s, start + (uint64_t)(at - 1 - bytes) + PATTERN +
				    (uint64_t)(int64_t)(int32_t)word_at(at + 2));
		at++;
	}
}

/* A fixed address is any four bytes. */
static void
scan_absolute(struct scan *s, const uint8_t *bytes, size_t size)
{
	for (size_t i = 3; i + 4 <= size; i++)
		mark(s, word_at(bytes + i));
}

static void
scan_code(struct scan *s, uint64_t start, uint64_t end)
{
	const uint8_t *bytes = pf_binary_bytes(s->binary, start, end - start);

	if (!bytes || end - start < PATTERN)
		return;
	scan_relative(s, bytes, end - start, start);
	if (s->absolute)
		scan_absolute(s, bytes, end - start);
}

int
pf_address_taken(uint8_t **taken, const struct pf_binary *binary, struct pf_error *err)
{
	struct scan s = {.binary = binary};
	uint64_t start, end;
	bool executable;
	int rc;

	s.symbols = pf_binary_symbols(binary, &s.count);
	rc = PF_CALLOC(s.taken, s.count, err);
	if (rc)
		return rc;
	*taken = s.taken;
	s.absolute = pf_binary_segment(binary, 0, &start, &end, &executable) && start != 0;
	for (size_t i = 0; pf_binary_segment(binary, i, &start, &end, &executable); i++) {
		for (uint64_t at = start; executable && at < end; at += PIECE) {
			uint64_t most = end - at > PIECE ? at + PIECE + PATTERN - 1 : end;

			scan_code(&s, at, most);
			pf_binary_trim(binary);
		}
		if (!executable)
			scan_data(&s, start, end);
	}
	return 0;
}
