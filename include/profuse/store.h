/*
 * profuse/store.h: a folder of profiles.
 *
 * One process writes (a lock sees to that), any number read. An appended profile
 * is durable once pf_store_commit() has returned, and from then on every crash
 * leaves a store that opens with it inside. Profiles keep the bytes they came
 * with; their name is the SHA-256 of those. docs/store.md describes the files.
 *
 * A handle belongs to one thread at a time.
 */
#ifndef PROFUSE_STORE_H
#define PROFUSE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <profuse/error.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct pf_store;
struct pf_selection;

enum { PF_STORE_ID_SIZE = 32 };

struct pf_store_label {
	const char *name, *value;
};

/* What is known of a profile without decoding it. Strings are never NULL; "" is unknown. */
struct pf_store_entry {
	uint8_t id[PF_STORE_ID_SIZE]; /* SHA-256 of the bytes */
	int64_t start_nanos;          /* of the window, since the epoch, as the profile says it */
	int64_t duration_nanos;       /* 0: a snapshot */
	int64_t collected_nanos;      /* when it was stored; retention and folders go by this */
	uint64_t size;                /* of the bytes */
	uint64_t sample_count;
	const char *type;                    /* cpu, heap, ... */
	const char *build_id;                /* of the main binary */
	const char *trigger;                 /* what asked for it; "": the schedule did */
	const char *reason;                  /* a sentence, where a trigger did */
	const struct pf_store_label *labels; /* of the target, sorted by name, each name once */
	size_t label_count;
	const uint64_t *traces; /* pf_store_trace_hash() of its trace and span ids, ascending; not
				   filled by a selection */
	size_t trace_count;
};

/* The value of a label, or "". The service is the label "service", else "job". */
const char *pf_store_label(const struct pf_store_entry *entry, const char *name);
const char *pf_store_service(const struct pf_store_entry *entry);

/* What stands for a trace or span id in an entry. */
uint64_t pf_store_trace_hash(const char *id);

/* Fill with PF_STORE_OPTIONS_INIT. */
struct pf_store_options {
	size_t struct_size;
	/* What the user should know but that stops nothing; a full sentence. May be NULL. */
	void (*warn)(void *data, const char *sentence);
	void *warn_data;
	double lock_patience;  /* seconds to wait for another writer to go away [2] */
	uint64_t journal_size; /* bytes after which a journal is sealed [64 MiB] */
};
#define PF_STORE_OPTIONS_INIT {.struct_size = sizeof(struct pf_store_options)}

/*
 * Opens for writing: makes the folder if it isn't there, takes the lock and
 * repairs what a crash left. Or for reading: the folder must be a store; it is
 * brought up to date first if nobody writes and we may, and is never written to
 * otherwise. *store is NULL on failure. PF_EIO: not there, locked, unreadable;
 * PF_EINPUT: no store, or one of a newer version; PF_ENOMEM.
 */
int pf_store_create(struct pf_store **store, const char *path,
    const struct pf_store_options *options, struct pf_error *err);
int pf_store_open(struct pf_store **store, const char *path, const struct pf_store_options *options,
    struct pf_error *err);
/* What was not committed is lost. */
void pf_store_close(struct pf_store *store);
const char *pf_store_path(const struct pf_store *store);

/*
 * Adds a profile; entry->id and size are filled in from the bytes, a start of
 * zero from collected_nanos. *known (may be NULL) tells that the same bytes are
 * in the store already: nothing is added then. Durable only after the next
 * commit. PF_EIO (a full disk): nothing was added, the store is as before.
 */
int pf_store_append(struct pf_store *store, struct pf_store_entry *entry, const void *bytes,
    size_t size, bool *known, struct pf_error *err);
/*
 * Makes everything appended durable and visible to readers. PF_EIO: none of what
 * was appended since the last commit may be counted on.
 */
int pf_store_commit(struct pf_store *store, struct pf_error *err);
/* Whether the journal is large or old enough to be sealed; `now_nanos` since the epoch. */
bool pf_store_wants_seal(const struct pf_store *store, int64_t now_nanos);
/* Moves committed profiles from the journal into segments. After PF_EIO they are still in the journal. */
int pf_store_seal(struct pf_store *store, struct pf_error *err);
/* Bytes of all profiles, and how many there are. */
int pf_store_totals(
    struct pf_store *store, uint64_t *profiles, uint64_t *bytes, struct pf_error *err);

