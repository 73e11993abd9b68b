/*
 * holders.c: see holders.h.
 *
 * The label `holder` says who held a lock when a thread's wait began. That one may have let it go since, and
 * wait itself now: from holder to holder one comes to somebody who doesn't wait. Even that one may have let
 * go; what is taken from it is what many looks agree on.
 */
#include "tuner/holders.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

enum { MOST_STEPS = 64, LEAST_LOOKS = 3, MOST_PLACES = 16, SELDOM = 4 };

#define MOST 0.5

/* On a processor, and nobody knows where. */
static bool
is_anywhere(const struct pf_stack *s, const struct pf_evidence_profile *ep, size_t sample)
{
	return strcmp(pf_sample_text(ep->p, sample, "wait"), "running") == 0 &&
	       pf_stack_own(s, ep) == s->count;
}

/* Waits for what comes: from a client, or from the program's own, at a descriptor. Who sends to a client waits for it. */
static bool
is_at_rest(const struct pf_stack *s, const struct pf_evidence_profile *ep, size_t sample)
{
	return !(s->traits & PF_CODE_RUNS) &&
	       !pf_code_is_sending(pf_sample_text(ep->p, sample, "wait")) &&
	       ((s->traits & PF_CODE_SERVER) ||
		   ((s->traits & PF_CODE_IDLE) && (s->traits & PF_CODE_OUTSIDE)));
}

/* By the words of the label: a handful of them. */
struct words {
	struct {
		const char *word;
		double time;
	} items[MOST_PLACES];
	size_t count;
	double total;
};

static void
count_word(struct words *w, const char *word, double time)
{
	size_t i = 0;

	w->total += time;
	while (i < w->count && strcmp(w->items[i].word, word) != 0)
		i++;
	if (i == MOST_PLACES)
		return;
	w->items[i].word = word;
	w->items[i].time += time;
	w->count += i == w->count;
}

static size_t
most_of(const struct words *w)
{
	size_t most = 0;

	for (size_t i = 1; i < w->count; i++) {
		if (w->items[i].time > w->items[most].time)
			most = i;
	}
	return most;
}

/* Calls that are made to get something done: not to rest, nor to wait for clients, which may as well be without a lock. */
static bool
is_errand(const char *word)
{
	static const char *const errands[] = {
	    "fsync", "fdatasync", "pread", "pwrite", "open", "connect", "flock"};

	for (size_t i = 0; i < sizeof errands / sizeof *errands; i++) {
		if (strcmp(word, errands[i]) == 0)
			return true;
	}
	return false;
}

/* Who waits at a lock in a snapshot, by thread. */
struct waiter {
	int64_t thread, holder, waited, object;
	size_t crowd; /* how many wait for the same object */
};

static int
by_thread(const void *a, const void *b)
{
	const struct waiter *x = a, *y = b;

	return x->thread < y->thread ? -1 : x->thread > y->thread;
}

static int
by_object(const void *a, const void *b)
{
	const struct waiter *x = a, *y = b;

	return x->object < y->object ? -1 : x->object > y->object;
}

static void
count_crowds(struct waiter *list, size_t count)
{
	qsort(list, count, sizeof *list, by_object);
	for (size_t from = 0, to; from < count; from = to) {
		for (to = from; to < count && list[to].object == list[from].object; to++)
			;
		for (size_t i = from; i < to; i++)
			list[i].crowd = to - from;
	}
}

/* Sorted by their threads. */
static int
read_waiters(
    struct waiter **list, size_t *count, const struct pf_evidence_profile *ep, struct pf_error *err)
{
	struct pf_stack s = {0};
	int rc = PF_CALLOC(*list, ep->p->sample_count + 1, err);

	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		rc = pf_stack_read(&s, ep, i, err);
		if (!rc && pf_stack_waits_at_lock(&s, ep))
			(*list)[(*count)++] =
			    (struct waiter){.thread = pf_sample_number(ep->p, i, "tid"),
				.holder = pf_sample_number(ep->p, i, "holder"),
				.waited = pf_sample_number(ep->p, i, "waited"),
				.object = pf_sample_number(ep->p, i, "object")};
	}
	pf_stack_release(&s);
	if (!rc) {
		count_crowds(*list, *count);
		qsort(*list, *count, sizeof **list, by_thread);
	}
	return rc;
}

/* Whoever began last to wait where most do; NULL: nobody waits whose holder is known. */
static const struct waiter *
last_waiter(const struct waiter *list, size_t count)
{
	const struct waiter *at = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct waiter *w = &list[i];

		if (w->holder > 0 && (!at || w->crowd > at->crowd ||
					 (w->crowd == at->crowd && w->waited < at->waited)))
			at = w;
	}
	return at;
}

/* From there to somebody who doesn't wait; 0: to nobody. */
static int64_t
last_holder(const struct waiter *list, size_t count)
{
	const struct waiter *at = last_waiter(list, count);

	for (int steps = 0; at && steps < MOST_STEPS; steps++) {
		const struct waiter key = {.thread = at->holder},
				    *next = bsearch(&key, list, count, sizeof *list, by_thread);
		if (!next)
			return at->holder;
		at = next;
	}
	return 0;
}

