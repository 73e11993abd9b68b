/*
 * stored.c: of all that a store's selection holds, what a report is made from.
 *
 * A report is of one service and one build. CPU profiles are summed: that is what
 * the service does over the time and the instances that were selected. Whether
 * something grows only the snapshots of one process can tell, so heaps, goroutines
 * and threads make a series for each instance. Other profiles count since their
 * process began, and the youngest says it all.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <profuse/merge.h>
#include <profuse/store.h>

#include "core/error.h"
#include "core/index.h"
#include "core/memory.h"
#include "store/traces.h"
#include "tuner/tune.h"

/* More processes say nothing new about a service, more snapshots nothing about its growth. */
enum { MOST_PROCESSES = 32, MOST_SNAPSHOTS = 1000 };

/* Snapshots of one process closer than this are the same for a trend. */
#define PF_STORED_APART 1000000 /* nanoseconds */

enum role { SUMMED, SERIES, YOUNGEST };

struct candidate {
	size_t row; /* of the selection */
	enum role role;
	uint32_t type, process, instance, build, trigger, reason; /* strings of the stored's */
	int64_t start;
	bool chosen;
};

/* Candidates in a row that are one process's, of one type. */
struct run {
	size_t first, count;
};

struct plan {
	struct pf_tune *t;
	struct pf_stored *stored;
	struct pf_selection *selection;
	struct pf_tune_selection_options o;
	struct candidate *items; /* owned */
	size_t count, chosen, read;
	struct run *runs; /* owned */
	size_t run_count, run_capacity;
	struct pf_merge *sum; /* owned */
	size_t summed;
	char *service; /* owned */
	struct pf_index firing_index;
	struct pf_error *err;
};

void
pf_stored_release(struct pf_stored *s)
{
	pf_strings_release(&s->strings);
	free(s->firings);
	*s = (struct pf_stored){0};
}

static int
intern(struct plan *p, const char *text, uint32_t *id)
{
	return pf_strings_add(&p->stored->strings, text, strlen(text), id, p->err);
}

static const char *
text(const struct plan *p, uint32_t id)
{
	return pf_strings_get(&p->stored->strings, id);
}

static enum role
role_of(const char *type)
{
	static const char *const series[] = {"heap", "goroutine", "threads"};

	for (size_t i = 0; i < sizeof series / sizeof *series; i++) {
		if (strcmp(type, series[i]) == 0)
			return SERIES;
	}
	return strcmp(type, "cpu") == 0 ? SUMMED : YOUNGEST;
}

/* A report is of one service; the first names it. */
static int
check_service(struct plan *p, const struct pf_store_entry *entry)
{
	const char *service = pf_store_service(entry);

	if (!p->service)
		return pf_copy_string(&p->service, service, p->err);
	if (strcmp(p->service, service) == 0)
		return 0;
	return pf_error_set(p->err, PF_EUSAGE,
	    "profiles of several services are selected (%s, %s): a report is of one, so choose "
	    "with --service NAME",
	    p->service, service);
}

/* Where there is no build id, a version tells builds apart as well. */
static int
name_process(struct plan *p, const struct pf_store_entry *entry, uint32_t *process)
{
	char name[1024];

	snprintf(name, sizeof name, "%s\n%s\n%s", pf_store_label(entry, "instance"),
	    entry->build_id, pf_store_label(entry, "version"));
	return intern(p, name, process);
}

static int
add_candidate(struct plan *p, size_t row)
{
	struct candidate *c = &p->items[p->count];
	struct pf_store_entry entry;
	int rc = pf_selection_entry(p->selection, row, &entry, p->err);

	if (rc)
		return rc;
	*c =
	    (struct candidate){.row = row, .role = role_of(entry.type), .start = entry.start_nanos};
	rc = check_service(p, &entry);
	rc = rc ? rc : name_process(p, &entry, &c->process);
	rc = rc ? rc : intern(p, entry.type, &c->type);
	rc = rc ? rc : intern(p, pf_store_label(&entry, "instance"), &c->instance);
	rc = rc ? rc : intern(p, entry.build_id, &c->build);
	rc = rc ? rc : intern(p, entry.trigger, &c->trigger);
	rc = rc ? rc : intern(p, entry.reason, &c->reason);
	p->count += rc == 0;
	return rc;
}

