/*
 * perf_map.h: names of code that a JIT compiler made, from the file it lists
 * them in: /tmp/perf-PID.map, "START SIZE NAME" a line, both numbers hexadecimal.
 */
#ifndef PF_SYMBOL_PERF_MAP_H
#define PF_SYMBOL_PERF_MAP_H

#include <stdint.h>

struct pf_error;
struct pf_perf_map;

/*
 * Reads a file. On success *map is to be freed. Where code was replaced the
 * later line counts. PF_EIO; PF_EINPUT if no line is one, or over 1 GiB; PF_ENOMEM.
 */
int pf_perf_map_read(struct pf_perf_map **map, const char *path, struct pf_error *err);
void pf_perf_map_free(struct pf_perf_map *map);

/* The name of the code at an address of that process, or NULL; owned by the map. */
const char *pf_perf_map_find(const struct pf_perf_map *map, uint64_t address);

#endif
