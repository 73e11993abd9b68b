/* thread_profile.c: see thread_profile.h. The look at this moment; wall.c has the window, thread_text.c the text. */
#include "collect/agent/thread_profile.h"

#include <errno.h>
#include <stdlib.h>

#include "collect/agent/document.h"
#include "collect/agent/holder.h"
#include "collect/agent/host.h"
#include "collect/agent/look.h"
#include "collect/agent/peer.h"
#include "collect/agent/turns.h"

enum { WORD = 48 };

#define PATIENCE INT64_C(20000000) /* ns for running threads */

struct source {
	const struct pf_look *look;
	char (*words)[WORD];
	struct pf_peers peers;
	enum pf_peer *peer;
	struct pf_peer_talk *talk;
	int64_t now;
};

static const char *
state_word(char letter)
{
	switch (letter) {
	case 'R':
		return "runs";
	case 'S':
		return "sleeps";
	case 'D':
		return "sleeps uninterruptibly";
	case 'T':
	case 't':
		return "stopped";
	default:
		return "ended";
	}
}

static void
label(struct pf_sample *sample, const char *key, const char *text, int64_t number, const char *unit)
{
	sample->labels[sample->label_count++] =
	    (struct pf_sample_label){.key = key, .text = text, .number = number, .unit = unit};
}

/* Whether who waits there lets others go on there, too, and whose turn it is now. */
static void
label_turns(struct pf_sample *sample, const struct pf_found *f)
{
	uint64_t turn = pf_turn_of((uint32_t)f->state.thread);
	uint32_t taken, passed;

	if (f->waits && pf_turns_at(f->wait.object, &taken, &passed)) {
		label(sample, "turns", NULL, taken, "count");
		label(sample, "passed", NULL, passed, "count");
	}
	if (turn && !(f->waits && f->wait.object == turn))
		label(sample, "turn", NULL, (int64_t)turn, "address");
}

static bool
sample(const void *source, size_t i, struct pf_sample *sample)
{
	const struct source *s = source;
	const struct pf_found *f = &s->look->found[i];
	bool runs = f->state.call == PF_CALL_RUNNING;
	const char *gone = f->waits ? pf_holder_word(&f->wait) : NULL;

	sample->stack = f->stack;
	sample->values[0] = 1;
	label(sample, "thread", f->state.name, 0, NULL);
	label(sample, "tid", NULL, f->state.thread, NULL);
	label(sample, "state", state_word(f->state.letter), 0, NULL);
	label(sample, "wait", s->words[i], 0, NULL);
	if (!runs)
		label(sample, "waited", NULL, s->now - f->since, "nanoseconds");
	if (f->waits)
		label(sample, "object", NULL, (int64_t)f->wait.object, "address");
	if (f->waits && f->wait.holder)
		label(sample, "holder", NULL, f->wait.holder, NULL);
	if (gone)
		label(sample, "holder_state", gone, 0, NULL);
	label_turns(sample, f);
	if (s->peer[i])
		label(sample, "peer", pf_peer_word(s->peer[i]), 0, NULL);
	if (s->talk[i].known) {
		label(sample, "asked", NULL, s->talk[i].asked, "nanoseconds");
		label(sample, "heard", NULL, s->talk[i].heard, "nanoseconds");
	}
	return true;
}

/* Looks and puts a word to each thread; to be released in any case. */
static int
look_now(struct pf_look *look, struct source *s)
{
	int rc = pf_look_init(look);

	*s = (struct source){.look = look};
	if (!rc)
		rc = pf_look_at_all(look, PATIENCE);
	if (rc)
		return rc;
	s->now = pf_host_now();
	s->words = calloc(look->count + 1, sizeof *s->words);
	s->peer = calloc(look->count + 1, sizeof *s->peer);
	s->talk = calloc(look->count + 1, sizeof *s->talk);
	if (!s->words || !s->peer || !s->talk)
		return -ENOMEM;
	for (size_t i = 0; i < look->count; i++) {
		const struct pf_found *f = &look->found[i];

		pf_found_word(f, s->words[i], sizeof *s->words);
		s->peer[i] = f->waits ? PF_PEER_UNKNOWN : pf_peer_of(&s->peers, &f->state);
		s->talk[i] = pf_peer_talk_of(s->peer[i], &f->state);
	}
	return 0;
}

int
pf_threads_write(struct pf_buffer *out)
{
	struct pf_document d;
	struct pf_look look;
	struct source s;
	int rc = look_now(&look, &s);

	if (!rc) {
		pf_document_init(&d, &look.stacks);
		d.kinds[0] = (struct pf_value_kind){"threads", "count"};
		d.kind_count = 1;
		d.chosen = "threads";
		d.period_kind = d.kinds[0];
		d.period = 1;
		d.time = pf_host_wall();
		d.duration = 1;
		d.source = &s;
		d.samples = look.count;
		d.sample = sample;
		if (s.peers.usable)
			pf_document_say(&d, "threads: the process listens for %sclients",
			    s.peers.listens ? "" : "no ");
		rc = pf_document_write(&d, out);
		pf_document_release(&d);
	}
	free(s.words);
	free(s.peer);
	free(s.talk);
	pf_peers_release(&s.peers);
	pf_look_release(&look);
	return rc;
}
