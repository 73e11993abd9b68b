/* code_facts.c: see code_facts.h. */
#include "convert/code_facts.h"

#include <stdlib.h>
#include <string.h>

#include "convert/places.h"
#include "core/error.h"
#include "core/memory.h"
#include "symbol/binary.h"
#include "symbol/code.h"

enum { UNDECODED_STEP = 4 }; /* bytes, in code of machines that we don't decode */

struct reading {
	struct pf_code_facts *f;
	struct pf_binary *binary;
	struct pf_machine_code code;
	struct pf_inline_chain chain;
	char *name; /* room for a canonical name */
	size_t name_capacity;
	uint64_t hash;
};

int
pf_code_facts_init(struct pf_code_facts *f, struct pf_error *err)
{
	int rc;

	*f = (struct pf_code_facts){0};
	rc = pf_strings_init(&f->names, err);
	if (!rc)
		rc = PF_GROW(f->functions, f->function_capacity, 1, err);
	if (!rc)
		f->functions[0] = (struct pf_fact_function){0};
	return rc;
}

void
pf_code_facts_release(struct pf_code_facts *f)
{
	pf_strings_release(&f->names);
	free(f->functions);
	free(f->places);
	free(f->calls);
	pf_index_release(&f->place_index);
	pf_index_release(&f->call_index);
	*f = (struct pf_code_facts){0};
}

int
pf_code_facts_function(
    struct pf_code_facts *f, const char *name, uint32_t *function, struct pf_error *err)
{
	size_t known = f->names.count;
	int rc = pf_strings_add(&f->names, name, strlen(name), function, err);

	if (!rc)
		rc = PF_GROW(f->functions, f->function_capacity, f->names.count, err);
	if (!rc && f->names.count > known)
		f->functions[*function] =
		    (struct pf_fact_function){.name_hash = pf_hash_bytes(name, strlen(name))};
	return rc;
}

uint32_t
pf_code_facts_find(const struct pf_code_facts *f, const char *name)
{
	return pf_strings_find(&f->names, name, strlen(name));
}

static uint32_t
place_hash(uint32_t function, struct pf_place place)
{
	return pf_hash_pair((uint64_t)function << 32 | place.offset, place.discriminator);
}

bool
pf_code_facts_has_place(const struct pf_code_facts *f, uint32_t function, struct pf_place place)
{
	uint32_t hash = place_hash(function, place), i;
	size_t at = 0;

	for (i = pf_index_first(&f->place_index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&f->place_index, hash, &at)) {
		const struct pf_fact_place *p = &f->places[i];
		if (p->function == function && p->place.offset == place.offset &&
		    p->place.discriminator == place.discriminator)
			return true;
	}
	return false;
}

static uint32_t
call_hash(uint32_t function, uint32_t offset, uint32_t callee)
{
	return pf_hash_pair((uint64_t)function << 32 | offset, callee);
}

static bool
find_call(const struct pf_code_facts *f, uint32_t function, uint32_t offset, uint32_t callee)
{
	uint32_t hash = call_hash(function, offset, callee), i;
	size_t at = 0;

	for (i = pf_index_first(&f->call_index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&f->call_index, hash, &at)) {
		const struct pf_fact_call *c = &f->calls[i];
		if (c->function == function && c->offset == offset && c->callee == callee)
			return true;
	}
	return false;
}

bool
pf_code_facts_has_call(
    const struct pf_code_facts *f, uint32_t function, uint32_t offset, uint32_t callee)
{
	return find_call(f, function, offset, callee) || find_call(f, function, offset, PF_NONE);
}

static int
add_place(struct pf_code_facts *f, uint32_t function, struct pf_place place, struct pf_error *err)
{
	struct pf_fact_function *of = &f->functions[function];
	int rc;

	if (place.offset > of->last_offset)
		of->last_offset = place.offset;
	if (pf_code_facts_has_place(f, function, place))
		return 0;
	rc = PF_GROW(f->places, f->place_capacity, f->place_count + 1, err);
	if (!rc)
		rc = pf_index_add(
		    &f->place_index, place_hash(function, place), (uint32_t)f->place_count, err);
	if (!rc)
		f->places[f->place_count++] = (struct pf_fact_place){function, place};
	return rc;
}

int
pf_code_facts_call(struct pf_code_facts *f, uint32_t function, uint32_t offset, uint32_t callee,
    struct pf_error *err)
{
	int rc;

	if (find_call(f, function, offset, callee))
		return 0;
	rc = PF_GROW(f->calls, f->call_capacity, f->call_count + 1, err);
	if (!rc)
		rc = pf_index_add(&f->call_index, call_hash(function, offset, callee),
		    (uint32_t)f->call_count, err);
	if (!rc)
		f->calls[f->call_count++] = (struct pf_fact_call){function, offset, callee};
	return rc;
}

static int
named_function(struct reading *r, const char *name, uint32_t *function, struct pf_error *err)
{
	int rc = PF_GROW(r->name, r->name_capacity, strlen(name) + 1, err);

	if (rc)
		return rc;
	pf_canonical_name(name, r->name, r->name_capacity);
	return pf_code_facts_function(r->f, r->name, function, err);
}

