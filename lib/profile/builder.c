/* builder.c: see builder.h. */
#include "profile/builder.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

void
pf_builder_init(struct pf_builder *b, struct pf_profile *p, enum pf_build build)
{
	*b = (struct pf_builder){.p = p, .build = build};
}

void
pf_builder_again(struct pf_builder *b, enum pf_build build, const struct pf_parts *parts)
{
	if (build != PF_BUILD_SAMPLES)
		pf_profile_clear(b->p);
	b->build = build;
	b->parts = parts;
	b->pending = 0;
	b->samples = b->handed_on = 0;
}

void
pf_builder_release(struct pf_builder *b)
{
	pf_index_release(&b->locations);
	pf_index_release(&b->functions);
	free(b->keys);
}

static bool
keeps_samples(const struct pf_builder *b)
{
	return b->build == PF_BUILD_ALL || b->build == PF_BUILD_SAMPLES;
}

int
pf_builder_string(struct pf_builder *b, struct pf_text text, uint32_t *id, struct pf_error *err)
{
	*id = 0;
	if (b->build == PF_BUILD_NOTHING)
		return 0;
	return pf_strings_add(&b->p->strings, text.at, pf_text_left(&text), id, err);
}

static int
value_type(struct pf_builder *b, const char *type, const char *unit, struct pf_value_type *to,
    struct pf_error *err)
{
	int rc = pf_strings_add(&b->p->strings, type, strlen(type), &to->type, err);

	return rc ? rc : pf_strings_add(&b->p->strings, unit, strlen(unit), &to->unit, err);
}

int
pf_builder_type(struct pf_builder *b, const char *type, const char *unit, struct pf_error *err)
{
	struct pf_profile *p = b->p;
	int rc;

	if (b->build == PF_BUILD_SAMPLES)
		return 0;
	rc = PF_GROW(p->types, p->type_capacity, p->type_count + 1, err);
	if (!rc)
		rc = value_type(b, type, unit, &p->types[p->type_count], err);
	if (!rc)
		p->type_count++;
	return rc;
}

int
pf_builder_period(
    struct pf_builder *b, const char *type, const char *unit, int64_t period, struct pf_error *err)
{
	b->p->period = period;
	return value_type(b, type, unit, &b->p->period_type, err);
}

static int
add_frame(struct pf_builder *b, uint32_t location, struct pf_error *err)
{
	struct pf_profile *p = b->p;
	int rc;

	b->pending++;
	if (!keeps_samples(b))
		return 0;
	rc = PF_GROW(p->frames, p->frame_capacity, p->frame_count + 1, err);
	if (!rc)
		p->frames[p->frame_count++] = location;
	return rc;
}

/* A new location that has the lines added since the last one. */
static int
add_location(struct pf_builder *b, uint64_t address, uint32_t hash, struct pf_error *err)
{
	struct pf_profile *p = b->p;
	int rc;

	if (p->location_count == PF_NONE - 1)
		return pf_error_set(
		    err, PF_ENOMEM, "more than %zu distinct locations", p->location_count);
	rc = PF_GROW(p->locations, p->location_capacity, p->location_count + 1, err);
	if (!rc)
		rc = PF_GROW(p->line_starts, p->line_starts_capacity, p->location_count + 2, err);
	if (!rc && b->build == PF_BUILD_TABLES) {
		rc = PF_GROW(b->keys, b->key_capacity, p->location_count + 1, err);
		if (!rc)
			b->keys[p->location_count] = address;
	}
	if (!rc)
		rc = pf_index_add(&b->locations, hash, (uint32_t)p->location_count, err);
	if (rc)
		return rc;
	p->locations[p->location_count++] =
	    (struct pf_location){.address = address, .mapping = PF_NONE};
	p->line_starts[p->location_count] = p->line_count;
	return 0;
}

uint32_t
pf_builder_find(const struct pf_builder *b, uint64_t address)
{
	uint32_t hash = pf_hash_u64(address), i;
	const struct pf_profile *p = b->p;
	size_t at = 0;

	for (i = pf_index_first(&b->locations, hash, &at); i != PF_NONE;
	    i = pf_index_next(&b->locations, hash, &at)) {
		if (b->keys ? b->keys[i] == address
			    : p->locations[i].address == address &&
				  p->line_starts[i] == p->line_starts[i + 1])
			break;
	}
	return i;
}

