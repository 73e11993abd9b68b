/* function_values.c: see function_values.h. */
#include "convert/function_values.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

int
pf_function_values_add(
    struct pf_function_values *v, const struct pf_function_value *one, struct pf_error *err)
{
	int rc = PF_GROW(v->items, v->capacity, v->count + 1, err);

	if (!rc)
		v->items[v->count++] = *one;
	return rc;
}

void
pf_function_values_release(struct pf_function_values *v)
{
	free(v->items);
	*v = (struct pf_function_values){0};
}

static int
by_id(const void *left, const void *right)
{
	const struct pf_function_value *a = left, *b = right;

	return (a->id > b->id) - (a->id < b->id);
}

static int
by_name(const void *left, const void *right)
{
	return strcmp(((const struct pf_function_value *)left)->name,
	    ((const struct pf_function_value *)right)->name);
}

void
pf_function_values_settle(struct pf_function_values *v)
{
	size_t n = 0;

	if (v->count == 0)
		return;
	qsort(v->items, v->count, sizeof *v->items, by_id);
	for (size_t i = 0; i < v->count; i++) {
		if (n && v->items[n - 1].id == v->items[i].id) {
			/* parts of a total that was checked: they cannot overflow */
			v->items[n - 1].value += v->items[i].value;
			v->items[n - 1].usable |= v->items[i].usable;
		} else {
			v->items[n++] = v->items[i];
		}
	}
	v->count = n;
	qsort(v->items, n, sizeof *v->items, by_name);
}
