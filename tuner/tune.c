/* tune.c: the handle: evidence in, detectors over it, reports out; see profuse/tune.h. */
#include "tuner/tune.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <profuse/profile.h>

#include "core/error.h"
#include "core/file.h"
#include "core/gzip.h"
#include "core/lines.h"
#include "core/memory.h"
#include "profile/comments.h"
#include "profile/formats.h"
#include "profile/model.h"
#include "report/symbolize.h"
#include "symbol/elf.h"
#include "tuner/detect.h"
#include "tuner/programs.h"

enum { MOST_BYTES = 256 << 20, MOST_RATIO = 200 };

int
pf_tune_new(struct pf_tune **out, const struct pf_tune_options *options, struct pf_error *err)
{
	struct pf_tune_options o = PF_TUNE_OPTIONS_INIT;
	struct pf_tune *t;
	time_t now = time(NULL);
	struct tm utc;
	int rc;

	*out = NULL;
	if (options && options->struct_size > sizeof o)
		return pf_error_set(
		    err, PF_EUSAGE, "the tune options are of a newer library version");
	if (options)
		memcpy(&o, options, options->struct_size);
	rc = PF_CALLOC(t, 1, err);
	if (rc)
		return rc;
	rc = pf_evidence_init(&t->evidence, o.service, err);
	if (!rc)
		rc = pf_findings_init(&t->findings, err);
	if (!rc)
		rc = pf_strings_init(&t->inputs, err);
	if (!rc)
		rc = pf_strings_init(&t->unjudged, err);
	if (!rc)
		rc = pf_strings_init(&t->noted, err);
	if (rc) {
		pf_tune_free(t);
		return rc;
	}
	t->symbol_note = o.symbol_note;
	t->named = o.service && *o.service;
	if (o.memory_limit > 0)
		t->evidence.memory_limit = o.memory_limit;
	if (o.cpus > 0)
		t->evidence.cpus = o.cpus;
	t->cores_used = o.cores_used > 0 ? o.cores_used : NAN;
	strftime(t->started, sizeof t->started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	*out = t;
	return 0;
}

void
pf_tune_free(struct pf_tune *t)
{
	if (!t)
		return;
	pf_evidence_release(&t->evidence);
	pf_findings_release(&t->findings);
	pf_paths_release(&t->binaries);
	pf_paths_release(&t->debug_files);
	pf_strings_release(&t->inputs);
	pf_strings_release(&t->unjudged);
	pf_strings_release(&t->noted);
	free(t->trace);
	pf_search_free(t->search);
	pf_stored_release(&t->stored);
	free(t);
}

int
pf_tune_add_binary(struct pf_tune *t, const char *path, struct pf_error *err)
{
	return pf_paths_add(&t->binaries, path, err);
}

/* Not by pf_paths_add(): a folder stands for itself, as /usr/lib/debug does. */
int
pf_tune_add_debug_file(struct pf_tune *t, const char *path, struct pf_error *err)
{
	struct pf_paths *files = &t->debug_files;
	int rc = PF_GROW(files->items, files->capacity, files->count + 1, err);

	if (!rc)
		rc = pf_copy_string(&files->items[files->count], path, err);
	files->count += rc == 0;
	return rc;
}

int
pf_tune_note(struct pf_tune *t, const char *name, struct pf_error *err)
{
	uint32_t id;

	return pf_strings_add(&t->inputs, name, strlen(name), &id, err);
}

/* Whether one of the profile's binaries is such a library, with a build id that can prove it. */
static bool
may_have(const struct pf_profile *p, const char *library)
{
	const char *wanted = pf_base_name(library);

	for (size_t i = 0; i < p->mapping_count; i++) {
		const struct pf_mapping *m = &p->mappings[i];
		const char *name = pf_base_name(pf_profile_string(p, m->filename));
		if (*pf_profile_string(p, m->build_id) && !m->has_functions &&
		    strncmp(name, wanted, strlen(wanted)) == 0)
			return true;
	}
	return false;
}

/* Names from a file that nobody has asked for: what can't be had is no error. */
static int
name_from(struct pf_profile *p, const char *binary, struct pf_error *err)
{
	struct pf_symbolize_options o = {.binaries = &binary, .binary_count = 1, .may_lack = true};
	struct pf_error why;

	return pf_profile_symbolize(p, &o, &why) == PF_ENOMEM ? pf_error_nomem(err) : 0;
}

/*
 * A live service's libc and allocator are most often this machine's: they get
 * their names from there if build ids agree. (Which file is read is never said by
 * the profile.)
 */
static int
name_libraries(struct pf_profile *p, struct pf_error *err)
{
	for (int a = PF_ALLOCATOR_GLIBC; a < PF_ALLOCATORS; a++) {
		const char *library = pf_allocator_library((enum pf_allocator)a);
		int rc;

		if (!library || !may_have(p, library))
			continue;
		rc = name_from(p, library, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* What a binary lacks is the same for every profile of it: said once. */
static void
note_once(void *context, const char *text)
{
	struct pf_tune *t = context;
	size_t count = t->noted.count;
	struct pf_error why;
	uint32_t id;

	/* Without memory to remember it, it is said again. */
	if (pf_strings_add(&t->noted, text, strlen(text), &id, &why) == 0 &&
	    t->noted.count == count)
		return;
	t->symbol_note(NULL, text);
}

/* Names from what was given; why a profile has none is said, for it can be judged all the same. */
static int
name_given(struct pf_tune *t, struct pf_profile *p, const char *const *binaries, size_t count,
    struct pf_error *err)
{
	struct pf_symbolize_options o = {.binaries = binaries,
	    .binary_count = count,
	    .may_lack = true, /* not every profile of a service has all of its binaries in it */
	    .debug_files = (const char *const *)t->debug_files.items,
	    .debug_file_count = t->debug_files.count,
	    .note = t->symbol_note ? note_once : NULL,
	    .note_context = t};
	int rc = pf_profile_symbolize(p, &o, err);

	if (rc && rc != PF_EINPUT)
		return rc;
	if (rc && t->symbol_note && err)
		note_once(t, err->message);
	return 0;
}

/*
 * A process's program is the first mapping's. Go's profiles have names, and reading a large program for nothing takes
 * time.
 */
static int
name_program(struct pf_tune *t, struct pf_profile *p, struct pf_error *err)
{
	const char *program = t->program;

	if (!*program || !p->mapping_count || p->mappings[0].has_functions ||
	    !*pf_profile_string(p, p->mappings[0].build_id))
		return 0;
	return t->debug_files.count ? name_given(t, p, &program, 1, err)
				    : name_from(p, program, err);
}

int
pf_tune_symbolize(struct pf_tune *t, struct pf_profile *p, struct pf_error *err)
{
	int rc = 0;

	/* Of a process, whose debug file it may be, the program comes next. */
	if (t->binaries.count || (t->debug_files.count && !*t->program))
		rc = name_given(
		    t, p, (const char *const *)t->binaries.items, t->binaries.count, err);
	if (!rc)
		rc = name_program(t, p, err);
	return !rc && t->live ? name_libraries(p, err) : rc;
}

/* What is of no known kind is read as profile.proto, of which a person need not have thought. */
static void
explain_kind(struct pf_error *err, const struct pf_text *text)
{
	size_t used = strlen(err->message);
	const char *why = NULL;

	if (pf_format_find((const uint8_t *)text->at, pf_text_left(text)))
		return;
	if (strstr(err->message, "at offset"))
		why = " (of profile.proto, as which it was read: it is nothing else that is known)";
	else if (strstr(err->message, "not a profile but text"))
		why = ", nor one of the statistics that profuse tune --help lists";
	if (why)
		snprintf(err->message + used, sizeof err->message - used, "%s", why);
}

/* `text`: the bytes, inflated. */
static int
add_profile(struct pf_tune *t, const char *name, const void *bytes, size_t size,
    const struct pf_text *text, bool base, struct pf_error *err)
{
	struct pf_profile *p;
	uint64_t named;
	int rc = pf_profile_parse(&p, name, bytes, size, NULL, err);

	if (rc == PF_EINPUT && err)
		explain_kind(err, text);
	if (rc)
		return rc;
	if (p->doubt && t->symbol_note) {
		char sentence[512];
		snprintf(sentence, sizeof sentence, "%s: %s", name, p->doubt);
		t->symbol_note(NULL, sentence);
	}
	rc = pf_profile_name_by_comments(p, text->at, pf_text_left(text), err);
	named = p->line_starts[p->location_count];
	if (!rc)
		rc = pf_tune_symbolize(t, p, err);
	if (rc) {
		pf_profile_free(p);
		return rc;
	}
	named = p->line_starts[p->location_count] - named;
	rc = pf_evidence_add_profile(&t->evidence, p, name, base, err);
	if (!rc)
		t->evidence.profiles[t->evidence.profile_count - 1].names_added = named > 0;
	return rc;
}

/* JSON that begins as our own reports do. */
static bool
is_report(const void *bytes, size_t size)
{
	static const char schema[] = "\"profuse.tune.v1\"";

	return size && *(const char *)bytes == '{' &&
	       memmem(bytes, size < 200 ? size : 200, schema, sizeof schema - 1);
}

/* Statistics are looked for in the bytes as they are inflated; profiles inflate themselves. */
int
pf_tune_add(struct pf_tune *t, const char *name, const void *bytes, size_t size, bool base,
    struct pf_error *err)
{
	struct pf_buffer plain;
	const char *seen = bytes;
	size_t seen_size = size;
	bool known = false;
	int rc = 0;

	if (t->ran)
		return pf_error_set(err, PF_EUSAGE, "evidence can't be added after the run");
	if (!size)
		return pf_error_set(err, PF_EINPUT, "%s: empty", name);
	pf_buffer_init(&plain, MOST_BYTES);
	if (pf_gzip_is(bytes, size)) {
		rc = pf_gzip_inflate(&plain, name, bytes, size, MOST_RATIO, err);
		seen = (const char *)plain.bytes;
		seen_size = plain.size;
	}
	/* A program has the names of statistics in it too. */
	if (!rc && seen_size && !pf_is_program(seen, seen_size))
		rc = pf_evidence_add_stats(&t->evidence, name, seen, seen_size, base, &known, err);
	if (!rc && !known && is_report(seen, seen_size))
		rc = pf_error_set(err, PF_EINPUT,
		    "%s: a report of profuse tune, no evidence: --fleet makes a table of reports",
		    name);
	/* A heap text with MemStats, and a dump of goroutines, are profiles too. */
	if (!rc && (!known || pf_goroutines_is_dump(seen, seen_size) ||
		       (pf_go_memstats_recognise(seen, seen_size) &&
			   memcmp(seen, "heap profile:", 13 < seen_size ? 13 : seen_size) == 0)))
		rc = add_profile(t, name, bytes, size,
		    &(struct pf_text){seen, seen + seen_size, NULL}, base, err);
	pf_buffer_release(&plain);
	return rc ? rc : pf_tune_note(t, name, err);
}

int
pf_tune_add_file(struct pf_tune *t, const char *path, bool base, struct pf_error *err)
{
	struct pf_buffer bytes;
	int rc;

	pf_buffer_init(&bytes, MOST_BYTES);
	rc = pf_file_read(path, &bytes, err);
	if (!rc)
		rc = pf_tune_add(t, path, bytes.bytes, bytes.size, base, err);
	pf_buffer_release(&bytes);
	if (!rc && t->evidence.has_trace && !t->trace)
		rc = pf_copy_string(&t->trace, path, err);
	return rc;
}

/* What can't be read any more stays as it was. */
int
pf_tune_read_trace_again(struct pf_tune *t, struct pf_error *err)
{
	struct pf_gctrace trace = {0};
	struct pf_buffer bytes;
	struct pf_error why;
	int rc;

	if (!t->trace)
		return 0;
	pf_buffer_init(&bytes, MOST_BYTES);
	rc = pf_file_read(t->trace, &bytes, &why);
	if (!rc && pf_gctrace_recognise(bytes.bytes, bytes.size))
		rc = pf_gctrace_parse(&trace, t->trace, bytes.bytes, bytes.size, &why);
	pf_buffer_release(&bytes);
	if (rc || trace.count < t->evidence.trace.count) {
		pf_gctrace_release(&trace);
		return rc == PF_ENOMEM ? pf_error_nomem(err) : 0;
	}
	pf_gctrace_release(&t->evidence.trace);
	t->evidence.trace = trace;
	return 0;
}

int
pf_tune_add_process(struct pf_tune *t, int64_t pid, struct pf_error *err)
{
	char name[64];
	int rc = pf_evidence_check_process(&t->evidence, (pid_t)pid, err);

	if (!rc)
		rc = pf_evidence_add_process(&t->evidence, (pid_t)pid, err);
	snprintf(name, sizeof name, "process %lld", (long long)pid);
	return rc ? rc : pf_tune_note(t, name, err);
}

void
pf_tune_name_from_process(struct pf_tune *t, int64_t pid)
{
	t->process = (pid_t)pid;
	snprintf(t->program, sizeof t->program, "/proc/%lld/exe", (long long)pid);
}

/* The program that a search runs. */
static int
name_by_command(struct pf_tune *t, struct pf_error *err)
{
	const char *word = t->search->command + strspn(t->search->command, " \t");
	char *name = NULL;
	int rc = pf_copy_string(&name, word, err);

	if (rc)
		return rc;
	name[strcspn(name, " \t")] = '\0';
	free(t->evidence.service);
	rc = pf_copy_string(&t->evidence.service, pf_base_name(name), err);
	free(name);
	return rc;
}

/* The main binary of the first profile that has one, the process's name, or the command's that was tried. */
static int
name_service(struct pf_tune *t, struct pf_error *err)
{
	struct pf_evidence *e = &t->evidence;
	const char *name = NULL;

	for (size_t i = 0; i < e->profile_count && !name; i++) {
		const struct pf_profile *p = e->profiles[i].p;
		if (p && !e->profiles[i].apart && !e->profiles[i].base && p->mapping_count &&
		    *pf_profile_string(p, p->mappings[0].filename))
			name = pf_base_name(pf_profile_string(p, p->mappings[0].filename));
	}
	for (size_t i = 0; i < e->stats_count && !name; i++) {
		if (e->stats[i].has_proc && *e->stats[i].proc.name)
			name = e->stats[i].proc.name;
	}
	if (!name && t->search)
		return name_by_command(t, err);
	if (!name)
		return 0;
	free(e->service);
	return pf_copy_string(&e->service, name, err);
}

static bool
has_counterpart(const struct pf_evidence *e, const struct pf_evidence_profile *base)
{
	for (size_t i = 0; i < e->profile_count; i++) {
		const struct pf_evidence_profile *ep = &e->profiles[i];

		if (!ep->base && ep->kind == base->kind && !pf_evidence_is_foreign(base, ep))
			return true;
	}
	return false;
}

/* A folder as the base may have kinds that the others lack; where nothing fits, nothing would be compared. */
static int
check_base(const struct pf_evidence *e, struct pf_error *err)
{
	const struct pf_evidence_profile *base = NULL, *foreign = NULL;

	for (size_t i = 0; i < e->stats_count; i++) {
		if (e->stats[i].base)
			return 0;
	}
	for (size_t i = 0; i < e->profile_count; i++) {
		if (e->profiles[i].base && has_counterpart(e, &e->profiles[i]))
			return 0;
		if (e->profiles[i].base)
			base = &e->profiles[i];
	}
	if (!base || !base->p)
		return 0;
	for (size_t i = 0; i < e->profile_count && !foreign; i++) {
		if (!e->profiles[i].base && e->profiles[i].kind == base->kind)
			foreign = &e->profiles[i];
	}
	if (foreign)
		return pf_error_set(err, PF_EINPUT,
		    "%s: can't be compared with %s: it is of another program (%s, not %s), and "
		    "they have hardly a function in common; give an earlier profile of the same "
		    "program as the base",
		    base->name, foreign->name, pf_evidence_program(base),
		    pf_evidence_program(foreign));
	return pf_error_set(err, PF_EINPUT,
	    "%s: can't be compared with anything here: no other profile is of its kind (%s); give "
	    "an earlier profile of the same kind as the base",
	    base->name,
	    base->p->type_count ? pf_profile_type_name(base->p, base->p->type_count - 1)
				: "no sample type");
}

/* Profiles without a single sample, and nothing beside them, are no all-clear: nothing was judged. */
static int
check_samples(const struct pf_tune *t, struct pf_error *err)
{
	const struct pf_evidence *e = &t->evidence;
	const char *empty = NULL;
	size_t others = 0;

	if (t->search || e->stats_count || e->has_trace || e->has_goroutines || e->has_cgroup)
		return 0;
	for (size_t i = 0; i < e->profile_count; i++) {
		const struct pf_evidence_profile *ep = &e->profiles[i];

		if (ep->base)
			continue;
		if (!ep->p || ep->p->sample_count)
			return 0;
		others += empty != NULL;
		if (!empty)
			empty = ep->name;
	}
	if (!empty)
		return 0;
	return pf_error_set(err, PF_EINPUT,
	    "%s%s no sample, so there is nothing to judge: take it under load, or see with profuse "
	    "collect why it stays empty (a sampling rate of 0, a profiler that was not on)",
	    empty, others ? " and the others have" : " has");
}

/* A binary that was given for its names, and is none of what was profiled. */
static void
note_unused_binaries(struct pf_tune *t)
{
	for (size_t i = 0; t->symbol_note && i < t->binaries.count; i++) {
		const char *path = t->binaries.items[i];
		char sentence[512], id[129];
		struct pf_elf file;
		struct pf_error why;

		if (pf_elf_open(&file, path, PF_ELF_LINKED, &why))
			continue; /* no program: a map of names */
		pf_elf_build_id(&file, id, sizeof id);
		pf_elf_release(&file);
		if (pf_evidence_has_binary(&t->evidence, path, id))
			continue;
		snprintf(sentence, sizeof sentence,
		    "--binary %s gives no names: no profile here has a binary of %s%s", path,
		    *id ? "its build id, " : "its name", id);
		t->symbol_note(NULL, sentence);
	}
}

int
pf_tune_run(struct pf_tune *t, struct pf_error *err)
{
	int rc = 0;

	if (t->ran)
		return pf_error_set(err, PF_EUSAGE, "a run is made once");
	if (t->inputs.count < 2 && !t->search)
		return pf_error_set(
		    err, PF_EINPUT, "nothing to judge: no profile and no statistics were given");
	rc = check_base(&t->evidence, err);
	if (!rc)
		rc = check_samples(t, err);
	if (rc)
		return rc;
	t->ran = true;
	note_unused_binaries(t);
	pf_evidence_settle(&t->evidence);
	if (!t->named)
		rc = name_service(t, err);
	for (const struct pf_detector *d = pf_detectors; !rc && d->kind; d++)
		rc = d->detect(&t->evidence, &t->findings, err);
	if (!rc && t->search)
		pf_search_finding(t->search, &t->findings);
	pf_findings_sort(&t->findings);
	pf_findings_contrast(&t->findings);
	if (!rc)
		rc = pf_tune_find_unjudged(t, err);
	return rc ? rc : pf_findings_check(&t->findings, err);
}

size_t
pf_tune_finding_count(const struct pf_tune *t)
{
	return t->findings.finding_count;
}

const char *
pf_tune_finding_kind(const struct pf_tune *t, size_t i)
{
	return i < t->findings.finding_count ? t->findings.findings[i].kind : NULL;
}

const char *
pf_tune_finding_title(const struct pf_tune *t, size_t i)
{
	return i < t->findings.finding_count ? pf_said(&t->findings, t->findings.findings[i].title)
					     : NULL;
}

int
pf_tune_write(
    const struct pf_tune *t, enum pf_tune_format format, const char *path, struct pf_error *err)
{
	static int (*const writers[])(const struct pf_tune *, struct pf_buffer *,
	    struct pf_error *) = {pf_tune_text, pf_tune_markdown, pf_tune_json, pf_tune_html};
	struct pf_buffer out;
	int rc;

	pf_buffer_init(&out, PF_BUFFER_NO_MAXIMUM);
	rc = writers[format](t, &out, err);
	if (!rc)
		rc = pf_buffer_check(&out, err);
	if (!rc)
		rc = pf_file_write(path, out.bytes, out.size, err);
	pf_buffer_release(&out);
	return rc;
}
