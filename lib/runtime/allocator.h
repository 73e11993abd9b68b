/*
 * allocator.h: what an allocator says about itself, in one form for all.
 *
 * Read are glibc's malloc_info(3) XML and mallinfo2(3) figures as "name value"
 * lines, jemalloc's malloc_stats_print as JSON ("J") and as text, gperftools'
 * MallocExtension::GetStats, and mimalloc's mi_stats_print. Sizes are bytes;
 * what a source does not say is NaN.
 */
#ifndef PF_RUNTIME_ALLOCATOR_H
#define PF_RUNTIME_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>

struct pf_error;

enum pf_allocator {
	PF_ALLOCATOR_UNKNOWN,
	PF_ALLOCATOR_GLIBC,
	PF_ALLOCATOR_JEMALLOC,
	PF_ALLOCATOR_TCMALLOC, /* gperftools' */
	PF_ALLOCATOR_MIMALLOC,
	PF_ALLOCATOR_GO,
	PF_ALLOCATORS,
};

/* "glibc", "jemalloc", "tcmalloc", "mimalloc", "go", "unknown". */
const char *pf_allocator_name(enum pf_allocator allocator);

struct pf_allocator_setting {
	char name[48], value[32];
};

enum { PF_MOST_SETTINGS = 128 };

/* glibc's free chunks in arenas of which most are in fast bins: sums of these arenas, without their tops. */
struct pf_glibc_fast {
	double free_bytes, fast_bytes, fast_chunks, other_chunks;
	double found;  /* of `releasable`, in them, as the chunks are */
	double joined; /* what is more once they are joined */
	double in_use;
};

struct pf_allocator_stats {
	enum pf_allocator allocator;
	char version[64]; /* "" where the source does not say */
	double in_use;    /* handed to the program and not freed */
	double active;    /* in pages, or runs of them, that hold something in use */
	double metadata, resident, mapped;
	double metadata_unwritten; /* jemalloc 5: of metadata, by the model of the reader's file */
	double retained;           /* address space that is mapped but holds no memory */
	double
	    releasable; /* what a release on request gives back, by the model of the reader's file */
	double releasable_least,
	    releasable_most;            /* its bounds; NaN: those of its model's error only */
	double thread_cached;           /* free, in caches of threads */
	double central_cached;          /* free, in caches between threads */
	double free_bytes, free_chunks; /* glibc: free, not given back */
	double largest_free;            /* glibc: of them, in the arena that has most */
	double top_bytes;               /* glibc: of them, at the end of the main arena */
	double mmapped, mmapped_chunks; /* glibc: allocations with a mapping of their own */
	double arenas, threads;
	double purges, purge_calls; /* jemalloc: passes, and madvise calls in them */
	double
	    background_threads; /* jemalloc: that return pages by themselves; the text says 0 or 1 */
	double locks, lock_waits, lock_wait_seconds; /* since the process began */
	double uptime_seconds;
	double allocations, peak_committed;
	double largest_arena_share; /* of in_use, or of what arenas hold; 1/arenas when even */
	struct pf_glibc_fast fast;
	struct pf_allocator_setting settings[PF_MOST_SETTINGS];
	size_t setting_count;
};

/* Everything unknown. */
void pf_allocator_stats_init(struct pf_allocator_stats *s);

/* The value of a setting such as "opt.narenas", or NULL where the source does not say. */
const char *pf_allocator_setting(const struct pf_allocator_stats *s, const char *name);
/* Adds one; dropped when there are PF_MOST_SETTINGS or a text is too long. */
void pf_allocator_add_setting(
    struct pf_allocator_stats *s, const char *name, const char *value, size_t value_size);

/* The format that the bytes are in; UNKNOWN for anything else. Never fails. */
enum pf_allocator pf_allocator_recognise(const void *bytes, size_t size);

/*
 * Reads whichever of the formats it is. PF_EINPUT names `name`, the line and the
 * reason for what is malformed, cut off, or none of them; PF_ENOMEM.
 */
int pf_allocator_parse(struct pf_allocator_stats *s, const char *name, const void *bytes,
    size_t size, struct pf_error *err);

/*
 * Sets metadata_unwritten from what jemalloc says: the bytes that its base (of the first arena, or of all)
 * has handed out, and its page size. Needs version, mapped and retained.
 */
void pf_jemalloc_find_unwritten(struct pf_allocator_stats *s, double base, double page);

/*
 * glibc: what malloc_trim(0) gives back once it has joined the chunks of fast bins
 * with their neighbours; sets releasable and its bounds. How many runs remain nobody
 * says: at most as many as there are live chunks, whose mean size the caller may know
 * (NaN: it is guessed from the free ones'), and no fewer than the other chunks less
 * those of fast bins, each of which joins two of them. Likely a third of the live
 * chunks lie beside another, and the runs between them are of exponential size; at the
 * worst all lie apart, evenly.
 */
void pf_glibc_join(struct pf_allocator_stats *s, double live_size);

/* One format each; for pf_allocator_parse() and the tests. */
typedef int pf_allocator_reader(struct pf_allocator_stats *s, const char *name, const void *bytes,
    size_t size, struct pf_error *err);
pf_allocator_reader pf_malloc_info_parse, pf_mallinfo2_parse, pf_jemalloc_json_parse,
    pf_jemalloc_text_parse, pf_tcmalloc_parse, pf_mimalloc_parse;

#endif
