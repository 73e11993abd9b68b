/* programs.c: see programs.h. */
#include "tuner/programs.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file.h"
#include "profile/mappings.h"
#include "symbol/elf.h"

enum { NAMES_SHOWN = 3 };

#define IN_COMMON \
	0.2 /* of the functions of the one with fewer: more than that, and one is a renamed build of the other */

enum language { LANGUAGE_UNKNOWN, LANGUAGE_GO, LANGUAGE_NATIVE };

/* ---- what a profile says of its program ---- */

/* Of a mapping, without what /proc puts behind the name of a file that was replaced. */
static size_t
name_length(const char *name)
{
	static const char deleted[] = " (deleted)";
	size_t size = strlen(name), end = sizeof deleted - 1;

	return size > end && strcmp(name + size - end, deleted) == 0 ? size - end : size;
}

const char *
pf_evidence_program(const struct pf_evidence_profile *ep)
{
	return ep->p ? pf_profile_program(ep->p) : "";
}

/* The mapping of this file in a profile, or NULL. */
static const struct pf_mapping *
find_binary(const struct pf_profile *p, const char *name)
{
	size_t size = name_length(name);

	for (size_t i = 0; i < p->mapping_count; i++) {
		const char *file = pf_base_name(pf_profile_string(p, p->mappings[i].filename));
		if (name_length(file) == size && memcmp(file, name, size) == 0)
			return &p->mappings[i];
	}
	return NULL;
}

/* "net/http.(*conn).serve", "main.main": a package, a dot, and something that it has. */
static bool
is_go_shaped(const char *name)
{
	const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
	const char *dot = strchr(base, '.');

	return dot && dot > base && !strstr(name, "::") &&
	       (isalpha((unsigned char)dot[1]) || dot[1] == '(' || dot[1] == '_');
}

/*
 * Go's own profiles have names for all that is Go's, so a heap or thread profile whose main
 * binary has none is another's; a CPU profile may be perf's, of anything.
 */
static enum language
language_of(const struct pf_evidence_profile *ep)
{
	const struct pf_frames *f = &ep->frames;
	size_t names = 0, go = 0;

	for (size_t i = 0; i < ep->p->location_count; i++) {
		if (ep->p->line_starts[i] == ep->p->line_starts[i + 1])
			continue;
		for (uint64_t j = f->starts[i]; j < f->starts[i + 1]; j++) {
			const char *name = pf_frames_name(f, f->runs[j]);

			if (strncmp(name, "runtime.", 8) == 0 || strcmp(name, "main.main") == 0)
				return LANGUAGE_GO;
			names += ep->p->locations[i].mapping == 0;
			go += ep->p->locations[i].mapping == 0 && is_go_shaped(name);
		}
	}
	if (!*pf_evidence_program(ep) || !ep->p->sample_count)
		return LANGUAGE_UNKNOWN;
	if (names)
		return 2 * go <= names ? LANGUAGE_NATIVE : LANGUAGE_UNKNOWN;
	return ep->kind == PF_PROFILE_CPU || ep->kind == PF_PROFILE_OTHER ? LANGUAGE_UNKNOWN
									  : LANGUAGE_NATIVE;
}

/* A profile that has the other's main binary among its own may begin with a library, or be of a whole machine. */
static bool
is_same_program(const struct pf_evidence_profile *a, const struct pf_evidence_profile *b)
{
	const char *one = pf_evidence_program(a), *other = pf_evidence_program(b);
	enum language x, y;

	if (*one && *other) {
		const char *id = pf_profile_string(a->p, a->p->mappings[0].build_id);

		return find_binary(a->p, other) || find_binary(b->p, one) ||
		       (*id &&
			   strcmp(id, pf_profile_string(b->p, b->p->mappings[0].build_id)) == 0);
	}
	x = language_of(a);
	y = language_of(b);
	return x == y || !x || !y;
}

/* How many names of the service's own a profile has; with another one, how many of them that has as well. */
static size_t
count_own(const struct pf_evidence_profile *ep, const struct pf_evidence_profile *other)
{
	const struct pf_strings *names = &ep->frames.names;
	size_t count = 0;

	for (uint32_t i = 0; i < names->count; i++) {
		const char *name = pf_strings_get(names, i);

		/* Each program has a main(), and a binary's name stands for functions without one. */
		if (ep->traits[i] || !*name || *name == '[' || strcmp(name, "main") == 0 ||
		    strcmp(name, "main.main") == 0)
			continue;
		count +=
		    !other || pf_strings_find(&other->frames.names, name, strlen(name)) != PF_NONE;
	}
	return count;
}

bool
pf_evidence_is_foreign(const struct pf_evidence_profile *base, const struct pf_evidence_profile *ep)
{
	size_t one, other;

	if (!base->p || !ep->p || !*pf_evidence_program(base) || !*pf_evidence_program(ep) ||
	    !base->p->sample_count || !ep->p->sample_count || is_same_program(base, ep))
		return false;
	one = count_own(base, NULL);
	other = count_own(ep, NULL);
	/* Without names nothing can be compared between files of different names. */
	return (double)count_own(base, ep) <= IN_COMMON * (double)(one < other ? one : other);
}