/* A list of values of which any will do; count 0: no restriction. */
struct pf_store_any {
	const char *const *items;
	size_t count;
};

/* Fill with PF_STORE_FILTER_INIT. */
struct pf_store_filter {
	size_t struct_size;
	struct pf_store_any services, instances, types, versions, triggers;
	struct pf_store_any build_ids; /* beginnings */
	struct pf_store_any ids;       /* beginnings, in hexadecimal */
	struct pf_store_any labels;    /* "NAME=VALUE"; of several names all must fit */
	/* Labels that a target doesn't have don't exclude it: they may be its samples' (see docs/store.md). */
	bool labels_of_samples;
	int64_t since_nanos, until_nanos; /* start in [since, until); 0: open */
	const char *trace;                /* a trace or span id */
	bool triggered;                   /* only what a trigger asked for */
	bool latest;                      /* only the newest of each instance and type */
	bool keep_duplicates;             /* don't leave out what was measured twice */
};
#define PF_STORE_FILTER_INIT {.struct_size = sizeof(struct pf_store_filter)}

/*
 * What fits, over several stores together, oldest first. The same window of an
 * instance counts once (of one start the smallest id), and of overlapping
 * windows the later one is left out. Stores must stay open while it is used.
 */
int pf_store_select(struct pf_selection **selection, struct pf_store *const *stores, size_t count,
    const struct pf_store_filter *filter, struct pf_error *err);
void pf_selection_free(struct pf_selection *selection);
size_t pf_selection_count(const struct pf_selection *selection);
/* Entry i; its strings are the selection's, labels are good until the next call. */
int pf_selection_entry(
    struct pf_selection *selection, size_t i, struct pf_store_entry *entry, struct pf_error *err);
bool pf_selection_pinned(const struct pf_selection *selection, size_t i);
const struct pf_store *pf_selection_store(const struct pf_selection *selection, size_t i);
/* How many windows were left out as measured twice: the same window, or one that overlaps. */
uint64_t pf_selection_same(const struct pf_selection *selection);
uint64_t pf_selection_overlapping(const struct pf_selection *selection);
/* The i-th entry in the order in which reading is cheapest. */
size_t pf_selection_stored(const struct pf_selection *selection, size_t i);
/*
 * The bytes of entry i, checked by their checksum; the selection's until the next
 * call. PF_EINPUT damaged; PF_EIO gone or unreadable.
 */
int pf_selection_bytes(struct pf_selection *selection, size_t i, const void **bytes, size_t *size,
    struct pf_error *err);

/* Keeps a profile from being pruned, or no longer; works beside a writer. `hex` names it whole. */
int pf_store_pin(struct pf_store *store, const char *hex, bool pinned, struct pf_error *err);

/* One class of what retention tells apart; a profile belongs to the first that it fits. */
struct pf_store_rule {
	struct pf_store_any types;
	bool triggered;     /* only what a trigger asked for */
	double max_age;     /* seconds; 0: no limit */
	uint64_t max_bytes; /* 0: no limit */
};

struct pf_store_pruned {
	uint64_t profiles, bytes; /* removed */
	uint64_t pinned;          /* would have been, but for a pin */
};

/*
 * Removes by rules (oldest first), or, with a filter, exactly what it selects.
 * Pinned profiles stay. `thorough` rewrites every segment concerned, so that
 * nothing removed is on the disk any more; otherwise a segment waits until half
 * of it is to go. `dry` only counts. Must be open for writing.
 */
int pf_store_prune(struct pf_store *store, const struct pf_store_rule *rules, size_t count,
    int64_t now_nanos, bool thorough, bool dry, struct pf_store_pruned *pruned,
    struct pf_error *err);
int pf_store_remove(struct pf_store *store, const struct pf_store_filter *filter, bool dry,
    struct pf_store_pruned *pruned, struct pf_error *err);

struct pf_store_verified {
	uint64_t segments, journals, profiles, bytes; /* read whole */
	uint64_t damaged;                             /* findings */
};

/*
 * Reads everything and compares it with its names, checksums and the index;
 * `report` gets a sentence for each finding. With `decode` every profile is
 * decoded too. 0 also with findings: see verified->damaged.
 */
int pf_store_verify(struct pf_store *store, bool decode,
    void (*report)(void *data, const char *sentence), void *data,
    struct pf_store_verified *verified, struct pf_error *err);
/* Throws the index away and makes it anew from segments and journals. Must be open for writing. */
int pf_store_rebuild(struct pf_store *store, struct pf_error *err);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
