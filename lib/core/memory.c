/* memory.c: see memory.h. */
#include "core/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

int
pf_grow(void **items, size_t *capacity, size_t need, size_t size, struct pf_error *err)
{
	size_t room = *capacity;
	void *moved;

	if (need <= room)
		return 0;
	room += room / 2 + 8;
	if (room < need)
		room = need;
	if (room > PTRDIFF_MAX / size)
		return pf_error_nomem(err);
	moved = realloc(*items, room * size);
	if (!moved)
		return pf_error_nomem(err);
	*items = moved;
	*capacity = room;
	return 0;
}

int
pf_calloc(void **items, size_t n, size_t size, struct pf_error *err)
{
	*items = calloc(n ? n : 1, size);
	return *items ? 0 : pf_error_nomem(err);
}

int
pf_copy_string(char **copy, const char *string, struct pf_error *err)
{
	size_t size = string ? strlen(string) + 1 : 0;

	*copy = size ? malloc(size) : NULL;
	if (size && !*copy)
		return pf_error_nomem(err);
	if (size)
		memcpy(*copy, string, size);
	return 0;
}
