/*
 * attach_profile.c: see attach_profile.h.
 *
 * A file may lie at other addresses in every process. In the profile each has one
 * mapping: where its first process had it, or, if that is taken, behind all
 * others. Locations are addresses in those.
 */
#include "attach_profile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/perf_event.h>

#include <profuse/merge.h>

#include "attach_modules.h"
#include "attach_unwind.h"
#include "core/error.h"
#include "core/memory.h"
#include "kallsyms.h"
#include "profile/builder.h"

/* Where a mapping of a module lies in the profile. */
struct place {
	uint32_t module;
	uint64_t offset, size; /* of the file, and how much */
	uint64_t start;        /* in the profile */
};

struct pf_attach_builder {
	const struct pf_attach_event *event;
	unsigned rate;
	bool many; /* more processes than one: samples are labelled with theirs */
	pid_t main_pid;
	int64_t began; /* nanoseconds since the epoch */
	struct pf_modules_table modules;
	struct pf_kallsyms kernel;
	struct pf_profile *profile;
	struct pf_builder b;
	struct place *places;
	size_t place_count, place_capacity;
	uint64_t next_start;
	uint32_t *location_places; /* of each location: its place, or PF_NONE, or KERNEL */
	size_t location_capacity;
	struct pf_slot *slot; /* the sampled stack, as the unwinder wants it */
	uint64_t frames[PF_ATTACH_FRAMES];
	uint64_t samples, lost, cut;
	struct pf_error err; /* the first failure */
};

#define KERNEL (UINT32_MAX - 1) /* a place that is none of a process */

static void
note_failure(struct pf_attach_builder *b, int rc, const struct pf_error *err)
{
	if (rc && !b->err.code)
		b->err = *err;
}

/* Where this mapping lies in the profile, made up if it is new. */
static int
place_of(
    struct pf_attach_builder *b, const struct pf_map *map, uint32_t *place, struct pf_error *err)
{
	struct place fresh = {.module = map->module,
	    .offset = map->offset,
	    .size = map->end - map->start,
	    .start = map->start};
	int rc;

	for (size_t i = 0; i < b->place_count; i++) {
		const struct place *p = &b->places[i];
		if (p->module == map->module && p->offset == map->offset && p->size == fresh.size &&
		    strcmp(b->modules.modules[p->module].file, "//anon") != 0) {
			*place = (uint32_t)i;
			return 0;
		}
		if (p->module == map->module && p->start == map->start && p->size == fresh.size) {
			*place = (uint32_t)i;
			return 0;
		}
	}
	for (size_t i = 0; i < b->place_count; i++) {
		const struct place *p = &b->places[i];
		if (fresh.start < p->start + p->size && p->start < fresh.start + fresh.size) {
			fresh.start = b->next_start;
			break;
		}
	}
	rc = PF_GROW(b->places, b->place_capacity, b->place_count + 1, err);
	if (rc)
		return rc;
	if (fresh.start == b->next_start)
		b->next_start += (fresh.size + 0xffff) & ~UINT64_C(0xffff);
	*place = (uint32_t)b->place_count;
	b->places[b->place_count++] = fresh;
	return 0;
}

/* Remembers where a location that is new lies. */
static int
note_location(struct pf_attach_builder *b, size_t before, uint32_t place, struct pf_error *err)
{
	size_t now = b->profile->location_count;
	int rc = PF_GROW(b->location_places, b->location_capacity, now, err);

	for (size_t i = before; !rc && i < now; i++)
		b->location_places[i] = place;
	return rc;
}

static int
add_user_frame(
    struct pf_attach_builder *b, const struct pf_process *p, uint64_t address, struct pf_error *err)
{
	const struct pf_map *map = pf_process_find(p, address);
	size_t before = b->profile->location_count;
	uint32_t place = PF_NONE;
	int rc = map ? place_of(b, map, &place, err) : 0;

