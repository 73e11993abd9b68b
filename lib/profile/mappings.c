/*
 * mappings.c: see mappings.h.
 *
 * The rules are those of google/pprof, so that both see the same binaries.
 * Locations are looked up in mappings sorted by start. Mappings of a real
 * process do not overlap; where those of a broken file do, only the nearest
 * NEIGHBOURS are considered, so that time stays linear.
 */
#include "profile/mappings.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "profile/special.h"

enum { NEIGHBOURS = 32 };

/* Where a non-PIE x86-64 executable is linked to start. */
static const uint64_t usual_start = 0x400000;

/* Whether b is the continuation of a: what one of them does not say is no contradiction. */
static bool
continues(const struct pf_mapping *a, const struct pf_mapping *b)
{
	if (a->filename && b->filename && a->filename != b->filename)
		return false;
	if (a->build_id && b->build_id && a->build_id != b->build_id)
		return false;
	if (a->limit != b->start)
		return false;
	return !a->offset || !b->offset || a->offset + (a->limit - a->start) == b->offset;
}

static void
join_split(struct pf_profile *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->mapping_count; i++) {
		const struct pf_mapping *m = &p->mappings[i];
		struct pf_mapping *last = kept ? &p->mappings[kept - 1] : NULL;
		if (!last || !continues(last, m)) {
			p->mappings[kept++] = *m;
			continue;
		}
		last->limit = m->limit;
		if (m->filename)
			last->filename = m->filename;
		if (m->build_id)
			last->build_id = m->build_id;
	}
	p->mapping_count = kept;
}

/* "libc.so", "libc.so.6", "libc-2.so_1": no main binary. */
static bool
is_library(const char *name)
{
	size_t size = strlen(name);

	if (size >= 3 && strcmp(name + size - 3, ".so") == 0)
		return true;
	for (const char *so = strstr(name, ".so"); so; so = strstr(so + 1, ".so")) {
		if ((so[3] == '.' || so[3] == '_') && so[4] >= '0' && so[4] <= '9')
			return true;
	}
	return false;
}

static void
put_main_first(struct pf_profile *p)
{
	for (size_t i = 0; i < p->mapping_count; i++) {
		const char *name = pf_profile_string(p, p->mappings[i].filename);
		if (name[0] == '\0' || name[0] == '[' || is_library(name))
			continue;
		struct pf_mapping main = p->mappings[i];
		p->mappings[i] = p->mappings[0];
		p->mappings[0] = main;
		return;
	}
}

/* Two ways in which the main binary's first mapping is misreported. */
static void
repair_main(struct pf_profile *p)
{
	struct pf_mapping *m = p->mappings;

	if (p->mapping_count > 1 && m[0].limit == m[1].start &&
	    strncmp(pf_profile_string(p, m[0].filename), "/anon_hugepage", 14) == 0) {
		p->mapping_count--;
		memmove(&m[0], &m[1], p->mapping_count * sizeof *m);
	}
	if (p->mapping_count && m[0].start - m[0].offset == usual_start) {
		m[0].start = usual_start;
		m[0].offset = 0;
	}
}

/* A mapping's place in address order. */
struct place {
	uint64_t start;
	uint32_t mapping;
};

static int
by_start(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->mapping < y->mapping ? -1 : x->mapping > y->mapping;
}

static int
sort_places(const struct pf_profile *p, struct place **places, struct pf_error *err)
{
	int rc = PF_CALLOC(*places, p->mapping_count, err);

	if (rc)
		return rc;
	for (uint32_t i = 0; i < p->mapping_count; i++)
		(*places)[i] = (struct place){.start = p->mappings[i].start, .mapping = i};
	qsort(*places, p->mapping_count, sizeof **places, by_start);
	return 0;
}

/* The number of mappings that start at or below the address. */
static size_t
rank(const struct place *places, size_t count, uint64_t address)
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;
		if (places[middle].start <= address)
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}

/* The mapping around an address: of several the first in the profile. */
static uint32_t
mapping_around(
    const struct pf_profile *p, const struct place *places, size_t below, uint64_t address)
{
	uint32_t found = PF_NONE;

	for (size_t n = 0; n < NEIGHBOURS && n < below; n++) {
		uint32_t i = places[below - 1 - n].mapping;
		if (address < p->mappings[i].limit && i < found)
			found = i;
	}
	return found;
}

/*
 * Some handlers report only the later part of a mapping that was split: an
 * address before a mapping, but not before its file's start, belongs to it too.
 */
static uint32_t
mapping_after(
    const struct pf_profile *p, const struct place *places, size_t below, uint64_t address)
{
	for (size_t n = below; n < p->mapping_count && n < below + NEIGHBOURS; n++) {
		const struct pf_mapping *m = &p->mappings[places[n].mapping];
		if (m->offset && m->start - m->offset <= address)
			return places[n].mapping;
	}
	return PF_NONE;
}

/* `extend[i]`: mapping i was found to begin at its file's start. */
static void
assign(struct pf_profile *p, const struct place *places, bool *extend, bool *some_left)
{
	for (size_t i = 0; i < p->location_count; i++) {
		struct pf_location *l = &p->locations[i];
		size_t below;
		if (l->mapping != PF_NONE || l->address == 0)
			continue;
		below = rank(places, p->mapping_count, l->address);
		l->mapping = mapping_around(p, places, below, l->address);
		if (l->mapping != PF_NONE)
			continue;
		l->mapping = mapping_after(p, places, below, l->address);
		if (l->mapping != PF_NONE)
			extend[l->mapping] = true;
		else
			*some_left = true;
	}
}

static int
assign_rest(struct pf_profile *p, struct pf_error *err)
{
	uint32_t rest = (uint32_t)p->mapping_count;
	int rc = PF_GROW(p->mappings, p->mapping_capacity, p->mapping_count + 1, err);

	if (rc)
		return rc;
	p->mappings[p->mapping_count++] = (struct pf_mapping){.limit = UINT64_MAX};
	for (size_t i = 0; i < p->location_count; i++) {
		if (p->locations[i].mapping == PF_NONE && p->locations[i].address)
			p->locations[i].mapping = rest;
	}
	return 0;
}

int
pf_mappings_arrange(struct pf_profile *p, struct pf_error *err)
{
	struct place *places = NULL;
	bool *extend = NULL, some_left = false;
	int rc;

	join_split(p);
	put_main_first(p);
	repair_main(p);
	rc = sort_places(p, &places, err);
	if (!rc)
		rc = PF_CALLOC(extend, p->mapping_count, err);
	if (!rc)
		assign(p, places, extend, &some_left);
	for (size_t i = 0; !rc && i < p->mapping_count; i++) {
		if (extend[i]) {
			p->mappings[i].start -= p->mappings[i].offset;
			p->mappings[i].offset = 0;
		}
	}
	if (!rc && some_left)
		rc = assign_rest(p, err);
	free(places);
	free(extend);
	return rc;
}

const char *
pf_profile_program(const struct pf_profile *p)
{
	const char *file = p->mapping_count ? pf_profile_string(p, p->mappings[0].filename) : "";

	return pf_mapping_is_file(file) ? pf_base_name(file) : "";
}
