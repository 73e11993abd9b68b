/* keeper.c: see keeper.h. */
#include "keeper.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "collected.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/memory.h"
#include "profile/model.h"
#include "retention.h"
#include "store/entry.h"
#include "store/traces.h"

/* Commits come together: so many at once, or so long after the first. */
enum { BATCH = 64, BATCH_MS = 200, UPKEEP_SECONDS = 15 };

struct queue {
	struct pf_kept *first, **last;
};

struct pf_keeper {
	struct pf_store *store;
	const struct pf_log *log;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	int event;
	/* under the lock */
	struct queue in, out;
	struct pf_keeper_state state;
	struct pf_retention_rules *fresh_rules; /* owned; to be taken over by the thread */
	bool stop;
	/* the thread's own */
	struct pf_retention retention;
	struct queue batch; /* appended, not yet committed */
	size_t batch_count;
};

static void
queue_init(struct queue *q)
{
	q->first = NULL;
	q->last = &q->first;
}

static void
push(struct queue *q, struct pf_kept *kept)
{
	kept->next = NULL;
	*q->last = kept;
	q->last = &kept->next;
}

static struct pf_kept *
pop(struct queue *q)
{
	struct pf_kept *kept = q->first;

	if (kept) {
		q->first = kept->next;
		if (!q->first)
			q->last = &q->first;
	}
	return kept;
}

void
pf_kept_free(struct pf_kept *kept)
{
	if (!kept)
		return;
	pf_http_result_release(&kept->result);
	free(kept->labels);
	free(kept->trigger);
	free(kept->reason);
	free(kept);
}