/* ---- what is named beside profiles ---- */

static bool
has_build_id(const struct pf_profile *p, const char *build_id)
{
	for (size_t i = 0; i < p->mapping_count; i++) {
		if (strcmp(pf_profile_string(p, p->mappings[i].build_id), build_id) == 0)
			return true;
	}
	return false;
}

bool
pf_evidence_has_binary(const struct pf_evidence *e, const char *name, const char *build_id)
{
	for (size_t i = 0; i < e->profile_count; i++) {
		const struct pf_profile *p = e->profiles[i].p;
		const struct pf_mapping *m = p ? find_binary(p, pf_base_name(name)) : NULL;

		if (p && *build_id && has_build_id(p, build_id))
			return true;
		if (m && (!*build_id || !*pf_profile_string(p, m->build_id)))
			return true;
	}
	return false;
}

/* Of a file; false where it can't be read. */
static bool
read_build_id(const char *path, char *build_id, size_t room)
{
	struct pf_elf file;
	struct pf_error why;

	if (pf_elf_open(&file, path, PF_ELF_LINKED, &why))
		return false;
	pf_elf_build_id(&file, build_id, room);
	pf_elf_release(&file);
	return true;
}

bool
pf_was_given(const struct pf_paths *binaries, const struct pf_profile *p, const char *name)
{
	const struct pf_mapping *m = find_binary(p, name);
	const char *wanted = m ? pf_profile_string(p, m->build_id) : "";
	char build_id[129];

	for (size_t i = 0; i < binaries->count && *wanted; i++) {
		if (read_build_id(binaries->items[i], build_id, sizeof build_id) &&
		    strcmp(build_id, wanted) == 0)
			return true;
	}
	return false;
}

/* The build id of a process's program, and its path; false where they can't be read. */
static bool
read_program(pid_t pid, char *path, size_t room, char *build_id, size_t id_room)
{
	char link[64];
	ssize_t size;

	snprintf(link, sizeof link, "/proc/%ld/exe", (long)pid);
	size = readlink(link, path, room - 1);
	if (size <= 0)
		return false;
	path[size] = '\0';
	return read_build_id(link, build_id, id_room);
}

int
pf_evidence_check_process(const struct pf_evidence *e, pid_t pid, struct pf_error *err)
{
	char path[4096], id[129];
	const struct pf_evidence_profile *other = NULL;

	if (!read_program(pid, path, sizeof path, id, sizeof id))
		return 0;
	for (size_t i = 0; i < e->profile_count; i++) {
		const struct pf_evidence_profile *ep = &e->profiles[i];

		if (ep->base || !*pf_evidence_program(ep))
			continue;
		/* Another build of it is the same program. */
		if (find_binary(ep->p, pf_base_name(path)) || (*id && has_build_id(ep->p, id)))
			return 0;
		other = ep;
	}
	if (!other)
		return 0;
	return pf_error_set(err, PF_EINPUT,
	    "process %ld runs %s, and the profiles are of %s: they are not one program; leave "
	    "--pid out, or name the process that the profiles are of",
	    (long)pid, path, pf_evidence_program(other));
}

/* ---- parting ---- */

/* What is compared by program: a base may be of an older one, a store's series is of one service. */
static bool
is_parted(const struct pf_evidence_profile *ep)
{
	return ep->p && !ep->base && !ep->series;
}

/* Puts it to the first one of its program; those that name no binary come after all that do. */
static void
join(struct pf_evidence *e, size_t i)
{
	struct pf_evidence_profile *ep = e->profiles;

	for (size_t j = 0; j < e->profile_count; j++) {
		if (j != i && is_parted(&ep[j]) && ep[j].program == j + 1 &&
		    is_same_program(&ep[j], &ep[i])) {
			ep[i].program = j + 1;
			return;
		}
	}
	ep[i].program = i + 1;
}

/* The program with the most profiles, of equals the one given first; 0: none has any. */
static size_t
most_of(const struct pf_evidence *e)
{
	size_t best = 0, most = 0;

	for (size_t i = 0; i < e->profile_count; i++) {
		size_t n = 0;

		if (!is_parted(&e->profiles[i]) || e->profiles[i].program != i + 1)
			continue;
		for (size_t j = 0; j < e->profile_count; j++)
			n += is_parted(&e->profiles[j]) && e->profiles[j].program == i + 1;
		if (n > most) {
			most = n;
			best = i + 1;
		}
	}
	return best;
}

/* Statistics of Go's runtime are none of a program that is not Go's. */
static void
set_go_apart(struct pf_evidence *e)
{
	e->not_go = e->has_trace || e->has_goroutines;
	e->has_trace = false;
	if (e->has_goroutines)
		pf_goroutines_release(&e->goroutines);
	e->has_goroutines = false;
	for (size_t i = 0; i < e->stats_count; i++) {
		e->not_go |= e->stats[i].has_go;
		e->stats[i].has_go = false;
	}
}

