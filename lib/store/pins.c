/* pins.c: see pins.h. */
#include "store/pins.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/memory.h"
#include "store/store_private.h"

enum { FILE_MODE = 0640 };

static bool
is_id(const char *hex)
{
	size_t size = (size_t)2 * PF_STORE_ID_SIZE;

	return strlen(hex) == size && strspn(hex, "0123456789abcdef") == size;
}

int
pf_store_pin(struct pf_store *s, const char *hex, bool pinned, struct pf_error *err)
{
	char path[PF_LAYOUT_PATH];
	int fd;

	if (!is_id(hex))
		return pf_error_set(err, PF_EUSAGE, "%s is not the whole id of a profile", hex);
	snprintf(path, sizeof path, "pins/%s", hex);
	if (!pinned) {
		if (unlinkat(s->root, path, 0) && errno != ENOENT)
			return pf_error_errno(err, "cannot remove the store's", path);
		return pf_layout_sync(s->root, path, err);
	}
	fd = openat(s->root, path, O_WRONLY | O_CREAT | O_CLOEXEC, FILE_MODE);
	if (fd < 0)
		return pf_error_errno(err, "cannot write the store's", path);
	close(fd);
	return pf_layout_sync(s->root, path, err);
}

struct loading {
	struct pf_pins *pins;
	struct pf_error *err;
};

static uint8_t
digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static int
add(void *data, const char *name)
{
	struct loading *l = data;
	struct pf_pins *p = l->pins;
	int rc;

	if (!is_id(name))
		return 0;
	rc = PF_GROW(p->ids, p->capacity, p->count + 1, l->err);
	if (rc)
		return rc;
	for (size_t i = 0; i < PF_STORE_ID_SIZE; i++)
		p->ids[p->count][i] = (uint8_t)(digit(name[2 * i]) << 4 | digit(name[2 * i + 1]));
	p->count++;
	return 0;
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, PF_STORE_ID_SIZE);
}

int
pf_pins_load(struct pf_pins *pins, int root, struct pf_error *err)
{
	struct loading l = {pins, err};
	int rc = pf_layout_each(root, "pins", add, &l, err);

	if (!rc && pins->count)
		qsort(pins->ids, pins->count, sizeof *pins->ids, by_id);
	return rc;
}

bool
pf_pins_has(const struct pf_pins *pins, const uint8_t id[PF_STORE_ID_SIZE])
{
	return pins->count && bsearch(id, pins->ids, pins->count, sizeof *pins->ids, by_id);
}

void
pf_pins_release(struct pf_pins *pins)
{
	free(pins->ids);
	*pins = (struct pf_pins){0};
}