/* What one look shows of those that are inside of a function. */
struct inside {
	bool leads; /* the one that the others wait for is, and at rest */
	size_t busy;
};

static int
look_inside(struct inside *in, const struct pf_evidence_profile *ep, int64_t holder,
    const char *function, struct pf_error *err)
{
	struct pf_stack s = {0};
	int rc = 0;

	*in = (struct inside){0};
	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		bool inside;

		rc = pf_stack_read(&s, ep, i, err);
		if (rc || pf_stack_waits_at_lock(&s, ep))
			continue;
		inside = pf_stack_has(&s, ep, function);
		if (is_anywhere(&s, ep, i) || (inside && !is_at_rest(&s, ep, i)))
			in->busy++;
		else if (inside && pf_sample_number(ep->p, i, "tid") == holder)
			in->leads = true;
	}
	pf_stack_release(&s);
	return rc;
}

/* Who holds the lock for which most wait in a look; 0: nobody waits, or it isn't known. *waiting: how many do. */
static int
find_holder(
    int64_t *holder, size_t *waiting, const struct pf_evidence_profile *ep, struct pf_error *err)
{
	struct waiter *list = NULL;
	int rc;

	*waiting = 0;
	rc = read_waiters(&list, waiting, ep, err);
	*holder = rc ? 0 : last_holder(list, *waiting);
	free(list);
	return rc;
}

int
pf_holders_are_idle(
    const struct pf_evidence *e, const char *function, bool *idle, struct pf_error *err)
{
	size_t led = 0, others = 0;
	int rc = 0;

	*idle = false;
	if (*function == '[') /* a binary without names: everything is inside of it */
		return 0;
	for (size_t i = 0; !rc && i < e->profile_count; i++) {
		const struct pf_evidence_profile *ep = &e->profiles[i];
		struct inside in = {0};
		size_t waiting;
		int64_t holder;

		if (!pf_is_look(ep))
			continue;
		rc = find_holder(&holder, &waiting, ep, err);
		if (!rc && holder > 0)
			rc = look_inside(&in, ep, holder, function, err);
		if (rc || !waiting)
			continue;
		led += in.leads && !in.busy;
		others += !in.leads || in.busy;
	}
	*idle = !rc && led && SELDOM * others <= led;
	return rc;
}

/* By its name: all other words are of what the program does with itself. */
static bool
is_system_call(const char *word)
{
	return *word && strcmp(word, "running") != 0 && strcmp(word, "waiting") != 0 &&
	       !pf_code_wait_traits(word);
}

/* Whether it is another server's word that a sample's thread waits for: a disk's isn't. */
static bool
is_for_server(const struct pf_stack *s, const struct pf_evidence_profile *ep, size_t sample)
{
	return (s->traits & PF_CODE_ASKS) &&
	       strcmp(pf_sample_text(ep->p, sample, "peer"), "file") != 0;
}

/*
 * Adds what one look shows of the thread inside of a function that waits for no lock, while others do: if there is one,
 * it holds theirs, or is on its way to or from it. "": there is none, or more.
 */
static int
add_holders_word(struct words *words, size_t *asked, const struct pf_evidence_profile *ep,
    const char *function, struct pf_error *err)
{
	struct pf_stack s = {0};
	const char *word = "";
	size_t waiting = 0, inside = 0;
	bool asks = false;
	int rc = 0;

	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		rc = pf_stack_read(&s, ep, i, err);
		if (rc)
			break;
		if (pf_stack_waits_at_lock(&s, ep)) {
			waiting++;
		} else if (pf_stack_has(&s, ep, function)) {
			inside++;
			word = pf_sample_text(ep->p, i, "wait");
			asks = is_for_server(&s, ep, i);
		}
	}
	pf_stack_release(&s);
	if (rc || !waiting)
		return rc;
	if (inside != 1 || !is_system_call(word))
		word = "";
	*asked += *word && asks;
	count_word(words, word, 1);
	return 0;
}

/* By looks, which see at one moment who waits and who doesn't; *call stays as it is where they don't agree. */
static int
find_holders_call(const struct pf_evidence *e, const char *function, struct pf_holders_call *call,
    struct pf_error *err)
{
	struct words words = {0};
	size_t asked = 0, most;
	int rc = 0;

	for (size_t i = 0; !rc && i < e->profile_count; i++) {
		if (pf_is_look(&e->profiles[i]))
			rc = add_holders_word(&words, &asked, &e->profiles[i], function, err);
	}
	if (rc || !(words.total >= LEAST_LOOKS))
		return rc;
	most = most_of(&words);
	if (!*words.items[most].word || !(words.items[most].time > MOST * words.total))
		return 0;
	call->word = words.items[most].word;
	call->looks = (size_t)words.items[most].time;
	call->of = (size_t)words.total;
	call->asked = asked > call->looks / 2;
	return 0;
}

/*
 * Whether those inside of a function who are in a call wait there for something outside, and whether that is another
 * server: by looks, which tell it.
 */
