/*
 * discovery.h: where the names of targets come from: lists in the configuration,
 * in files, or behind an address.
 *
 * A source is one such list. When it can't be read or is malformed, what it
 * said before stays in force. Names with "__meta_" tell relabelling where a target came
 * from.
 */
#ifndef PF_COLLECT_DISCOVERY_H
#define PF_COLLECT_DISCOVERY_H

#include <sys/types.h>

#include "config.h"
#include "fetch.h"

/* Targets that share labels. */
struct pf_group {
	struct pf_words targets;
	struct pf_pairs labels;
	const char *ignored; /* of "source", which some tools write beside them */
};

struct pf_source {
	char *name; /* owned: a path or address */
	struct pf_pool pool;
	struct pf_group *groups; /* the pool's */
	size_t count;
	uint64_t content; /* a hash of what was last taken */
	char *error;      /* owned; why it can't be read now; NULL: it can */
	/* of a file, as it was last read */
	ino_t inode;
	off_t size;
	struct timespec changed;
	bool seen;
};

/* What a job finds by files or by one address. */
struct pf_provider {
	const struct pf_file_sd_config *files; /* one of the two */
	const struct pf_http_sd_config *http;
	struct pf_source *sources; /* owned */
	size_t count, capacity;
	struct pf_timer timer;
	struct pf_fetch request;
	struct pf_loop *loop;
	struct pf_fetches *requests;
	/* Told when what is found has changed, and (error, NULL after a recovery) when that fails. */
	void (*changed)(struct pf_provider *provider);
	void (*failed)(struct pf_provider *provider, const char *source, const char *error);
	void *owner;
};

/*
 * Parses a list of groups, [{"targets": […], "labels": {…}}, …], as files and
 * addresses give it; it belongs to the pool. PF_EUSAGE "NAME:LINE: …".
 */
int pf_groups_parse(struct pf_pool *pool, const char *name, const char *bytes, size_t size,
    bool json, struct pf_group **groups, size_t *count, struct pf_error *err);

/* Reads files at once, or asks the address; then again and again. `changed`, `failed` and `owner` are set. */
void pf_provider_start(struct pf_provider *p, struct pf_loop *loop, struct pf_fetches *requests);
/* Looks at the files again now: something in their folder has changed. */
void pf_provider_look(struct pf_provider *p);
void pf_provider_release(struct pf_provider *p);

#endif
