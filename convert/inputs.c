/* inputs.c: see inputs.h. */
#include "convert/inputs.h"

#include <stdlib.h>
#include <string.h>

#include "convert/match.h"
#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "profile/encode.h"

static int
digest_profile(struct pf_convert_input *input, const struct pf_profile *p, struct pf_error *err)
{
	struct pf_buffer bytes;
	int rc;

	pf_buffer_init(&bytes, PF_BUFFER_NO_MAXIMUM);
	rc = pf_profile_encode(p, &bytes, err);
	if (!rc) {
		pf_sha256_hex(input->sha256, bytes.bytes, bytes.size);
		input->size = bytes.size;
	}
	pf_buffer_release(&bytes);
	return rc;
}

static const char *
program_of(const struct pf_profile *p)
{
	return p->mapping_count ? pf_base_name(pf_profile_string(p, p->mappings[0].filename)) : "";
}

int
pf_convert_inputs_add(struct pf_convert_inputs *inputs, const struct pf_profile *p,
    const char *path, const void *bytes, size_t size, struct pf_error *err)
{
	struct pf_convert_input *input;
	bool repeated;
	int base_size;
	int rc = pf_fingerprints_add(&inputs->seen, p, &repeated, err);

	if (!rc)
		rc = PF_GROW(inputs->items, inputs->capacity, inputs->count + 1, err);
	if (rc)
		return rc;
	input = &inputs->items[inputs->count];
	*input = (struct pf_convert_input){.size = size,
	    .samples = p->sample_count,
	    .time_nanos = p->time_nanos,
	    .duration_nanos = p->duration_nanos,
	    .repeated = repeated};
	rc = pf_copy_string(&input->name, pf_file_base(path, &base_size), err);
	if (rc)
		return rc;
	rc = pf_copy_string(&input->program, program_of(p), err);
	if (rc) {
		free(input->name);
		return rc;
	}
	if (bytes)
		pf_sha256_hex(input->sha256, bytes, size);
	else
		rc = digest_profile(input, p, err);
	inputs->repeated += repeated;
	inputs->count++;
	return rc;
}

const struct pf_convert_input *
pf_convert_inputs_repeated(const struct pf_convert_inputs *inputs)
{
	for (size_t i = 0; i < inputs->count; i++) {
		if (inputs->items[i].repeated)
			return &inputs->items[i];
	}
	return NULL;
}

const struct pf_convert_input *
pf_convert_inputs_without(const struct pf_convert_inputs *inputs, size_t *count)
{
	const struct pf_convert_input *first = NULL;

	*count = 0;
	for (size_t i = 0; i < inputs->count; i++) {
		const struct pf_convert_input *input = &inputs->items[i];

		if (input->repeated || input->of_binary)
			continue;
		first = first ? first : input;
		++*count;
	}
	return first;
}

int64_t
pf_convert_inputs_duration(const struct pf_convert_inputs *inputs)
{
	int64_t sum = 0;

	for (size_t i = 0; i < inputs->count; i++) {
		const struct pf_convert_input *input = &inputs->items[i];

		if (!input->repeated && input->of_binary && input->duration_nanos > 0 &&
		    __builtin_add_overflow(sum, input->duration_nanos, &sum))
			return INT64_MAX;
	}
	return sum;
}

const struct pf_convert_input *
pf_convert_inputs_of_others(
    const struct pf_convert_inputs *inputs, const struct pf_convert_input **first)
{
	*first = NULL;
	for (size_t i = 0; i < inputs->count; i++) {
		const struct pf_convert_input *input = &inputs->items[i];

		if (!*input->program)
			continue;
		if (!*first)
			*first = input;
		else if (strcmp(input->program, (*first)->program) != 0)
			return input;
	}
	return NULL;
}

void
pf_convert_inputs_release(struct pf_convert_inputs *inputs)
{
	for (size_t i = 0; i < inputs->count; i++) {
		free(inputs->items[i].name);
		free(inputs->items[i].program);
	}
	free(inputs->items);
	pf_fingerprints_release(&inputs->seen);
	*inputs = (struct pf_convert_inputs){0};
}
