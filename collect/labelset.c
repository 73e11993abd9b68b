/* labelset.c: see labelset.h. */
#include "labelset.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/md5.h"
#include "core/memory.h"

/* The place of the name, or where it would go. */
static size_t
find(const struct pf_labelset *set, const char *name, bool *found)
{
	size_t low = 0, high = set->count;

	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(set->items[middle].name, name);
		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const char *
pf_labelset_get(const struct pf_labelset *set, const char *name)
{
	bool found;
	size_t at = find(set, name, &found);

	return found ? set->items[at].value : "";
}

static void
remove_at(struct pf_labelset *set, size_t at)
{
	free(set->items[at].name);
	free(set->items[at].value);
	set->count--;
	memmove(&set->items[at], &set->items[at + 1], (set->count - at) * sizeof *set->items);
}

void
pf_labelset_remove(struct pf_labelset *set, const char *name)
{
	bool found;
	size_t at = find(set, name, &found);

	if (found)
		remove_at(set, at);
}

static int
insert(struct pf_labelset *set, size_t at, const char *name, char *value, struct pf_error *err)
{
	char *copy = NULL;
	int rc = PF_GROW(set->items, set->capacity, set->count + 1, err);

	if (!rc)
		rc = pf_copy_string(&copy, name, err);
	if (rc)
		return rc;
	memmove(&set->items[at + 1], &set->items[at], (set->count - at) * sizeof *set->items);
	set->items[at] = (struct pf_label_text){copy, value};
	set->count++;
	return 0;
}

int
pf_labelset_set(struct pf_labelset *set, const char *name, const char *value, struct pf_error *err)
{
	bool found;
	size_t at = find(set, name, &found);
	char *copy;
	int rc;

	if (!*value) {
		if (found)
			remove_at(set, at);
		return 0;
	}
	rc = pf_copy_string(&copy, value, err);
	if (rc)
		return rc;
	if (found) {
		free(set->items[at].value);
		set->items[at].value = copy;
		return 0;
	}
	rc = insert(set, at, name, copy, err);
	if (rc)
		free(copy);
	return rc;
}

void
pf_labelset_drop_prefix(struct pf_labelset *set, const char *prefix)
{
	for (size_t i = set->count; i-- > 0;) {
		if (strncmp(set->items[i].name, prefix, strlen(prefix)) == 0)
			remove_at(set, i);
	}
}

int
pf_labelset_copy(struct pf_labelset *to, const struct pf_labelset *from, struct pf_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < from->count; i++)
		rc = pf_labelset_set(to, from->items[i].name, from->items[i].value, err);
	return rc;
}

void
pf_labelset_release(struct pf_labelset *set)
{
	while (set->count)
		remove_at(set, set->count - 1);
	free(set->items);
	*set = (struct pf_labelset){0};
}

bool
pf_label_name_valid(const char *name)
{
	if (!isalpha((unsigned char)*name) && *name != '_')
		return false;
	while (isalnum((unsigned char)*name) || *name == '_')
		name++;
	return !*name;
}

struct pf_frozen_labels *
pf_labelset_freeze(const struct pf_labelset *set, struct pf_error *err)
{
	size_t size = 0;
	struct pf_frozen_labels *frozen;
	char *text, *at;

	for (size_t i = 0; i < set->count; i++)
		size += strlen(set->items[i].name) + strlen(set->items[i].value) + 2;
	frozen = malloc(sizeof *frozen + set->count * sizeof frozen->labels[0] + size);
	if (!frozen) {
		pf_error_nomem(err);
		return NULL;
	}
	frozen->count = set->count;
	at = text = (char *)&frozen->labels[set->count];
	for (size_t i = 0; i < set->count; i++) {
		size_t name = strlen(set->items[i].name) + 1,
		       value = strlen(set->items[i].value) + 1;
		frozen->labels[i] = (struct pf_store_label){at, at + name};
		memcpy(at, set->items[i].name, name);
		memcpy(at + name, set->items[i].value, value);
		at += name + value;
	}
	frozen->hash = pf_md5_low64(text, size);
	return frozen;
}

const char *
pf_frozen_get(const struct pf_frozen_labels *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++) {
		if (strcmp(f->labels[i].name, name) == 0)
			return f->labels[i].value;
	}
	return "";
}

bool
pf_frozen_equal(const struct pf_frozen_labels *a, const struct pf_frozen_labels *b)
{
	if (a->hash != b->hash || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->labels[i].name, b->labels[i].name) != 0 ||
		    strcmp(a->labels[i].value, b->labels[i].value) != 0)
			return false;
	}
	return true;
}