/* What is of the youngest build, or of one that is not known. */
static void
leave_other_builds(struct plan *p)
{
	uint32_t build = 0;
	size_t kept = 0;

	for (size_t i = p->count; i-- > 0 && !build;) /* a selection is in the order of time */
		build = p->items[i].build;
	for (size_t i = 0; i < p->count; i++) {
		if (!p->items[i].build || p->items[i].build == build)
			p->items[kept++] = p->items[i];
	}
	p->stored->build_id = build;
	p->stored->of_other_builds = p->count - kept;
	p->count = kept;
}

/* Series stand together, everything else in the order of time. */
static int
by_role(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->role != y->role)
		return x->role < y->role ? -1 : 1;
	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	if (x->role == SERIES && x->process != y->process)
		return x->process < y->process ? -1 : 1;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

/* Longest first; of equals the one that begins last in the list. */
static int
longest_first(const void *a, const void *b)
{
	const struct run *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return (x->first < y->first) - (x->first > y->first);
}

/* So many of a run, evenly, its first and last among them. */
static void
choose_of_run(struct plan *p, const struct run *run, size_t most)
{
	struct candidate *c = p->items + run->first;
	size_t n = run->count < most ? run->count : most;

	for (size_t i = 0; i < n; i++)
		c[n > 1 ? i * (run->count - 1) / (n - 1) : run->count - 1].chosen = true;
}

/* The series of one type, which lie in [from, to). */
static int
choose_series(struct plan *p, size_t from, size_t to)
{
	size_t youngest = from, most;

	p->run_count = 0;
	for (size_t i = from; i < to; i++) {
		struct candidate *c = &p->items[i];
		int rc;

		if (c->start > p->items[youngest].start)
			youngest = i;
		if (i > from && c->process == c[-1].process) {
			p->runs[p->run_count - 1].count++;
			continue;
		}
		rc = PF_GROW(p->runs, p->run_capacity, p->run_count + 1, p->err);
		if (rc)
			return rc;
		p->runs[p->run_count++] = (struct run){i, 1};
	}
	qsort(p->runs, p->run_count, sizeof *p->runs, longest_first);
	if (p->run_count > MOST_PROCESSES)
		p->run_count = MOST_PROCESSES;
	most = MOST_SNAPSHOTS / p->run_count;
	for (size_t i = 0; i < p->run_count; i++)
		choose_of_run(p, &p->runs[i], most);
	p->items[youngest].chosen = true;
	return 0;
}

static int
choose_all(struct plan *p)
{
	int rc = 0;

	qsort(p->items, p->count, sizeof *p->items, by_role);
	for (size_t from = 0, to; !rc && from < p->count; from = to) {
		const struct candidate *c = &p->items[from];

		for (to = from + 1;
		    to < p->count && p->items[to].role == c->role && p->items[to].type == c->type;
		    to++)
			continue;
		if (c->role == SERIES)
			rc = choose_series(p, from, to);
		else if (c->role == YOUNGEST)
			p->items[to - 1].chosen = true;
		for (size_t i = from; c->role == SUMMED && i < to; i++)
			p->items[i].chosen = true;
	}
	for (size_t i = 0; i < p->count; i++)
		p->chosen += p->items[i].chosen;
	return rc;
}

static int
make_plan(struct plan *p)
{
	size_t rows = pf_selection_count(p->selection);
	int rc = PF_CALLOC(p->items, rows + 1, p->err);

	if (!rc && !rows)
		return pf_error_set(p->err, PF_EINPUT, "no profile was selected");
	if (!rc)
		rc = pf_strings_init(&p->stored->strings, p->err);
	for (size_t i = 0; !rc && i < rows; i++)
		rc = add_candidate(p, i);
	if (rc)
		return rc;
	leave_other_builds(p);
	return choose_all(p);
}

/* Which bit stands for this type; 0 where there are too many. */
static uint32_t
type_bit(struct pf_stored *s, uint32_t type)
{
	size_t i = 0;

	while (i < s->type_count && s->types[i] != type)
		i++;
	if (i == PF_STORED_TYPES)
		return 0;
	if (i == s->type_count)
		s->types[s->type_count++] = type;
	return (uint32_t)1 << i;
}

