/*
 * goroutines.h: a goroutine dump (/debug/pprof/goroutine?debug=2, or what a Go
 * program prints when it panics), with what a profile of it loses: numbers,
 * waiting times and the addresses of the locks that goroutines wait for.
 */
#ifndef PF_RUNTIME_GOROUTINES_H
#define PF_RUNTIME_GOROUTINES_H

#include <stdbool.h>

#include "core/strings.h"

enum { PF_GOROUTINE_WORDS = 4 };

struct pf_goroutine_frame {
	uint32_t function, file; /* strings */
	int64_t line;
	uint64_t
	    words[PF_GOROUTINE_WORDS]; /* the first ones passed; 0: none, not printed, or stale */
};

struct pf_goroutine {
	int64_t number;
	uint32_t state;                  /* string: "sync.Mutex.Lock", "chan receive", … */
	int64_t minutes;                 /* waiting, as far as it is said (from one minute on) */
	size_t first_frame, frame_count; /* leaf first */
};

struct pf_goroutines {
	struct pf_strings strings;
	struct pf_goroutine *items;
	size_t count, capacity;
	struct pf_goroutine_frame *frames;
	size_t frame_count, frame_capacity;
	bool cut; /* the text ends within a line, as none does that Go wrote to its end */
};

bool pf_goroutines_is_dump(const void *bytes, size_t size);
/* PF_EINPUT with the line for what is no dump. PF_ENOMEM. Release it after a failure too. */
int pf_goroutines_parse(struct pf_goroutines *g, const char *name, const void *bytes, size_t size,
    struct pf_error *err);
void pf_goroutines_release(struct pf_goroutines *g);

#endif
