/*
 * evidence.h: all that is known of one service, in one place: what detectors read.
 *
 * Profiles are named, sorted by time within their kind, and seen as stacks of
 * function names with the traits of code.h. Statistics keep the order in which
 * they came. Nothing here judges; what stands in the way of a judgement (times
 * that don't ascend, different builds) is noted for those who do.
 */
#ifndef PF_TUNER_EVIDENCE_H
#define PF_TUNER_EVIDENCE_H

#include "profile/model.h"
#include "report/frames.h"
#include "runtime/allocator.h"
#include "runtime/cgroup.h"
#include "runtime/go_stats.h"
#include "runtime/goroutines.h"
#include "runtime/proc.h"
#include "tuner/code.h"
#include "tuner/holdings.h"

enum { PF_LEAST_SERIES = 4 }; /* snapshots that a trend can be told from */

enum pf_profile_kind {
	PF_PROFILE_OTHER,
	PF_PROFILE_CPU,
	PF_PROFILE_HEAP,      /* with a column of memory in use */
	PF_PROFILE_ALLOCS,    /* allocations only */
	PF_PROFILE_GOROUTINE, /* one per goroutine */
	PF_PROFILE_THREADS,   /* one per thread */
	PF_PROFILE_WALL,    /* the agent's: what threads did over a window, also when they waited */
	PF_PROFILE_CREATED, /* threads created */
	PF_PROFILE_LOCKS, /* mutex, contention: waiting that holders caused, or suffered at locks */
	PF_PROFILE_BLOCK, /* all waiting inside the program */
	PF_PROFILE_FREES, /* the agent's: what was freed, by which thread, after how long */
	PF_PROFILE_KINDS,
};

struct pf_evidence_profile {
	/*
	 * Owned. NULL once it is an older snapshot of a store's series: then frames and traits are
	 * gone too, and what the series needs of it is in `held`.
	 */
	struct pf_profile *p;
	char *name; /* owned; the file or address */
	enum pf_profile_kind kind;
	bool base; /* what others are compared with */
	size_t order;
	size_t
	    program; /* 1 + the place of the first one of its program; 0: not compared (programs.h) */
	bool names_added; /* that the file itself doesn't have */
	bool
	    unlike; /* a base that has names where what it is the base of has none, or none where that has some */
	bool apart; /* of another program than what is judged: its kind is PF_PROFILE_OTHER */
	struct pf_frames frames;
	uint32_t *traits;           /* owned; of each name of frames */
	int64_t time_nanos;         /* since the epoch; 0: unknown */
	uint32_t process, instance; /* strings of the evidence's; 0: named by hand */
	uint32_t series;            /* 0: what was named by hand; else snapshots of one process */
	uint32_t nth;               /* of its series */
	int64_t series_ended;       /* when the last of its series was taken; set by settling */
	double allocated;           /* bytes ever allocated in it; NaN: not told */
	struct pf_holdings held;
};

/* What came from one --stats file or one look at a process. */
struct pf_evidence_stats {
	char *name;   /* owned */
	double at;    /* seconds since the epoch; NaN: unknown */
	double began; /* the process, likewise */
	double asked; /* collections that it was asked for until then, to look at its heap */
	bool base;
	bool has_allocator, has_go, has_proc;
	struct pf_allocator_stats allocator;
	struct pf_go_stats go;
	struct pf_proc proc;
};

struct pf_evidence {
	char *service;             /* owned; what reports call it */
	struct pf_strings strings; /* owners of holdings, instances; [0] is "" */
	struct pf_strings
	    callers; /* of owners, likewise: apart, for growth.h keeps room for each of the others */
	uint32_t series_count;
	size_t ended_count; /* last snapshots of processes that were followed by another */
	struct pf_evidence_profile *profiles;
	size_t profile_count, profile_capacity;
	struct pf_evidence_stats *stats;
	size_t stats_count, stats_capacity;
	struct pf_gctrace trace;
	bool has_trace;
	char *
	    base_trace; /* owned; the name of a base's, which is compared with nothing; NULL: none */
	struct pf_goroutines goroutines; /* the last dump with addresses */
	bool has_goroutines;
	size_t asked;       /* collections that a live service was asked for until now */
	double answered;    /* seconds: the soonest that one of the last of them was over; NaN */
	size_t collections; /* that the heap snapshots of one process of Go's are of, at most */
	bool not_go; /* statistics of Go's runtime were set aside: the program is none of Go's */
	struct pf_cgroup cgroup;
	bool has_cgroup;
	double memory_limit; /* bytes: of the container, or given; NaN: unknown, infinity: none */
	double cpus;         /* that the service may use; NaN: unknown */
	char gogc[32], gomemlimit[32], arena_max[32]; /* of its environment; "" unknown */
	char *tunables; /* owned; GLIBC_TUNABLES of its environment; NULL: not set, or unknown */
	char fixed_threshold
	    [64]; /* a variable that fixes malloc's thresholds, with its value; "" none */
	bool has_environment; /* so that what is not in it is not set */
	pid_t process;        /* that was looked at; 0: none */
	double first_resident,
	    first_at; /* of no file, when a live service was looked at first; NaN */
	pid_t worker; /* one of its children that run the same program, of which there are… */
	size_t workers;
	enum pf_allocator allocator; /* in charge, as its mappings or statistics say */
	char allocator_version[64];
	/* What weakens comparisons of the snapshots of a kind: set by pf_evidence_settle(). */
	struct pf_snapshot_doubts {
		bool times_missing, times_disordered, builds_differ;
		/* Neighbours, the earlier first, between which all that was ever allocated falls. */
		const struct pf_evidence_profile *restarted[2];
		/* The second's time is before the first's, and wrong: their order is the one given. */
		const struct pf_evidence_profile *clock[2];
		/* Neighbours by time that were given the other way round; nothing else tells who is right. */
		const struct pf_evidence_profile *reordered[2];
		/* Two snapshots, neither a base, in which something is mapped at different addresses. */
		const struct pf_evidence_profile *mixed[2];
	} doubts[PF_PROFILE_KINDS];
};

