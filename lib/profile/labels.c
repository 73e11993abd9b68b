/* labels.c: see labels.h. */
#include "profile/labels.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

int
pf_label_filters_init(
    struct pf_label_filters *filters, const char *const *texts, size_t count, struct pf_error *err)
{
	int rc;

	*filters = (struct pf_label_filters){0};
	if (!count)
		return 0;
	rc = PF_CALLOC(filters->items, count, err);
	for (size_t i = 0; !rc && i < count; i++) {
		const char *equals = strchr(texts[i], '=');
		if (!equals || equals == texts[i]) {
			rc = pf_error_set(
			    err, PF_EUSAGE, "--label %s: expected KEY=VALUE", texts[i]);
			break;
		}
		filters->items[filters->count++] = (struct pf_label_filter){
		    .text = texts[i], .key_size = (size_t)(equals - texts[i])};
	}
	if (rc)
		pf_label_filters_release(filters);
	return rc;
}

void
pf_label_filters_release(struct pf_label_filters *filters)
{
	free(filters->items);
	*filters = (struct pf_label_filters){0};
}

static bool
same_key(const struct pf_label_filter *a, const char *key, size_t size)
{
	return a->key_size == size && memcmp(a->text, key, size) == 0;
}

/* "4096" and "4096bytes" both name the numeric label 4096 with the unit bytes. */
static bool
value_matches(const struct pf_profile *p, const struct pf_label *label, const char *value)
{
	char number[32];
	int size;

	if (label->string)
		return strcmp(pf_profile_string(p, label->string), value) == 0;
	size = snprintf(number, sizeof number, "%" PRId64, label->number);
	if (strncmp(value, number, (size_t)size) != 0)
		return false;
	value += size;
	return !*value || strcmp(value, pf_profile_string(p, label->unit)) == 0;
}

static bool
sample_has(const struct pf_label_filter *f, const struct pf_profile *p, size_t sample)
{
	for (uint64_t i = p->label_starts[sample]; i < p->label_starts[sample + 1]; i++) {
		const struct pf_label *label = &p->labels[i];
		if (same_key(f, pf_profile_string(p, label->key),
			pf_strings_size(&p->strings, label->key)) &&
		    value_matches(p, label, f->text + f->key_size + 1))
			return true;
	}
	return false;
}

bool
pf_label_filters_match(
    const struct pf_label_filters *filters, const struct pf_profile *p, size_t sample)
{
	for (size_t i = 0; i < filters->count; i++) {
		const struct pf_label_filter *wanted = &filters->items[i];
		bool found = false;

		for (size_t j = 0; !found && j < filters->count; j++) {
			const struct pf_label_filter *f = &filters->items[j];
			found =
			    same_key(f, wanted->text, wanted->key_size) && sample_has(f, p, sample);
		}
		if (!found)
			return false;
	}
	return true;
}

bool
pf_sample_is_base(const struct pf_profile *p, size_t sample)
{
	static const char text[] = PF_BASE_LABEL "=" PF_BASE_VALUE;
	const struct pf_label_filter f = {.text = text, .key_size = sizeof PF_BASE_LABEL - 1};

	return p->label_starts[sample] < p->label_starts[sample + 1] && sample_has(&f, p, sample);
}
