/* perf_map.c: see perf_map.h. Format: Linux, tools/perf/Documentation/jit-interface.txt. */
#include "symbol/perf_map.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "symbol/ranges.h"

#define SIZE_MAX_READ ((size_t)1 << 30)

struct pf_perf_map {
	struct pf_buffer text;   /* the file; names are cut out in place */
	struct pf_ranges ranges; /* address to place in `names` */
	uint32_t *names;         /* offsets in text */
	size_t count, capacity;
};

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes a hexadecimal number of up to 64 bits and the blank behind it; false if there is none. */
static bool
take_number(char **at, uint64_t *number)
{
	char *c = *at, *start;

	if (c[0] == '0' && (c[1] | 0x20) == 'x')
		c += 2;
	start = c;
	for (*number = 0; digit(*c) >= 0 && c - start < 17; c++)
		*number = *number << 4 | (uint64_t)digit(*c);
	*at = c + 1;
	return c > start && c - start <= 16 && *c == ' ';
}

static int
add_line(struct pf_perf_map *m, char *line, struct pf_error *err)
{
	char *at = line;
	uint64_t start, size;

	if (!take_number(&at, &start) || !take_number(&at, &size) || !*at)
		return 0;
	if (m->count >= PF_NONE - 1 || PF_GROW(m->names, m->capacity, m->count + 1, err))
		return pf_error_nomem(err);
	m->names[m->count] = (uint32_t)(at - (char *)m->text.bytes);
	return pf_ranges_add(&m->ranges, start,
	    size > UINT64_MAX - start ? UINT64_MAX : start + size, (uint32_t)m->count++, err);
}

static int
parse(struct pf_perf_map *m, const char *path, struct pf_error *err)
{
	char *line = (char *)m->text.bytes, *end;
	int rc = 0;

	for (; !rc && line && *line; line = end) {
		end = strchr(line, '\n');
		if (end)
			*end++ = '\0';
		rc = add_line(m, line, err);
	}
	if (!rc && m->count == 0)
		rc = pf_error_set(err, PF_EINPUT,
		    "%s is no map of JIT code: no line of it is \"START SIZE NAME\" with "
		    "hexadecimal numbers",
		    path);
	return rc ? rc : pf_ranges_flatten(&m->ranges, err);
}

int
pf_perf_map_read(struct pf_perf_map **map, const char *path, struct pf_error *err)
{
	struct pf_perf_map *m;
	int rc = PF_CALLOC(m, 1, err);

	*map = NULL;
	if (rc)
		return rc;
	pf_buffer_init(&m->text, SIZE_MAX_READ);
	rc = pf_file_read(path, &m->text, err);
	pf_buffer_byte(&m->text, '\0');
	if (!rc)
		rc = pf_buffer_check(&m->text, err);
	if (!rc)
		rc = parse(m, path, err);
	if (rc)
		pf_perf_map_free(m);
	else
		*map = m;
	return rc;
}

void
pf_perf_map_free(struct pf_perf_map *map)
{
	if (!map)
		return;
	pf_buffer_release(&map->text);
	pf_ranges_release(&map->ranges);
	free(map->names);
	free(map);
}

const char *
pf_perf_map_find(const struct pf_perf_map *map, uint64_t address)
{
	uint32_t i = pf_ranges_find(&map->ranges, address);

	return i == PF_NONE ? NULL : (const char *)map->text.bytes + map->names[i];
}