/* The profiles of one firing have its reason in common, which names the value that was too high. */
static int
note_firing(struct plan *p, const struct candidate *c)
{
	struct pf_stored *s = p->stored;
	uint32_t hash =
	    pf_hash_u64(((uint64_t)c->reason << 32) ^ ((uint64_t)c->instance << 16) ^ c->trigger);
	uint32_t bit = type_bit(s, c->type), i;
	size_t at;
	int rc;

	for (i = pf_index_first(&p->firing_index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&p->firing_index, hash, &at)) {
		struct pf_firing *f = &s->firings[i];
		if (f->reason != c->reason || f->instance != c->instance ||
		    f->trigger != c->trigger)
			continue;
		f->types |= bit;
		f->start_nanos = c->start < f->start_nanos ? c->start : f->start_nanos;
		return 0;
	}
	rc = PF_GROW(s->firings, s->firing_capacity, s->firing_count + 1, p->err);
	if (!rc)
		rc = pf_index_add(&p->firing_index, hash, (uint32_t)s->firing_count, p->err);
	if (!rc)
		s->firings[s->firing_count++] =
		    (struct pf_firing){c->trigger, c->reason, c->instance, bit, c->start};
	return rc;
}

static int
latest_first(const void *a, const void *b)
{
	const struct pf_firing *x = a, *y = b;

	if (x->start_nanos != y->start_nanos)
		return x->start_nanos < y->start_nanos ? 1 : -1;
	return (x->trigger > y->trigger) - (x->trigger < y->trigger);
}

const char *
pf_tune_time_text(char *out, int64_t nanos)
{
	time_t seconds = (time_t)(nanos / 1000000000);
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) ||
	    !strftime(out, PF_TUNE_TIME_ROOM, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(out, PF_TUNE_TIME_ROOM, "%" PRId64, nanos);
	return out;
}

static void
name_profile(const struct plan *p, const struct candidate *c, char *name, size_t size)
{
	char time[PF_TUNE_TIME_ROOM];

	snprintf(name, size, "%s of %s at %s", text(p, c->type), text(p, c->instance),
	    pf_tune_time_text(time, c->start));
}

static int
read_profile(
    struct plan *p, const struct candidate *c, const char *name, struct pf_profile **profile)
{
	const void *bytes;
	size_t size;
	int rc;

	if (p->o.read)
		return p->o.read(p->o.context, c->row, profile, p->err);
	rc = pf_selection_bytes(p->selection, c->row, &bytes, &size, p->err);
	return rc ? rc : pf_profile_parse(profile, name, bytes, size, NULL, p->err);
}

/* One CPU profile more in the sum. */
static int
add_to_sum(struct plan *p, const struct pf_profile *profile, const char *name)
{
	struct pf_merge_options o = PF_MERGE_OPTIONS_INIT;
	int rc = 0;

	if (!p->sum) {
		o.merge_by_filename = true; /* it is one build as far as anybody knows */
		o.drop_labels = pf_trace_keys;
		while (pf_trace_keys[o.drop_label_count])
			o.drop_label_count++;
		rc = pf_merge_new(&p->sum, &o, p->err);
	}
	p->summed++;
	return rc ? rc : pf_merge_add(p->sum, profile, name, p->err);
}

/* What was summed, if anything was, becomes one profile. */
static int
finish_sum(struct plan *p)
{
	struct pf_evidence_source source = {.process = "", .instance = ""};
	struct pf_profile *sum;
	char name[96];
	int rc;

	if (!p->sum)
		return 0;
	rc = pf_merge_finish(p->sum, &sum, p->err);
	pf_merge_free(p->sum);
	p->sum = NULL;
	snprintf(
	    name, sizeof name, "cpu, %zu profile%s together", p->summed, p->summed == 1 ? "" : "s");
	return rc ? rc : pf_evidence_add_stored(&p->t->evidence, sum, name, &source, p->err);
}