int
pf_builder_address(struct pf_builder *b, uint64_t address, struct pf_error *err)
{
	uint32_t known;
	int rc;

	if (b->build == PF_BUILD_NOTHING)
		return add_frame(b, 0, err);
	known = pf_builder_find(b, address);

	if (known != PF_NONE)
		return add_frame(b, known, err);
	rc = add_location(b, address, pf_hash_u64(address), err);
	return rc ? rc : add_frame(b, (uint32_t)b->p->location_count - 1, err);
}

int
pf_builder_callers(
    struct pf_builder *b, const struct pf_lines *lines, struct pf_text *rest, struct pf_error *err)
{
	int rc = 0;

	for (pf_text_blanks(rest); !rc && rest->at < rest->end; pf_text_blanks(rest)) {
		uint64_t address;
		pf_text_expect(rest, "0x");
		address = pf_text_hex(rest);
		if (!rest->failure)
			rc = pf_builder_address(b, address - 1, err);
	}
	return rc ? rc : pf_lines_check(lines, rest, err);
}

int
pf_builder_intern(struct pf_builder *b, struct pf_text name, struct pf_text file,
    uint32_t *function, struct pf_error *err)
{
	struct pf_profile *p = b->p;
	struct pf_function f = {0};
	uint32_t hash, i;
	size_t at = 0;
	int rc;

	*function = 0;
	if (b->build == PF_BUILD_NOTHING)
		return 0;
	rc = pf_builder_string(b, name, &f.name, err);
	f.system_name = f.name;
	if (!rc)
		rc = pf_builder_string(b, file, &f.filename, err);
	if (rc)
		return rc;
	hash = pf_hash_pair(f.name, f.filename);
	for (i = pf_index_first(&b->functions, hash, &at); i != PF_NONE;
	    i = pf_index_next(&b->functions, hash, &at)) {
		if (p->functions[i].name == f.name && p->functions[i].filename == f.filename) {
			*function = i;
			return 0;
		}
	}
	rc = PF_GROW(p->functions, p->function_capacity, p->function_count + 1, err);
	if (!rc)
		rc = pf_index_add(&b->functions, hash, (uint32_t)p->function_count, err);
	if (rc)
		return rc;
	*function = (uint32_t)p->function_count;
	p->functions[p->function_count++] = f;
	return 0;
}

int
pf_builder_function(struct pf_builder *b, struct pf_text name, struct pf_text file, int64_t line,
    struct pf_error *err)
{
	struct pf_line l = {.line = line};
	struct pf_profile *p = b->p;
	uint32_t hash, i;
	size_t at = 0;
	int rc;

	if (b->build == PF_BUILD_NOTHING)
		return add_frame(b, 0, err);
	rc = pf_builder_intern(b, name, file, &l.function, err);
	if (rc)
		return rc;
	hash = pf_hash_pair(l.function, (uint64_t)line);
	for (i = pf_index_first(&b->locations, hash, &at); i != PF_NONE;
	    i = pf_index_next(&b->locations, hash, &at)) {
		const struct pf_line *known = &p->lines[p->line_starts[i]];
		if (p->line_starts[i] < p->line_starts[i + 1] && known->function == l.function &&
		    known->line == line)
			return add_frame(b, i, err);
	}
	rc = PF_GROW(p->lines, p->line_capacity, p->line_count + 1, err);
	if (rc)
		return rc;
	p->lines[p->line_count++] = l;
	rc = add_location(b, 0, hash, err);
	return rc ? rc : add_frame(b, (uint32_t)p->location_count - 1, err);
}

static int
add_label(struct pf_builder *b, const char *key, struct pf_label *label, struct pf_error *err)
{
	struct pf_profile *p = b->p;
	int rc = pf_strings_add(&p->strings, key, strlen(key), &label->key, err);

	if (rc || !keeps_samples(b))
		return rc;
	rc = PF_GROW(p->labels, p->label_capacity, p->label_count + 1, err);
	if (!rc)
		p->labels[p->label_count++] = *label;
	return rc;
}

