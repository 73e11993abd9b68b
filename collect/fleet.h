/*
 * fleet.h: the collector's inside, shared by fleet*.c, targets.c, rounds.c, visit.c,
 * status.c and metrics.c.
 *
 *	providers ─groups─▶ targets ─rounds─▶ visits ─answers─▶ keeper ─▶ store
 *
 * All of it belongs to the loop's thread. A configuration in force is a setup;
 * visits that began under an older one keep that alive until they end.
 */
#ifndef PF_COLLECT_FLEET_H
#define PF_COLLECT_FLEET_H

#include <profuse/fleet.h>

#include "breaker.h"
#include "budget.h"
#include "core/index.h"
#include "discovery.h"
#include "endpoint.h"
#include "keeper.h"
#include "schedule.h"
#include "serve.h"
#include "stats/histogram.h"
#include "trigger.h"

/* What is counted, for one service or for all. */
struct pf_counts {
	uint64_t attempts, stored, known, retried;
	uint64_t outcomes[PF_OUTCOMES];
	uint64_t bytes, samples;
	uint64_t skipped_budget, skipped_backoff, skipped_breaker, skipped_store, skipped_busy;
	double profiled_seconds;
};

struct pf_service {
	char *name; /* owned */
	struct pf_breaker breaker;
	struct pf_account account;
	struct pf_counts counts;
	size_t targets;
	double planned; /* cost a second that rounds plan */
};

struct pf_setup;

/* One job of the setup in force. */
struct pf_job {
	struct pf_setup *setup;
	const struct pf_job_config *config;
	struct pf_provider *providers; /* owned */
	size_t provider_count;
	struct pf_timer round_timer, rebuild_timer;
	int64_t round;
	double round_began;
	struct pf_target **targets; /* owned array of references */
	size_t target_count, target_capacity;
	uint64_t dropped; /* by relabelling or another shard */
};

struct pf_setup {
	struct pf_fleet *fleet;
	struct pf_config *config; /* owned */
	struct pf_job *jobs;      /* owned */
	unsigned references;
	uint64_t shard, shards; /* 0, 1: all */
};

struct pf_visit;

struct pf_target {
	unsigned references;
	bool present;                    /* some job has it now */
	struct pf_job *job;              /* of the setup in force; NULL once it is gone */
	struct pf_frozen_labels *labels; /* owned; what profiles get */
	char *base;                      /* owned; address up to the profile's name */
	char *metrics;                   /* owned; address of its metrics */
	char *query;                     /* owned; parameters for every request, or NULL */
	uint64_t key;
	struct pf_service *service;
	struct pf_account account;
	int64_t last_round;
	uint64_t address;         /* of its base without parameters: whom a visit disturbs */
	struct pf_visit *planned; /* the next one */
	double not_before;        /* backing off until then */
	unsigned failures;        /* in a row */
	uint32_t most_seconds;    /* learnt: its server ends answers after a while; 0: unlimited */
	bool absent_told;         /* the log knows that a profile is not there */
	unsigned cuts;            /* windows that were cut, in a row */
	double last_stored;       /* monotonic; 0: never */
	enum pf_outcome outcome;  /* of the last attempt */
	char *error;              /* owned; of the last attempt, or NULL */
	uint64_t stored;
	struct pf_watched *watched; /* owned; its metrics, where a trigger is about it */
	bool scrape_failed;
};

/* One turn at a target: its profiles, one after the other. */
struct pf_visit {
	struct pf_fleet *fleet;
	struct pf_setup *setup;
	const struct pf_job_config *job;
	struct pf_target *target;
	struct pf_visit *next, *previous; /* of the fleet's */
	struct pf_timer timer;
	struct pf_words types;
	size_t at; /* which of them */
	uint32_t seconds;
	char *trigger, *reason; /* owned, or NULL */
	double due;             /* when the first should start */
	bool waiting;           /* its time has come, but another one is under way */
	bool under_way;
	struct pf_visit *next_under_way; /* of its bucket */
	bool probing;                    /* the service's breaker let it through to see */
	unsigned attempt;
	double retry_until;
	struct pf_endpoint endpoint;
	bool on_fallback;
	struct pf_fetch request;
};

enum { PF_ADDRESS_BUCKETS = 4096 };