int pf_evidence_init(struct pf_evidence *e, const char *service, struct pf_error *err);
void pf_evidence_release(struct pf_evidence *e);

/* Takes the profile over, also on failure. PF_EINPUT for what can't be compared with what is there. */
int pf_evidence_add_profile(
    struct pf_evidence *e, struct pf_profile *p, const char *name, bool base, struct pf_error *err);

/* Where a store's profile comes from. */
struct pf_evidence_source {
	const char
	    *process; /* tells processes apart: instance, build, version; restarts need not be */
	const char *instance;
	int64_t start_nanos;
};

/*
 * The same of a store's profile; those of one kind and process come one after the
 * other, oldest first. Where all that was ever allocated falls, another process
 * goes on under its name, and another series begins. Of older snapshots only
 * holdings are kept.
 */
int pf_evidence_add_stored(struct pf_evidence *e, struct pf_profile *p, const char *name,
    const struct pf_evidence_source *source, struct pf_error *err);

/*
 * Takes in statistics of any kind that lib/runtime reads, recognised from the
 * bytes; *known says whether it was one (then a failure is the reader's).
 */
int pf_evidence_add_stats(struct pf_evidence *e, const char *name, const void *bytes, size_t size,
    bool base, bool *known, struct pf_error *err);

/* What /proc and the control group say about a living process, and how it was started. */
int pf_evidence_add_process(struct pf_evidence *e, pid_t pid, struct pf_error *err);

/* How much is resident now, before anything else is known of the process: that it becomes more shows later. */
void pf_evidence_look_first(struct pf_evidence *e, pid_t pid);

/* Sorts by time and notes what is amiss. Call it once, before detectors run. */
void pf_evidence_settle(struct pf_evidence *e);

/* Whether times tell how far snapshots of a kind are apart. */
static inline bool
pf_evidence_is_timed(const struct pf_evidence *e, enum pf_profile_kind kind)
{
	return !e->doubts[kind].times_missing && !e->doubts[kind].clock[0];
}

/*
 * The first snapshot of the next series of a kind after the one of `after` (NULL: of the first
 * one), and the next snapshot of the same series, in the order of time; bases are left out.
 */
const struct pf_evidence_profile *pf_evidence_next_series(const struct pf_evidence *e,
    enum pf_profile_kind kind, const struct pf_evidence_profile *after);
const struct pf_evidence_profile *pf_evidence_next(
    const struct pf_evidence *e, const struct pf_evidence_profile *after);
/* Whether it is a snapshot of a kind as it is now, and can be read: no base. */
bool pf_evidence_is_look(const struct pf_evidence_profile *ep, enum pf_profile_kind kind);
/* The youngest profile of a kind. */
const struct pf_evidence_profile *pf_evidence_last(
    const struct pf_evidence *e, enum pf_profile_kind kind);
/* The base of a kind, or NULL. */
const struct pf_evidence_profile *pf_evidence_base(
    const struct pf_evidence *e, enum pf_profile_kind kind);

/* The last statistics that have an allocator's, Go's, or the kernel's figures, before `before` (NULL: of all). */
enum pf_stats_kind { PF_STATS_ALLOCATOR, PF_STATS_GO, PF_STATS_PROC };
const struct pf_evidence_stats *pf_evidence_stats_last(
    const struct pf_evidence *e, enum pf_stats_kind kind, const struct pf_evidence_stats *before);

/* A column by name: the first of `names` (NULL-terminated) that the profile has, or PF_NONE. */
uint32_t pf_evidence_column(const struct pf_evidence_profile *ep, const char *const *names);

/* The resident set: the kernel's word, else the allocator's, else NaN. */
double pf_evidence_rss(const struct pf_evidence *e);

/* Whether the service is a Go program, as its profiles or statistics tell. */
bool pf_evidence_is_go(const struct pf_evidence *e);

#endif