int
pf_builder_number(
    struct pf_builder *b, const char *key, int64_t number, const char *unit, struct pf_error *err)
{
	struct pf_label label = {.number = number};
	int rc = pf_strings_add(&b->p->strings, unit, strlen(unit), &label.unit, err);

	return rc ? rc : add_label(b, key, &label, err);
}

int
pf_builder_text(struct pf_builder *b, const char *key, struct pf_text value, struct pf_error *err)
{
	struct pf_label label = {0};
	int rc = pf_builder_string(b, value, &label.string, err);

	return rc ? rc : add_label(b, key, &label, err);
}

void
pf_builder_drop_second(struct pf_builder *b, uint64_t address)
{
	struct pf_profile *p = b->p;
	uint64_t leaf = p->frame_starts[p->sample_count];

	if (!keeps_samples(b) || b->pending < 2 ||
	    p->locations[p->frames[leaf + 1]].address != address)
		return;
	memmove(&p->frames[leaf + 1], &p->frames[leaf + 2],
	    (p->frame_count - leaf - 2) * sizeof *p->frames);
	p->frame_count--;
	b->pending--;
}

void
pf_builder_drop_frames(struct pf_builder *b)
{
	b->pending = 0;
	if (keeps_samples(b))
		b->p->frame_count = (size_t)b->p->frame_starts[b->p->sample_count];
}

/* Hands on the closed samples; what belongs to the next one moves to the front. */
static int
hand_on(struct pf_builder *b, struct pf_error *err)
{
	struct pf_profile *p = b->p;
	size_t n = p->sample_count, frame = (size_t)p->frame_starts[n];
	size_t label = (size_t)p->label_starts[n];
	size_t frames = p->frame_count - frame, labels = p->label_count - label;
	int rc;

	p->frame_count = frame;
	p->label_count = label;
	rc = b->parts->take(b->parts->data, p, err);
	if (rc)
		return rc;
	if (frames)
		memmove(p->frames, p->frames + frame, frames * sizeof *p->frames);
	if (labels)
		memmove(p->labels, p->labels + label, labels * sizeof *p->labels);
	p->frame_count = frames;
	p->label_count = labels;
	p->sample_count = 0;
	b->handed_on += n;
	return 0;
}

int
pf_builder_sample(struct pf_builder *b, const int64_t *values, struct pf_error *err)
{
	struct pf_profile *p = b->p;
	size_t n = p->type_count;
	int rc = 0;

	b->pending = 0;
	b->samples++;
	if (!keeps_samples(b))
		return 0;
	if (b->parts && (p->sample_count >= PF_PART_SAMPLES ||
			    p->frame_starts[p->sample_count] >= PF_PART_FRAMES))
		rc = hand_on(b, err);
	if (!rc)
		rc = PF_GROW(p->values, p->value_capacity, (p->sample_count + 1) * n, err);
	if (!rc)
		rc = PF_GROW(p->frame_starts, p->frame_starts_capacity, p->sample_count + 2, err);
	if (!rc)
		rc = PF_GROW(p->label_starts, p->label_starts_capacity, p->sample_count + 2, err);
	if (rc)
		return rc;
	memcpy(&p->values[p->sample_count * n], values, n * sizeof *values);
	p->sample_count++;
	p->frame_starts[p->sample_count] = p->frame_count;
	p->label_starts[p->sample_count] = p->label_count;
	return 0;
}

void
pf_builder_count_last(struct pf_builder *b)
{
	struct pf_profile *p = b->p;

	if (keeps_samples(b) && p->sample_count)
		p->values[(p->sample_count - 1) * p->type_count]++;
}

int
pf_builder_same_frames(struct pf_builder *b, struct pf_error *err)
{
	struct pf_profile *p = b->p;
	int rc = 0;

	if (!keeps_samples(b))
		return 0;
	for (uint64_t i = p->frame_starts[p->sample_count - 1],
		      end = p->frame_starts[p->sample_count];
	    !rc && i < end; i++)
		rc = add_frame(b, p->frames[i], err);
	return rc;
}

int
pf_builder_end(struct pf_builder *b, struct pf_error *err)
{
	if (!b->parts || (b->handed_on && !b->p->sample_count))
		return 0;
	return hand_on(b, err);
}