struct pf_fleet {
	struct pf_fleet_options options;
	struct pf_log log;
	struct pf_loop loop;
	struct pf_fetches fetches;
	struct pf_keeper *keeper;
	struct pf_setup *setup; /* in force */
	struct pf_watch keeper_watch, signal_watch, file_watch;
	struct pf_timer second_timer, file_timer;
	struct pf_service **services; /* owned */
	size_t service_count, service_capacity;
	struct pf_index service_index;
	struct pf_account account;
	struct pf_counts counts;
	struct pf_visit *visits;
	size_t visit_count, in_flight, most_in_flight;
	struct pf_visit *under_way[PF_ADDRESS_BUCKETS]; /* by address */
	size_t target_count;
	uint64_t seed;
	double started, loaded, elapsed_targets; /* target-seconds in all */
	double last_second;
	bool reload_failed;
	bool store_probe; /* although the store fails, the next visit may try it */
	uint64_t reloads, reload_failures;
	struct pf_histogram lag; /* of visits' starts, microseconds */
	struct pf_server *server;
	struct pf_triggers triggers;
	struct timespec config_changed; /* of the file that is in force */
	ino_t config_inode;
	char *config_path, *store_path; /* owned */
	uint64_t log_suppressed;
	unsigned log_tokens;
};

/* setup.c */
/* Reads a configuration, and tells all that is to be said of it. */
int pf_config_tell(struct pf_config **config, const char *path,
    void (*tell)(void *data, bool wrong, const char *line), void *data, struct pf_error *err);
void pf_setup_ref(struct pf_setup *setup);
void pf_setup_unref(struct pf_setup *setup);
/* Puts a configuration in force in place of the one before; takes it over, unless it fails. */
int pf_setup_apply(struct pf_fleet *fleet, struct pf_config *config, struct pf_error *err);
/* Reads the file again; a bad one changes nothing but what is said about it. */
void pf_setup_reload(struct pf_fleet *fleet);
/* Something changed in a folder that is watched: the configuration, or a list of targets. */
void pf_setup_look(struct pf_fleet *fleet);
/* Remembers which version of the file is in force. */
void pf_setup_note_file(struct pf_fleet *fleet);
/* Ends what a setup does; visits that have begun keep its memory alive. */
void pf_setup_retire(struct pf_setup *setup);
void pf_fleet_watch_folder(struct pf_fleet *fleet, const char *path);

/* targets.c: brings a job's targets into line with what its providers found. PF_ENOMEM: some are missing. */
int pf_job_rebuild(struct pf_job *job, struct pf_error *err);
/* Takes over what is the same from the job of this name of an older setup. */
void pf_job_inherit(struct pf_job *job, struct pf_job *older);
void pf_job_release_targets(struct pf_job *job);
void pf_target_unref(struct pf_target *target);
/* The service of this name, made if need be; NULL without memory. */
struct pf_service *pf_fleet_service(struct pf_fleet *fleet, const char *name);

/* rounds.c */
void pf_job_start_rounds(struct pf_job *job);
/* Accounts earn by how many targets there are now. */
void pf_fleet_set_accounts(struct pf_fleet *fleet);
/* What one profile of this type costs its target. */
double pf_profile_cost(const struct pf_job_config *job, const char *type, uint32_t seconds);

/* visit.c */
/*
 * Plans a visit at this time, in place of the schedule's if one is planned;
 * trigger and reason are copied, NULL for the schedule's own. PF_ENOMEM.
 */
int pf_visit_plan(struct pf_target *target, const struct pf_words *types, uint32_t seconds,
    double due, const char *trigger, const char *reason, struct pf_error *err);
/* Drops a visit, begun or not. */
void pf_visit_free(struct pf_visit *visit);
/* outcome.c */
/* What came of one attempt at a target. */
void pf_target_note(struct pf_fleet *fleet, struct pf_target *target, const char *type,
    enum pf_outcome outcome, const char *message);
/* Whether a target's metrics could be read; the log is told when that changes. */
void pf_target_note_scrape(struct pf_fleet *fleet, struct pf_target *target, const char *error);
/* Hands a visit's answer to the keeper, with what it will be stored under. PF_ENOMEM: it is still the visit's. */
int pf_visit_hand_over(struct pf_visit *visit, struct pf_error *err);
/* Takes back what the keeper has done. */
void pf_fleet_take_kept(struct pf_fleet *fleet);

/* metrics.c, status.c: what there is to see, as text; appended to `out`. */
void pf_fleet_metrics(struct pf_fleet *fleet, struct pf_buffer *out);
int pf_fleet_status(struct pf_fleet *fleet, struct pf_buffer *out, struct pf_error *err);
int pf_fleet_targets(struct pf_fleet *fleet, struct pf_buffer *out, struct pf_error *err);
/* Whether it works; the reason otherwise goes into `out`. */
bool pf_fleet_healthy(struct pf_fleet *fleet, struct pf_buffer *out);

#endif
