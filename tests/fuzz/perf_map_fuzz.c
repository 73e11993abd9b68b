/* libFuzzer target: any bytes as a perf map; whoever asks for an address gets a name or none. */
#include <string.h>

#include "fuzz/memory_file.h"
#include "symbol/perf_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct pf_perf_map *map;
	size_t named = 0;

	if (pf_perf_map_read(&map, memory_file(bytes, size), NULL))
		return 0;
	for (uint64_t address = 1; address; address <<= 1) {
		const char *here = pf_perf_map_find(map, address);
		const char *before = pf_perf_map_find(map, address - 1);
		named += (here ? strlen(here) : 0) + (before ? strlen(before) : 0);
	}
	pf_perf_map_free(map);
	if (named > 128 * size)
		abort();
	return 0;
}