	if (!rc && map)
		address = b->places[place].start + (address - map->start);
	if (!rc)
		rc = pf_builder_address(&b->b, address, err);
	return rc ? rc : note_location(b, before, place, err);
}

static int
add_kernel_frame(struct pf_attach_builder *b, uint64_t address, struct pf_error *err)
{
	const char *name = pf_kallsyms_find(&b->kernel, address);
	size_t before = b->profile->location_count;
	struct pf_text none = pf_text_of("", 0);
	int rc = name ? pf_builder_function(&b->b, pf_text_of(name, strlen(name)), none, 0, err)
		      : pf_builder_address(&b->b, address, err);

	return rc ? rc : note_location(b, before, KERNEL, err);
}

/* The kernel's part of the chain, its leaf first. */
static int
add_kernel_part(struct pf_attach_builder *b, const struct pf_attach_sample *s, struct pf_error *err)
{
	bool kernel = false, leaf = true;
	int rc = 0;

	for (uint64_t i = 0; !rc && i < s->chain_size; i++) {
		uint64_t address = s->chain[i];
		if (address >= (uint64_t)PERF_CONTEXT_MAX) {
			kernel = address == (uint64_t)PERF_CONTEXT_KERNEL;
			leaf = true;
			continue;
		}
		if (kernel)
			rc = add_kernel_frame(b, leaf ? address : address - 1, err);
		leaf = false;
	}
	return rc;
}

/* User frames as the kernel found them by frame pointers. */
static size_t
chain_frames(const struct pf_attach_sample *s, uint64_t *frames)
{
	bool user = false;
	size_t n = 0;

	for (uint64_t i = 0; i < s->chain_size && n < PF_ATTACH_FRAMES; i++) {
		if (s->chain[i] >= (uint64_t)PERF_CONTEXT_MAX)
			user = s->chain[i] == (uint64_t)PERF_CONTEXT_USER;
		else if (user)
			frames[n++] = s->chain[i];
	}
	return n;
}

static int
add_user_part(struct pf_attach_builder *b, const struct pf_attach_sample *s, struct pf_error *err)
{
	const struct pf_process *p = pf_modules_process(&b->modules, s->pid);
	uint64_t by_pointers[PF_ATTACH_FRAMES];
	size_t n = 0, m = chain_frames(s, by_pointers);
	const uint64_t *frames = b->frames;
	bool whole = false;
	int rc = 0;

	if (!p)
		return pf_error_nomem(err);
	if (s->has_registers)
		n = pf_attach_unwind(b->slot, &b->modules, p, s, b->frames, &whole);
	if (!whole && m > n) { /* deeper than the copied stack, or code without tables */
		frames = by_pointers;
		n = m;
	}
	b->cut += !whole && s->has_registers && s->stack_size && n < 2;
	for (size_t i = 0; !rc && i < n; i++)
		rc = add_user_frame(b, p, i ? frames[i] - 1 : frames[i], err);
	return rc;
}

static int
add_labels(struct pf_attach_builder *b, const struct pf_attach_sample *s, struct pf_error *err)
{
	const struct pf_process *p = pf_modules_process(&b->modules, s->pid);
	int rc;

	if (!b->many || !p)
		return 0;
	rc = pf_builder_text(&b->b, "process", pf_text_of(p->name, strlen(p->name)), err);
	return rc ? rc : pf_builder_number(&b->b, "pid", s->pid, "", err);
}

static void
on_sample(void *data, const struct pf_attach_sample *s)
{
	struct pf_attach_builder *b = data;
	int64_t values[] = {1, (int64_t)s->period};
	struct pf_error err = {0};
	int rc;

	if (b->err.code || s->pid == 0) /* the idle task */
		return;
	b->samples++;
	rc = add_kernel_part(b, s, &err);
	if (!rc)
		rc = add_user_part(b, s, &err);
	if (!rc)
		rc = add_labels(b, s, &err);
	if (!rc)
		rc = pf_builder_sample(&b->b, values, &err);
	note_failure(b, rc, &err);
}

