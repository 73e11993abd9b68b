/*
 * heap_profile.c: see heap_profile.h.
 *
 * Figures are those of all allocations, as in Go's profiles: each sampled one
 * counts for as many as it stands for. Types and labels are Go's, too.
 */
#include "collect/agent/heap_profile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "collect/agent/document.h"
#include "collect/agent/heap.h"
#include "collect/agent/hooks.h"
#include "collect/agent/host.h"
#include "collect/agent/notes.h"
#include "collect/agent/text.h"

enum view { IN_USE, ALLOCS, FREES };

enum { CELLS = PF_LIFETIMES * 2 };

struct source {
	const struct pf_sum *now, *base; /* base NULL: the beginning */
	size_t base_count;
};

static const char *const lifetimes[PF_LIFETIMES] = {
    "1ms", "10ms", "100ms", "1s", "10s", "100s", "1000s", "longer"};

const char *
pf_heap_why_not(void)
{
	const char *why_not;

	if (!pf_hooks_why_not)
		return "the archive doesn't watch allocations: preload or link "
		       "libprofuse-agent.so";
	why_not = pf_hooks_why_not();
	return why_not || pf_heap_running() ? why_not : "PROFUSE_HEAP=off";
}

int
pf_heap_moment_take(struct pf_moment *moment)
{
	pf_notes_drain(pf_host_now());
	moment->time = pf_host_wall();
	moment->sums = pf_heap_copy(&moment->count);
	return moment->sums ? 0 : -ENOMEM;
}

/* The nearest whole number; without libm. */
static int64_t
whole(double x)
{
	return (int64_t)(x < 0 ? x - 0.5 : x + 0.5);
}

/* A sum less what it was at the base. */
static struct pf_sum
difference(const struct source *s, size_t i)
{
	struct pf_sum sum = s->now[i];
	const struct pf_sum *before;

	if (i >= s->base_count)
		return sum;
	before = &s->base[i];
	sum.samples -= before->samples;
	sum.objects -= before->objects;
	sum.bytes -= before->bytes;
	sum.variance -= before->variance;
	sum.freed_variance -= before->freed_variance;
	for (size_t j = 0; j < CELLS; j++) {
		sum.freed[j / 2][j % 2].objects -= before->freed[j / 2][j % 2].objects;
		sum.freed[j / 2][j % 2].bytes -= before->freed[j / 2][j % 2].bytes;
	}
	return sum;
}

static struct pf_freed
all_freed(const struct pf_sum *sum)
{
	struct pf_freed all = {0};

	for (size_t j = 0; j < CELLS; j++) {
		all.objects += sum->freed[j / 2][j % 2].objects;
		all.bytes += sum->freed[j / 2][j % 2].bytes;
	}
	return all;
}

/* alloc_objects, alloc_space, inuse_objects, inuse_space; false if all are 0. */
static bool
four_values(const struct source *s, size_t i, int64_t *values)
{
	struct pf_sum sum = difference(s, i);
	struct pf_freed freed = all_freed(&sum);

	values[0] = whole(sum.objects);
	values[1] = whole(sum.bytes);
	values[2] = whole(sum.objects - freed.objects);
	values[3] = whole(sum.bytes - freed.bytes);
	return values[0] || values[1] || values[2] || values[3];
}

/* The mean size of a sum's allocations since the beginning, so that it is the same in every profile. */
static struct pf_sample_label
size_label(const struct pf_sum *sum)
{
	return (struct pf_sample_label){.key = "bytes",
	    .number = sum->objects > 0 ? whole(sum->bytes / sum->objects) : 0,
	    .unit = "bytes"};
}

static bool
heap_sample(const void *source, size_t i, struct pf_sample *sample)
{
	const struct source *s = source;

	sample->stack = s->now[i].stack;
	sample->labels[sample->label_count++] = size_label(&s->now[i]);
	return four_values(s, i, sample->values);
}

static bool
frees_sample(const void *source, size_t i, struct pf_sample *sample)
{
	const struct source *s = source;
	struct pf_sum sum = difference(s, i / CELLS);
	size_t cell = i % CELLS;
	const struct pf_freed *freed = &sum.freed[cell / 2][cell % 2];

	sample->stack = sum.stack;
	sample->values[0] = whole(freed->objects);
	sample->values[1] = whole(freed->bytes);
	sample->labels[0] = size_label(&s->now[i / CELLS]);
	sample->labels[1] =
	    (struct pf_sample_label){.key = "lifetime", .text = lifetimes[cell / 2]};
	sample->labels[2] =
	    (struct pf_sample_label){.key = "thread", .text = cell % 2 ? "other" : "same"};
	sample->label_count = 3;
	return sample->values[0] || sample->values[1];
}

