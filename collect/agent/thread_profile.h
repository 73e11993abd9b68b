/*
 * thread_profile.h: looks at all threads as profiles: what each does now, or all did for a while.
 */
#ifndef PF_AGENT_THREAD_PROFILE_H
#define PF_AGENT_THREAD_PROFILE_H

#include <stdbool.h>

#include "core/buffer.h"

/* One look: a sample for each thread. 0 or a negative errno. */
int pf_threads_write(struct pf_buffer *out);
/* The same as text: level 1 by stack, 2 thread by thread. */
int pf_threads_write_text(int level, struct pf_buffer *out);

/*
 * A window in which threads are looked at again and again: wall-clock time by
 * stack and by what it went for. 0; -EALREADY if one is open; a negative errno.
 */
int pf_wall_open(void);
/* Looks, if it is time; when to do so again, INT64_MAX if there is no window. */
int64_t pf_wall_tick(int64_t now);
/* Closes it and writes its profile, unless out is NULL. */
int pf_wall_close(struct pf_buffer *out);
/* In a forked child; `tidy`: it was consistent. */
void pf_wall_forked(bool tidy);

#endif
