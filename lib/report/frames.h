/*
 * frames.h: what a report calls each frame of a profile.
 *
 * A name is a row of a report: two frames of one name are the same row. C++ functions
 * have their short names (symbol/demangle.h), so that overloads and instances of a
 * template are one.
 * Locations become runs of names, leaf first: the inlined functions, then the
 * one that was really called. Frames that the profile itself says to drop
 * (drop_frames: the innards of an allocator, say) are gone.
 */
#ifndef PF_REPORT_FRAMES_H
#define PF_REPORT_FRAMES_H

#include "profile/model.h"

enum pf_granularity {
	PF_BY_AUTO,     /* functions, or addresses where the profile names no function at all */
	PF_BY_FUNCTION, /* a location without lines is named by its binary: [libc.so.6] */
	PF_BY_LINE,
	PF_BY_ADDRESS, /* binary+offset, with function and line where known */
	PF_BY_FILE,
	PF_BY_BINARY,
};

/* The function that a name stands for, as strings of the profile; 0: unknown. */
struct pf_frame_name {
	uint32_t file;
	uint32_t symbol; /* its name there, which may be mangled */
	bool shared;     /* it stands for others too: overloads, instances */
};

struct pf_frames {
	const struct pf_profile *p; /* borrowed */
	struct pf_strings names;
	uint32_t *runs;   /* names, location by location */
	uint64_t *starts; /* location_count + 1, into runs */
	size_t run_count, run_capacity;
	struct pf_frame_name *about; /* by name */
	size_t about_capacity;
	uint8_t
	    *cuts; /* of each location, what is dropped there (drop.c); NULL: nothing anywhere */
	enum pf_granularity granularity; /* never PF_BY_AUTO */
	bool has_lines;                  /* some location has a function, beside the agent's */
	bool bad_drop_frames;            /* drop_frames is no expression we understand: ignored */
};

/* Names every location. Borrows the profile. PF_ENOMEM. */
int pf_frames_init(struct pf_frames *f, const struct pf_profile *p, enum pf_granularity granularity,
    struct pf_error *err);
void pf_frames_release(struct pf_frames *f);

/* The first frame of a sample (an index into p->frames) that is not dropped; the end if all are. */
uint64_t pf_frames_leaf(const struct pf_frames *f, size_t sample);

/* A name as printed. */
static inline const char *
pf_frames_name(const struct pf_frames *f, uint32_t name)
{
	return pf_strings_get(&f->names, name);
}

#endif