static void
say(struct pf_document *d, const struct pf_heap_facts *f)
{
	pf_document_say(d, "heap: one sample in %" PRIu64 " bytes on average", f->period);
	if (f->highest_period != f->period)
		pf_document_say(d,
		    "heap: where there would have been over %d samples a second, fewer: down to "
		    "one in %" PRIu64 " bytes",
		    PF_HEAP_SAMPLES, f->highest_period);
	pf_document_say(d,
	    "heap: %" PRIu64 " sampled allocations are in use; stacks of %" PRIu64
	    " could not be taken; %" PRIu64 " more than fit could not be followed",
	    f->live, f->stackless, f->untracked);
	if (d->stacks->modules->ambiguous)
		pf_document_say(d, "ambiguous: %" PRIu64 " addresses whose code changed meanwhile",
		    d->stacks->modules->ambiguous);
}

/*
 * How far sampling may have put the sums off, where that doesn't follow from the period: it was longer at times. What is in
 * use at the end of a window is what was in use before, and not in this profile.
 */
static void
say_variances(struct pf_document *d, const struct source *s, size_t count, enum view view)
{
	double allocated = 0, freed = 0;

	for (size_t i = 0; i < count; i++) {
		struct pf_sum sum = difference(s, i);

		allocated += sum.variance;
		freed += sum.freed_variance;
	}
	if (view == FREES)
		pf_document_say(d, "variance of freed_space: %.0f bytes2", freed);
	else
		pf_document_say(d, "variance of alloc_space: %.0f bytes2", allocated);
	if (view != FREES && !s->base)
		pf_document_say(d, "variance of inuse_space: %.0f bytes2", allocated - freed);
}

static void
describe(struct pf_document *d, enum view view)
{
	static const struct pf_value_kind in_use[] = {{"alloc_objects", "count"},
	    {"alloc_space", "bytes"}, {"inuse_objects", "count"}, {"inuse_space", "bytes"}};
	static const struct pf_value_kind frees[] = {
	    {"freed_objects", "count"}, {"freed_space", "bytes"}};

	d->kind_count = view == FREES ? 2 : 4;
	memcpy(d->kinds, view == FREES ? frees : in_use, d->kind_count * sizeof *d->kinds);
	d->chosen = d->kinds[view == IN_USE ? 3 : 1].type;
	d->period_kind = (struct pf_value_kind){"space", "bytes"};
	d->drop_frames = "operator new.*|_Zn[wa].*|(re|c|m)?alloc|reallocarray|(posix_|p|)memalign|"
			 "aligned_alloc|p?valloc";
	d->sample = view == FREES ? frees_sample : heap_sample;
}

static int
write_view(enum view view, const struct pf_moment *base, struct pf_buffer *out)
{
	struct pf_heap_facts facts;
	struct pf_moment now;
	struct source s;
	struct pf_document d;
	int rc = pf_heap_moment_take(&now);

	if (rc)
		return rc;
	pf_heap_facts(&facts);
	s = (struct source){now.sums, base ? base->sums : NULL, base ? base->count : 0};
	pf_document_init(&d, pf_notes_stacks());
	describe(&d, view);
	d.period = (int64_t)facts.period;
	d.time = now.time;
	d.duration = now.time - (base ? base->time : facts.began);
	d.source = &s;
	d.samples = now.count * (view == FREES ? CELLS : 1);
	say(&d, &facts);
	if (facts.highest_period != facts.period)
		say_variances(&d, &s, now.count, view);
	rc = pf_document_write(&d, out);
	pf_document_release(&d);
	pf_moment_release(&now);
	return rc;
}

int
pf_heap_write(const struct pf_moment *base, struct pf_buffer *out)
{
	return write_view(IN_USE, base, out);
}

int
pf_heap_write_allocs(const struct pf_moment *base, struct pf_buffer *out)
{
	return write_view(ALLOCS, base, out);
}

int
pf_heap_write_frees(const struct pf_moment *base, struct pf_buffer *out)
{
	return write_view(FREES, base, out);
}

/* "in use: bytes [allocated: bytes] @ stack", without its end. */
static void
write_values(struct pf_buffer *out, const int64_t *v)
{
	pf_buffer_printf(
	    out, "%" PRId64 ": %" PRId64 " [%" PRId64 ": %" PRId64 "] @", v[2], v[3], v[0], v[1]);
}

int
pf_heap_write_text(int level, struct pf_buffer *out)
{
	int64_t total[4] = {0}, values[4];
	struct pf_moment now;
	struct source s;
	int rc = pf_heap_moment_take(&now);

	(void)level;
	if (rc)
		return rc;
	s = (struct source){.now = now.sums};
	for (size_t i = 0; i < now.count; i++)
		if (four_values(&s, i, values))
			for (int j = 0; j < 4; j++)
				total[j] += values[j];
	pf_buffer_string(out, "heap profile: ");
	write_values(out, total);
	pf_buffer_string(out, " heapprofile\n");
	for (size_t i = 0; i < now.count; i++) {
		if (!four_values(&s, i, values))
			continue;
		write_values(out, values);
		pf_text_stack(out, pf_notes_stacks(), s.now[i].stack);
		pf_buffer_byte(out, '\n');
	}
	pf_text_mappings(out, pf_notes_stacks()->modules);
	pf_moment_release(&now);
	return out->failed ? -ENOMEM : 0;
}
