/*
 * symbolize.c: prints what lib/symbol says about addresses, for comparison with
 * other symbolizers. Usage: symbolize BINARY [--debug-file FILE] < addresses
 * (hexadecimal, one a line); they are asked for in rising order, as commands do.
 *
 * One line an address: "0xADDRESS", then for each frame, innermost first, a tab
 * and "function|file|line|start line|raw discriminator".
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <profuse/error.h>

#include "symbol/binary.h"

/* printf() would cost more than what is measured here. */
static void
print_number(uint64_t number, unsigned base)
{
	char text[24];
	size_t at = sizeof text;

	do {
		text[--at] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number);
	fwrite_unlocked(text + at, 1, sizeof text - at, stdout);
}

static int
print_chain(struct pf_binary *binary, uint64_t address, struct pf_inline_chain *chain)
{
	struct pf_error err;

	if (pf_binary_inline_chain(binary, address, chain, &err) != 0) {
		fprintf(stderr, "0x%" PRIx64 ": %s\n", address, err.message);
		return 1;
	}
	fputs_unlocked("0x", stdout);
	print_number(address, 16);
	for (size_t i = 0; i < chain->count; i++) {
		const struct pf_inline_frame *f = &chain->frames[i];
		const uint32_t numbers[] = {f->line, f->start_line, f->discriminator};
		putchar_unlocked('\t');
		fputs_unlocked(f->function, stdout);
		putchar_unlocked('|');
		fputs_unlocked(f->file ? f->file : "", stdout);
		for (size_t k = 0; k < 3; k++) {
			putchar_unlocked('|');
			print_number(numbers[k], 10);
		}
	}
	putchar_unlocked('\n');
	return 0;
}

static void
note(void *context, const char *text)
{
	(void)context;
	fprintf(stderr, "%s\n", text);
}

static int
compare_addresses(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

/* Reads addresses, one a line, and sorts them. */
static uint64_t *
read_addresses(size_t *count)
{
	uint64_t *addresses = NULL;
	size_t capacity = 0;
	char line[64];

	for (*count = 0; fgets(line, sizeof line, stdin); (*count)++) {
		if (*count == capacity) {
			capacity = capacity * 2 + 64;
			addresses = realloc(addresses, capacity * sizeof *addresses);
			if (!addresses)
				abort();
		}
		addresses[*count] = strtoull(line, NULL, 16);
	}
	if (*count)
		qsort(addresses, *count, sizeof *addresses, compare_addresses);
	return addresses;
}

int
main(int argc, char **argv)
{
	struct pf_inline_chain chain = {0};
	struct pf_binary *binary;
	struct pf_error err;
	uint64_t *addresses;
	size_t count;
	char why[600];
	int failed = 0;

	struct pf_binary_options options = {.note = note};
	const char *debug_file = argc == 4 ? argv[3] : NULL;

	if (argc != 2 && (argc != 4 || strcmp(argv[2], "--debug-file") != 0)) {
		fprintf(stderr, "usage: symbolize BINARY [--debug-file FILE] < addresses\n");
		return 2;
	}
	options.debug_files = &debug_file;
	options.debug_file_count = debug_file != NULL;
	if (pf_binary_open_with(&binary, argv[1], &options, &err) != 0 ||
	    pf_binaries_check_debug_files(&binary, 1, &options, &err) != 0) {
		fprintf(stderr, "%s\n", err.message);
		return err.code;
	}
	if (!pf_binary_has_lines(binary, why, sizeof why))
		fprintf(stderr, "%s\n", why);
	addresses = read_addresses(&count);
	for (size_t i = 0; i < count; i++)
		failed |= print_chain(binary, addresses[i], &chain);
	free(addresses);
	pf_inline_chain_release(&chain);
	pf_binary_free(binary);
	return failed;
}
