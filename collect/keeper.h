/*
 * keeper.h: the thread that judges what came and writes it to the store.
 *
 * The loop must not wait for a disk, nor for a large profile to be decoded. What
 * it collected goes into a queue; the keeper decodes, appends, and commits many
 * with one sync; what became of each comes back through another queue, announced
 * on an eventfd. It also seals journals and enforces retention.
 */
#ifndef PF_COLLECT_KEEPER_H
#define PF_COLLECT_KEEPER_H

#include <profuse/profile.h>
#include <profuse/store.h>

#include "config.h"
#include "labelset.h"
#include "log.h"
#include "net/http.h"
#include "fetch.h"

/* One answer on its way into the store. */
struct pf_kept {
	struct pf_kept *next;
	void *owner;                     /* the loop's; not touched */
	struct pf_http_result result;    /* the answer; owned */
	struct pf_frozen_labels *labels; /* owned */
	char type[32];
	uint32_t seconds;
	char *trigger, *reason; /* owned, or NULL */
	int64_t collected_nanos;
	struct pf_read_options limits;
	/* filled by the keeper */
	enum pf_outcome outcome; /* OK, NO_PROFILE, TOO_BIG, STORE, MEMORY */
	struct pf_error err;
	bool known; /* it was there already */
	uint64_t bytes, samples;
	int64_t duration_nanos;
	uint8_t id[PF_STORE_ID_SIZE];
};

void pf_kept_free(struct pf_kept *kept);

/* What the keeper has done, as of the last look. */
struct pf_keeper_state {
	uint64_t queued, queued_bytes; /* waiting */
	uint64_t profiles, bytes;      /* in the store */
	uint64_t commits, seals, pruned, pruned_bytes;
	double commit_seconds; /* spent syncing, in all */
	bool failing;          /* the last write failed */
	char failure[300];
};

struct pf_keeper;

/* Opens the store (taking its lock) and starts the thread. PF_EIO, PF_EINPUT, PF_ENOMEM. */
int pf_keeper_start(
    struct pf_keeper **keeper, const char *store, const struct pf_log *log, struct pf_error *err);
/* Commits what is queued and ends the thread; results can still be taken. */
void pf_keeper_finish(struct pf_keeper *keeper);
/* Does that, if it was not done, closes the store and drops results that were not taken. */
void pf_keeper_stop(struct pf_keeper *keeper);

/* Hands one over; it comes back through pf_keeper_take(). */
void pf_keeper_put(struct pf_keeper *keeper, struct pf_kept *kept);
/* One that is done, or NULL. */
struct pf_kept *pf_keeper_take(struct pf_keeper *keeper);
/* Readable when there is something to take. */
int pf_keeper_fd(const struct pf_keeper *keeper);
void pf_keeper_state(struct pf_keeper *keeper, struct pf_keeper_state *state);

/* Retention from now on; copied. PF_ENOMEM: as before. */
int pf_keeper_retain(struct pf_keeper *keeper, const struct pf_retention_config *rules,
    size_t count, struct pf_error *err);

#endif
