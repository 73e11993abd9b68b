/*
 * config.h: what the collector is told to do.
 *
 * A YAML file in the shape that users of Prometheus and Parca know; docs/collect.md
 * lists every key. A configuration is read whole or not at all, all mistakes
 * are told at once, and it never changes once it is read: a reload makes a new
 * one.
 */
#ifndef PF_COLLECT_CONFIG_H
#define PF_COLLECT_CONFIG_H

#include "fields.h"
#include "labelset.h"
#include "net/credentials.h"
#include "net/proxy.h"
#include "net/tls.h"
#include "relabel.h"

/* How to talk to a server: of a job's targets, of a list of targets, of a Prometheus. */
struct pf_client_config {
	struct pf_tls_settings tls;
	struct pf_credential_sources sources;
	struct pf_pairs headers; /* cookies too */
	struct pf_proxy proxy;
	bool follow_redirects;
	struct pf_credentials credentials; /* loaded from the sources; owned */
};

struct pf_static_config {
	struct pf_words targets;
	struct pf_pairs labels;
};

struct pf_file_sd_config {
	struct pf_words files; /* the last part of a path may be a pattern */
	double refresh_interval;
};

struct pf_http_sd_config {
	const char *url;
	double refresh_interval;
	struct pf_client_config client;
};

/* What of a job's instances a round looks at. */
struct pf_sample_config {
	enum { PF_SAMPLE_ALL, PF_SAMPLE_COUNT, PF_SAMPLE_SHARE } kind;
	uint64_t count;
	double share;
};

struct pf_job_config {
	const char *name;
	double interval, timeout; /* timeout: beyond the window */
	uint64_t seconds;         /* the window of a CPU profile */
	struct pf_words types;
	struct pf_sample_config sample;
	const char *scheme, *profile_path, *metrics_path;
	struct pf_pairs params;
	uint64_t max_size; /* 0: the default */
	double cpu_overhead, snapshot_cost;
	struct pf_client_config client;
	struct pf_static_config *statics;
	struct pf_file_sd_config *files;
	struct pf_http_sd_config *https;
	size_t static_count, file_count, http_count;
	struct pf_relabel relabel;
	size_t line;
};

/*
 * A profile costs its target: the CPU profile's window times cpu_overhead, and
 * snapshot_cost for each of the others. Ceilings are shares of a target's time.
 */
struct pf_budget_config {
	double target, service, fleet;
	double cpu_overhead;  /* share of the target's CPU that a CPU profile takes while it runs */
	double snapshot_cost; /* seconds of CPU that any other profile takes */
	double trigger_reserve; /* share of the budget that only triggers may use */
};

struct pf_breaker_config {
	double failure_share; /* opens at this share of failures */
	uint64_t least;       /* of at least so many attempts */
	double pause;         /* seconds until one is let through */
};

struct pf_retention_config {
	struct pf_words types;
	bool triggered;
	double max_age;
	uint64_t max_bytes;
};

enum pf_trigger_kind {
	PF_TRIGGER_ABOVE,     /* the value is above a limit */
	PF_TRIGGER_BELOW,     /* below one */
	PF_TRIGGER_JUMP,      /* so many times what it usually is */
	PF_TRIGGER_IMBALANCE, /* an instance has this share of its service's sum */
};

struct pf_trigger_config {
	const char *name;
	struct pf_words jobs, services; /* whose targets; none: all */
	const char *metric, *query;
	struct pf_pairs match;            /* labels of the metric's series */
	double quantile;                  /* 0: the value itself; else of a histogram */
	bool rate;                        /* of a counter: its increase a second */
	double above, below, jump, share; /* exactly one is set; NaN: not */
	double floor;                     /* a jump or share counts only above this value */
	double interval, wait, cooldown;  /* seconds */
	uint64_t window;                  /* of a jump: so many scrapes make the usual value */
	struct pf_words types;
	uint64_t seconds;
	uint64_t most;          /* instances profiled when it fires for several at once */
	const char *prometheus; /* the server that answers `query` */
	struct pf_client_config client;
	enum pf_trigger_kind kind;
	size_t line;
};

struct pf_config {
	struct pf_pool pool;
	const char *path;
	/* global */
	double interval, timeout;
	uint64_t seconds, seed;
	struct pf_words types;
	struct pf_pairs external_labels;
	/* the collector itself */
	const char *listen, *listen_token_file, *store, *shard;
	struct pf_tls_settings listen_tls;
	int log_format; /* 0 logfmt, 1 json */
	uint64_t max_in_flight;
	struct pf_budget_config budget;
	struct pf_breaker_config breaker;
	struct pf_retention_config *retention;
	size_t retention_count;
	struct pf_job_config *jobs;
	size_t job_count;
	struct pf_trigger_config *triggers;
	size_t trigger_count;
	/* what is no mistake, but worth telling; a line each */
	struct pf_buffer notes;
};

/*
 * Reads the file. *config is new, to be freed; NULL on failure. PF_EUSAGE: mistakes;
 * `problems` then holds a line for each, and err the number of them; PF_EIO.
 */
int pf_config_load(
    struct pf_config **config, const char *path, struct pf_buffer *problems, struct pf_error *err);
void pf_config_free(struct pf_config *config);

/* Parses "i/n" with i < n. */
bool pf_parse_shard(const char *text, uint64_t *i, uint64_t *n);

/* Reads what every client configuration may have: rows for its keys in a field table. */
extern const struct pf_field pf_client_fields[];
/* Reads a mapping of `fields` and of the client's keys, the client being at this offset of the object. */
void pf_client_read(struct pf_reading *r, const struct pf_place *place,
    const struct pf_field *fields, void *object, size_t client);
/* Loads credentials from their files again. PF_EUSAGE, PF_EIO. */
int pf_client_load(struct pf_client_config *client, struct pf_error *err);

/* config_job.c and config_trigger.c: lists, for PF_FIELD_CUSTOM. */
void pf_jobs_read(struct pf_reading *r, const struct pf_place *place, void *config);
void pf_triggers_read(struct pf_reading *r, const struct pf_place *place, void *config);
/* Whether a profile's type is one that can be asked for. */
bool pf_config_type_known(const char *type);
void pf_config_check_types(struct pf_reading *r, const struct pf_place *place, const char *key,
    const struct pf_words *types);

#endif
