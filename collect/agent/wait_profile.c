/* wait_profile.c: see wait_profile.h. Types are Go's; what was waited for is the label `object`. */
#include "collect/agent/wait_profile.h"

#include <errno.h>
#include <inttypes.h>

#include "collect/agent/document.h"
#include "collect/agent/hooks.h"
#include "collect/agent/host.h"
#include "collect/agent/notes.h"
#include "collect/agent/waits.h"
#include "core/index.h"

struct source {
	const struct pf_wait_sum *now, *base;
	size_t base_count;
	uint32_t note;
};

const char *
pf_waits_why_not(void)
{
	const char *why_not;

	if (!pf_hooks_threads_why_not)
		return "the archive doesn't watch threads: preload or link libprofuse-agent.so";
	why_not = pf_hooks_threads_why_not();
	return why_not || pf_waits_running() ? why_not : "PROFUSE_WAITS=off";
}

int
pf_waits_moment_take(struct pf_moment *moment)
{
	pf_notes_drain(pf_host_now());
	moment->time = pf_host_wall();
	moment->sums = pf_waits_copy(&moment->count);
	return moment->sums ? 0 : -ENOMEM;
}

/* What has come since the base. */
static struct pf_wait_sum
since_base(const struct source *s, size_t i)
{
	struct pf_wait_sum sum = s->now[i];

	if (i < s->base_count) {
		sum.count -= s->base[i].count;
		sum.delay -= s->base[i].delay;
		sum.count_variance -= s->base[i].count_variance;
		sum.delay_variance -= s->base[i].delay_variance;
	}
	return sum;
}

static bool
sample(const void *source, size_t i, struct pf_sample *sample)
{
	const struct source *s = source;
	struct pf_wait_sum sum = since_base(s, i);

	if (sum.note != s->note || sum.exact)
		return false;
	sample->stack = sum.stack;
	sample->values[0] = (int64_t)(sum.count + 0.5);
	sample->values[1] = (int64_t)(sum.delay + 0.5);
	if (s->note == PF_NOTE_HOLD && sum.stack != PF_NONE)
		sample->labels[sample->label_count++] = (struct pf_sample_label){.key = "caller",
		    .text = pf_notes_stacks()->items[sum.stack].unsure ? "unknown" : "known"};
	if (s->note != PF_NOTE_CREATE)
		sample->labels[sample->label_count++] =
		    (struct pf_sample_label){.key = "object", .text = pf_wait_word(sum.kind)};
	return sample->values[0] || sample->values[1];
}

static void
describe(struct pf_document *d, enum pf_note note)
{
	if (note == PF_NOTE_CREATE) {
		d->kinds[0] = (struct pf_value_kind){"threadcreate", "count"};
		d->kind_count = 1;
		d->period = 1;
	} else {
		d->kinds[0] = (struct pf_value_kind){"contentions", "count"};
		d->kinds[1] = (struct pf_value_kind){"delay", "nanoseconds"};
		d->kind_count = 2;
		d->period = PF_WAIT_PERIOD;
		pf_document_say(d,
		    "waits: one sample in %d ns of waiting on average, fewer where there would "
		    "have been over %d a second",
		    PF_WAIT_PERIOD, PF_WAIT_SAMPLES);
	}
	d->chosen = d->kinds[d->kind_count - 1].type;
	d->period_kind = d->kinds[d->kind_count - 1];
}

/* How many there were, sampled or not. */
static void
describe_all(struct pf_document *d, const struct source *s, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct pf_wait_sum sum = since_base(s, i);

		if (sum.exact && sum.note == s->note && sum.count > 0)
			pf_document_say(d, "all of %s: contentions %.0f, delay %.0f ns",
			    pf_wait_word(sum.kind), sum.count, sum.delay);
	}
}

/*
 * How far sampling may have put the sums off, as variances, which add up where profiles do. By what was waited for:
 * who reads of locks leaves the many waits at conditions out.
 */
static void
describe_variances(struct pf_document *d, const struct source *s, size_t count)
{
	double counts[PF_WAIT_KINDS] = {0}, delays[PF_WAIT_KINDS] = {0};
	bool any[PF_WAIT_KINDS] = {false};

	for (size_t i = 0; i < count; i++) {
		struct pf_wait_sum sum = since_base(s, i);

		if (sum.note != s->note || sum.kind >= PF_WAIT_KINDS || sum.exact)
			continue;
		any[sum.kind] |= sum.count > 0;
		counts[sum.kind] += sum.count_variance;
		delays[sum.kind] += sum.delay_variance;
	}
	for (uint32_t kind = 0; kind < PF_WAIT_KINDS; kind++) {
		if (any[kind]) /* 0: each was met */
			pf_document_say(d, "variance of %s: contentions %.0f, delay %.0f ns2",
			    pf_wait_word(kind), counts[kind], delays[kind]);
	}
}

static int
write_kind(enum pf_note note, const struct pf_moment *base, struct pf_buffer *out)
{
	struct pf_moment now;
	struct source s;
	struct pf_document d;
	int rc = pf_waits_moment_take(&now);

	if (rc)
		return rc;
	s = (struct source){now.sums, base ? base->sums : NULL, base ? base->count : 0, note};
	pf_document_init(&d, pf_notes_stacks());
	describe(&d, note);
	if (note != PF_NOTE_CREATE) {
		describe_all(&d, &s, now.count);
		describe_variances(&d, &s, now.count);
	}
	d.time = now.time;
	d.duration = now.time - (base ? base->time : pf_waits_began());
	d.source = &s;
	d.samples = now.count;
	d.sample = sample;
	rc = pf_document_write(&d, out);
	pf_document_release(&d);
	pf_moment_release(&now);
	return rc;
}

int
pf_mutex_write(const struct pf_moment *base, struct pf_buffer *out)
{
	return write_kind(PF_NOTE_HOLD, base, out);
}

int
pf_block_write(const struct pf_moment *base, struct pf_buffer *out)
{
	return write_kind(PF_NOTE_WAIT, base, out);
}

int
pf_threadcreate_write(const struct pf_moment *base, struct pf_buffer *out)
{
	return write_kind(PF_NOTE_CREATE, base, out);
}