static void
mix(struct reading *r, uint64_t value)
{
	r->hash = (r->hash ^ value) * 0x9e3779b97f4a7c15ULL;
	r->hash ^= r->hash >> 29;
}

/* The places of one instruction, from the innermost function outwards; *innermost PF_NONE: none. */
static int
read_chain(struct reading *r, uint64_t address, uint32_t *innermost, struct pf_place *place,
    struct pf_error *err)
{
	uint32_t inlined = PF_NONE;
	int rc = pf_binary_inline_chain(r->binary, address, &r->chain, err);

	*innermost = PF_NONE;
	for (size_t i = 0; !rc && i < r->chain.count; i++) {
		const struct pf_inline_frame *f = &r->chain.frames[i];
		struct pf_place at;
		uint32_t function;

		if (!pf_frame_place(f, &at))
			return 0;
		rc = named_function(r, f->function, &function, err);
		if (rc)
			return rc;
		r->f->functions[function].start_line = f->start_line;
		rc = add_place(r->f, function, at, err);
		if (!rc && i > 0)
			rc = pf_code_facts_call(r->f, function, at.offset, inlined, err);
		if (i == 0) {
			*innermost = function;
			*place = at;
		}
		mix(r, r->f->functions[function].name_hash);
		mix(r, (uint64_t)at.offset << 32 | at.discriminator);
		inlined = function;
	}
	return rc;
}

static int
read_instruction(struct reading *r, const struct pf_instruction *in, const struct pf_symbol *s,
    struct pf_error *err)
{
	const struct pf_symbol *target;
	uint32_t function, callee = PF_NONE;
	struct pf_place place;
	int rc = read_chain(r, in->address, &function, &place, err);

	mix(r, (uint64_t)in->kind << 8 | in->cost);
	if (rc)
		return rc;
	target = in->target ? pf_binary_symbol_at(r->binary, in->target) : NULL;
	if (target == s) {
		mix(r, pf_code_find(&r->code, in->target));
		return 0;
	}
	if (target)
		rc = named_function(r, target->name, &callee, err);
	mix(r, callee == PF_NONE ? 0 : r->f->functions[callee].name_hash);
	if (!rc && function != PF_NONE && (callee != PF_NONE || in->kind == PF_CODE_CALL_INDIRECT))
		rc = pf_code_facts_call(r->f, function, place.offset, callee, err);
	return rc;
}

static int
read_function(struct reading *r, const struct pf_symbol *s, struct pf_error *err)
{
	uint32_t function, innermost;
	struct pf_place place;
	int rc = named_function(r, s->name, &function, err);

	if (rc)
		return rc;
	rc = pf_code_decode(&r->code, r->binary, s->start, s->end, err);
	r->hash = 0;
	for (size_t i = 0; !rc && i < r->code.instruction_count; i++)
		rc = read_instruction(r, &r->code.instructions[i], s, err);
	if (rc == PF_EINPUT && !r->code.instruction_count) {
		rc = 0;
		for (uint64_t at = s->start; !rc && at < s->end; at += UNDECODED_STEP)
			rc = read_chain(r, at, &innermost, &place, err);
	}
	r->f->functions[function].bodies++;
	r->f->functions[function].fingerprint = r->hash;
	return rc;
}

/* Whether a symbol's function is among the wanted ones. */
static int
is_wanted(struct reading *r, const struct pf_strings *wanted, const char *name, bool *is,
    struct pf_error *err)
{
	int rc = PF_GROW(r->name, r->name_capacity, strlen(name) + 1, err);

	if (rc)
		return rc;
	pf_canonical_name(name, r->name, r->name_capacity);
	*is = pf_strings_find(wanted, r->name, strlen(r->name)) != PF_NONE;
	return 0;
}

static bool
all_met(const struct pf_code_facts *f, const struct pf_strings *wanted)
{
	for (uint32_t i = 1; i < wanted->count; i++) {
		uint32_t function = pf_code_facts_find(f, pf_strings_get(wanted, i));
		if (function == PF_NONE || !f->functions[function].start_line)
			return false;
	}
	return true;
}

int
pf_code_facts_read(struct pf_code_facts *f, struct pf_binary *binary,
    const struct pf_strings *wanted, bool everywhere, struct pf_error *err)
{
	struct reading r = {.f = f, .binary = binary};
	size_t count;
	const struct pf_symbol *symbols = pf_binary_symbols(binary, &count);
	bool is = false;
	int rc = 0;

	for (size_t i = 0; !rc && i < count; i++) {
		rc = is_wanted(&r, wanted, symbols[i].name, &is, err);
		if (!rc && is)
			rc = read_function(&r, &symbols[i], err);
	}
	if (!rc && everywhere && !all_met(f, wanted)) {
		for (size_t i = 0; !rc && i < count; i++) {
			rc = is_wanted(&r, wanted, symbols[i].name, &is, err);
			if (!rc && !is)
				rc = read_function(&r, &symbols[i], err);
		}
	}
	pf_code_release(&r.code);
	pf_inline_chain_release(&r.chain);
	free(r.name);
	return rc;
}
