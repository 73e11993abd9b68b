/* kallsyms.c: see kallsyms.h. */
#include "kallsyms.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

static int
add(struct pf_kallsyms *k, uint64_t address, const char *name, struct pf_error *err)
{
	size_t size = strlen(name) + 1;
	int rc = PF_GROW(k->items, k->capacity, k->count + 1, err);

	if (!rc)
		rc = PF_GROW(k->text, k->text_capacity, k->text_size + size, err);
	if (rc)
		return rc;
	memcpy(k->text + k->text_size, name, size);
	k->items[k->count++] = (struct pf_kallsym){address, k->text_size};
	k->text_size += size;
	return 0;
}

static int
by_address(const void *a, const void *b)
{
	const struct pf_kallsym *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

int
pf_kallsyms_read(struct pf_kallsyms *k, struct pf_error *err)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[600], name[512], kind;
	uint64_t address;
	int rc = 0;

	while (!rc && f && fgets(line, sizeof line, f)) {
		if (sscanf(line, "%" SCNx64 " %c %511s", &address, &kind, name) != 3)
			continue;
		if (!address)
			break; /* hidden, all of them */
		if (strchr("tTwW", kind))
			rc = add(k, address, name, err);
	}
	if (f)
		fclose(f);
	if (!rc && k->count)
		qsort(k->items, k->count, sizeof *k->items, by_address);
	return rc;
}

void
pf_kallsyms_release(struct pf_kallsyms *k)
{
	free(k->items);
	free(k->text);
	*k = (struct pf_kallsyms){0};
}

const char *
pf_kallsyms_find(const struct pf_kallsyms *k, uint64_t address)
{
	size_t low = 0, high = k->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (k->items[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? k->text + k->items[low - 1].name : NULL;
}