static void
on_mapping(void *data, const struct pf_attach_mapping *m)
{
	struct pf_attach_builder *b = data;
	struct pf_error err;

	if (m->executable)
		note_failure(b,
		    pf_modules_map(
			&b->modules, m->pid, m->file, m->start, m->size, m->offset, &err),
		    &err);
}

static void
on_fork(void *data, pid_t child, pid_t parent)
{
	struct pf_attach_builder *b = data;
	struct pf_error err;

	note_failure(b, pf_modules_fork(&b->modules, child, parent, &err), &err);
}

static void
on_name(void *data, pid_t pid, pid_t tid, const char *name, bool exec)
{
	struct pf_attach_builder *b = data;

	if (exec && pid == tid)
		pf_modules_exec(&b->modules, pid, name);
}

static void
on_lost(void *data, uint64_t records)
{
	struct pf_attach_builder *b = data;

	b->lost += records;
}

struct pf_attach_handlers
pf_attach_builder_handlers(struct pf_attach_builder *b)
{
	return (struct pf_attach_handlers){.sample = on_sample,
	    .mapping = on_mapping,
	    .fork = on_fork,
	    .name = on_name,
	    .lost = on_lost,
	    .data = b};
}

int
pf_attach_builder_check(const struct pf_attach_builder *b, struct pf_error *err)
{
	if (b->err.code && err)
		*err = b->err;
	return b->err.code;
}

static int
begin_profile(struct pf_attach_builder *b, struct pf_error *err)
{
	int64_t period = b->event->time ? 1000000000 / b->rate : 1;
	struct timespec now;
	int rc = pf_profile_new(&b->profile, err);

	if (rc)
		return rc;
	clock_gettime(CLOCK_REALTIME, &now);
	b->began = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	pf_builder_init(&b->b, b->profile, PF_BUILD_ALL);
	rc = pf_builder_type(&b->b, "samples", "count", err);
	if (!rc)
		rc = pf_builder_type(&b->b, b->event->sample_type, b->event->unit, err);
	if (!rc)
		rc = pf_builder_period(&b->b, b->event->sample_type, b->event->unit, period, err);
	return rc;
}

int
pf_attach_builder_new(struct pf_attach_builder **builder, const struct pf_attach_event *event,
    unsigned rate, const struct pf_attach_subject *subject, struct pf_error *err)
{
	struct pf_attach_builder *b;
	int rc = PF_CALLOC(*builder, 1, err);

	if (rc)
		return rc;
	b = *builder;
	b->event = event;
	b->rate = rate;
	b->many = subject->machine || subject->cgroup >= 0 || subject->count > 1;
	b->main_pid = b->many ? 0 : subject->pids[0];
	b->next_start = UINT64_C(1) << 46;
	b->slot = pf_attach_slot_new();
	rc = b->slot ? 0 : pf_error_nomem(err);
	if (!rc)
		rc = begin_profile(b, err);
	if (!rc)
		rc = pf_kallsyms_read(&b->kernel, err);
	if (!rc && b->main_pid && !pf_modules_process(&b->modules, b->main_pid))
		rc = pf_error_nomem(err);
	return rc;
}

void
pf_attach_builder_free(struct pf_attach_builder *b)
{
	if (!b)
		return;
	pf_modules_table_release(&b->modules);
	pf_kallsyms_release(&b->kernel);
	pf_builder_release(&b->b);
	pf_profile_free(b->profile);
	free(b->places);
	free(b->location_places);
	free(b->slot);
	free(b);
}

