/*
 * symbolize.c: prints what lib/symbol says about addresses, for comparison with
 * other symbolizers. Usage: symbolize BINARY [--debug-file FILE] < addresses
 * (hexadecimal, one a line).
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

static int
print_chain(struct pf_binary *binary, uint64_t address, struct pf_inline_chain *chain)
{
	struct pf_error err;

	if (pf_binary_inline_chain(binary, address, chain, &err) != 0) {
		fprintf(stderr, "0x%" PRIx64 ": %s\n", address, err.message);
		return 1;
	}
	printf("0x%" PRIx64, address);
	for (size_t i = 0; i < chain->count; i++) {
		const struct pf_inline_frame *f = &chain->frames[i];
		printf("\t%s|%s|%" PRIu32 "|%" PRIu32 "|%" PRIu32, f->function,
		    f->file ? f->file : "", f->line, f->start_line, f->discriminator);
	}
	putchar('\n');
	return 0;
}

static void
note(void *context, const char *text)
{
	(void)context;
	fprintf(stderr, "%s\n", text);
}

int
main(int argc, char **argv)
{
	struct pf_inline_chain chain = {0};
	struct pf_binary *binary;
	struct pf_error err;
	char line[64], why[600];
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
	while (fgets(line, sizeof line, stdin))
		failed |= print_chain(binary, strtoull(line, NULL, 16), &chain);
	pf_inline_chain_release(&chain);
	pf_binary_free(binary);
	return failed;
}
