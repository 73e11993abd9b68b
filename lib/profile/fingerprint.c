/* fingerprint.c: see fingerprint.h. Structs are taken field by field: their padding is not ours. */
#include "profile/fingerprint.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

static uint64_t
mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9fb21c651e98df25ULL;
	return h ^ h >> 32;
}

static uint64_t
word_at(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof word);
	return word;
}

/* Four words side by side: each waits only for its own multiplication. */
static uint64_t
mix_bytes(uint64_t h, const void *bytes, size_t size)
{
	uint64_t lanes[4] = {h, h ^ 1, h ^ 2, h ^ 3};
	const uint8_t *at = bytes;
	uint64_t word = 0;

	h = mix(h, size);
	for (; size >= 32; at += 32, size -= 32) {
		for (int i = 0; i < 4; i++)
			lanes[i] = mix(lanes[i], word_at(at + 8 * i));
	}
	for (int i = 0; i < 4; i++)
		h = mix(h, lanes[i]);
	for (; size >= 8; at += 8, size -= 8)
		h = mix(h, word_at(at));
	if (size)
		memcpy(&word, at, size);
	return mix(h, word);
}

static uint64_t
mix_tables(uint64_t h, const struct pf_profile *p)
{
	for (size_t i = 0; i < p->mapping_count; i++) {
		const struct pf_mapping *m = &p->mappings[i];
		h = mix(mix(mix(h, m->start), m->limit), m->offset);
		h = mix(h, (uint64_t)m->filename << 32 | m->build_id);
	}
	for (size_t i = 0; i < p->function_count; i++) {
		const struct pf_function *f = &p->functions[i];
		h = mix(h, (uint64_t)f->name << 32 | f->system_name);
		h = mix(mix(h, f->filename), (uint64_t)f->start_line);
	}
	for (size_t i = 0; i < p->location_count; i++) {
		const struct pf_location *l = &p->locations[i];
		h = mix(mix(h, l->address), (uint64_t)l->mapping << 1 | l->folded);
	}
	for (size_t i = 0; i < p->line_count; i++) {
		const struct pf_line *l = &p->lines[i];
		h = mix(mix(mix(h, l->function), (uint64_t)l->line), (uint64_t)l->column);
	}
	return h;
}

static uint64_t
mix_samples(uint64_t h, const struct pf_profile *p)
{
	size_t starts = p->sample_count + 1;

	h = mix_bytes(h, p->frame_starts, starts * sizeof *p->frame_starts);
	h = mix_bytes(h, p->label_starts, starts * sizeof *p->label_starts);
	h = mix_bytes(h, p->frames, p->frame_count * sizeof *p->frames);
	h = mix_bytes(h, p->values, p->sample_count * p->type_count * sizeof *p->values);
	for (size_t i = 0; i < p->label_count; i++) {
		const struct pf_label *l = &p->labels[i];
		h = mix(h, (uint64_t)l->key << 32 | l->string);
		h = mix(mix(h, l->unit), (uint64_t)l->number);
	}
	return h;
}

uint64_t
pf_profile_fingerprint(const struct pf_profile *p)
{
	uint64_t h = mix_bytes(p->type_count, p->strings.blob, p->strings.blob_size);

	for (size_t i = 0; i < p->type_count; i++)
		h = mix(h, (uint64_t)p->types[i].type << 32 | p->types[i].unit);
	h = mix(
	    mix(mix(h, (uint64_t)p->time_nanos), (uint64_t)p->duration_nanos), (uint64_t)p->period);
	return mix_samples(mix_tables(h, p), p);
}

int
pf_fingerprints_add(
    struct pf_fingerprints *f, const struct pf_profile *p, bool *known, struct pf_error *err)
{
	uint64_t fingerprint = pf_profile_fingerprint(p);
	uint32_t hash = pf_hash_u64(fingerprint);
	size_t at = 0;
	int rc;

	*known = true;
	for (uint32_t i = pf_index_first(&f->index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&f->index, hash, &at)) {
		if (f->items[i] == fingerprint)
			return 0;
	}
	*known = false;
	rc = PF_GROW(f->items, f->capacity, f->count + 1, err);
	if (!rc)
		rc = pf_index_add(&f->index, hash, (uint32_t)f->count, err);
	if (!rc)
		f->items[f->count++] = fingerprint;
	return rc;
}

void
pf_fingerprints_release(struct pf_fingerprints *f)
{
	free(f->items);
	pf_index_release(&f->index);
	*f = (struct pf_fingerprints){0};
}
