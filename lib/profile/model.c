/* model.c: making, freeing and asking the columnar profile; see model.h. */
#include "profile/model.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "profile/packed_samples.h"

int
pf_profile_new(struct pf_profile **profile, struct pf_error *err)
{
	struct pf_profile *p;
	int rc;

	*profile = NULL;
	rc = PF_CALLOC(p, 1, err);
	if (rc)
		return rc;
	rc = pf_strings_init(&p->strings, err);
	if (!rc)
		rc = PF_GROW(p->line_starts, p->line_starts_capacity, 1, err);
	if (!rc)
		rc = PF_GROW(p->frame_starts, p->frame_starts_capacity, 1, err);
	if (!rc)
		rc = PF_GROW(p->label_starts, p->label_starts_capacity, 1, err);
	if (!rc)
		rc = PF_GROW(p->frames, p->frame_capacity, 1, err);
	if (!rc)
		rc = PF_GROW(p->labels, p->label_capacity, 1, err);
	if (rc) {
		pf_profile_free(p);
		return rc;
	}
	p->line_starts[0] = p->frame_starts[0] = p->label_starts[0] = 0;
	*profile = p;
	return 0;
}

void
pf_profile_free(struct pf_profile *p)
{
	if (!p)
		return;
	pf_strings_release(&p->strings);
	free(p->types);
	free(p->mappings);
	free(p->functions);
	free(p->locations);
	free(p->line_starts);
	free(p->lines);
	free(p->frame_starts);
	free(p->frames);
	free(p->values);
	free(p->label_starts);
	free(p->labels);
	free(p->comments);
	pf_packed_samples_free(p->packed);
	free(p);
}

void
pf_profile_clear(struct pf_profile *p)
{
	pf_strings_clear(&p->strings);
	p->type_count = p->mapping_count = p->function_count = p->location_count = 0;
	p->line_count = p->sample_count = p->frame_count = p->label_count = p->comment_count = 0;
	p->default_type = p->drop_frames = p->keep_frames = p->doc_url = 0;
	p->time_nanos = p->duration_nanos = p->period = 0;
	p->period_type = (struct pf_value_type){0};
	p->digest = 0;
	p->doubt = NULL;
	pf_packed_samples_free(p->packed);
	p->packed = NULL;
}

/* False where the sum does not fit: then it is the bound that was passed. */
static bool
add_to_total(int64_t *sum, int64_t value)
{
	if (!__builtin_add_overflow(*sum, value, sum))
		return true;
	*sum = value < 0 ? INT64_MIN : INT64_MAX;
	return false;
}

int64_t
pf_profile_total(const struct pf_profile *p, size_t type)
{
	const struct pf_packed_samples *s = p->packed;
	bool fits = true;
	int64_t sum = 0;

	for (size_t i = 0; s && fits && i < s->size; i = pf_packed_samples_next(s, i))
		fits = add_to_total(&sum, s->words[i + type]);
	for (size_t i = 0; !s && fits && i < p->sample_count; i++)
		fits = add_to_total(&sum, p->values[i * p->type_count + type]);
	return sum;
}

void
pf_profile_drop_samples(struct pf_profile *p)
{
	free(p->frames);
	free(p->values);
	free(p->labels);
	p->frames = NULL;
	p->values = NULL;
	p->labels = NULL;
	p->frame_capacity = p->value_capacity = p->label_capacity = 0;
	p->frame_count = p->label_count = p->sample_count = 0;
	p->frame_starts[0] = p->label_starts[0] = 0;
	pf_packed_samples_free(p->packed);
	p->packed = NULL;
}

bool
pf_profile_says(const struct pf_profile *p, const char *words)
{
	for (size_t i = 0; i < p->comment_count; i++) {
		if (strstr(pf_profile_string(p, p->comments[i]), words))
			return true;
	}
	return false;
}

uint32_t
pf_profile_find_type(const struct pf_profile *p, const char *type)
{
	for (uint32_t i = 0; i < p->type_count; i++) {
		if (strcmp(pf_profile_string(p, p->types[i].type), type) == 0)
			return i;
	}
	return PF_NONE;
}

size_t
pf_profile_sample_count(const struct pf_profile *p)
{
	return p->sample_count;
}

size_t
pf_profile_type_count(const struct pf_profile *p)
{
	return p->type_count;
}

const char *
pf_profile_type_name(const struct pf_profile *p, size_t i)
{
	return pf_profile_string(p, p->types[i].type);
}

const char *
pf_profile_type_unit(const struct pf_profile *p, size_t i)
{
	return pf_profile_string(p, p->types[i].unit);
}

int64_t
pf_profile_time_nanos(const struct pf_profile *p)
{
	return p->time_nanos;
}

int64_t
pf_profile_duration_nanos(const struct pf_profile *p)
{
	return p->duration_nanos;
}

int64_t
pf_profile_period(const struct pf_profile *p)
{
	return p->period;
}