static int
are_asking(const struct pf_evidence *e, const char *function, const char *word, bool *asking,
    bool *server, struct pf_error *err)
{
	struct pf_stack s = {0};
	size_t asked = 0, servers = 0, all = 0;
	int rc = 0;

	for (size_t k = 0; !rc && k < e->profile_count; k++) {
		const struct pf_evidence_profile *ep = &e->profiles[k];

		for (size_t i = 0; !rc && pf_is_look(ep) && i < ep->p->sample_count; i++) {
			if (strcmp(pf_sample_text(ep->p, i, "wait"), word) != 0)
				continue;
			rc = pf_stack_read(&s, ep, i, err);
			if (rc || !pf_stack_has(&s, ep, function))
				continue;
			all++;
			asked += (s.traits & PF_CODE_ASKS) != 0;
			servers += is_for_server(&s, ep, i);
		}
	}
	pf_stack_release(&s);
	*asking = all >= LEAST_LOOKS && asked > all / 2;
	*server = all >= LEAST_LOOKS && servers > all / 2;
	return rc;
}

/* In which those inside of a function are who wait for no lock, by wall-clock time: somebody of them may hold one. */
static int
find_call(const struct pf_evidence *e, const char *function, struct pf_holders_call *call,
    struct pf_error *err)
{
	static const char *const times[] = {"wall", NULL};
	const struct pf_evidence_profile *ep = pf_evidence_last(e, PF_PROFILE_WALL);
	uint32_t column = ep ? pf_evidence_column(ep, times) : PF_NONE;
	struct words words = {0};
	struct pf_stack s = {0};
	bool asking;
	size_t most;
	int rc = 0;

	for (size_t i = 0; !rc && column != PF_NONE && i < ep->p->sample_count; i++) {
		rc = pf_stack_read(&s, ep, i, err);
		if (!rc && !pf_stack_waits_at_lock(&s, ep) && pf_stack_has(&s, ep, function))
			count_word(
			    &words, pf_sample_text(ep->p, i, "wait"), pf_value(ep, i, column));
	}
	pf_stack_release(&s);
	if (rc || !(words.total > 0))
		return rc;
	most = most_of(&words);
	if (words.items[most].time < MOST * words.total)
		return 0;
	rc = are_asking(e, function, words.items[most].word, &asking, &call->asked, err);
	if (rc || !(asking || is_errand(words.items[most].word)))
		return rc;
	call->word = words.items[most].word;
	call->share = words.items[most].time / words.total;
	return 0;
}

int
pf_holders_call(const struct pf_evidence *e, const char *function, struct pf_holders_call *call,
    struct pf_error *err)
{
	int rc;

	*call = (struct pf_holders_call){0};
	if (*function == '[') /* a binary without names: everything is inside of it */
		return 0;
	rc = find_holders_call(e, function, call, err);
	return rc || call->word ? rc : find_call(e, function, call, err);
}

/* The service's function that another, which is called so, has called in this stack; NULL: none. */
static const char *
called_by(const struct pf_stack *s, const struct pf_evidence_profile *ep, const char *function)
{
	for (size_t i = 1; i < s->count; i++) {
		if (strcmp(pf_site_name(ep, s->names[i]), function) == 0)
			return ep->traits[s->names[i - 1]] ? NULL
							   : pf_site_name(ep, s->names[i - 1]);
	}
	return NULL;
}

/* Where the last holder stands: below one of these. */
static int
find_place(const char **function, const struct pf_evidence_profile *ep, const char *owner,
    const char *caller, struct pf_error *err)
{
	struct pf_stack s = {0};
	size_t waiting;
	int64_t holder;
	int rc = find_holder(&holder, &waiting, ep, err);

	*function = NULL;
	for (size_t i = 0; !rc && holder > 0 && i < ep->p->sample_count; i++) {
		if (pf_sample_number(ep->p, i, "tid") != holder)
			continue;
		rc = pf_stack_read(&s, ep, i, err);
		if (!rc)
			*function = called_by(&s, ep, owner);
		if (!rc && !*function)
			*function = called_by(&s, ep, caller);
		break;
	}
	pf_stack_release(&s);
	return rc;
}

int
pf_holders_place(const struct pf_evidence *e, const char *owner, const char *caller,
    struct pf_holders_place *place, struct pf_error *err)
{
	struct words places = {0};
	int rc = 0;

	*place = (struct pf_holders_place){0};
	for (size_t i = 0; !rc && i < e->profile_count; i++) {
		const char *function = NULL;

		if (pf_is_look(&e->profiles[i]))
			rc = find_place(&function, &e->profiles[i], owner, caller, err);
		if (function && *function != '[')
			count_word(&places, function, 1);
	}
	if (!rc && places.count && places.total >= LEAST_LOOKS) {
		size_t most = most_of(&places);
		place->looks = (size_t)places.items[most].time;
		place->of = (size_t)places.total;
		if ((double)place->looks > MOST * (double)place->of)
			place->function = places.items[most].word;
	}
	return rc;
}
