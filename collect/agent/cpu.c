/*
 * cpu.c: see cpu.h.
 *
 * Besides the counts the profile tells in comments how it came about: the
 * event, what was lost, what was cut short, how much CPU time the process used
 * and how much of it the samples stand for.
 */
#include "collect/agent/cpu.h"

#include <signal.h>
#include <string.h>

#include "collect/agent/document.h"

struct source {
	const struct pf_tally *tally;
	int64_t period;
};

static bool
sample(const void *source, size_t i, struct pf_sample *sample)
{
	const struct source *s = source;

	sample->stack = (uint32_t)i;
	sample->values[0] = (int64_t)s->tally->counts[i].periods;
	sample->values[1] = sample->values[0] * s->period;
	sample->values[2] = (int64_t)s->tally->counts[i].steps;
	return sample->values[0] != 0 || sample->values[2] != 0;
}

static void
say(struct pf_document *d, const struct pf_tally *t, const struct pf_event *event,
    const struct pf_stepping *stepping)
{
	pf_document_say(d, "event: %s", event->word);
	pf_document_say(
	    d, "signal: %d (%s)", t->signal, t->signal ? strsignal(t->signal) : "none free");
	pf_document_say(d, "lost: %llu of %llu periods, for want of a free slot or of memory",
	    (unsigned long long)t->lost, (unsigned long long)t->lost + t->taken);
	pf_document_say(d,
	    "stacks: %llu taken, %llu cut short, %llu over %d frames, %llu partly by frame pointer",
	    (unsigned long long)t->samples, (unsigned long long)t->cut, (unsigned long long)t->deep,
	    PF_MOST_FRAMES, (unsigned long long)t->by_frame_pointer);
	pf_document_say(d, "overruns: %llu of the periods came late and count at the next sample",
	    (unsigned long long)t->overrun);
	if (!strcmp(event->type, "cpu"))
		pf_document_say(d, "cpu time: %.3f s used by the process, %.3f s sampled",
		    (double)t->cpu / 1e9, (double)(t->taken * (uint64_t)event->period) / 1e9);
	if (event->steps)
		pf_document_say(d, "steps: %s", stepping->word);
	if (t->bursts)
		pf_document_say(d, "stepped: %llu times, %llu instructions",
		    (unsigned long long)t->bursts, (unsigned long long)t->steps);
	if (t->unsampled)
		pf_document_say(d, "threads: %llu not sampled: they block the signal%s%s",
		    (unsigned long long)t->unsampled, t->arm_error ? ", or: " : "",
		    t->arm_error ? strerror(t->arm_error) : "");
	if (t->moved)
		pf_document_say(d,
		    "moved: the host took the signal over %llu times, the agent moved to another",
		    (unsigned long long)t->moved);
	if (d->stacks->modules->ambiguous)
		pf_document_say(d, "ambiguous: %llu addresses whose code changed under the sample",
		    (unsigned long long)d->stacks->modules->ambiguous);
}

int
pf_cpu_write(struct pf_buffer *out, const struct pf_tally *tally, const struct pf_stacks *stacks,
    const struct pf_event *event, const struct pf_stepping *stepping)
{
	struct source source = {tally, event->period};
	struct pf_document d;
	int rc;

	pf_document_init(&d, stacks);
	d.kinds[0] = (struct pf_value_kind){"samples", "count"};
	d.kinds[1] = (struct pf_value_kind){event->type, event->unit};
	d.kinds[2] = (struct pf_value_kind){"steps", "count"};
	d.kind_count = event->steps ? 3 : 2;
	d.chosen = event->type;
	d.period_kind = d.kinds[1];
	d.period = event->period;
	d.time = tally->began_wall;
	d.duration = tally->ended - tally->began;
	d.source = &source;
	d.samples = tally->known;
	d.sample = sample;
	say(&d, tally, event, stepping);
	rc = pf_document_write(&d, out);
	pf_document_release(&d);
	return rc;
}