/* A base of another program than its counterparts that are judged has nothing to be compared with. */
static void
set_bases_apart(struct pf_evidence *e)
{
	for (size_t i = 0; i < e->profile_count; i++) {
		struct pf_evidence_profile *base = &e->profiles[i];
		bool foreign = false, fits = false;

		for (size_t j = 0; base->base && j < e->profile_count; j++) {
			const struct pf_evidence_profile *ep = &e->profiles[j];

			if (ep->base || ep->apart || ep->kind != base->kind)
				continue;
			if (pf_evidence_is_foreign(base, ep))
				foreign = true;
			else
				fits = true;
		}
		if (foreign && !fits) {
			base->apart = true;
			base->kind = PF_PROFILE_OTHER;
		}
	}
}

void
pf_evidence_part(struct pf_evidence *e)
{
	bool go = false, native = false;
	size_t judged;

	for (int named = 1; named >= 0; named--) {
		for (size_t i = 0; i < e->profile_count; i++) {
			if (is_parted(&e->profiles[i]) &&
			    (*pf_evidence_program(&e->profiles[i]) != 0) == named)
				join(e, i);
		}
	}
	judged = most_of(e);
	for (size_t i = 0; i < e->profile_count; i++) {
		struct pf_evidence_profile *ep = &e->profiles[i];
		enum language language;

		if (!is_parted(ep))
			continue;
		if (ep->program != judged) {
			ep->apart = true;
			ep->kind = PF_PROFILE_OTHER;
			continue;
		}
		language = language_of(ep);
		go |= language == LANGUAGE_GO;
		native |= language == LANGUAGE_NATIVE;
	}
	set_bases_apart(e);
	if (native && !go)
		set_go_apart(e);
}

/* ---- what is said ---- */

static const struct pf_evidence_profile *
first_judged(const struct pf_evidence *e)
{
	for (size_t i = 0; i < e->profile_count; i++) {
		const struct pf_evidence_profile *ep = &e->profiles[i];
		if (is_parted(ep) && !ep->apart && *pf_evidence_program(ep))
			return ep;
	}
	return NULL;
}

static void
write_apart(const struct pf_evidence *e, const char *judged, struct pf_buffer *out)
{
	size_t shown = 0, more = 0;

	for (size_t i = 0; i < e->profile_count; i++) {
		const struct pf_evidence_profile *ep = &e->profiles[i];
		const char *program = pf_evidence_program(ep);

		if (!ep->apart)
			continue;
		if (shown == NAMES_SHOWN) {
			more++;
			continue;
		}
		if (!shown++)
			pf_buffer_printf(out, "Not judged, for being of another program than %s: ",
			    *judged ? judged : "the others");
		pf_buffer_printf(out, "%s%s%s%s%s", shown > 1 ? ", " : "", pf_base_name(ep->name),
		    *program ? " (" : "", program, *program ? ")" : "");
	}
	if (more)
		pf_buffer_printf(out, " and %zu more", more);
	if (shown)
		pf_buffer_string(out, ". Give those of one program at a time.");
}

/* Neighbours of one kind have a doubt of their own; a heap of this build and a CPU profile of that one have none. */
static void
write_builds(
    const struct pf_evidence *e, const struct pf_evidence_profile *first, struct pf_buffer *out)
{
	const char *name = pf_evidence_program(first);
	const char *id = pf_profile_string(first->p, first->p->mappings[0].build_id);

	for (size_t i = 0; i < e->profile_count; i++) {
		const struct pf_evidence_profile *ep = &e->profiles[i];
		const struct pf_mapping *m =
		    is_parted(ep) && !ep->apart ? find_binary(ep->p, name) : NULL;
		const char *other = m ? pf_profile_string(ep->p, m->build_id) : "";

		if (!*id || !*other || strcmp(id, other) == 0)
			continue;
		pf_buffer_printf(out,
		    "%sThe profiles are of several builds of %s (%.12s in %s, %.12s in %s): what "
		    "one "
		    "shows need not be true of the other.",
		    out->size ? " " : "", name, id, pf_base_name(first->name), other,
		    pf_base_name(ep->name));
		return;
	}
}

void
pf_evidence_write_programs(const struct pf_evidence *e, struct pf_buffer *out)
{
	const struct pf_evidence_profile *first = first_judged(e);
	const char *judged = first ? pf_evidence_program(first) : "";

	write_apart(e, judged, out);
	if (e->not_go)
		pf_buffer_printf(out,
		    "%sStatistics of Go's runtime (gctrace, a goroutine dump, metrics) were left "
		    "out: "
		    "%s is no Go program, so they are another's.",
		    out->size ? " " : "", judged);
	if (first)
		write_builds(e, first, out);
}