static int
add_chosen(struct plan *p, const struct candidate *c, bool alone)
{
	struct pf_evidence_source source = {.process = text(p, c->process),
	    .instance = text(p, c->instance),
	    .start_nanos = c->start};
	struct pf_profile *profile;
	char name[512];
	int rc;

	name_profile(p, c, name, sizeof name);
	rc = read_profile(p, c, name, &profile);
	if (rc)
		return rc;
	rc = pf_tune_symbolize(p->t, profile, p->err);
	if (!rc && (c->role != SUMMED || alone)) {
		rc = pf_evidence_add_stored(&p->t->evidence, profile, name, &source, p->err);
	} else {
		if (!rc)
			rc = add_to_sum(p, profile, name);
		pf_profile_free(profile);
	}
	rc = rc ? rc : pf_tune_note(p->t, name, p->err);
	return rc || !c->trigger ? rc : note_firing(p, c);
}

static void
note_time(struct pf_stored *s, int64_t start)
{
	s->from_nanos = s->read == 0 || start < s->from_nanos ? start : s->from_nanos;
	s->to_nanos = s->read == 0 || start > s->to_nanos ? start : s->to_nanos;
	s->read++;
}

static int
read_chosen(struct plan *p)
{
	bool alone = p->count < 2 || p->items[1].role != SUMMED;
	const struct candidate *last = NULL;
	int rc = 0;

	for (size_t i = 0; !rc && i < p->count; i++) {
		const struct candidate *c = &p->items[i];

		if (!c->chosen ||
		    (c->role == SERIES && last && last->type == c->type &&
			last->process == c->process && c->start - last->start < PF_STORED_APART))
			continue;
		if (c->role != SUMMED)
			rc = finish_sum(p);
		if (!rc)
			rc = add_chosen(p, c, alone);
		note_time(p->stored, c->start);
		last = c;
		if (p->o.progress)
			p->o.progress(p->o.context, p->stored->read, p->chosen);
	}
	return rc ? rc : finish_sum(p);
}

static int
count_instances(struct plan *p)
{
	uint8_t *seen;
	int rc = PF_CALLOC(seen, p->stored->strings.count, p->err);

	for (size_t i = 0; !rc && i < p->count; i++) {
		p->stored->instances += !seen[p->items[i].instance];
		seen[p->items[i].instance] = 1;
	}
	free(seen);
	return rc;
}

/* What a report calls the service, unless the user has said it. */
static int
take_name(struct plan *p)
{
	struct pf_tune *t = p->t;

	if (t->named || !*p->service)
		return 0;
	free(t->evidence.service);
	t->evidence.service = p->service;
	p->service = NULL;
	t->named = true;
	return 0;
}

static void
say_left_out(const struct plan *p)
{
	const struct pf_stored *s = p->stored;
	char sentence[256];

	if (!p->o.note || !s->of_other_builds)
		return;
	snprintf(sentence, sizeof sentence,
	    "%zu profile%s left out, of other builds: the report is of %.12s, the youngest "
	    "(--build-id chooses another)",
	    s->of_other_builds, s->of_other_builds == 1 ? " is" : "s are",
	    pf_strings_get(&s->strings, s->build_id));
	p->o.note(p->o.context, sentence);
}

int
pf_tune_add_selection(struct pf_tune *t, struct pf_selection *selection,
    const struct pf_tune_selection_options *options, struct pf_error *err)
{
	struct pf_error local;
	struct plan p = {.t = t,
	    .stored = &t->stored,
	    .selection = selection,
	    .o = PF_TUNE_SELECTION_OPTIONS_INIT,
	    .err = err ? err : &local};
	int rc;

	if (t->ran || t->stored.selected)
		return pf_error_set(
		    p.err, PF_EUSAGE, "a selection is added once, and before the run");
	if (options)
		memcpy(&p.o, options,
		    options->struct_size < sizeof p.o ? options->struct_size : sizeof p.o);
	t->stored.selected = pf_selection_count(selection);
	rc = make_plan(&p);
	if (!rc)
		say_left_out(&p);
	rc = rc ? rc : count_instances(&p);
	rc = rc ? rc : take_name(&p);
	rc = rc ? rc : read_chosen(&p);
	if (t->stored.firing_count)
		qsort(t->stored.firings, t->stored.firing_count, sizeof *t->stored.firings,
		    latest_first);
	pf_merge_free(p.sum);
	pf_index_release(&p.firing_index);
	free(p.items);
	free(p.runs);
	free(p.service);
	return rc;
}