static int64_t
wall_nanos(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Hands it back to the loop. */
static void
answer(struct pf_keeper *k, struct pf_kept *kept)
{
	uint64_t one = 1;

	pthread_mutex_lock(&k->lock);
	push(&k->out, kept);
	k->state.queued--;
	k->state.queued_bytes -= kept->bytes;
	pthread_mutex_unlock(&k->lock);
	if (write(k->event, &one, sizeof one) < 0)
		return; /* it is full: the loop has been told already */
}

static void
fail(struct pf_keeper *k, struct pf_kept *kept, enum pf_outcome outcome)
{
	kept->outcome = outcome;
	pf_http_answer_release(&kept->result.answer);
	answer(k, kept);
}

static void
note_failure(struct pf_keeper *k, const struct pf_error *err)
{
	bool first;

	pthread_mutex_lock(&k->lock);
	first = !k->state.failing;
	k->state.failing = true;
	memcpy(k->state.failure, err->message, sizeof k->state.failure - 1);
	pthread_mutex_unlock(&k->lock);
	if (first)
		pf_log(k->log, PF_LOG_ERROR, "the store can't be written; collection pauses",
		    {"error", err->message});
}

static void
note_success(struct pf_keeper *k)
{
	bool failed;

	pthread_mutex_lock(&k->lock);
	failed = k->state.failing;
	k->state.failing = false;
	pthread_mutex_unlock(&k->lock);
	if (failed)
		pf_log(k->log, PF_LOG_INFO, "the store can be written again",
		    {"store", pf_store_path(k->store)});
}

static void
commit(struct pf_keeper *k)
{
	double began = pf_clock_seconds(CLOCK_MONOTONIC);
	struct pf_error err = {0};
	struct pf_kept *kept;
	int rc;

	if (!k->batch_count)
		return;
	rc = pf_store_commit(k->store, &err);
	pthread_mutex_lock(&k->lock);
	k->state.commits++;
	k->state.commit_seconds += pf_clock_seconds(CLOCK_MONOTONIC) - began;
	pthread_mutex_unlock(&k->lock);
	if (rc)
		note_failure(k, &err);
	else
		note_success(k);
	while ((kept = pop(&k->batch))) {
		kept->outcome = rc ? PF_OUTCOME_STORE : PF_OUTCOME_OK;
		if (rc)
			kept->err = err;
		answer(k, kept);
	}
	k->batch_count = 0;
}

static const char *
main_build_id(const struct pf_profile *p)
{
	return p->mapping_count ? pf_profile_string(p, p->mappings[0].build_id) : "";
}

static int
describe(
    struct pf_kept *kept, const struct pf_profile *p, struct pf_store_entry *e, uint64_t **traces)
{
	bool complete;
	int rc = pf_trace_hashes(p, traces, &e->trace_count, &complete, &kept->err);

	e->traces = *traces;
	e->start_nanos = pf_profile_time_nanos(p);
	/* What a snapshot says of its duration, if anything, is how long the process has run: no window. */
	e->duration_nanos = kept->seconds ? pf_profile_duration_nanos(p) : 0;
	if (e->duration_nanos <= 0)
		e->duration_nanos = (int64_t)kept->seconds * 1000000000;
	e->collected_nanos = kept->collected_nanos;
	e->sample_count = pf_profile_sample_count(p);
	e->type = kept->type;
	e->build_id = main_build_id(p);
	e->trigger = kept->trigger ? kept->trigger : "";
	e->reason = kept->reason ? kept->reason : "";
	e->labels = kept->labels->labels;
	e->label_count = kept->labels->count;
	kept->samples = e->sample_count;
	kept->duration_nanos = e->duration_nanos;
	return rc;
}

static int
append(struct pf_keeper *k, struct pf_kept *kept, struct pf_collected *c, enum pf_outcome *outcome)
{
	struct pf_store_entry entry = {0};
	uint64_t *traces = NULL;
	int rc = describe(kept, c->profile, &entry, &traces);

	*outcome = PF_OUTCOME_MEMORY;
	if (!rc) {
		rc = pf_store_append(
		    k->store, &entry, c->bytes.bytes, c->bytes.size, &kept->known, &kept->err);
		*outcome = rc == PF_ENOMEM ? PF_OUTCOME_MEMORY : PF_OUTCOME_STORE;
		memcpy(kept->id, entry.id, sizeof kept->id);
	}
	if (rc == PF_EIO)
		note_failure(k, &kept->err);
	free(traces);
	return rc;
}

/* Decodes, judges and appends one answer. */
static void
keep(struct pf_keeper *k, struct pf_kept *kept)
{
	struct pf_collected collected = {0};
	enum pf_outcome outcome;
	int rc = pf_answer_decode(&kept->result.answer, pf_url_display(kept->result.url),
	    kept->limits.max_ratio, &kept->err);

	if (!rc)
		rc = pf_collected_take(&collected, &kept->result, &kept->limits, &kept->err);
	outcome = rc == PF_ENOMEM ? PF_OUTCOME_MEMORY : PF_OUTCOME_NO_PROFILE;
	if (!rc)
		rc = append(k, kept, &collected, &outcome);
	pf_collected_clear(&collected);
	pf_http_answer_release(&kept->result.answer);
	if (rc) {
		fail(k, kept, outcome);
		return;
	}
	push(&k->batch, kept);
	k->batch_count++;
}

static void
retain(struct pf_keeper *k)
{
	struct pf_store_pruned pruned = {0};
	struct pf_error err;

	pthread_mutex_lock(&k->lock);
	if (k->fresh_rules)
		pf_retention_replace(&k->retention, &k->fresh_rules);
	pthread_mutex_unlock(&k->lock);
	if (pf_retention_enforce(&k->retention, k->store, k->log, &pruned, &err))
		pf_log(k->log, PF_LOG_WARN, "retention failed", {"error", err.message});
	if (!pruned.profiles)
		return;
	pthread_mutex_lock(&k->lock);
	k->state.pruned += pruned.profiles;
	k->state.pruned_bytes += pruned.bytes;
	pthread_mutex_unlock(&k->lock);
	pf_log(k->log, PF_LOG_INFO, "retention removed profiles",
	    {"profiles", .number = (double)pruned.profiles, .numeric = true},
	    {"bytes", .number = (double)pruned.bytes, .numeric = true});
}

static void
seal(struct pf_keeper *k)
{
	struct pf_error err;

	if (!pf_store_wants_seal(k->store, wall_nanos()))
		return;
	if (pf_store_seal(k->store, &err)) {
		note_failure(k, &err);
		return;
	}
	pthread_mutex_lock(&k->lock);
	k->state.seals++;
	pthread_mutex_unlock(&k->lock);
}

static void
count_store(struct pf_keeper *k)
{
	uint64_t profiles, bytes;

	if (pf_store_totals(k->store, &profiles, &bytes, NULL))
		return;
	pthread_mutex_lock(&k->lock);
	k->state.profiles = profiles;
	k->state.bytes = bytes;
	pthread_mutex_unlock(&k->lock);
}

/* The next one to keep; NULL after at most this long. *stop: no more will come. */
static struct pf_kept *
next(struct pf_keeper *k, double patience, bool *stop)
{
	struct pf_kept *kept;
	struct timespec until;
	double due = pf_clock_seconds(CLOCK_MONOTONIC) + patience;

	until.tv_sec = (time_t)due;
	until.tv_nsec = (long)((due - (double)until.tv_sec) * 1e9);
	pthread_mutex_lock(&k->lock);
	while (!k->in.first && !k->stop && patience > 0 &&
	       pthread_cond_timedwait(&k->wake, &k->lock, &until) == 0)
		continue;
	kept = pop(&k->in);
	*stop = k->stop && !kept;
	pthread_mutex_unlock(&k->lock);
	return kept;
}

static void *
run(void *context)
{
	struct pf_keeper *k = context;
	double batch_due = 0, upkeep_due = pf_clock_seconds(CLOCK_MONOTONIC) + 1;
	bool stop = false;

	while (!stop) {
		double now = pf_clock_seconds(CLOCK_MONOTONIC), patience = upkeep_due - now;
		struct pf_kept *kept;
		if (k->batch_count && batch_due - now < patience)
			patience = batch_due - now;
		kept = next(k, patience, &stop);
		now = pf_clock_seconds(CLOCK_MONOTONIC);
		if (kept) {
			if (!k->batch_count)
				batch_due = now + BATCH_MS * 1e-3;
			keep(k, kept);
		}
		if (k->batch_count >= BATCH || stop ||
		    (k->batch_count && pf_clock_seconds(CLOCK_MONOTONIC) >= batch_due)) {
			commit(k);
			seal(k);
		}
		if (now >= upkeep_due && !stop) {
			seal(k);
			retain(k);
			count_store(k);
			upkeep_due = now + UPKEEP_SECONDS;
		}
	}
	return NULL;
}

static void
on_store_warning(void *data, const char *sentence)
{
	const struct pf_keeper *k = data;

	pf_log(k->log, PF_LOG_WARN, "store", {"error", sentence});
}

static int
open_store(struct pf_keeper *k, const char *store, struct pf_error *err)
{
	struct pf_store_options options = PF_STORE_OPTIONS_INIT;

	options.warn = on_store_warning;
	options.warn_data = k;
	return pf_store_create(&k->store, store, &options, err);
}

static int
start_thread(struct pf_keeper *k, struct pf_error *err)
{
	pthread_condattr_t monotonic;
	int rc;

	pthread_mutex_init(&k->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&k->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pf_retention_init(&k->retention);
	count_store(k);
	rc = pthread_create(&k->thread, NULL, run, k);
	if (!rc)
		return 0;
	errno = rc;
	return pf_error_errno(err, "cannot start", "a thread");
}

int
pf_keeper_start(
    struct pf_keeper **keeper, const char *store, const struct pf_log *log, struct pf_error *err)
{
	struct pf_keeper *k;
	int rc = PF_CALLOC(*keeper, 1, err);

	if (rc)
		return rc;
	k = *keeper;
	k->log = log;
	queue_init(&k->in);
	queue_init(&k->out);
	queue_init(&k->batch);
	k->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (k->event < 0)
		rc = pf_error_errno(err, "cannot make", "an eventfd");
	if (!rc)
		rc = open_store(k, store, err);
	if (!rc)
		rc = start_thread(k, err);
	if (rc) {
		if (k->event >= 0)
			close(k->event);
		pf_store_close(k->store);
		free(k);
		*keeper = NULL;
	}
	return rc;
}

void
pf_keeper_finish(struct pf_keeper *k)
{
	bool already;

	pthread_mutex_lock(&k->lock);
	already = k->stop;
	k->stop = true;
	pthread_cond_signal(&k->wake);
	pthread_mutex_unlock(&k->lock);
	if (!already)
		pthread_join(k->thread, NULL);
}

void
pf_keeper_stop(struct pf_keeper *k)
{
	struct pf_kept *kept;

	if (!k)
		return;
	pf_keeper_finish(k);
	while ((kept = pop(&k->out)))
		pf_kept_free(kept);
	pf_store_close(k->store);
	close(k->event);
	pf_retention_release(&k->retention);
	pf_retention_rules_free(k->fresh_rules);
	pthread_cond_destroy(&k->wake);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

void
pf_keeper_put(struct pf_keeper *k, struct pf_kept *kept)
{
	kept->bytes = kept->result.answer.body.size;
	pthread_mutex_lock(&k->lock);
	push(&k->in, kept);
	k->state.queued++;
	k->state.queued_bytes += kept->bytes;
	pthread_cond_signal(&k->wake);
	pthread_mutex_unlock(&k->lock);
}

struct pf_kept *
pf_keeper_take(struct pf_keeper *k)
{
	struct pf_kept *kept;

	pthread_mutex_lock(&k->lock);
	kept = pop(&k->out);
	pthread_mutex_unlock(&k->lock);
	return kept;
}

int
pf_keeper_fd(const struct pf_keeper *k)
{
	return k->event;
}

void
pf_keeper_state(struct pf_keeper *k, struct pf_keeper_state *state)
{
	pthread_mutex_lock(&k->lock);
	*state = k->state;
	pthread_mutex_unlock(&k->lock);
}

int
pf_keeper_retain(struct pf_keeper *k, const struct pf_retention_config *rules, size_t count,
    struct pf_error *err)
{
	struct pf_retention_rules *fresh, *older;
	int rc = pf_retention_rules_new(&fresh, rules, count, err);

	if (rc)
		return rc;
	pthread_mutex_lock(&k->lock);
	older = k->fresh_rules;
	k->fresh_rules = fresh;
	pthread_mutex_unlock(&k->lock);
	pf_retention_rules_free(older);
	return 0;
}