static int
add_mapping(struct pf_attach_builder *b, const char *file, const char *build_id, uint64_t start,
    uint64_t limit, uint64_t offset, struct pf_error *err)
{
	struct pf_profile *p = b->profile;
	struct pf_mapping m = {.start = start, .limit = limit, .offset = offset};
	int rc = PF_GROW(p->mappings, p->mapping_capacity, p->mapping_count + 1, err);

	if (!rc)
		rc = pf_builder_string(&b->b, pf_text_of(file, strlen(file)), &m.filename, err);
	if (!rc)
		rc = pf_builder_string(
		    &b->b, pf_text_of(build_id, strlen(build_id)), &m.build_id, err);
	if (!rc)
		p->mappings[p->mapping_count++] = m;
	return rc;
}

/* The module of the process's executable: the first that its maps name. */
static uint32_t
main_module(struct pf_attach_builder *b)
{
	const struct pf_process *p =
	    b->main_pid ? pf_modules_process(&b->modules, b->main_pid) : NULL;

	return p && p->count ? p->maps[0].module : PF_NONE;
}

static int
add_place(struct pf_attach_builder *b, size_t i, uint32_t *numbers, struct pf_error *err)
{
	const struct place *place = &b->places[i];
	struct pf_module *m = pf_module_open(&b->modules, place->module, b->main_pid);
	int rc = add_mapping(b, m->file, m->binary ? pf_binary_build_id(m->binary) : "",
	    place->start, place->start + place->size, place->offset, err);

	numbers[i] = (uint32_t)b->profile->mapping_count - 1;
	return rc;
}

/* Mappings in their order, and each location's. */
static int
settle_mappings(struct pf_attach_builder *b, struct pf_error *err)
{
	struct pf_profile *p = b->profile;
	uint32_t *numbers, kernel = PF_NONE, first = main_module(b);
	int rc = PF_CALLOC(numbers, b->place_count, err);

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; !rc && i < b->place_count; i++) {
			if ((b->places[i].module == first) == (pass == 0))
				rc = add_place(b, i, numbers, err);
		}
	}
	for (size_t i = 0; !rc && i < p->location_count; i++) {
		uint32_t place = b->location_places[i];
		if (place == KERNEL && kernel == PF_NONE) {
			rc = add_mapping(b, "[kernel.kallsyms]", "", UINT64_C(0xffff800000000000),
			    UINT64_MAX, 0, err);
			kernel = (uint32_t)p->mapping_count - 1;
		}
		if (place != PF_NONE)
			p->locations[i].mapping = place == KERNEL ? kernel : numbers[place];
	}
	if (!rc && kernel != PF_NONE)
		p->mappings[kernel].has_functions = true;
	free(numbers);
	return rc;
}

/* Equal stacks summed, everything in its canonical order. */
static int
sum(const struct pf_profile *from, struct pf_profile **to, struct pf_error *err)
{
	struct pf_merge_options options = PF_MERGE_OPTIONS_INIT;
	struct pf_merge *merge;
	int rc;

	options.merge_by_filename = true;
	rc = pf_merge_new(&merge, &options, err);
	if (!rc)
		rc = pf_merge_add(merge, from, "samples", err);
	if (!rc)
		rc = pf_merge_finish(merge, to, err);
	pf_merge_free(merge);
	return rc;
}

int
pf_attach_builder_finish(struct pf_attach_builder *b, double seconds, struct pf_profile **profile,
    char *warning, size_t room, struct pf_error *err)
{
	int rc = settle_mappings(b, err);

	b->profile->time_nanos = b->began;
	b->profile->duration_nanos = (int64_t)(seconds * 1e9);
	if (!rc)
		rc = sum(b->profile, profile, err);
	if (b->lost)
		snprintf(warning, room,
		    "%" PRIu64 " records were lost: samples came faster than they could be taken; "
		    "a lower --rate takes all",
		    b->lost);
	else if (b->samples && b->cut > b->samples / 4)
		snprintf(warning, room,
		    "%" PRIu64 " of %" PRIu64 " stacks could not be unwound beyond their leaf",
		    b->cut, b->samples);
	else if (!b->samples)
		snprintf(warning, room,
		    "the profile has no samples: the processes used hardly any CPU in the window");
	return rc;
}
