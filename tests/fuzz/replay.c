/*
 * replay.c: a main for fuzz targets where libFuzzer is not linked: runs every
 * file of the folders and files given, so that seeds and old findings are
 * checked by any compiler.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
main(int argc, char **argv)
{
	struct pf_paths paths = {0};
	struct pf_error err;
	size_t taken = 0;

	for (int i = 1; i < argc; i++) {
		if (pf_paths_add(&paths, argv[i], &err)) {
			fprintf(stderr, "%s\n", err.message);
			return 1;
		}
	}
	for (size_t i = 0; i < paths.count; i++) {
		struct pf_buffer bytes;
		pf_buffer_init(&bytes, 64 << 20);
		if (pf_file_read(paths.items[i], &bytes, &err)) {
			fprintf(stderr, "%s\n", err.message);
			return 1;
		}
		taken += LLVMFuzzerTestOneInput(bytes.bytes, bytes.size) == 0;
		pf_buffer_release(&bytes);
	}
	printf("%zu inputs replayed, %zu of them this target's\n", paths.count, taken);
	pf_paths_release(&paths);
	return taken ? EXIT_SUCCESS : EXIT_FAILURE;
}
